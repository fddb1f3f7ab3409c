// idx_test.cpp: the IDX reader on good files, on lying ones, and on Debian's Fashion-MNIST.
#include "adjoint/data/idx.hpp"

#include <filesystem>

#include "io/io_support.hpp"

namespace adjoint::data {
namespace {

using namespace adjoint::testing;

template <class T> std::vector<T> values(const IdxArray& a) {
  std::vector<T> out(a.data.size() / sizeof(T));
  std::memcpy(out.data(), a.data.data(), a.data.size());
  return out;
}
using Shape = std::vector<std::int64_t>;

TEST(Idx, EveryElementType) {
  const auto u8 = parse_idx(bytes_of({0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255}));
  EXPECT_EQ(u8.dtype, DType::u8);
  EXPECT_EQ(u8.shape, (Shape{2, 3}));
  EXPECT_EQ(values<std::uint8_t>(u8), (std::vector<std::uint8_t>{1, 2, 3, 4, 5, 255}));
  const auto i8 = parse_idx(bytes_of({0, 0, 9, 1, 0, 0, 0, 2, 0x80, 0x7f}));
  EXPECT_EQ(values<std::int8_t>(i8), (std::vector<std::int8_t>{-128, 127}));
  const auto i32 = parse_idx(bytes_of({0, 0, 12, 1, 0, 0, 0, 2, 0, 0, 1, 2, 255, 255, 255, 254}));
  EXPECT_EQ(values<std::int32_t>(i32), (std::vector<std::int32_t>{258, -2}));
  const auto f32 = parse_idx(bytes_of({0, 0, 13, 1, 0, 0, 0, 1, 0x3f, 0xc0, 0, 0}));
  EXPECT_EQ(values<float>(f32), (std::vector<float>{1.5f}));
  const auto f64 = parse_idx(bytes_of({0, 0, 14, 1, 0, 0, 0, 1, 0xc0, 0x04, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(values<double>(f64), (std::vector<double>{-2.5}));
}

TEST(Idx, EmptyAndScalar) {
  const auto empty = parse_idx(bytes_of({0, 0, 8, 2, 0, 0, 0, 0, 0, 0, 0, 28}));
  EXPECT_EQ(empty.shape, (Shape{0, 28}));
  EXPECT_TRUE(empty.data.empty());
  const auto scalar = parse_idx(bytes_of({0, 0, 8, 0, 42}));
  EXPECT_TRUE(scalar.shape.empty());
  EXPECT_EQ(values<std::uint8_t>(scalar), (std::vector<std::uint8_t>{42}));
}

TEST(Idx, Messages) {
  const auto why = [](std::initializer_list<int> b) {
    return error_of([&] { parse_idx(bytes_of(b), "f"); });
  };
  EXPECT_TRUE(contains(why({}), "f: has 0 bytes, too few for an IDX header"));
  EXPECT_TRUE(contains(why({1, 0, 8, 0, 1}), "does not begin with two zero bytes"));
  EXPECT_TRUE(contains(why({0, 0, 7, 0, 1}), "unknown element type 0x07"));
  EXPECT_TRUE(contains(why({0, 0, 11, 0, 1, 1}), "16-bit integers"));
  EXPECT_TRUE(contains(why({0, 0, 8, 17}), "has 17 dimensions, more than the limit of 16"));
  EXPECT_TRUE(contains(why({0, 0, 8, 2, 0, 0, 0, 1}), "ends inside its 2 sizes"));
  EXPECT_TRUE(contains(why({0, 0, 8, 1, 0, 0, 0, 3, 1, 2}),
                       "its header says u8[3], which is 3 bytes, but 2 follow"));
  EXPECT_TRUE(contains(why({0, 0, 8, 1, 0, 0, 0, 1, 1, 2}), "is 1 bytes, but 2 follow"));
  EXPECT_TRUE(contains(why({0, 0, 14, 2, 255, 255, 255, 255, 255, 255, 255, 255}), "overflow"));
  EXPECT_TRUE(contains(why({0, 0, 8, 1, 255, 255, 255, 255, 1}), "which is 4294967295 bytes"));
}

TEST(Idx, MissingFileNamesThePackage) {
  const std::string text =
      error_of([] { read_idx("/usr/share/datasets/fashion-mnist/absent-images-idx3-ubyte.gz"); });
  EXPECT_TRUE(contains(text, "apt-get install -y dataset-fashion-mnist")) << text;
  EXPECT_TRUE(contains(text, "idx_test.cpp:")) << text;
  const std::string other = error_of([] { read_idx("/nonexistent/own.idx"); });
  EXPECT_FALSE(contains(other, "apt-get")) << other;
}

TEST(Idx, ReadsPlainAndPackedFiles) {
  const TempDir dir;
  const Bytes idx = bytes_of({0, 0, 8, 1, 0, 0, 0, 2, 7, 9});
  put_file(dir / "a", idx);
  put_file(dir / "b.gz", gzip(idx));
  EXPECT_EQ(read_idx(dir / "a").data, bytes_of({7, 9}));
  EXPECT_EQ(read_idx(dir / "b.gz").data, bytes_of({7, 9}));
  put_file(dir / "c.gz", gzip(bytes_of("no idx")));
  EXPECT_TRUE(contains(error_of([&] { read_idx(dir / "c.gz"); }), "is no IDX file"));
}

TEST(Idx, DebiansFashionMnist) {
  const std::string folder = "/usr/share/datasets/fashion-mnist/";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "dataset-fashion-mnist is not installed";
  const auto images = read_idx(folder + "t10k-images-idx3-ubyte.gz");
  const auto labels = read_idx(folder + "t10k-labels-idx1-ubyte.gz");
  EXPECT_EQ(images.shape, (Shape{10000, 28, 28}));
  EXPECT_EQ(labels.shape, (Shape{10000}));
  std::vector<int> count(10);
  for (auto b : labels.data) ++count.at(std::to_integer<std::size_t>(b));
  EXPECT_EQ(count, std::vector<int>(10, 1000));
}

}  // namespace
}  // namespace adjoint::data
