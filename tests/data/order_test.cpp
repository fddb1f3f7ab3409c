// order_test.cpp: the order of examples: a permutation, pure, fair, and pinned for ever.
#include "adjoint/data/order.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "data/philox.hpp"
#include "io/io_support.hpp"

namespace adjoint::data {
namespace {

using namespace adjoint::testing;

TEST(Philox, KnownAnswers) {  // the vectors published with Random123
  using A4 = std::array<std::uint32_t, 4>;
  constexpr std::uint32_t f = 0xffffffffu;
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (A4{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({f, f, f, f}, {f, f}), (A4{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (A4{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Order, IsAPermutationOfTheSeedAndTheEpoch) {
  for (std::int64_t n : {0, 1, 2, 7, 1000}) {
    auto order = shuffled(n, 5, 3);
    EXPECT_EQ(order, shuffled(n, 5, 3));
    std::sort(order.begin(), order.end());
    std::vector<std::int64_t> all(static_cast<std::size_t>(n));
    std::iota(all.begin(), all.end(), 0);
    EXPECT_EQ(order, all);
  }
  EXPECT_NE(shuffled(1000, 5, 3), shuffled(1000, 5, 4));
  EXPECT_NE(shuffled(1000, 5, 3), shuffled(1000, 6, 3));
  EXPECT_NE(shuffled(1000, 5, 3), shuffled(1000, 5 | std::uint64_t{1} << 40, 3));
}

TEST(Order, EveryPermutationIsEquallyLikely) {
  std::map<std::vector<std::int64_t>, int> seen;
  constexpr int kRuns = 24000;
  for (int epoch = 0; epoch < kRuns; ++epoch) ++seen[shuffled(4, 11, epoch)];
  ASSERT_EQ(seen.size(), 24u);
  double chi2 = 0;
  for (const auto& [order, count] : seen) chi2 += std::pow(count - 1000.0, 2) / 1000;
  EXPECT_LT(chi2, 49.7);  // 23 degrees of freedom: 0.1 % of fair shuffles lie above
}

TEST(Order, IsPinned) {  // a change here changes every run that anybody has recorded
  EXPECT_EQ(shuffled(10, 0, 0), (std::vector<std::int64_t>{6, 8, 2, 3, 4, 7, 5, 0, 9, 1}));
}

TEST(BatchOrder, KeepsOrDropsTheLastBatch) {
  BatchOrder keep(10, {.batch = 4}), drop(10, {.batch = 4, .last = LastBatch::drop});
  EXPECT_EQ(keep.batches(), 3);
  EXPECT_EQ(keep.batch(0, 2).size(), 2u);
  EXPECT_EQ(drop.batches(), 2);
  EXPECT_EQ(BatchOrder(8, {.batch = 4}).batches(), 2);
  EXPECT_EQ(BatchOrder(3, {.batch = 4}).batch(0, 0).size(), 3u);
}

TEST(BatchOrder, BatchesAreSlicesOfTheEpochInAnyOrderOfAsking) {
  BatchOrder order(10, {.batch = 4, .seed = 9});
  for (std::int64_t epoch : {2, 0, 2}) {
    std::vector<std::int64_t> joined;
    for (std::int64_t i = 0; i < 3; ++i)
      for (const auto e : order.batch(epoch, i)) joined.push_back(e);
    EXPECT_EQ(joined, shuffled(10, 9, epoch));
  }
  BatchOrder plain(5, {.batch = 2, .shuffle = false});
  EXPECT_EQ(plain.batch(7, 1)[0], 2);
  EXPECT_EQ(plain.batch(8, 2)[0], 4);
}

TEST(BatchOrder, Refusals) {
  EXPECT_TRUE(contains(error_of([] { BatchOrder(0); }), "there are 0 examples"));
  EXPECT_TRUE(contains(error_of([] { BatchOrder(5, {.batch = 0}); }), "a batch of 0"));
  EXPECT_TRUE(contains(error_of([] { BatchOrder(5, {.batch = 6, .last = LastBatch::drop}); }),
                       "5 examples make no full batch of 6"));
  BatchOrder order(5, {.batch = 2});
  EXPECT_TRUE(contains(error_of([&] { order.batch(0, 3); }), "batch 3 of 3"));
  EXPECT_THROW(order.batch(0, -1), Error);
  EXPECT_THROW(order.batch(-1, 0), Error);
  EXPECT_THROW(order.batch(std::int64_t{1} << 32, 0), Error);
  EXPECT_THROW(shuffled(-1, 0, 0), Error);
  EXPECT_THROW(shuffled(std::int64_t{1} << 40, 0, 0), Error);
}

}  // namespace
}  // namespace adjoint::data
