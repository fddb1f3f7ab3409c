// loader.hpp: batches of normalised pictures, ready for a model. Not the training loop, and no
// tensors.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "adjoint/data/image_file.hpp"
#include "adjoint/data/images.hpp"
#include "adjoint/data/order.hpp"
#include "adjoint/data/prefetch.hpp"

namespace adjoint::data {

/// [size, H, W, C] or [size, C, H, W] values, by the loader's layout, and the classes.
struct ImageBatch {
  std::int64_t epoch = 0, index = 0, size = 0;
  std::vector<float> images;
  std::vector<std::int32_t> labels;
  std::vector<std::int64_t> examples;  ///< which pictures of the set these are
};

/// Settings of an ImageLoader.
struct LoaderOptions {
  OrderOptions order = {};
  Augment augment = {};
  PixelStatistics statistics = {};  ///< empty: those of the set itself
  ImageLayout layout = ImageLayout::chw;
  std::size_t prefetch = 2;  ///< finished batches kept ahead
};

/// Every batch is a pure function of (set, options, epoch, index); the prefetching thread changes
/// when it is made and nothing else. The set must outlive the loader and what it started.
class ImageLoader {
 public:
  /// Throws Error for settings that BatchOrder refuses, and for pixels or labels that do not fit the count.
  explicit ImageLoader(const ImageSet& set, const LoaderOptions& options = {},
                       Loc loc = Loc::current());
  /// The same batches from a file that stays on the disk: only those under way are in memory.
  explicit ImageLoader(const ImageFile& file, const LoaderOptions& options = {},
                       Loc loc = Loc::current());

  std::int64_t batches() const { return order_.batches(); }  ///< an epoch
  const PixelStatistics& statistics() const { return options_.statistics; }  ///< those in use, computed from the set where none were given

  /// Batch `index` of `epoch`, made by the calling thread.
  ImageBatch batch(std::int64_t epoch, std::int64_t index, Loc loc = Loc::current());

  /// The batches `first` ... of an epoch, made ahead on a thread. Independent of this object's
  /// later use.
  ///   for (auto batches = loader.epoch(3); auto b = batches->next();) train(*b);
  std::unique_ptr<Prefetcher<ImageBatch>> epoch(std::int64_t epoch, std::int64_t first = 0,
                                              Loc loc = Loc::current()) const;

 private:
  using Read = std::function<void(std::span<const std::int64_t> examples, std::span<std::uint8_t> pixels)>;
  ImageLoader(ImageShape shape, std::span<const std::int32_t> labels, Read read, const LoaderOptions& options, Loc loc);

  ImageShape shape_;
  std::span<const std::int32_t> labels_;
  Read read_;
  LoaderOptions options_;
  BatchOrder order_;
};

}  // namespace adjoint::data
