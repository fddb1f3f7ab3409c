// images_test.cpp: augmentation, normalisation and folders of pictures.
#include "adjoint/data/images.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <numeric>
#include <set>

#include "io/io_support.hpp"

namespace adjoint::data {
namespace {

using namespace adjoint::testing;
using Pixels = std::vector<std::uint8_t>;

Pixels numbered(const ImageShape& s) {
  Pixels p(static_cast<std::size_t>(s.size()));
  std::iota(p.begin(), p.end(), std::uint8_t{1});
  return p;
}

Pixels augmented(const ImageShape& s, const Augment& a, std::int64_t epoch = 0,
                 std::int64_t index = 0) {
  Pixels out(static_cast<std::size_t>(s.size()), 99);
  augment(numbered(s), s, a, 1, epoch, index, out);
  return out;
}

// The picture moved by (dy, dx), flipped before if asked, written down pixel by pixel.
Pixels moved(const ImageShape& s, std::int64_t dy, std::int64_t dx, bool flip) {
  const Pixels in = numbered(s);
  Pixels out(in.size(), 0);
  for (std::int64_t y = 0; y < s.height; ++y)
    for (std::int64_t x = 0; x < s.width; ++x)
      for (std::int64_t c = 0; c < s.channels; ++c) {
        const std::int64_t fy = y - dy, tx = x - dx, fx = flip ? s.width - 1 - tx : tx;
        if (fy < 0 || fy >= s.height || tx < 0 || tx >= s.width) continue;
        out[static_cast<std::size_t>((y * s.width + x) * s.channels + c)] =
            in[static_cast<std::size_t>((fy * s.width + fx) * s.channels + c)];
      }
  return out;
}

std::string text(const Pixels& p) { return {p.begin(), p.end()}; }

TEST(Augment, NothingByDefault) {
  const ImageShape s{3, 4, 2};
  EXPECT_FALSE(Augment{}.any());
  EXPECT_EQ(augmented(s, {}), numbered(s));
}

TEST(Augment, ShiftsAndFlipsReachEveryPlaceAndNothingElse) {
  for (const ImageShape s : {ImageShape{4, 5, 1}, ImageShape{3, 3, 3}, ImageShape{1, 1, 1}}) {
    std::map<std::string, int> allowed;
    for (int flip = 0; flip < 2; ++flip)
      for (int dy = -2; dy <= 2; ++dy)
        for (int dx = -2; dx <= 2; ++dx) allowed[text(moved(s, dy, dx, flip == 1))] = 0;
    for (std::int64_t i = 0; i < 2000; ++i) {
      const auto at = allowed.find(text(augmented(s, {.shift = 2, .flip = true}, i % 7, i)));
      ASSERT_NE(at, allowed.end()) << "no shift or flip gives this picture";
      ++at->second;
    }
    for (const auto& [picture, count] : allowed) EXPECT_GT(count, 0);
  }
}

TEST(Augment, FlipsHalfOfThePictures) {
  const ImageShape s{1, 2, 1};
  int flipped = 0;
  for (std::int64_t i = 0; i < 10000; ++i) flipped += augmented(s, {.flip = true}, 0, i)[0] == 2;
  EXPECT_NEAR(flipped, 5000, 200);  // 4 standard deviations
}

TEST(Augment, ShiftsBeyondThePictureGiveZeros) {
  const ImageShape s{2, 2, 1};
  bool empty = false;
  for (std::int64_t i = 0; i < 50; ++i) {
    const Pixels p = augmented(s, {.shift = 1000}, 0, i);
    empty |= std::count(p.begin(), p.end(), 0) == 4;
  }
  EXPECT_TRUE(empty);
}

TEST(Augment, ErasesARectangleAsOftenAsAsked) {
  const ImageShape s{6, 6, 1};
  const Pixels plain = numbered(s);
  int erased = 0;
  for (std::int64_t i = 0; i < 4000; ++i) {
    const Pixels p =
        augmented(s, {.erase_probability = 0.25, .erase_side = 3, .erase_value = 200}, 0, i);
    std::set<std::size_t> rows, columns;
    std::size_t count = 0;
    for (std::size_t k = 0; k < p.size(); ++k) {
      if (p[k] == plain[k]) continue;
      ASSERT_EQ(p[k], 200);
      rows.insert(k / 6), columns.insert(k % 6), ++count;
    }
    EXPECT_EQ(count, rows.size() * columns.size()) << "a full rectangle";
    EXPECT_LE(rows.size(), 3u);
    EXPECT_LE(columns.size(), 3u);
    erased += count > 0;
  }
  EXPECT_NEAR(erased, 1000, 110);
}

TEST(Augment, DependsOnSeedEpochAndIndexAlone) {
  const ImageShape s{8, 8, 1};
  const Augment a{.shift = 3, .flip = true, .erase_probability = 0.5, .erase_side = 4};
  EXPECT_EQ(augmented(s, a, 4, 17), augmented(s, a, 4, 17));
  int same_epoch = 0, same_index = 0;
  for (std::int64_t i = 0; i < 100; ++i) {
    same_epoch += augmented(s, a, 4, i) == augmented(s, a, 4, i + 1);
    same_index += augmented(s, a, i, 4) == augmented(s, a, i + 1, 4);
  }
  EXPECT_LT(same_epoch, 15);
  EXPECT_LT(same_index, 15);
}

TEST(Augment, Refusals) {
  const ImageShape s{2, 2, 1};
  Pixels in(4), out(4), small(3);
  const auto why = [&](const Augment& a) {
    return error_of([&] { augment(in, s, a, 0, 0, 0, out); });
  };
  EXPECT_TRUE(contains(why({.shift = -1}), "shift -1"));
  EXPECT_TRUE(contains(why({.erase_side = -1}), "erase_side -1"));
  EXPECT_TRUE(contains(why({.erase_probability = 1.5}), "erase_probability 1.5"));
  EXPECT_TRUE(contains(why({.erase_probability = NAN}), "erase_probability nan"));
  EXPECT_THROW(augment(small, s, {}, 0, 0, 0, out), Error);
  EXPECT_THROW(augment(in, s, {}, 0, 0, 0, small), Error);
  EXPECT_THROW(augment(in, {-2, -2, 1}, {}, 0, 0, 0, out), Error);
  EXPECT_THROW(augment(in, {INT64_MAX, 2, 2}, {}, 0, 0, 0, out), Error);
  EXPECT_THROW(augment(in, s, {}, 0, -1, 0, out), Error);
  EXPECT_THROW(augment(in, s, {}, 0, 0, -1, out), Error);
}

TEST(Normalise, IsTheFormulaInBothLayouts) {
  const ImageShape s{2, 2, 3};
  Pixels in(24);
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<std::uint8_t>(i * 11);
  const PixelStatistics st{{0.1f, 0.5f, 0.9f}, {0.5f, 0.25f, 2.0f}};
  std::vector<float> hwc(24), chw(24);
  normalise(in, s, st, ImageLayout::hwc, hwc);
  normalise(in, s, st, ImageLayout::chw, chw);
  for (std::size_t n = 0; n < 2; ++n)
    for (std::size_t p = 0; p < 4; ++p)
      for (std::size_t c = 0; c < 3; ++c) {
        const double want =
            (in[n * 12 + p * 3 + c] / 255.0 - double{st.mean[c]}) / double{st.deviation[c]};
        EXPECT_EQ(hwc[n * 12 + p * 3 + c], static_cast<float>(want));
        EXPECT_EQ(chw[n * 12 + c * 4 + p], static_cast<float>(want));
      }
}

TEST(Normalise, StatisticsGiveMeanZeroAndDeviationOne) {
  ImageSet set{.count = 50, .shape = {4, 4, 2}};
  for (int i = 0; i < 1600; ++i)
    set.pixels.push_back(static_cast<std::uint8_t>(i % 2 ? i * 37 : i * i / 5));
  std::vector<float> out(1600);
  normalise(set.pixels, set.shape, pixel_statistics(set), ImageLayout::hwc, out);
  for (std::size_t c = 0; c < 2; ++c) {
    double sum = 0, squares = 0;
    for (std::size_t i = c; i < out.size(); i += 2)
      sum += out[i], squares += double{out[i]} * out[i];
    EXPECT_NEAR(sum / 800, 0, 1e-6);
    EXPECT_NEAR(squares / 800, 1, 1e-6);
  }
}

TEST(Normalise, Refusals) {
  Pixels in(8);
  std::vector<float> out(8);
  const ImageShape s{2, 2, 1};
  EXPECT_THROW(normalise(in, s, {{0}, {0}}, ImageLayout::chw, out), Error) << "deviation 0";
  EXPECT_THROW(normalise(in, s, {{0}, {NAN}}, ImageLayout::chw, out), Error);
  EXPECT_THROW(normalise(in, s, {{NAN}, {1}}, ImageLayout::chw, out), Error);
  EXPECT_THROW(normalise(in, s, {{0, 0}, {1, 1}}, ImageLayout::chw, out), Error);
  EXPECT_THROW(normalise(std::span(in).first(7), s, {{0}, {1}}, ImageLayout::chw, out), Error);
  EXPECT_THROW(pixel_statistics({.shape = s}), Error) << "no pixel";
}

Bytes idx_images(int n) {
  Bytes b = bytes_of({0, 0, 8, 3, 0, 0, 0, n, 0, 0, 0, 2, 0, 0, 0, 2});
  b.resize(b.size() + static_cast<std::size_t>(n) * 4);
  return b;
}
Bytes idx_labels(std::initializer_list<int> labels) {
  Bytes b = bytes_of({0, 0, 8, 1, 0, 0, 0, static_cast<int>(labels.size())});
  for (const auto v : bytes_of(labels)) b.push_back(v);
  return b;
}

struct SmallFolder : TempDir {
  SmallFolder() {
    put_file(*this / "train-images-idx3-ubyte", idx_images(3));
    put_file(*this / "train-labels-idx1-ubyte.gz", gzip(idx_labels({0, 2, 1})));
    put_file(*this / "test-images.idx3-ubyte", idx_images(1));
    put_file(*this / "t10k-labels-idx1-ubyte", idx_labels({3}));
  }
};

TEST(IdxFolder, FindsTheFilesUnderTheirUsualNames) {
  const SmallFolder dir;
  const ImageData data = load_idx_folder(dir.path());
  EXPECT_EQ(data.train.count, 3);
  EXPECT_EQ(data.train.shape, (ImageShape{2, 2, 1}));
  EXPECT_EQ(data.train.labels, (std::vector<std::int32_t>{0, 2, 1}));
  EXPECT_EQ(data.test.count, 1);
  EXPECT_EQ(data.train.classes, 4);
  EXPECT_EQ(data.train.class_names, (std::vector<std::string>{"0", "1", "2", "3"}));
  put_file(dir / "classes.txt", bytes_of("ant\r\nbee\ncat\ndog\neel\n"));
  EXPECT_EQ(load_idx_folder(dir.path()).test.class_names,
            (std::vector<std::string>{"ant", "bee", "cat", "dog", "eel"}));
  put_file(dir / "classes.txt", bytes_of("ant"));
  EXPECT_TRUE(contains(error_of([&] { load_idx_folder(dir.path()); }), "names 1 classes"));
}

TEST(IdxFolder, Refusals) {
  EXPECT_TRUE(contains(error_of([] { load_idx_folder("/nonexistent/fashion-mnist"); }),
                       "apt-get install -y dataset-fashion-mnist"));
  const SmallFolder dir;
  put_file(dir / "t10k-labels-idx1-ubyte", idx_labels({3, 3}));
  EXPECT_TRUE(contains(error_of([&] { load_idx_folder(dir.path()); }), "1 pictures but 2 labels"));
  put_file(dir / "t10k-labels-idx1-ubyte", idx_images(1));
  EXPECT_TRUE(contains(error_of([&] { load_idx_folder(dir.path()); }), "expected u8[count]"));
  put_file(dir / "test-images.idx3-ubyte", idx_images(0));
  put_file(dir / "t10k-labels-idx1-ubyte", idx_labels({}));
  EXPECT_TRUE(contains(error_of([&] { load_idx_folder(dir.path()); }), "holds no pictures"));
  std::filesystem::remove(dir / "train-images-idx3-ubyte");
  const std::string text = error_of([&] { load_idx_folder(dir.path()); });
  EXPECT_TRUE(contains(text, "there is no file train-images-idx3-ubyte")) << text;
  EXPECT_TRUE(contains(text, "the folder needs train-images-idx3-ubyte")) << text;
}

TEST(IdxFolder, DebiansFashionMnist) {
  if (!std::filesystem::exists(kFashionMnist)) GTEST_SKIP() << "dataset-fashion-mnist is missing";
  const ImageData data = load_idx_folder();
  EXPECT_EQ(data.train.count, 60000);
  EXPECT_EQ(data.test.count, 10000);
  EXPECT_EQ(data.train.class_names[9], "Ankle boot");
  const auto s = pixel_statistics(data.train);
  EXPECT_NEAR(s.mean[0], 0.2860, 5e-5);  // the figures commonly used for this data
  EXPECT_NEAR(s.deviation[0], 0.3530, 5e-5);
}

}  // namespace
}  // namespace adjoint::data
