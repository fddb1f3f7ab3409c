// loader_test.cpp: the prefetching thread and the batches of pictures that it makes.
#include "adjoint/data/loader.hpp"

#include <atomic>
#include <chrono>
#include <stdexcept>

#include "io/io_support.hpp"

namespace adjoint::data {
namespace {

using namespace adjoint::testing;

TEST(Prefetcher, HandsOutEverythingInOrder) {
  for (std::size_t depth : {0, 1, 2, 100}) {
    Prefetcher<int> p(
        50, [](std::int64_t i) { return static_cast<int>(i * i); }, depth);
    for (int i = 0; i < 50; ++i) EXPECT_EQ(p.next(), i * i);
    EXPECT_EQ(p.next(), std::nullopt);
    EXPECT_EQ(p.next(), std::nullopt);
  }
  Prefetcher<int> none(0, [](std::int64_t) { return 1; });
  EXPECT_EQ(none.next(), std::nullopt);
}

TEST(Prefetcher, StaysWithinItsDepth) {
  std::atomic<int> made = 0;
  Prefetcher<int> p(
      100, [&](std::int64_t) { return ++made; }, 3);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_LE(made, 3);
  for (int taken = 1; taken <= 20; ++taken) {
    p.next();
    EXPECT_LE(made, taken + 4) << "three ready and one in the making";
  }
}

TEST(Prefetcher, RethrowsWithTheText) {
  Prefetcher<int> p(10, [](std::int64_t i) -> int {
    if (i == 2) throw Error({.op = "read", .message = "record 2 is broken"});
    return static_cast<int>(i);
  });
  EXPECT_EQ(p.next(), 0);
  EXPECT_EQ(p.next(), 1);
  for (int again = 0; again < 2; ++again)
    EXPECT_TRUE(contains(error_of([&] { p.next(); }), "read: record 2 is broken"));
}

TEST(Prefetcher, StopsWhenItIsDropped) {
  std::atomic<int> made = 0;
  for (int run = 0; run < 100; ++run) {
    Prefetcher<int> p(1'000'000'000, [&](std::int64_t) { return ++made; });
    if (run % 2) p.next();
  }
  EXPECT_LT(made, 1000);
}

TEST(Prefetcher, MovesItemsThatCannotBeCopied) {
  Prefetcher<std::unique_ptr<int>> p(2,
                                     [](std::int64_t i) { return std::make_unique<int>(i + 5); });
  EXPECT_EQ(**p.next(), 5);
  EXPECT_EQ(**p.next(), 6);
}

ImageSet made_set(std::int64_t count, ImageShape shape = {4, 4, 1}) {
  ImageSet set{.count = count, .shape = shape};
  for (std::int64_t i = 0; i < count * shape.size(); ++i)
    set.pixels.push_back(static_cast<std::uint8_t>(i * 7 + i / 31));
  for (std::int64_t i = 0; i < count; ++i) set.labels.push_back(static_cast<std::int32_t>(i % 3));
  set.classes = 3;
  return set;
}

TEST(ImageLoader, PrefetchedBatchesAreTheSameBits) {
  const ImageSet set = made_set(37);
  ImageLoader loader(set,
                     {.order = {.batch = 8, .seed = 2}, .augment = {.shift = 1, .flip = true}});
  for (std::int64_t epoch : {0, 5}) {
    auto ahead = loader.epoch(epoch);
    std::int64_t index = 0;
    while (auto b = ahead->next()) {
      const ImageBatch plain = loader.batch(epoch, index);
      EXPECT_EQ(b->index, index++);
      EXPECT_EQ(b->images, plain.images);
      EXPECT_EQ(b->labels, plain.labels);
      EXPECT_EQ(b->examples, plain.examples);
    }
    EXPECT_EQ(index, 5);
    EXPECT_EQ(loader.epoch(epoch, 3)->next()->images, loader.batch(epoch, 3).images) << "resumed";
  }
}

TEST(ImageLoader, APictureIsAugmentedTheSameInAnyBatch) {
  const ImageSet set = made_set(16);
  const Augment a{.shift = 2, .flip = true};
  ImageLoader small(set, {.order = {.batch = 2, .seed = 4}, .augment = a});
  ImageLoader large(set, {.order = {.batch = 16, .seed = 4}, .augment = a});
  std::vector<float> joined;
  for (std::int64_t i = 0; i < 8; ++i)
    for (float v : small.batch(3, i).images) joined.push_back(v);
  EXPECT_EQ(joined, large.batch(3, 0).images);
}

TEST(ImageLoader, LabelsBelongToTheirPictures) {
  const ImageSet set = made_set(20);
  ImageLoader loader(set, {.order = {.batch = 6}, .statistics = {{0}, {1.0f / 255}}});
  const ImageBatch b = loader.batch(0, 3);
  EXPECT_EQ(b.size, 2);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(b.labels[i], b.examples[i] % 3);
    EXPECT_NEAR(b.images[i * 16], set.image(b.examples[i])[0], 1e-4);
  }
}

TEST(ImageLoader, AChannelOfOneValueIsNoDivisionByZero) {
  ImageSet set = made_set(4);
  std::fill(set.pixels.begin(), set.pixels.end(), std::uint8_t{51});
  for (float v : ImageLoader(set).batch(0, 0).images) EXPECT_NEAR(v, 0, 1e-7);
}

TEST(ImageLoader, WrongSettingsFailWhereTheyAreGiven) {
  const ImageSet set = made_set(4);
  const std::string text = error_of([&] { ImageLoader(set, {.order = {.batch = 0}}); });
  EXPECT_TRUE(contains(text, "a batch of 0") && contains(text, "loader_test.cpp:")) << text;
  EXPECT_THROW(ImageLoader(set, {.augment = {.shift = -1, .flip = true}}), Error);
  EXPECT_THROW(ImageLoader(set, {.statistics = {{0, 0}, {1, 1}}}), Error);
  ImageSet bad = made_set(4);
  bad.labels.pop_back();
  EXPECT_TRUE(
      contains(error_of([&] { ImageLoader{bad}; }), "4 pictures with 64 bytes and 3 labels"));
}

}  // namespace
}  // namespace adjoint::data
