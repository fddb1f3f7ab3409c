// image_file.cpp: pictures by index from an IDX file. Not the format's header: that is record_file.cpp.
#include "adjoint/data/image_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "adjoint/data/idx.hpp"
#include "data/pixel_histogram.hpp"

namespace adjoint::data {

[[noreturn]] static void refuse(const std::string& path, const std::string& message, Loc loc) {
  throw Error({.op = "ImageFile", .message = path + ": " + message, .where = loc,
               .hint = "load_idx_folder says which files are read"});
}

ImageFile ImageFile::open(const std::string& images, const std::string& labels_path, Loc loc) {
  io::RecordFile records = io::RecordFile::open_idx(images, loc);
  const auto& item = records.item_shape();
  if (records.dtype() != DType::u8 || item.size() < 2 || item.size() > 3)
    refuse(images, fmt::format("has {} of rank {}, expected u8[count,height,width(,channels)]", name_of(records.dtype()), item.size() + 1), loc);
  if (records.count() == 0) refuse(images, "holds no pictures", loc);
  const ImageShape shape{item[0], item[1], item.size() == 3 ? item[2] : 1};
  ImageFile out(std::move(records), shape);
  const IdxArray labels = read_idx(labels_path, {}, loc);
  if (labels.dtype != DType::u8 || labels.shape.size() != 1) refuse(labels_path, "holds no classes, expected u8[count]", loc);
  if (labels.shape[0] != out.count()) refuse(images, fmt::format("{} pictures but {} labels", out.count(), labels.shape[0]), loc);
  for (const auto b : labels.data) out.labels_.push_back(std::to_integer<std::int32_t>(b));
  out.classes_ = 1 + *std::ranges::max_element(out.labels_);
  return out;
}

void ImageFile::read(std::span<const std::int64_t> examples, std::span<std::uint8_t> pixels, Loc loc) const {
  records_.read(examples, std::as_writable_bytes(pixels), loc);
}

PixelStatistics pixel_statistics(const ImageFile& file, Loc loc) {
  PixelHistogram histogram(file.shape().channels);
  constexpr std::int64_t kPiece = 1024;
  std::vector<std::int64_t> examples;
  std::vector<std::uint8_t> pixels;
  for (std::int64_t from = 0; from < file.count(); from += kPiece) {
    examples.resize(static_cast<std::size_t>(std::min(kPiece, file.count() - from)));
    std::iota(examples.begin(), examples.end(), from);
    pixels.resize(examples.size() * static_cast<std::size_t>(file.shape().size()));
    file.read(examples, pixels, loc);
    histogram.add(pixels);
  }
  return histogram.statistics();
}

}  // namespace adjoint::data
