// loader.cpp: picks, augments and normalises the pictures of one batch. Not shuffling: that is
// order.cpp.
#include "adjoint/data/loader.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace adjoint::data {

ImageLoader::ImageLoader(ImageShape shape, std::span<const std::int32_t> labels, Read read, const LoaderOptions& options, Loc loc)
    : shape_(shape), labels_(labels), read_(std::move(read)), options_(options), order_(std::ssize(labels), options.order, loc) {}

static PixelStatistics usable(PixelStatistics s) {
  for (float& d : s.deviation)
    if (d == 0) d = 1;  // a channel of one value: only its mean is taken off
  return s;
}

ImageLoader::ImageLoader(const ImageSet& set, const LoaderOptions& options, Loc loc)
    : ImageLoader(set.shape, set.labels,
                  [set = &set](std::span<const std::int64_t> examples, std::span<std::uint8_t> pixels) {
                    auto place = pixels.begin();
                    for (const auto e : examples) place = std::ranges::copy(set->image(e), place).out;
                  },
                  options, loc) {
  const auto bytes = std::ssize(set.pixels), count = std::ssize(set.labels), each = bytes / count;  // at least one label
  const auto [height, width, channels] = set.shape;
  if (height < 1 || width < 1 || channels < 1 || bytes % count != 0 || each % height != 0 ||
      each / height % width != 0 || each / height / width != channels ||
      count != set.count)
    throw Error({.op = "ImageLoader",
                 .message = fmt::format("{} pictures with {} bytes and {} labels", set.count,
                                        set.pixels.size(), set.labels.size()),
                 .where = loc,
                 .hint = "count pictures of height * width * channels bytes, and one label each"});
  if (options_.statistics.mean.empty()) options_.statistics = usable(pixel_statistics(set, loc));
  batch(0, 0, loc);  // wrong settings are an error here, at the user's line, and not on the thread
}

ImageLoader::ImageLoader(const ImageFile& file, const LoaderOptions& options, Loc loc)
    : ImageLoader(file.shape(), file.labels(), [file = &file](auto examples, auto pixels) { file->read(examples, pixels); }, options, loc) {
  if (options_.statistics.mean.empty()) options_.statistics = usable(pixel_statistics(file, loc));
  batch(0, 0, loc);
}

ImageBatch ImageLoader::batch(std::int64_t epoch, std::int64_t index, Loc loc) {
  const auto examples = order_.batch(epoch, index, loc);
  const auto each = static_cast<std::size_t>(shape_.size());
  ImageBatch out{.epoch = epoch, .index = index, .size = std::ssize(examples)};
  out.examples.assign(examples.begin(), examples.end());
  std::vector<std::uint8_t> pixels(each * examples.size());
  read_(examples, pixels);
  if (options_.augment.any()) {
    std::vector<std::uint8_t> changed(pixels.size());
    for (std::size_t i = 0; i < examples.size(); ++i)
      augment(std::span(pixels).subspan(i * each, each), shape_, options_.augment, options_.order.seed, epoch, examples[i],
              std::span(changed).subspan(i * each, each), loc);
    pixels = std::move(changed);
  }
  for (const auto e : examples) out.labels.push_back(labels_[static_cast<std::size_t>(e)]);
  out.images.resize(pixels.size());
  normalise(pixels, shape_, options_.statistics, options_.layout, out.images, loc);
  return out;
}

std::unique_ptr<Prefetcher<ImageBatch>> ImageLoader::epoch(std::int64_t epoch, std::int64_t first,
                                                           Loc loc) const {
  const auto count = std::max<std::int64_t>(0, batches() - first);
  return std::make_unique<Prefetcher<ImageBatch>>(
      count,
      [loader = *this, epoch, first, loc](std::int64_t i) mutable {
        return loader.batch(epoch, first + i, loc);
      },
      options_.prefetch);
}

}  // namespace adjoint::data
