// explain_test.cpp: what explain_plan counts and says: FLOPs, bytes, who reads what, the peak, and what would lower it.
// Not residuals of the graph: tests/features.
#include "adjoint/explain.hpp"

#include <gtest/gtest.h>

#include <set>

#include "adjoint/adjoint.hpp"

namespace adjoint {
namespace {

Tensor noise(std::uint64_t seed, const Shape& shape) { return uniform(Key(seed), shape, {.low = -1, .high = 1}).detach(); }

/// Loss and gradients of a chain of `layers` products with tanh between them.
Tensors chain(std::int64_t batch, std::int64_t width, int layers) {
  Tensors weights;
  Tensor h = noise(0, {batch, width});
  for (int k = 0; k < layers; ++k) {
    weights.push_back(noise(static_cast<std::uint64_t>(k + 1), {width, width}));
    h = tanh(linear(h, weights.back()));
  }
  const Tensor loss = sum(h);
  Tensors all = grad(loss, weights);
  all.insert(all.begin(), loss);
  return all;
}

const PlanReport::Life& life(const PlanReport& r, std::int64_t n) { return r.lives[static_cast<std::size_t>(n)]; }
const PlanReport::Step& step(const PlanReport& r, std::int64_t n) { return r.steps[static_cast<std::size_t>(n)]; }

}  // namespace

TEST(Explain, FlopsAreThoseOfTheMathematics) {
  constexpr std::int64_t B = 6, W = 32, L = 4;
  const auto r = explain_plan(chain(B, W, L));
  EXPECT_EQ(r.flops, 2 * B * W * W * (3 * L - 1));  // no gradient of the input
  std::int64_t flops = 0, bytes = 0;
  for (const auto& s : r.steps) flops += s.flops, bytes += s.bytes;
  EXPECT_EQ(r.flops, flops);
  EXPECT_EQ(r.bytes, bytes);
  EXPECT_EQ(r.recompute_flops, 0);
}

TEST(Explain, BytesOfAStepCountABroadcastOperandOnce) {
  const Tensor x = noise(1, {8, 16}), bias = noise(2, {16}), number = noise(3, {});
  EXPECT_EQ(explain_plan(x + bias).bytes, 4 * (8 * 16 + 16 + 8 * 16));
  EXPECT_EQ(explain_plan(x * number).bytes, 4 * (8 * 16 + 1 + 8 * 16));
}

TEST(Explain, StepsAndLivesNameEachOther) {
  const auto r = explain_plan(chain(6, 32, 4));
  for (std::int64_t k = 0; k < std::ssize(r.steps); ++k) {
    for (auto n : step(r, k).writes) EXPECT_EQ(life(r, n).born, k);
    for (auto n : step(r, k).reads) {
      EXPECT_LT(life(r, n).born, k);
      EXPECT_NE(std::ranges::find(life(r, n).readers, k), life(r, n).readers.end());
    }
  }
  for (const auto& l : r.lives) {
    EXPECT_EQ(l.dies, l.readers.empty() ? l.born : l.readers.back());
    EXPECT_TRUE(l.ends == l.dies || l.ends == l.dies - 1);
    EXPECT_EQ(l.result, l.offset < 0);
  }
}

TEST(Explain, ThePeakIsThePlannedOne) {
  const auto r = explain_plan(chain(6, 32, 12));
  ASSERT_GE(r.peak, 0);
  EXPECT_EQ(r.alive[static_cast<std::size_t>(r.peak)], r.live_bytes);
  EXPECT_EQ(*std::ranges::max_element(r.alive), r.live_bytes);
  EXPECT_LE(r.live_bytes, r.arena_bytes);
  // No two values lie on the same bytes at the same step.
  for (std::size_t a = 0; a < r.lives.size(); ++a)
    for (std::size_t b = 0; b < a; ++b) {
      const auto &x = r.lives[a], &y = r.lives[b];
      if (x.offset < 0 || y.offset < 0 || x.ends < y.born || y.ends < x.born) continue;
      EXPECT_TRUE(x.offset >= y.offset + y.bytes || y.offset >= x.offset + x.bytes) << x.value << " and " << y.value;
    }
  EXPECT_EQ(explain_plan(noise(1, {4}) + 1.0).peak, -1);  // one result and nothing else
}

// Each saving is carried out on paper: its steps find all that they read, and end with the value that was not kept.
TEST(Explain, ASavingCanBeCarriedOut) {
  const auto r = explain_plan(chain(6, 32, 12));
  ASSERT_GE(r.savings.size(), 4u) << to_string(r);
  for (const auto& s : r.savings) {
    const auto& kept = life(r, s.life);
    EXPECT_TRUE(kept.residual);
    EXPECT_LT(kept.born, r.peak);
    EXPECT_EQ(std::ranges::count(kept.readers, r.peak), 0);
    const auto at = *std::ranges::upper_bound(kept.readers, r.peak);
    std::set<std::int64_t> there;
    for (std::int64_t n = 0; n < std::ssize(r.lives); ++n)
      if (n != s.life && life(r, n).born < at && (life(r, n).dies >= at || life(r, n).result)) there.insert(n);
    std::int64_t flops = 0, bytes = 0;
    for (auto k : s.steps) {
      for (auto n : step(r, k).reads) EXPECT_TRUE(there.count(n)) << life(r, n).value;
      there.insert(step(r, k).writes.begin(), step(r, k).writes.end());
      flops += step(r, k).flops, bytes += step(r, k).bytes;
    }
    EXPECT_TRUE(there.count(s.life));
    EXPECT_EQ(s.flops, flops);
    EXPECT_EQ(s.bytes, bytes);
    EXPECT_LE(s.peak_bytes, r.live_bytes);
    EXPECT_GE(s.peak_bytes, r.live_bytes - (kept.bytes + 63) / 64 * 64);
  }
  EXPECT_LT(r.savings[0].peak_bytes, r.live_bytes);
  EXPECT_TRUE(std::ranges::is_sorted(r.savings, {}, &PlanReport::Saving::peak_bytes));
}

// Statistics of batch norm are sums that the normalisation has made anyway: nothing is kept for them.
TEST(Explain, BatchNormsStatisticsRunNoSumTwice) {
  const Tensor x = noise(1, {4, 3, 8, 8});
  const auto norm = batch_norm(tanh(x), zeros({3}), ones({3}), {.training = true});
  const auto r = explain_plan(Tensors{norm.y, norm.running_mean, norm.running_var});
  EXPECT_EQ(std::ranges::count(r.steps, "sum", &PlanReport::Step::name), 2) << to_string(r);
}

}  // namespace adjoint
