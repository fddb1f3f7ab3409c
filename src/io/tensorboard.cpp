// tensorboard.cpp: events framed as checksummed records. Not a reader of them.
#include "adjoint/io/tensorboard.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <utility>
#include <vector>

#include "io/crc32c.hpp"
#include "io/file.hpp"
#include "io/png.hpp"
#include "io/wire.hpp"

namespace adjoint::io {

namespace {

// Field numbers of TensorBoard's event.proto, summary.proto and histogram.proto.
namespace event_field {
enum { wall_time = 1, step = 2, file_version = 3, summary = 5 };
}
namespace summary_field {
enum { value = 1 };
}
namespace value_field {
enum { tag = 1, simple_value = 2, image = 4, histo = 5 };
}
namespace image_field {
enum { height = 1, width = 2, colorspace = 3, encoded = 4 };
}
namespace histo_field {
enum { min = 1, max, num, sum, sum_squares, bucket_limit, bucket };
}

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string little_endian(std::uint64_t v, int bytes) {
  std::string s;
  for (int i = 0; i < bytes; ++i) s += static_cast<char>(v >> (8 * i));
  return s;
}

// Upper ends of the buckets, ascending: -1e20 ... -1e-12, 0, 1e-12 ... 1e20, the largest double.
const std::vector<double>& bucket_limits() {
  static const std::vector<double> limits = [] {
    std::vector<double> positive;
    for (double v = 1e-12; v < 1e20; v *= 1.1) positive.push_back(v);
    std::vector<double> all;
    for (auto v = positive.rbegin(); v != positive.rend(); ++v) all.push_back(-*v);
    all.push_back(0.0);
    all.insert(all.end(), positive.begin(), positive.end());
    all.push_back(std::numeric_limits<double>::max());
    return all;
  }();
  return limits;
}

struct Distribution {
  double min = INFINITY, max = -INFINITY, count = 0, sum = 0, squares = 0;
  std::vector<double> limits, counts;  // one empty bucket at each end of the filled range
};

Distribution distribution_of(std::span<const float> values) {
  const auto& limits = bucket_limits();
  std::vector<double> counts(limits.size());
  Distribution d;
  for (const float f : values) {
    if (!std::isfinite(f)) continue;
    const double v = f;
    d.min = std::min(d.min, v), d.max = std::max(d.max, v);
    d.count += 1, d.sum += v, d.squares += v * v;
    const auto at = std::upper_bound(limits.begin(), limits.end() - 1, v) - limits.begin();
    counts[static_cast<std::size_t>(at)] += 1;
  }
  if (d.count == 0) return d;
  const auto filled = [](double n) { return n > 0; };
  auto first = std::find_if(counts.begin(), counts.end(), filled) - counts.begin();
  auto last = counts.rend() - std::find_if(counts.rbegin(), counts.rend(), filled);
  first = std::max<std::ptrdiff_t>(0, first - 1);
  d.limits.assign(limits.begin() + first, limits.begin() + last);
  d.counts.assign(counts.begin() + first, counts.begin() + last);
  return d;
}

}  // namespace

EventWriter::EventWriter(const std::string& folder, std::optional<double> wall_time, Loc loc) {
  static std::atomic<unsigned> counter{0};
  std::error_code ec;
  std::filesystem::create_directories(folder, ec);
  if (ec) fail("EventWriter", folder, "cannot make the folder: " + ec.message(), loc);
  const double time = wall_time.value_or(now());
  path_ = fmt::format("{}/events.out.tfevents.{:.0f}.adjoint.{}.{}", folder, time, ::getpid(),
                      counter++);
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd_ < 0) fail_errno("EventWriter", path_, "cannot create", loc);
  record(Wire()
             .real(event_field::wall_time, time)
             .bytes(event_field::file_version, "brain.Event:2")
             .text(),
         loc);
}

EventWriter::EventWriter(EventWriter&& o) noexcept
    : path_(std::move(o.path_)), fd_(std::exchange(o.fd_, -1)) {}

EventWriter& EventWriter::operator=(EventWriter&& o) noexcept {
  std::swap(path_, o.path_);
  std::swap(fd_, o.fd_);
  return *this;
}

EventWriter::~EventWriter() {
  if (fd_ >= 0) ::close(fd_);
}

void EventWriter::record(std::string_view data, Loc loc) {
  const std::string length = little_endian(data.size(), 8);
  std::string out = length + little_endian(masked(crc32c(length)), 4);
  out += data;
  out += little_endian(masked(crc32c(data)), 4);
  write_all(fd_, "EventWriter", path_, std::as_bytes(std::span(out)), loc);
}

void EventWriter::event(std::int64_t step, std::string_view value, std::optional<double> wall_time,
                        Loc loc) {
  const std::string summary = Wire().bytes(summary_field::value, value).text();
  record(Wire()
             .real(event_field::wall_time, wall_time.value_or(now()))
             .whole(event_field::step, static_cast<std::uint64_t>(step))
             .bytes(event_field::summary, summary)
             .text(),
         loc);
}

void EventWriter::scalar(std::int64_t step, std::string_view tag, float value,
                         std::optional<double> wall_time, Loc loc) {
  event(step, Wire().bytes(value_field::tag, tag).real(value_field::simple_value, value).text(),
        wall_time, loc);
}

void EventWriter::histogram(std::int64_t step, std::string_view tag, std::span<const float> values,
                            std::optional<double> wall_time, Loc loc) {
  const Distribution d = distribution_of(values);
  if (d.count == 0) return;
  const Wire histo = Wire()
                         .real(histo_field::min, d.min)
                         .real(histo_field::max, d.max)
                         .real(histo_field::num, d.count)
                         .real(histo_field::sum, d.sum)
                         .real(histo_field::sum_squares, d.squares)
                         .reals(histo_field::bucket_limit, d.limits)
                         .reals(histo_field::bucket, d.counts);
  event(step, Wire().bytes(value_field::tag, tag).bytes(value_field::histo, histo.text()).text(),
        wall_time, loc);
}

void EventWriter::image(std::int64_t step, std::string_view tag, std::int64_t height,
                        std::int64_t width, std::int64_t channels,
                        std::span<const std::uint8_t> pixels, std::optional<double> wall_time,
                        Loc loc) {
  constexpr std::int64_t kMost = 1 << 15;
  const bool legal = height >= 1 && height <= kMost && width >= 1 && width <= kMost &&
                     (channels == 1 || channels == 3);
  if (!legal || pixels.size() != static_cast<std::size_t>(height * width * channels))
    fail("EventWriter", path_,
         fmt::format("a picture of {} bytes cannot be [{}, {}, {}]", pixels.size(), height, width,
                     channels),
         loc, "pictures are [height, width, 1 or 3], sides from 1 to 32768");
  const Wire image = Wire()
                         .whole(image_field::height, static_cast<std::uint64_t>(height))
                         .whole(image_field::width, static_cast<std::uint64_t>(width))
                         .whole(image_field::colorspace, static_cast<std::uint64_t>(channels))
                         .bytes(image_field::encoded, encode_png(height, width, channels, pixels));
  event(step, Wire().bytes(value_field::tag, tag).bytes(value_field::image, image.text()).text(),
        wall_time, loc);
}

}  // namespace adjoint::io
