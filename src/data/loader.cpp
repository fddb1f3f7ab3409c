// loader.cpp: picks, augments and normalises the pictures of one batch. Not shuffling: that is
// order.cpp.
#include "adjoint/data/loader.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace adjoint::data {

ImageLoader::ImageLoader(const ImageSet& set, const LoaderOptions& options, Loc loc)
    : set_(&set), options_(options), order_(set.count, options.order, loc) {
  if (static_cast<std::int64_t>(set.pixels.size()) != set.count * set.shape.size() ||
      std::ssize(set.labels) != set.count)
    throw Error({.op = "ImageLoader",
                 .message = fmt::format("{} pictures with {} bytes and {} labels", set.count,
                                        set.pixels.size(), set.labels.size()),
                 .where = loc});
  if (options_.statistics.mean.empty()) {
    options_.statistics = pixel_statistics(set, loc);
    for (float& d : options_.statistics.deviation)
      if (d == 0) d = 1;  // a channel of one value: only its mean is taken off
  }
  batch(0, 0);  // wrong settings are an error here, at the user's line, and not on the thread
}

ImageBatch ImageLoader::batch(std::int64_t epoch, std::int64_t index) {
  const auto examples = order_.batch(epoch, index);
  const auto each = static_cast<std::size_t>(set_->shape.size());
  ImageBatch out{.epoch = epoch, .index = index, .size = std::ssize(examples)};
  out.examples.assign(examples.begin(), examples.end());
  std::vector<std::uint8_t> pixels(each * examples.size());
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const auto image = set_->image(examples[i]);
    const auto place = std::span(pixels).subspan(i * each, each);
    if (options_.augment.any())
      augment(image, set_->shape, options_.augment, options_.order.seed, epoch, examples[i], place);
    else
      std::copy(image.begin(), image.end(), place.begin());
    out.labels.push_back(set_->labels[static_cast<std::size_t>(examples[i])]);
  }
  out.images.resize(pixels.size());
  normalise(pixels, set_->shape, options_.statistics, options_.layout, out.images);
  return out;
}

std::unique_ptr<Prefetcher<ImageBatch>> ImageLoader::epoch(std::int64_t epoch,
                                                           std::int64_t first) const {
  const auto count = std::max<std::int64_t>(0, batches() - first);
  return std::make_unique<Prefetcher<ImageBatch>>(
      count,
      [loader = *this, epoch, first](std::int64_t i) mutable {
        return loader.batch(epoch, first + i);
      },
      options_.prefetch);
}

}  // namespace adjoint::data
