// image_file_test.cpp: pictures that stay on the disk give the same batches, to the bit, as pictures in memory.
#include "adjoint/data/image_file.hpp"

#include <filesystem>

#include "adjoint/data/loader.hpp"
#include "io/io_support.hpp"

namespace adjoint::data {
namespace {

using namespace adjoint::testing;

void put_big_endian(Bytes& to, std::initializer_list<int> numbers) {
  for (int n : numbers)
    for (int shift : {24, 16, 8, 0}) to.push_back(static_cast<std::byte>(n >> shift));
}

struct Files {
  TempDir dir;
  std::string images = dir / "i", labels = dir / "l";
  explicit Files(int count, int channels = 1) {
    Bytes pictures = bytes_of({0, 0, 8, channels > 1 ? 4 : 3}), classes = bytes_of({0, 0, 8, 1});
    put_big_endian(pictures, {count, 5, 4});
    if (channels > 1) put_big_endian(pictures, {channels});
    for (int i = 0; i < count * 20 * channels; ++i) pictures.push_back(static_cast<std::byte>(i * 7 + i / 31));
    put_big_endian(classes, {count});
    for (int i = 0; i < count; ++i) classes.push_back(static_cast<std::byte>(i % 3));
    put_file(images, pictures);
    put_file(labels, classes);
  }
};

TEST(ImageFile, GivesTheBatchesOfTheSetInMemory) {
  for (int channels : {1, 3}) {
    const Files f(37, channels);
    const ImageSet set = load_idx_images(f.images, f.labels);
    const ImageFile file = ImageFile::open(f.images, f.labels);
    EXPECT_EQ(file.count(), 37);
    EXPECT_EQ(file.shape(), (ImageShape{5, 4, channels}));
    EXPECT_EQ(file.classes(), 3);
    const LoaderOptions options{.order = {.batch = 8, .seed = 2}, .augment = {.shift = 1, .flip = true}};
    ImageLoader memory(set, options), disk(file, options);
    EXPECT_EQ(memory.statistics().mean, disk.statistics().mean);
    EXPECT_EQ(memory.statistics().deviation, disk.statistics().deviation);
    ASSERT_EQ(memory.batches(), disk.batches());
    for (std::int64_t epoch : {0, 3}) {
      auto ahead = disk.epoch(epoch);
      for (std::int64_t i = 0; i < memory.batches(); ++i) {
        const auto want = memory.batch(epoch, i);
        const auto got = ahead->next();
        ASSERT_TRUE(got);
        EXPECT_EQ(got->images, want.images);
        EXPECT_EQ(got->labels, want.labels);
        EXPECT_EQ(got->examples, want.examples);
      }
      EXPECT_FALSE(ahead->next());
    }
  }
}

TEST(ImageFile, StatisticsInPiecesAreTheWhole) {
  const Files f(2500);  // three pieces
  EXPECT_EQ(pixel_statistics(ImageFile::open(f.images, f.labels)).deviation, pixel_statistics(load_idx_images(f.images)).deviation);
}

TEST(ImageFile, AFileThatShrinksReachesTheConsumer) {
  const Files f(37);
  const ImageFile file = ImageFile::open(f.images, f.labels);
  ImageLoader loader(file, {.order = {.batch = 37}});
  std::filesystem::resize_file(f.images, 100);
  EXPECT_TRUE(contains(error_of([&] { loader.epoch(0)->next(); }), "became shorter"));
}

TEST(ImageFile, Refusals) {
  const Files f(4), other(5);
  EXPECT_TRUE(contains(error_of([&] { ImageFile::open(f.images, other.labels); }), "4 pictures but 5 labels"));
  EXPECT_TRUE(contains(error_of([&] { ImageFile::open(f.labels, f.labels); }), "expected u8[count,height,width(,channels)]"));
  EXPECT_TRUE(contains(error_of([&] { ImageFile::open(f.images, f.images); }), "holds no classes"));
  const Bytes floats = bytes_of({0, 0, 13, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0});
  put_file(f.dir / "floats", floats);
  EXPECT_TRUE(contains(error_of([&] { ImageFile::open(f.dir / "floats", f.labels); }), "has f32 of rank 3"));
  put_file(f.dir / "gz", gzip(floats));
  EXPECT_TRUE(contains(error_of([&] { ImageFile::open(f.dir / "gz", f.labels); }), "is gzip"));
}

TEST(IdxImages, WithoutLabelsThereAreNoClasses) {
  const Files f(4);
  const ImageSet set = load_idx_images(f.images);
  EXPECT_EQ(set.count, 4);
  EXPECT_EQ(set.classes, 0);
  EXPECT_TRUE(set.labels.empty() && set.class_names.empty());
}

}  // namespace
}  // namespace adjoint::data
