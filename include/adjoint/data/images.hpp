// images.hpp: labelled 8-bit pictures in memory, their augmentation and normalisation, all as plain
// bytes and pure functions. Not a decoder of image files, and no tensors.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "adjoint/error.hpp"
#include "adjoint/io/limits.hpp"

/// Data sets, their order and their batches, as plain bytes and numbers.
namespace adjoint::data {

/// Sides and channels of a picture.
struct ImageShape {
  std::int64_t height = 0, width = 0, channels = 1;
  std::int64_t size() const { return height * width * channels; }  ///< bytes of one picture
  bool operator==(const ImageShape&) const = default;  ///< the same sides and channels
};

/// Pictures [count, height, width, channels], row-major, and a class for each.
struct ImageSet {
  std::int64_t count = 0;
  ImageShape shape;
  std::vector<std::uint8_t> pixels;
  std::vector<std::int32_t> labels;
  std::int64_t classes = 0;              ///< one more than the largest label of the folder
  std::vector<std::string> class_names;  ///< one a class
  /// The pixels of picture i, not checked.
  std::span<const std::uint8_t> image(std::int64_t i) const {
    const auto n = static_cast<std::size_t>(shape.size());
    return std::span(pixels).subspan(static_cast<std::size_t>(i) * n, n);
  }
};
/// A data set in its usual two parts.
struct ImageData {
  ImageSet train, test;
};

/// Where Debian's package dataset-fashion-mnist puts its files.
inline constexpr const char* kFashionMnist = "/usr/share/datasets/fashion-mnist";

/// Reads the four IDX files of a folder: train-images-idx3-ubyte, train-labels-idx1-ubyte,
/// t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte, each plain or .gz. Also "test-" for "t10k-" and
/// idx4 for pictures [count, height, width, channels]. Class names come from a file classes.txt (a
/// line each) if there is one, are known for Fashion-MNIST, and are the numbers otherwise.
///   throws    Error when a file is missing (naming the package, for Fashion-MNIST), is no IDX of
///             u8, when pictures and labels differ in number, or there are none
ImageData load_idx_folder(const std::string& folder = kFashionMnist,
                          const io::LoadLimits& limits = {}, Loc loc = Loc::current());

/// The training or the test pictures of such a folder alone; the other files need not be there.
/// The two parts of a data set's folder.
enum class Part { train, test };
/// One part of what load_idx_folder reads.  throws  as load_idx_folder
ImageSet load_idx_part(const std::string& folder, Part part, const io::LoadLimits& limits = {},
                       Loc loc = Loc::current());

/// The pictures of one IDX file, and the classes of another. Without `labels` there are none:
/// `labels` and `class_names` are empty and `classes` is 0.
///   throws    as load_idx_folder
ImageSet load_idx_images(const std::string& images, const std::string& labels = {},
                         const io::LoadLimits& limits = {}, Loc loc = Loc::current());

/// Where such a folder keeps the pictures and the classes of a part.
struct IdxPaths {
  std::string images, labels;
};
/// Throws Error when a file is missing.
IdxPaths idx_paths(const std::string& folder, Part part, Loc loc = Loc::current());

/// Mean and standard deviation of each channel, of pixels scaled to [0, 1]. Exact whole-number
/// sums, so the order of the pictures does not change a bit.
struct PixelStatistics {
  std::vector<float> mean, deviation;
};
/// Over all pictures of the set.  throws  Error if there are no pixels
PixelStatistics pixel_statistics(const ImageSet& set, Loc loc = Loc::current());

/// Random changes of a picture; each is off by default.
struct Augment {
  std::int64_t shift = 0;        ///< moves by -shift .. shift pixels both ways; zeros enter
  bool flip = false;             ///< left and right exchanged in half of the cases
  double erase_probability = 0;  ///< how often a rectangle is set to erase_value
  std::int64_t erase_side = 0;   ///< its sides are 1 .. erase_side pixels, cut off at the border
  std::uint8_t erase_value = 0;
  bool any() const { return shift != 0 || flip || (erase_probability != 0 && erase_side != 0); }  ///< some change is on
};

/// Changes one picture: in order flip, shift, erase. A pure function of its arguments: `epoch` and
/// `index` (of the example in its data set) choose the random numbers. `in` and `out` have
/// shape.size() bytes each and do not overlap.
///   throws    Error for negative settings, a probability outside [0, 1], sizes that do not fit
void augment(std::span<const std::uint8_t> in, const ImageShape& shape, const Augment& settings,
             std::uint64_t seed, std::int64_t epoch, std::int64_t index,
             std::span<std::uint8_t> out, Loc loc = Loc::current());

/// The order of the values that normalise writes for each picture.
enum class ImageLayout { hwc, chw };

/// out = (pixel / 255 - mean[channel]) / deviation[channel], computed in f64 and rounded once to
/// f32. `pixels` holds whole pictures one after another.
///   throws    Error when the sizes do not fit or a deviation is not above 0
void normalise(std::span<const std::uint8_t> pixels, const ImageShape& shape,
               const PixelStatistics& statistics, ImageLayout layout, std::span<float> out,
               Loc loc = Loc::current());

}  // namespace adjoint::data
