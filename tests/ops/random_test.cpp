// random_test.cpp: keys and what is drawn from them: known bits, ranges, moments, independence of threads and of plans.
// Not gradients of dropout: src/check/rows/random.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "adjoint/grad.hpp"
#include "adjoint/ops.hpp"
#include "kernels/cpu/philox.hpp"

namespace adjoint {
namespace {

struct Moments {
  double mean = 0, var = 0, low = INFINITY, high = -INFINITY;
};
Moments moments(const Tensor& t) {
  Moments m;
  const auto v = t.to_vector<double>();
  for (double x : v) m.mean += x / static_cast<double>(v.size()), m.low = std::min(m.low, x), m.high = std::max(m.high, x);
  for (double x : v) m.var += (x - m.mean) * (x - m.mean) / static_cast<double>(v.size());
  return m;
}
const Key kKey(42);
constexpr std::int64_t kMany = 200000;

TEST(Keys, HostAndKernelDeriveTheSameKeys) {
  for (std::uint64_t seed : {0ull, 1ull, 0xFFFFFFFFFFFFFFFFull, 0x123456789ABCDEFull})
    for (std::uint64_t data : {0ull, 7ull, 1ull << 40}) {
      const auto want = static_cast<std::int64_t>(cpu::fold_in(seed, data));
      EXPECT_EQ(Key(seed).fold_in(data).value().to_vector<std::int64_t>()[0], want);
      EXPECT_EQ(Key(seed).fold_in(scalar_i64(static_cast<std::int64_t>(data))).value().to_vector<std::int64_t>()[0], want);
    }
}

TEST(Keys, DerivedKeysDiffer) {
  std::set<std::int64_t> seen;
  for (const auto& k : kKey.split(100)) seen.insert(k.value().to_vector<std::int64_t>()[0]);
  for (const char* name : {"a", "b", "ab", ""}) seen.insert(kKey.fold_in(name).value().to_vector<std::int64_t>()[0]);
  EXPECT_EQ(seen.size(), 104u);
}

TEST(Random, BitsAndUniformAreTheCipher) {
  std::vector<std::uint32_t> bits(10);
  cpu::random_bits(42, 0, 10, bits.data());
  const auto got = random_bits(kKey, {2, 5}).to_vector<std::int32_t>();
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(static_cast<std::uint32_t>(got[i]), bits[i]);
  std::vector<double> u(3);
  cpu::random_uniform(42, 0, 3, u.data());
  EXPECT_EQ(uniform(kKey, {3}, {.dtype = DType::f64}).to_vector<double>(), u);
}

TEST(Random, ThreadsChangeNothing) {
  const int before = threads();
  set_threads(1);
  const auto one = uniform(kKey, {100003}).to_vector<float>();
  set_threads(7);
  EXPECT_EQ(uniform(kKey, {100003}).to_vector<float>(), one);
  set_threads(before);
}

TEST(Random, UniformOfEveryType) {
  const auto u = moments(uniform(kKey, {kMany}, {.low = -1, .high = 3}));
  EXPECT_NEAR(u.mean, 1, 0.01);
  EXPECT_NEAR(u.var, 16.0 / 12, 0.02);
  EXPECT_GE(u.low, -1);
  EXPECT_LE(u.high, 3);
  for (DType d : {DType::bf16, DType::f16}) {
    const auto h = moments(uniform(kKey, {kMany}, {.dtype = d}));
    EXPECT_GE(h.low, 0);
    EXPECT_LT(h.high, 1);
    EXPECT_NEAR(h.mean, 0.5, 0.01);
  }
  const auto r = moments(randint(kKey, {kMany}, -5, 5));
  EXPECT_EQ(r.low, -5);
  EXPECT_EQ(r.high, 4);
}

TEST(Random, MomentsOfDistributions) {
  const auto n = moments(normal(kKey, {kMany}, {.mean = 2, .deviation = 3}));
  EXPECT_NEAR(n.mean, 2, 0.03);
  EXPECT_NEAR(n.var, 9, 0.1);
  EXPECT_TRUE(std::isfinite(n.low) && std::isfinite(n.high));
  const auto t = moments(truncated_normal(kKey, {kMany}));
  EXPECT_NEAR(t.mean, 0, 0.01);
  EXPECT_NEAR(t.var, 0.774, 0.01);
  EXPECT_GE(t.low, -2);
  EXPECT_LE(t.high, 2);
  EXPECT_NEAR(moments(exponential(kKey, {kMany}, 2)).mean, 0.5, 0.01);
  EXPECT_NEAR(moments(laplace(kKey, {kMany})).var, 2, 0.05);
  EXPECT_NEAR(moments(gumbel(kKey, {kMany})).mean, 0.5772, 0.01);
  const auto p = moments(poisson(kKey, full({kMany}, 3.5)));
  EXPECT_NEAR(p.mean, 3.5, 0.02);
  EXPECT_NEAR(p.var, 3.5, 0.05);
  EXPECT_EQ(moments(poisson(kKey, zeros({100}))).high, 0);
  EXPECT_NEAR(moments(cast(bernoulli(kKey, {kMany}, 0.3), DType::f64)).mean, 0.3, 0.005);
  EXPECT_NEAR(moments(cast(bernoulli(kKey, full({kMany}, 0.3)), DType::f64)).mean, 0.3, 0.005);
}

TEST(Random, PermutationsAndDrawsWithoutReplacement) {
  auto p = permutation(kKey, 1000).to_vector<std::int64_t>();
  EXPECT_NE(p[0] * 1000 + p[1], 1);
  std::ranges::sort(p);
  for (std::int64_t i = 0; i < 1000; ++i) EXPECT_EQ(p[static_cast<std::size_t>(i)], i);
  EXPECT_EQ(permutation(kKey, 0).numel(), 0);
  auto m = multinomial(kKey, tensor({1, 0, 2, 3}), 3, false).to_vector<std::int64_t>();
  std::ranges::sort(m);
  EXPECT_EQ(m, (std::vector<std::int64_t>{0, 2, 3}));
}

TEST(Random, CategoricalFollowsItsProbabilities) {
  const auto c = categorical(kKey, broadcast_to(log(tensor({0.1, 0.2, 0.7})), {kMany, 3})).to_vector<std::int64_t>();
  EXPECT_NEAR(static_cast<double>(std::ranges::count(c, 2)) / kMany, 0.7, 0.005);
  EXPECT_NEAR(static_cast<double>(std::ranges::count(c, 0)) / kMany, 0.1, 0.005);
}

TEST(Dropout, KeepsTheMeanAndTheMaskOfItsGradient) {
  Tensor x = full({kMany}, 2.0).detach();
  x.requires_grad();
  const Tensor y = dropout(kKey, x, 0.25);
  EXPECT_NEAR(moments(y).mean, 2, 0.02);
  const auto d = grad(sum(y), x).to_vector<float>(), v = y.to_vector<float>();
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(d[i] * 2, v[i]);
  const auto a = moments(alpha_dropout(kKey, normal(Key(1), {kMany}), 0.3));
  EXPECT_NEAR(a.mean, 0, 0.02);
  EXPECT_NEAR(a.var, 1, 0.03);
}

TEST(Dropout, WholeChannelsAndExamples) {
  const auto c = dropout2d(kKey, ones({8, 16, 2, 2}), 0.5).to_vector<float>();
  for (std::size_t i = 0; i < c.size(); i += 4)
    for (std::size_t k = 1; k < 4; ++k) EXPECT_EQ(c[i + k], c[i]);
  const auto e = drop_path(kKey, ones({32, 3}), 0.5).to_vector<float>();
  for (std::size_t i = 0; i < e.size(); i += 3) EXPECT_EQ(e[i], e[i + 2]);
}

}  // namespace
}  // namespace adjoint
