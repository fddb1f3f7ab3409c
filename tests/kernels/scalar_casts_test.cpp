// scalar_casts_test.cpp: conversions: saturation, wrapping, one rounding, and the memory forms of the 16-bit formats.
// Not a test of which casts the graph inserts.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/scalar_support.hpp"
#include "support/instruction_sets.hpp"
#include "support/quad.hpp"
#include "support/same_bits.hpp"

namespace adjoint::cpu::scalar_test {
namespace {

using test::Quad;

template <class To, class From> To cast_one(From x, DType to = dtype_of<To>, DType from = dtype_of<From>) {
  return call<To>(cast_kernel(from, to), std::vector<From>{x})[0];
}

template <class I, class F> void check_saturation() {
  using L = std::numeric_limits<I>;
  EXPECT_EQ((cast_one<I>(kNan<F>)), 0);
  EXPECT_EQ((cast_one<I>(kInf<F>)), L::max());
  EXPECT_EQ((cast_one<I>(-kInf<F>)), L::min());
  EXPECT_EQ((cast_one<I>(F(1e30))), L::max());
  EXPECT_EQ((cast_one<I>(F(-1e30))), L::min());
  EXPECT_EQ((cast_one<I>(F(2.99))), 2);
  EXPECT_EQ((cast_one<I>(F(-2.99))), L::is_signed ? static_cast<I>(-2) : I(0));
  EXPECT_EQ((cast_one<I>(F(-0.5))), 0);
  EXPECT_EQ((cast_one<I>(static_cast<F>(L::min()))), L::min());
  const F above = std::ldexp(F(1), L::digits);
  EXPECT_EQ((cast_one<I>(above)), L::max());
  EXPECT_EQ((cast_one<I>(std::nextafter(above, F(0)))), static_cast<I>(std::nextafter(above, F(0))));
}

TEST(Casts, FloatToIntegerSaturates) {
  test::for_each_instruction_set([](std::int64_t) {
    check_saturation<std::int64_t, float>();
    check_saturation<std::int64_t, double>();
    check_saturation<std::int32_t, float>();
    check_saturation<std::int32_t, double>();
    check_saturation<std::int8_t, float>();
    check_saturation<std::int8_t, double>();
    check_saturation<std::uint8_t, float>();
    check_saturation<std::uint8_t, double>();
  });
}

template <class From, class To> void check_plain_cast() {
  const auto x = operands<From>(0, 1232);
  const auto y = call<To>(cast_kernel(dtype_of<From>, dtype_of<To>), x);
  for (std::size_t i = 0; i < x.size(); ++i) ASSERT_TRUE(test::same_bits(y[i], static_cast<To>(x[i]))) << +x[i];
}
template <class From> void check_integer_casts() {
  check_plain_cast<From, std::int64_t>();
  check_plain_cast<From, std::int32_t>();
  check_plain_cast<From, std::int8_t>();
  check_plain_cast<From, std::uint8_t>();
  check_plain_cast<From, float>();
  check_plain_cast<From, double>();
}
TEST(Casts, IntegersWrapAndFloatsRoundOnce) {
  check_integer_casts<std::int64_t>();
  check_integer_casts<std::int32_t>();
  check_integer_casts<std::int8_t>();
  check_integer_casts<std::uint8_t>();
  check_plain_cast<float, double>();
  check_plain_cast<double, float>();
}

TEST(Casts, ToBool) {
  for (const float x : {0.0f, -0.0f}) EXPECT_EQ(cast_one<std::uint8_t>(x, DType::bool_), 0);
  for (const float x : {1e-45f, -3.0f, kNan<float>, kInf<float>}) EXPECT_EQ(cast_one<std::uint8_t>(x, DType::bool_), 1);
  EXPECT_EQ(cast_one<std::uint8_t>(std::int64_t{1} << 40, DType::bool_), 1);
  EXPECT_EQ(cast_one<float>(std::uint8_t{1}, DType::f32, DType::bool_), 1.0f);
}

/// x to a format of `digits` bits and least exponent `low`, rounded once to nearest even in 113 bits.
float round_to(Quad x, int digits, int low, int high) {
  if (isnanq(x) || isinfq(x) || x == 0) return static_cast<float>(x);
  int e;
  frexpq(x, &e);
  const Quad unit = ldexpq(1, std::max(e, low) - digits), y = rintq(x / unit) * unit;
  return static_cast<float>(fabsq(y) >= ldexpq(1, high) ? y / Quad(0) : y);
}
template <class From> void check_half_cast(const std::vector<From>& x) {
  test::for_each_instruction_set([&](std::int64_t) {
    const auto b = call<float>(cast_kernel(dtype_of<From>, DType::bf16), x);
    const auto h = call<float>(cast_kernel(dtype_of<From>, DType::f16), x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      ASSERT_TRUE(test::same_bits(b[i], round_to(static_cast<Quad>(x[i]), 8, -125, 128))) << +x[i] << " gives " << b[i];
      ASSERT_TRUE(test::same_bits(h[i], round_to(static_cast<Quad>(x[i]), 11, -13, 16))) << +x[i] << " gives " << h[i];
    }
  });
}
TEST(Casts, HalfFormatsRoundOnce) {
  check_half_cast(operands<float>(0, 1232));
  auto d = operands<double>(0, 1232);
  for (const double base : {1.0, 3.0, 1.00390625, 65519.0, 6e-8})  // ties of a format, off by less than f32 can hold
    for (const double off : {0.0, 1e-12, -1e-12}) {
      d.push_back(base * (1 + 0x1p-8) + off), d.push_back(base * (1 + 0x1p-9) + off);
      d.push_back(base * (1 + 0x1p-11) + off), d.push_back(base * (1 + 0x1p-12) + off);
    }
  check_half_cast(d);
  auto i = operands<std::int64_t>(0, 1232);
  for (int shift = 10; shift < 62; ++shift)
    for (const std::int64_t off : {-1, 0, 1}) i.push_back((std::int64_t{0x101} << shift) / 2 + off), i.push_back((std::int64_t{0x801} << (shift - 4)) / 2 + off);
  check_half_cast(i);
  check_half_cast(operands<std::int32_t>(0, 1232));
  check_half_cast(operands<std::int8_t>(0, 256));
}

TEST(Casts, MemoryFormsOfHalfFormats) {
  std::vector<std::uint16_t> all(65536);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint16_t>(i);
  test::for_each_instruction_set([&](std::int64_t) {
    const auto b = call<float>(widen_kernel(DType::bf16), all), h = call<float>(widen_kernel(DType::f16), all);
    const auto b16 = call<std::uint16_t>(narrow_kernel(DType::bf16), b), h16 = call<std::uint16_t>(narrow_kernel(DType::f16), h);
    for (std::size_t i = 0; i < all.size(); ++i) {
      bfloat16 x;
      float16 y;
      x.bits = y.bits = all[i];
      ASSERT_TRUE(test::same_bits(b[i], static_cast<float>(x)));
      ASSERT_TRUE(test::same_bits(h[i], static_cast<float>(y)));
      ASSERT_TRUE(std::isnan(b[i]) || b16[i] == all[i]);
      ASSERT_TRUE(std::isnan(h[i]) || h16[i] == all[i]);
    }
    const auto x = operands<float>(3, 1232);
    const auto rb = call<float>(round_kernel(DType::bf16), x), rh = call<float>(round_kernel(DType::f16), x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      ASSERT_TRUE(test::same_bits(rb[i], static_cast<float>(bfloat16(x[i]))));
      ASSERT_TRUE(test::same_bits(rh[i], static_cast<float>(float16(x[i]))));
    }
  });
  EXPECT_EQ(round_kernel(DType::f32), nullptr);
  EXPECT_EQ(widen_kernel(DType::f64), nullptr);
  EXPECT_EQ(narrow_kernel(DType::i32), nullptr);
}

}  // namespace
}  // namespace adjoint::cpu::scalar_test
