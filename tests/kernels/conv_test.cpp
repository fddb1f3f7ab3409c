// conv_test.cpp: the three convolutions against their definition, bit for bit, over fixed and random geometries.
// Not a test of the operation's shapes or derivatives.
#include "kernels/cpu/conv.hpp"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "runtime/pool.hpp"
#include "support/conv_reference.hpp"
#include "support/same_bits.hpp"

namespace adjoint::kernels {
namespace {

using Index = std::int64_t;

std::string text(const ConvGeometry& g) {
  std::ostringstream s;
  const auto list = [&](const char* name, const std::array<Index, 3>& a) {
    s << ' ' << name;
    for (int i = 0; i < g.spatial; ++i) s << (i ? 'x' : ' ') << a[i];
  };
  s << "batch " << g.batch << " channels " << g.in_channels << " to " << g.out_channels << " groups " << g.groups;
  list("in", g.in), list("kernel", g.kernel), list("out", g.out), list("stride", g.stride), list("dilation", g.dilation), list("pad", g.pad_lo);
  return s.str();
}

template <class T> struct Operands {
  std::vector<T> x, w, dy;
  Operands(const ConvGeometry& g, std::mt19937& rng, double special_share = 0) {
    const test::ConvIndex c(g);
    x.resize(static_cast<std::size_t>(g.batch * g.in_channels * c.volume(c.in)));
    w.resize(static_cast<std::size_t>(g.out_channels * c.C() * c.taps()));
    dy.resize(static_cast<std::size_t>(g.batch * g.out_channels * c.volume(c.out)));
    const float inf = std::numeric_limits<float>::infinity();
    const float special[] = {inf, -inf, std::numeric_limits<float>::quiet_NaN(), -0.0f, 0.0f, 1e-45f, -1e-38f, 3e38f};
    for (auto* v : {&x, &w, &dy})
      for (T& e : *v) {
        const float u = static_cast<float>(static_cast<std::int32_t>(rng())) * 0x1p-31f;
        e = static_cast<double>(rng() % 10000) < 10000 * special_share ? T(special[rng() % std::size(special)]) : T(u);
      }
  }
};

constexpr std::size_t kGuard = 32;
template <class T> struct Result {  // an output between guards, filled with a value that must be overwritten
  explicit Result(std::size_t n) : memory(n + 2 * kGuard, T(-12345.0f)) {}
  T* data() { return memory.data() + kGuard; }
  std::vector<T> memory;
};

template <class T> ::testing::AssertionResult same(const Result<T>& got, const Result<T>& expected) {
  for (std::size_t i = 0; i < got.memory.size(); ++i)
    if (!test::same_bits(got.memory[i], expected.memory[i]))
      return ::testing::AssertionFailure() << "element " << static_cast<Index>(i) - static_cast<Index>(kGuard) << ": "
                                           << static_cast<float>(got.memory[i]) << " for " << static_cast<float>(expected.memory[i]);
  return ::testing::AssertionSuccess();
}

template <class T> void check(const ConvGeometry& g, const Operands<T>& in, const std::vector<int>& thread_counts) {
  Result<T> y(in.dy.size()), dx(in.x.size()), dw(in.w.size());
  test::reference_conv_forward(g, in.x.data(), in.w.data(), y.data());
  test::reference_conv_input_grad(g, in.dy.data(), in.w.data(), dx.data());
  test::reference_conv_weight_grad(g, in.x.data(), in.dy.data(), dw.data());
  for (int n : thread_counts) {
    runtime::set_threads(n);
    Result<T> got_y(in.dy.size()), got_dx(in.x.size()), got_dw(in.w.size());
    conv_forward(g, in.x.data(), in.w.data(), got_y.data());
    ASSERT_TRUE(same(got_y, y)) << "forward, " << n << " threads, " << text(g);
    conv_input_grad(g, in.dy.data(), in.w.data(), got_dx.data());
    ASSERT_TRUE(same(got_dx, dx)) << "input gradient, " << n << " threads, " << text(g);
    conv_weight_grad(g, in.x.data(), in.dy.data(), got_dw.data());
    ASSERT_TRUE(same(got_dw, dw)) << "weight gradient, " << n << " threads, " << text(g);
  }
}

template <class T> void check(const ConvGeometry& g, const std::vector<int>& thread_counts, double special_share = 0) {
  std::mt19937 rng(static_cast<unsigned>(g.in[0] * 31 + g.in_channels * 7 + g.kernel[0]));
  check(g, Operands<T>(g, rng, special_share), thread_counts);
}

ConvGeometry square(Index batch, Index c, Index o, Index size, Index kernel, Index stride, Index pad) {
  const Index out = (size + 2 * pad - kernel) / stride + 1;
  return {batch, c, o, 1, 2, {size, size, 1}, {kernel, kernel, 1}, {out, out, 1}, {stride, stride, 1}, {1, 1, 1}, {pad, pad, 0}};
}

ConvGeometry random_geometry(std::mt19937& rng) {
  const auto upto = [&](Index lo, Index hi) { return lo + static_cast<Index>(rng() % static_cast<unsigned>(hi - lo + 1)); };
  ConvGeometry g;
  g.spatial = static_cast<int>(upto(1, 3));
  g.batch = upto(0, 3);
  g.groups = upto(1, 3);
  g.in_channels = g.groups * upto(1, 5);
  g.out_channels = g.groups * upto(1, rng() % 3 == 0 ? 20 : 5);
  for (int a = 0; a < g.spatial; ++a) {
    g.in[a] = upto(1, g.spatial == 3 ? 6 : 13);
    g.kernel[a] = upto(1, 4);
    g.stride[a] = upto(1, 3);
    g.dilation[a] = upto(1, 3);
    g.pad_lo[a] = upto(-1, 3);
    g.out[a] = upto(rng() % 16 == 0 ? 0 : 1, 1 + (g.in[a] + 3) / g.stride[a]);  // any end: padded, cropped, or cut short
  }
  return g;
}

class ConvTest : public ::testing::Test {
 protected:
  void TearDown() override {
    runtime::set_threads(before_);
    hwy::SetSupportedTargetsForTest(0);
  }
  int before_ = runtime::threads();
};

template <class T> class ConvTyped : public ConvTest {};
using Floats = ::testing::Types<float, double>;
TYPED_TEST_SUITE(ConvTyped, Floats);

TYPED_TEST(ConvTyped, LayersOfTheModels) {
  const std::vector<int> threads{1, 2, 7};
  for (const auto& g : {square(5, 1, 6, 28, 5, 1, 0), square(9, 6, 16, 12, 5, 1, 0), square(2, 3, 64, 16, 3, 1, 1),
                        square(3, 64, 64, 8, 3, 1, 1), square(2, 20, 40, 16, 3, 2, 1), square(2, 20, 40, 16, 1, 2, 0),
                        square(3, 130, 100, 4, 3, 1, 1), square(5, 120, 26, 2, 3, 1, 1), square(33, 7, 12, 8, 1, 1, 0)})
    ASSERT_NO_FATAL_FAILURE(check<TypeParam>(g, threads));
}

TYPED_TEST(ConvTyped, WeightsFarLargerThanPictures) {  // they are packed tile by tile
  for (const auto& g : {square(2, 400, 304, 2, 3, 1, 1), square(1, 300, 320, 4, 3, 2, 1)}) ASSERT_NO_FATAL_FAILURE(check<TypeParam>(g, {1, 2, 7}));
}

TYPED_TEST(ConvTyped, RandomGeometries) {
  std::mt19937 rng(2024);
  for (int i = 0; i < 400; ++i) {
    const ConvGeometry g = random_geometry(rng);
    ASSERT_NO_FATAL_FAILURE(check(g, Operands<TypeParam>(g, rng), {i % 3 == 0 ? 1 : i % 3 == 1 ? 2 : 7}));
  }
}

TYPED_TEST(ConvTyped, BatchesThatFillVectorsOfImages) {
  std::mt19937 rng(99);
  for (int i = 0; i < 60; ++i) {
    ConvGeometry g = random_geometry(rng);
    g.batch = 16 + static_cast<Index>(rng() % 24);
    for (int a = 0; a < g.spatial; ++a) g.in[a] = 1 + g.in[a] % 6, g.out[a] = std::min<Index>(g.out[a], 5);
    ASSERT_NO_FATAL_FAILURE(check(g, Operands<TypeParam>(g, rng, i % 3 ? 0 : 0.02), {i % 3 == 0 ? 1 : i % 3 == 1 ? 2 : 7}));
  }
  ASSERT_NO_FATAL_FAILURE(check<TypeParam>(square(70, 120, 5, 4, 3, 1, 1), {1, 2}));  // more than one block of the index
}

TYPED_TEST(ConvTyped, AbsentTapsSpreadNothing) {
  std::mt19937 rng(7);
  for (int i = 0; i < 150; ++i) {
    const ConvGeometry g = random_geometry(rng);
    ASSERT_NO_FATAL_FAILURE(check(g, Operands<TypeParam>(g, rng, i % 2 ? 0.02 : 0.3), {1, 2}));
  }
  for (const auto& g : {square(2, 3, 64, 8, 3, 1, 1), square(3, 130, 40, 4, 3, 1, 1), square(2, 140, 30, 8, 3, 2, 1)})
    ASSERT_NO_FATAL_FAILURE(check<TypeParam>(g, {2}, 0.001));
}

TYPED_TEST(ConvTyped, NarrowerCodeGivesTheSameBits) {  // one lane, and AVX2 where the processor has it
  const bool avx2 = (hwy::SupportedTargets() & HWY_AVX2) != 0;
  for (const bool one_lane : {true, false}) {
    if (!one_lane && !avx2) break;
    hwy::SetSupportedTargetsForTest(one_lane ? HWY_STATIC_TARGET : HWY_AVX2);
    std::mt19937 rng(99);
    for (int i = 0; i < 100; ++i) {
      ConvGeometry g = random_geometry(rng);
      if (i % 10 == 0) g.batch = 17;
      ASSERT_NO_FATAL_FAILURE(check(g, Operands<TypeParam>(g, rng, i % 4 ? 0 : 0.05), {2}));
    }
    for (const auto& g : {square(3, 130, 40, 4, 3, 1, 1), square(2, 20, 24, 8, 3, 2, 1)}) ASSERT_NO_FATAL_FAILURE(check<TypeParam>(g, {2}));
  }
}

TYPED_TEST(ConvTyped, LongSumsJoinTheirBlocks) {
  for (const auto& g : {square(1, 300, 2, 5, 3, 1, 1), square(1, 2, 300, 5, 3, 1, 1), square(1, 150, 150, 6, 3, 2, 1),
                        square(20, 2, 3, 24, 3, 1, 1), square(140, 1, 1, 9, 2, 1, 0)})
    ASSERT_NO_FATAL_FAILURE(check<TypeParam>(g, {1, 2}));
}

TYPED_TEST(ConvTyped, KernelLargerThanTheInput) {
  ConvGeometry g = square(2, 3, 4, 3, 7, 1, 3);
  ASSERT_NO_FATAL_FAILURE(check<TypeParam>(g, {1}));
  g.dilation = {2, 3, 1};
  ASSERT_NO_FATAL_FAILURE(check<TypeParam>(g, {1}));
}

TYPED_TEST(ConvTyped, EmptyExtents) {
  for (int what = 0; what < 6; ++what) {
    ConvGeometry g = square(2, 3, 4, 6, 3, 1, 1);
    if (what == 0) g.batch = 0;
    if (what == 1) g.in_channels = 0;
    if (what == 2) g.out_channels = 0;
    if (what == 3) g.out = {0, 6, 1};
    if (what == 4) g.in = {6, 0, 1};
    if (what == 5) g.kernel = {0, 3, 1};
    ASSERT_NO_FATAL_FAILURE(check<TypeParam>(g, {1, 2})) << what;
  }
}

template <class T> class ConvNarrow : public ConvTest {};
using Narrow = ::testing::Types<bfloat16, float16>;
TYPED_TEST_SUITE(ConvNarrow, Narrow);

TYPED_TEST(ConvNarrow, AccumulateInF32AndRoundOnce) {
  std::mt19937 rng(31);
  for (int i = 0; i < 60; ++i) {
    const ConvGeometry g = random_geometry(rng);
    ASSERT_NO_FATAL_FAILURE(check(g, Operands<TypeParam>(g, rng), {2}));
  }
  ASSERT_NO_FATAL_FAILURE(check<TypeParam>(square(2, 130, 10, 4, 3, 1, 1), {1, 2}));
}

}  // namespace
}  // namespace adjoint::kernels
