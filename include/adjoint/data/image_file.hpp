// image_file.hpp: labelled pictures that stay on the disk and are read by index when a batch needs
// them: for data sets larger than the memory. Not a cache: the system's page cache does that.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "adjoint/data/images.hpp"
#include "adjoint/io/record_file.hpp"

namespace adjoint::data {

/// Pictures of a plain (not gzip) IDX file of u8 [count, height, width] or [.., channels], with the
/// classes of a second one (plain or gzip), which are held in memory: four bytes a picture.
/// Reading is const and may be done from several threads.
class ImageFile {
 public:
  ///   throws    Error when a file is missing, gzip (the pictures), no IDX of u8, empty, or when
  ///             pictures and labels differ in number
  static ImageFile open(const std::string& images, const std::string& labels,
                        Loc loc = Loc::current());

  std::int64_t count() const { return records_.count(); }  ///< number of pictures
  const ImageShape& shape() const { return shape_; }  ///< of each picture
  std::span<const std::int32_t> labels() const { return labels_; }  ///< the class of each picture
  std::int64_t classes() const { return classes_; }  ///< one more than the largest label

  /// The pictures `examples`, one after another, into `pixels` (shape().size() bytes each).
  void read(std::span<const std::int64_t> examples, std::span<std::uint8_t> pixels,
            Loc loc = Loc::current()) const;

 private:
  ImageFile(io::RecordFile records, ImageShape shape)
      : records_(std::move(records)), shape_(shape) {}
  io::RecordFile records_;
  ImageShape shape_;
  std::vector<std::int32_t> labels_;
  std::int64_t classes_ = 0;
};

/// As of an ImageSet with the same pictures, to the bit; reads the file once, in pieces.
PixelStatistics pixel_statistics(const ImageFile& file, Loc loc = Loc::current());

}  // namespace adjoint::data
