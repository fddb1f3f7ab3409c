// create_test.cpp: what arange, linspace, logspace, eye, empty and bitcast hold, element by element. Not their errors: src/check/rows/create.cpp.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "adjoint/ops.hpp"

namespace adjoint {
namespace {

using Doubles = std::vector<double>;
using Whole = std::vector<std::int64_t>;

TEST(Create, ArangeStopsBeforeItsEnd) {
  EXPECT_EQ(arange(0, 5).to_vector<float>(), (std::vector<float>{0, 1, 2, 3, 4}));
  EXPECT_EQ(arange(1, 2, 0.25, DType::f64).to_vector<double>(), (Doubles{1, 1.25, 1.5, 1.75}));
  EXPECT_EQ(arange(1, -2, -1.5, DType::f64).to_vector<double>(), (Doubles{1, -0.5}));
  EXPECT_EQ(arange(0, 4.5).numel(), 5);
  EXPECT_EQ(arange(3, 3, -1).shape(), (Shape{0}));
  EXPECT_EQ(arange(0, 5).dtype(), DType::f32);
}
TEST(Create, ArangeAddsUpNoError) {
  const auto v = arange(-3, 7, 0.1, DType::f64).to_vector<double>();
  ASSERT_EQ(v.size(), 100u);
  for (std::size_t i = 0; i < v.size(); ++i) EXPECT_EQ(v[i], -3 + static_cast<double>(i) * 0.1) << i;
  const auto w = arange(0, 1000, 0.1).to_vector<float>();
  for (std::size_t i = 0; i < w.size(); ++i) ASSERT_EQ(w[i], static_cast<float>(static_cast<double>(i) * 0.1)) << i;
}
TEST(Create, ArangeOfIntegersIsExact) {
  EXPECT_EQ(arange(5, -6, -5, DType::i64).to_vector<std::int64_t>(), (Whole{5, 0, -5}));
  EXPECT_EQ(arange(-128, 128, 51, DType::i8).to_vector<std::int64_t>(), (Whole{-128, -77, -26, 25, 76, 127}));
  EXPECT_EQ(arange(250, 256, 1, DType::u8).to_vector<std::int64_t>(), (Whole{250, 251, 252, 253, 254, 255}));
  EXPECT_EQ(arange(-0x1p63, -0x1p63 + 4096, 2048, DType::i64).to_vector<std::int64_t>(),
            (Whole{std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::min() + 2048}));
  EXPECT_EQ(arange(4, 5, 1e300, DType::i32).to_vector<std::int64_t>(), (Whole{4}));
}

TEST(Create, LinspaceMeetsBothEnds) {
  for (const std::int64_t n : {2, 3, 4, 7, 50, 1000})
    for (const auto& [a, b] : {std::pair{0.1, 0.7}, {-1e-3, 1e9}, {5.0, -1.0 / 3}, {1e300, -1e300 / 3}}) {
      const auto v = linspace(a, b, n, DType::f64).to_vector<double>();
      ASSERT_EQ(v.size(), static_cast<std::size_t>(n));
      EXPECT_EQ(v.front(), a);
      EXPECT_EQ(v.back(), b);
      const auto bound = static_cast<long double>(0x1p-51) * std::max(std::fabs(a), std::fabs(b));
      for (std::size_t i = 0; i < v.size(); ++i) {
        const long double exact = a + (static_cast<long double>(b) - a) * static_cast<long double>(i) / static_cast<long double>(n - 1);
        ASSERT_LE(std::fabs(v[i] - exact), bound) << a << " " << b << " " << n << " " << i;
      }
      const auto f = linspace(a / 1e300, b / 1e300, n).to_vector<float>();
      EXPECT_EQ(f.back(), static_cast<float>(b / 1e300));
    }
}
TEST(Create, LinspaceOfFewPoints) {
  EXPECT_EQ(linspace(0, 1, 5, DType::f64).to_vector<double>(), (Doubles{0, 0.25, 0.5, 0.75, 1}));
  EXPECT_EQ(linspace(3, 9, 1).to_vector<double>(), Doubles{3});
  EXPECT_EQ(linspace(3, 9, 0).shape(), (Shape{0}));
  EXPECT_EQ(linspace(2, 2, 3).to_vector<double>(), (Doubles{2, 2, 2}));
}
TEST(Create, LogspaceHasEqualRatios) {
  EXPECT_EQ(logspace(-3, 3, 7, 2, DType::f64).to_vector<double>(), (Doubles{0.125, 0.25, 0.5, 1, 2, 4, 8}));
  const auto v = logspace(0, 3, 4).to_vector<float>();
  EXPECT_EQ(v, (std::vector<float>{1, 10, 100, 1000}));
  EXPECT_EQ(logspace(2, 9, 1, 3).to_vector<double>(), Doubles{9});
  EXPECT_TRUE(std::isinf(logspace(300, 301, 2).to_vector<float>()[0]));
}

TEST(Create, EyeInEveryType) {
  for (int d = 0; d < kDTypeCount; ++d) {
    const Tensor e = eye(2, 3, static_cast<DType>(d));
    EXPECT_EQ(e.type(), (Type{{2, 3}, static_cast<DType>(d)}));
    EXPECT_EQ(e.to_vector<double>(), (Doubles{1, 0, 0, 0, 1, 0}));
  }
  EXPECT_EQ(eye(0).shape(), (Shape{0, 0}));
  EXPECT_EQ(eye(3, 1).to_vector<double>(), (Doubles{1, 0, 0}));
}
TEST(Create, EmptyIsZero) {
  EXPECT_EQ(empty({2, 2}, DType::f16).to_vector<double>(), (Doubles{0, 0, 0, 0}));
  EXPECT_EQ(empty({3, 0}).shape(), (Shape{3, 0}));
}

TEST(Create, BitcastKeepsBits) {
  const std::vector<float> values{1, -0.0F, std::numeric_limits<float>::infinity(), 3.14159274F, std::numeric_limits<float>::denorm_min()};
  const Tensor x = tensor(values, {5}), bits = bitcast(x, DType::i32);
  const auto got = bits.to_vector<std::int32_t>();
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(got[i], std::bit_cast<std::int32_t>(values[i])) << i;
  EXPECT_TRUE(std::signbit(bitcast(bits, DType::f32).to_vector<float>()[1]));
  EXPECT_EQ(bitcast(bitcast(scalar_i64(0x7FF8000000001234), DType::f64), DType::i64).to_vector<std::int64_t>(), Whole{0x7FF8000000001234});
  EXPECT_EQ(bitcast(tensor(std::vector<std::int8_t>{-1, 1}, {2}), DType::u8).to_vector<std::int64_t>(), (Whole{255, 1}));
  EXPECT_EQ(bitcast(full({2}, 1, DType::bf16), DType::f16).to_vector<float>()[0], 1.875F);
}
TEST(Create, BitcastReadsViewsAndWhatIsComputed) {
  const Tensor x = reshape(arange(0, 6), {2, 3});
  const auto t = bitcast(transpose(x) * 2.0, DType::i32).to_vector<std::int32_t>();
  const float order[] = {0, 6, 2, 8, 4, 10};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(t[i], std::bit_cast<std::int32_t>(order[i]));
  EXPECT_EQ(bitcast(slice(x, {0, 2}, {2, -4}, {1, -1}), DType::i32).to_vector<std::int32_t>()[0], std::bit_cast<std::int32_t>(2.0F));
}

}  // namespace
}  // namespace adjoint
