// images.cpp: augmentation and normalisation of 8-bit pictures. Not the reading of folders.
#include "adjoint/data/images.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "data/philox.hpp"
#include "data/pixel_histogram.hpp"

namespace adjoint::data {

namespace {

[[noreturn]] void refuse(const char* op, std::string message, Loc loc, std::string hint) {
  throw Error({.op = op, .message = std::move(message), .where = loc, .hint = std::move(hint)});
}

// A shape whose size can be computed: positive sides, at most 2^40 bytes.
void check_shape(const char* op, const ImageShape& s, Loc loc) {
  constexpr std::int64_t kSide = 1 << 16, kChannels = 1 << 8;
  if (s.height < 1 || s.height > kSide || s.width < 1 || s.width > kSide || s.channels < 1 ||
      s.channels > kChannels)
    refuse(op,
           fmt::format("pictures of [{}, {}, {}] are not supported", s.height, s.width, s.channels),
           loc, "sides are between 1 and 65536, channels between 1 and 256");
}

void check(const Augment& a, std::span<const std::uint8_t> in, const ImageShape& shape,
           std::int64_t epoch, std::int64_t index, std::size_t out, Loc loc) {
  check_shape("augment", shape, loc);
  const auto size = static_cast<std::size_t>(shape.size());
  if (in.size() != size || out != size)
    refuse("augment",
           fmt::format("a picture of {} bytes, given {} and room for {}", size, in.size(), out),
           loc, "give one picture, and as many bytes for the result");
  if (a.shift < 0 || a.shift > 1 << 16 || a.erase_side < 0 || a.erase_side > 1 << 16)
    refuse("augment",
           fmt::format("shift {} or erase_side {} is not in [0, 65536]", a.shift, a.erase_side),
           loc, "both are pixels; 0 switches them off");
  if (!(a.erase_probability >= 0 && a.erase_probability <= 1))
    refuse("augment", fmt::format("erase_probability {} is not in [0, 1]", a.erase_probability),
           loc, "0 switches it off");
  if (epoch < 0 || epoch > INT64_C(0xFFFFFFFF) || index < 0 || index >> 48 != 0)
    refuse("augment", fmt::format("epoch {} or index {} is out of range", epoch, index), loc,
           "both count from 0, the epoch below 2^32, the index below 2^48");
}

// One row of the result, from the row `in` of the source or from nothing.
void copy_row(const std::uint8_t* in, std::uint8_t* out, std::int64_t width, std::int64_t channels,
              std::int64_t dx, bool flip) {
  const std::int64_t begin = std::clamp<std::int64_t>(dx, 0, width);
  const std::int64_t end = std::clamp<std::int64_t>(width + dx, 0, width);
  std::fill(out, out + begin * channels, std::uint8_t{0});
  if (!flip) {
    if (end > begin)
      std::copy_n(in + (begin - dx) * channels, (end - begin) * channels, out + begin * channels);
  } else {
    for (std::int64_t x = begin; x < end; ++x)
      std::copy_n(in + (width - 1 - (x - dx)) * channels, channels, out + x * channels);
  }
  std::fill(out + std::max(begin, end) * channels, out + width * channels, std::uint8_t{0});
}

}  // namespace

void augment(std::span<const std::uint8_t> in, const ImageShape& shape, const Augment& a,
             std::uint64_t seed, std::int64_t epoch, std::int64_t index,
             std::span<std::uint8_t> out, Loc loc) {
  check(a, in, shape, epoch, index, out.size(), loc);
  Draws draws(seed, Purpose::augment, static_cast<std::uint64_t>(epoch),
              static_cast<std::uint64_t>(index));
  const auto [h, w, c] = shape;
  // All draws are made whether needed or not: switching one change on leaves the others as they
  // were.
  const bool flip = draws.chance(0.5) && a.flip;
  const auto range = static_cast<std::uint64_t>(2 * a.shift + 1);
  const std::int64_t dy = static_cast<std::int64_t>(draws.below(range)) - a.shift;
  const std::int64_t dx = static_cast<std::int64_t>(draws.below(range)) - a.shift;
  for (std::int64_t y = 0; y < h; ++y) {
    std::uint8_t* row = out.data() + y * w * c;
    const std::int64_t from = y - dy;
    if (from < 0 || from >= h)
      std::fill(row, row + w * c, std::uint8_t{0});
    else
      copy_row(in.data() + from * w * c, row, w, c, dx, flip);
  }
  if (!draws.chance(a.erase_probability) || a.erase_side == 0) return;
  const auto side = static_cast<std::uint64_t>(a.erase_side);
  const std::int64_t top = static_cast<std::int64_t>(draws.below(static_cast<std::uint64_t>(h)));
  const std::int64_t left = static_cast<std::int64_t>(draws.below(static_cast<std::uint64_t>(w)));
  const std::int64_t rows = 1 + static_cast<std::int64_t>(draws.below(side));
  const std::int64_t columns = 1 + static_cast<std::int64_t>(draws.below(side));
  for (std::int64_t y = top; y < std::min(h, top + rows); ++y)
    std::fill(out.data() + (y * w + left) * c,
              out.data() + (y * w + std::min(w, left + columns)) * c, a.erase_value);
}

PixelStatistics pixel_statistics(const ImageSet& set, Loc loc) {
  check_shape("pixel_statistics", set.shape, loc);
  const auto channels = static_cast<std::size_t>(set.shape.channels);
  if (set.pixels.empty() || set.pixels.size() % channels != 0)
    refuse("pixel_statistics", fmt::format("{} bytes of {} channels", set.pixels.size(), channels),
           loc, "the set holds whole pixels, at least one");
  PixelHistogram histogram(set.shape.channels);
  histogram.add(set.pixels);
  return histogram.statistics();
}

void normalise(std::span<const std::uint8_t> pixels, const ImageShape& shape,
               const PixelStatistics& s, ImageLayout layout, std::span<float> out, Loc loc) {
  check_shape("normalise", shape, loc);
  const auto channels = static_cast<std::size_t>(shape.channels);
  const auto area = static_cast<std::size_t>(shape.height * shape.width), size = area * channels;
  if (pixels.size() % size != 0 || pixels.size() != out.size())
    refuse("normalise",
           fmt::format("{} bytes of pictures of {} bytes into {} floats", pixels.size(), size,
                       out.size()),
           loc, "give whole pictures, and one float a byte");
  if (s.mean.size() != channels || s.deviation.size() != channels)
    refuse("normalise",
           fmt::format("{} means and {} deviations for {} channels", s.mean.size(),
                       s.deviation.size(), channels),
           loc, "one of each a channel, as pixel_statistics gives them");
  std::vector<std::array<float, 256>> table(channels);
  for (std::size_t c = 0; c < channels; ++c) {
    if (!(s.deviation[c] > 0) || !std::isfinite(s.mean[c]))
      refuse("normalise",
             fmt::format("mean {} and deviation {} of channel {}", s.mean[c], s.deviation[c], c),
             loc, "means are finite, deviations positive");
    for (int v = 0; v < 256; ++v)
      table[c][static_cast<std::size_t>(v)] =
          static_cast<float>((v / 255.0 - double{s.mean[c]}) / double{s.deviation[c]});
  }
  if (channels == 1) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = table[0][pixels[i]];
    return;
  }
  for (std::size_t first = 0; first < out.size(); first += size)
    for (std::size_t p = 0; p < area; ++p)
      for (std::size_t c = 0; c < channels; ++c)
        out[first + (layout == ImageLayout::chw ? c * area + p : p * channels + c)] =
            table[c][pixels[first + p * channels + c]];
}

}  // namespace adjoint::data
