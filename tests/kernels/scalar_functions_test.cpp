// scalar_functions_test.cpp: every scalar function of the tiles: its error against 113-bit arithmetic or its exact
// definition, its values at zeros, infinities and NaN, and equal bits on every instruction set.
// Not a test of tiles: tiles_test.cpp.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "kernels/scalar_support.hpp"
#include "support/instruction_sets.hpp"
#include "support/quad.hpp"
#include "support/same_bits.hpp"

namespace adjoint::cpu::scalar_test {
namespace {

using test::Quad;

TEST(ScalarFunctions, EachNameHasAKernelForEachOfItsTypes) {
  const std::vector<std::string> names = {
      "neg abs square sign relu sqrt rsqrt cbrt reciprocal exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan "
      "sinh cosh tanh asinh acosh atanh sigmoid logit erf erfc erfinv gelu gelu_tanh silu softplus log_sigmoid floor ceil "
      "round trunc lgamma isnan isinf isfinite logical_not bitwise_not popcount cast add sub mul div pow fmod remainder "
      "floor_divide maximum minimum atan2 hypot copysign ldexp logaddexp nextafter bitwise_and bitwise_or bitwise_xor "
      "shift_left shift_right gcd logical_and logical_or logical_xor eq ne lt le gt ge where clamp fma"};
  std::size_t count = 1;
  for (const char c : names[0]) count += c == ' ';
  EXPECT_EQ(static_cast<std::size_t>(plan::scalar_function_count()), count);
  test::for_each_instruction_set([](std::int64_t) {
    for (int i = 0; i < plan::scalar_function_count(); ++i) {
      const auto& f = plan::scalar_function(i);
      EXPECT_EQ(plan::find_scalar_function(f.name), i);
      for (int d = 0; d < kDTypeCount; ++d) {
        const bool has = f.name == "cast" ? cast_kernel(static_cast<DType>(d), DType::f32) != nullptr
                                          : scalar_kernel(i, static_cast<DType>(d)) != nullptr;
        EXPECT_EQ(has, (f.types >> d & 1) != 0) << f.name << " on " << name_of(static_cast<DType>(d));
      }
    }
  });
  EXPECT_EQ(plan::find_scalar_function(""), -1);
  EXPECT_EQ(plan::find_scalar_function("zzz"), -1);
  EXPECT_EQ(plan::find_scalar_function("ex"), -1);
}

// ---- references ----

Quad sigmoid(Quad x) { return x >= 0 ? 1 / (1 + expq(-x)) : expq(x) / (1 + expq(x)); }
Quad softplus(Quad x) { return (x > 0 ? x : 0) + log1pq(expq(-fabsq(x))); }
Quad pi() { return acosq(-1); }
/// x times a function that goes to 0 for x -> -inf: the limit is -0.
Quad times(Quad x, Quad f) { return isinfq(x) && x < 0 ? -Quad(0) : x * f; }
Quad inverse_erf(Quad x) {
  const Quad a = fabsq(x);
  if (!(a < 1) || a == 0) return a == 1 ? x / Quad(0) : a > 1 ? Quad(kNan<double>) : x;
  const double w = -static_cast<double>(logq(1 - a) + log1pq(a));
  Quad y = w < 5 ? a * Quad(0.89) : Quad(std::sqrt(w) - 0.3);
  for (int i = 0; i < 60; ++i) {
    const Quad f = a < Quad(0.5) ? erfq(y) - a : (1 - a) - erfcq(y);
    const Quad u = f / (2 / sqrtq(pi()) * expq(-y * y)), step = u / (1 + u * y);
    y -= step;
    if (fabsq(step) < y * Quad(1e-32)) break;
  }
  return x < 0 ? -y : y;
}

struct Bound {
  const char* name;
  Quad (*f)(Quad);
  double f32, f64;  ///< the largest error in ULP that is allowed
};
constexpr double kGeluF64 = 2.59;
const Bound kBounds[] = {
    {"exp", expq, 1.0, 1.0},
    {"exp2", exp2q, 1.0, 1.0},
    {"expm1", expm1q, 1.5, 1.8},
    {"log", logq, 1.0, 1.0},
    {"log2", log2q, 1.0, 1.0},
    {"log10", log10q, 1.0, 1.0},
    {"log1p", log1pq, 1.5, 1.0},
    {"sin", sinq, 1.0, 1.0},
    {"cos", cosq, 1.0, 1.0},
    {"tan", tanq, 1.0, 1.0},
    {"asin", asinq, 1.0, 1.0},
    {"acos", acosq, 1.0, 1.0},
    {"atan", atanq, 1.0, 1.0},
    {"sinh", sinhq, 2.0, 2.0},
    {"cosh", coshq, 2.0, 2.0},
    {"tanh", tanhq, 1.5, 2.3},
    {"asinh", asinhq, 1.5, 1.5},
    {"acosh", acoshq, 1.5, 1.5},
    {"atanh", atanhq, 1.5, 1.5},
    {"cbrt", cbrtq, 1.0, 1.0},
    {"sqrt", sqrtq, 0.5, 0.5},
    {"rsqrt", [](Quad x) { return 1 / sqrtq(x); }, 1.5, 1.5},
    {"reciprocal", [](Quad x) { return 1 / x; }, 0.5, 0.5},
    {"sigmoid", sigmoid, 1.5, 1.5},
    {"silu", [](Quad x) { return times(x, sigmoid(x)); }, 2.2, 2.2},
    {"softplus", softplus, 1.5, 1.6},
    {"log_sigmoid", [](Quad x) { return -softplus(-x); }, 1.5, 1.6},
    {"logit", [](Quad x) { return logq(x / (1 - x)); }, 3.0, 3.0},
    {"erf", erfq, 1.2, 1.0},
    {"erfc", erfcq, 3.0, 1.5},
    {"erfinv", inverse_erf, 3.5, 2.0},
    {"gelu", [](Quad x) { return times(x, erfcq(-x / sqrtq(2)) / 2); }, 3.5, kGeluF64},
    {"gelu_tanh",
     [](Quad x) { return times(x, sigmoid(2 * sqrtq(2 / pi()) * (x + Quad(44715) / 1000000 * x * x * x))); }, 2.6, 2.6},
};

template <class T> void check_bound(const Bound& b, double limit) {
  const auto x = samples<T>(700);
  const auto y = call<T>(scalar_kernel(op(b.name), dtype_of<T>), x);
  double worst = 0;
  T at = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Quad want = b.f(static_cast<Quad>(x[i]));
    const double e = test::ulp_error(y[i], want);
    // f64 gelu below the normal range: the subnormal erfc is multiplied by |x| < 39.
    const bool subnormal_erfc = b.f64 == kGeluF64 && sizeof(T) == 8 && x[i] < T(-37);
    if (!(e <= (subnormal_erfc ? 20 : worst))) worst = e, at = x[i];
    if (x[i] == 0 && want == 0) {
      EXPECT_EQ(std::signbit(y[i]), signbitq(want) != 0) << b.name << "(" << x[i] << ")";
    }
  }
  EXPECT_LE(worst, limit) << b.name << " " << name_of(dtype_of<T>) << " at " << static_cast<double>(at);
}

TEST(ScalarFunctions, ErrorsInUlp) {
  for (const Bound& b : kBounds) {
    check_bound<float>(b, b.f32);
    check_bound<double>(b, b.f64);
  }
}

TEST(ScalarFunctions, LgammaAwayFromItsZeros) {
  for (const double x : {1e-5, 0.1, 0.5, 1.5, 3.0, 10.0, 100.0, 1e6, -0.5, -1.5, -10.5}) {
    EXPECT_LE(test::ulp_error(one<double>("lgamma", x), lgammaq(x)), 4) << x;
    EXPECT_LE(test::ulp_error(one<float>("lgamma", static_cast<float>(x)), lgammaq(static_cast<float>(x))), 4) << x;
  }
  EXPECT_EQ(one<float>("lgamma", 1), 0);
  EXPECT_EQ(one<double>("lgamma", kInf<double>), kInf<double>);
}

// ---- equal bits on every instruction set: all functions, all types ----

std::vector<std::uint8_t> flags(std::size_t n) {
  std::vector<std::uint8_t> f;
  for (std::size_t i = 0; i < n; ++i) f.push_back(i % 3 == 0);
  return f;
}

template <class T, class R> void check_same_bits(const plan::ScalarFunction& f, int index, DType type) {
  constexpr std::size_t n = 1232;
  std::vector<R> first;
  const bool boolean = type == DType::bool_;
  auto a = operands<T>(0, n), b = operands<T>(1, n), c = operands<T>(2, n);
  if (boolean)
    for (auto* v : {&a, &b, &c})
      for (T& x : *v) x = static_cast<T>(static_cast<std::int64_t>(x) & 1);
  test::for_each_instruction_set([&](std::int64_t) {
    const ScalarKernel k = scalar_kernel(index, type);
    const auto y = f.name == "where" ? call<R, std::uint8_t, T, T>(k, flags(n), a, b) : call<R>(k, a, b, c);
    if (first.empty()) first = y;
    for (std::size_t i = 0; i < n; ++i)
      ASSERT_TRUE(test::same_bits(y[i], first[i])) << f.name << " " << name_of(type) << " at " << +a[i] << ", " << +b[i] << ": "
                                                   << +y[i] << " and " << +first[i];
  });
}

template <class T> void check_same_bits(DType type) {
  for (int i = 0; i < plan::scalar_function_count(); ++i) {
    const auto& f = plan::scalar_function(i);
    if (!(f.types & plan::dtype_bit(type)) || f.result == plan::ResultType::converted) continue;
    if (f.result == plan::ResultType::boolean) check_same_bits<T, std::uint8_t>(f, i, type);
    else check_same_bits<T, T>(f, i, type);
  }
}

TEST(ScalarFunctions, SameBitsOnEveryInstructionSet) {
  check_same_bits<double>(DType::f64);
  check_same_bits<float>(DType::f32);
  check_same_bits<std::int64_t>(DType::i64);
  check_same_bits<std::int32_t>(DType::i32);
  check_same_bits<std::int8_t>(DType::i8);
  check_same_bits<std::uint8_t>(DType::u8);
  check_same_bits<std::uint8_t>(DType::bool_);
}

// A lane's result may not depend on its neighbours, or the place of an element would change it.
TEST(ScalarFunctions, NeighboursDoNotMatter) {
  for (int i = 0; i < plan::scalar_function_count(); ++i) {
    const auto& f = plan::scalar_function(i);
    if (!(f.types & plan::dtype_bit(DType::f32)) || f.result != plan::ResultType::same || f.name == "where") continue;
    const auto a = operands<float>(0, 640), b = operands<float>(1, 640), c = operands<float>(2, 640);
    const ScalarKernel k = scalar_kernel(i, DType::f32);
    const auto together = call<float>(k, a, b, c);
    for (std::size_t e = 0; e < a.size(); ++e) {
      const auto alone = call<float>(k, std::vector<float>(16, a[e]), std::vector<float>(16, b[e]), std::vector<float>(16, c[e]));
      for (const float y : alone) ASSERT_TRUE(test::same_bits(y, together[e])) << f.name << "(" << a[e] << ", " << b[e] << ")";
    }
  }
}

// ---- exact definitions ----

template <class T, class R, class F> void exact1(std::string_view name, F f) {
  const auto x = operands<T>(0, 1232);
  const auto y = call<R>(scalar_kernel(op(name), dtype_of<T>), x);
  for (std::size_t i = 0; i < x.size(); ++i)
    ASSERT_TRUE(test::same_bits(y[i], static_cast<R>(f(x[i])))) << name << "(" << +x[i] << ") = " << +y[i];
}
template <class T, class R, class F> void exact2(std::string_view name, F f) {
  const auto a = operands<T>(0, 1232), b = operands<T>(1, 1232);
  const auto y = call<R>(scalar_kernel(op(name), dtype_of<T>), a, b);
  for (std::size_t i = 0; i < a.size(); ++i)
    ASSERT_TRUE(test::same_bits(y[i], static_cast<R>(f(a[i], b[i])))) << name << "(" << +a[i] << ", " << +b[i] << ") = " << +y[i];
}

template <class T> void check_exact_floats() {
  exact1<T, T>("neg", [](T x) { return -x; });
  exact1<T, T>("abs", [](T x) { return std::fabs(x); });
  exact1<T, T>("square", [](T x) { return x * x; });
  exact1<T, T>("sqrt", [](T x) { return std::sqrt(x); });
  exact1<T, T>("floor", [](T x) { return std::floor(x); });
  exact1<T, T>("ceil", [](T x) { return std::ceil(x); });
  exact1<T, T>("trunc", [](T x) { return std::trunc(x); });
  exact1<T, T>("round", [](T x) { return std::nearbyint(x); });
  exact1<T, T>("relu", [](T x) { return std::isnan(x) ? x : x > 0 ? x : T(0); });
  exact1<T, T>("sign", [](T x) { return x > 0 ? T(1) : x < 0 ? T(-1) : x; });
  exact1<T, std::uint8_t>("isnan", [](T x) { return std::isnan(x); });
  exact1<T, std::uint8_t>("isinf", [](T x) { return std::isinf(x); });
  exact1<T, std::uint8_t>("isfinite", [](T x) { return std::isfinite(x); });
  exact2<T, T>("add", [](T a, T b) { return a + b; });
  exact2<T, T>("sub", [](T a, T b) { return a - b; });
  exact2<T, T>("mul", [](T a, T b) { return a * b; });
  exact2<T, T>("div", [](T a, T b) { return a / b; });
  exact2<T, T>("fmod", [](T a, T b) { return std::fmod(a, b); });
  exact2<T, T>("copysign", [](T a, T b) { return std::isnan(b) ? std::abs(a) : std::copysign(a, b); });
  exact2<T, T>("nextafter", [](T a, T b) { return std::nextafter(a, b); });
  exact2<T, T>("ldexp", [](T a, T b) {
    if (b != std::trunc(b)) return one<T>("ldexp", a, b);  // see Ldexp
    if (std::isinf(b)) return a == 0 && b > 0 ? kNan<T> : b > 0 ? a * kInf<T> : std::isinf(a) ? kNan<T> : std::copysign(T(0), a);
    return std::isnan(b) ? b : std::ldexp(a, static_cast<int>(std::min(T(9999), std::max(T(-9999), b))));
  });
  exact2<T, T>("maximum", [](T a, T b) {
    if (std::isnan(a) || std::isnan(b)) return kNan<T>;
    return a == b ? (std::signbit(a) ? b : a) : a > b ? a : b;
  });
  exact2<T, T>("minimum", [](T a, T b) {
    if (std::isnan(a) || std::isnan(b)) return kNan<T>;
    return a == b ? (std::signbit(a) ? a : b) : a < b ? a : b;
  });
}

template <class T> void check_comparisons() {
  exact2<T, std::uint8_t>("eq", [](T a, T b) { return a == b; });
  exact2<T, std::uint8_t>("ne", [](T a, T b) { return a != b; });
  exact2<T, std::uint8_t>("lt", [](T a, T b) { return a < b; });
  exact2<T, std::uint8_t>("le", [](T a, T b) { return a <= b; });
  exact2<T, std::uint8_t>("gt", [](T a, T b) { return a > b; });
  exact2<T, std::uint8_t>("ge", [](T a, T b) { return a >= b; });
}

/// Integers in 128 bits, then wrapped.
template <class T> void check_exact_integers() {
  using W = __int128;
  const auto floor_div = [](T a, T b) -> W {
    if (b == 0) return 0;
    const W q = W(a) / b;
    return W(a) % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
  };
  exact1<T, T>("neg", [](T x) { return static_cast<T>(-W(x)); });
  exact1<T, T>("abs", [](T x) { return static_cast<T>(x < 0 ? -W(x) : W(x)); });
  exact1<T, T>("square", [](T x) { return static_cast<T>(static_cast<unsigned __int128>(W(x)) * static_cast<unsigned __int128>(W(x))); });
  exact1<T, T>("sign", [](T x) { return x > 0 ? 1 : x < 0 ? -1 : 0; });
  exact1<T, T>("relu", [](T x) { return x > 0 ? x : 0; });
  exact1<T, T>("bitwise_not", [](T x) { return ~x; });
  exact1<T, T>("popcount", [](T x) {
    int n = 0;
    for (std::size_t b = 0; b < 8 * sizeof(T); ++b) n += static_cast<int>(static_cast<std::uint64_t>(x) >> b & 1);
    return n;
  });
  exact2<T, T>("add", [](T a, T b) { return static_cast<T>(W(a) + b); });
  exact2<T, T>("sub", [](T a, T b) { return static_cast<T>(W(a) - b); });
  exact2<T, T>("mul", [](T a, T b) { return static_cast<T>(W(a) * b); });
  exact2<T, T>("fmod", [](T a, T b) { return static_cast<T>(b == 0 ? W(0) : W(a) % b); });
  exact2<T, T>("floor_divide", [&](T a, T b) { return static_cast<T>(floor_div(a, b)); });
  exact2<T, T>("remainder", [&](T a, T b) { return static_cast<T>(b == 0 ? W(0) : W(a) - floor_div(a, b) * b); });
  exact2<T, T>("maximum", [](T a, T b) { return std::max(a, b); });
  exact2<T, T>("minimum", [](T a, T b) { return std::min(a, b); });
  exact2<T, T>("bitwise_and", [](T a, T b) { return a & b; });
  exact2<T, T>("bitwise_or", [](T a, T b) { return a | b; });
  exact2<T, T>("bitwise_xor", [](T a, T b) { return a ^ b; });
  constexpr auto mask = static_cast<std::uint64_t>(8 * sizeof(T) - 1);
  exact2<T, T>("shift_left", [](T a, T b) { return static_cast<std::uint64_t>(b) > mask ? T(0) : static_cast<T>(static_cast<std::uint64_t>(a) << static_cast<std::uint64_t>(b)); });
  exact2<T, T>("shift_right", [](T a, T b) { return static_cast<T>(a >> (static_cast<std::uint64_t>(b) > mask ? mask : static_cast<std::uint64_t>(b))); });
  exact2<T, T>("gcd", [](T a, T b) {
    W x = a < 0 ? -W(a) : W(a), y = b < 0 ? -W(b) : W(b);
    while (y) std::swap(x %= y, y);
    return static_cast<T>(x);
  });
  exact2<T, T>("pow", [](T a, T b) {
    if (b < 0) return static_cast<T>(a == 1 ? 1 : a == static_cast<T>(-1) ? (b % 2 ? -1 : 1) : 0);
    std::uint64_t y = 1, f = static_cast<std::uint64_t>(a);
    for (auto e = static_cast<std::uint64_t>(b); e; e >>= 1, f *= f)
      if (e & 1) y *= f;
    return static_cast<T>(y);
  });
  check_comparisons<T>();
}

TEST(ScalarFunctions, ExactDefinitions) {
  check_exact_floats<float>();
  check_exact_floats<double>();
  check_comparisons<float>();
  check_comparisons<double>();
  check_exact_integers<std::int64_t>();
  check_exact_integers<std::int32_t>();
  check_exact_integers<std::int8_t>();
  check_exact_integers<std::uint8_t>();
}

TEST(ScalarFunctions, Bool) {
  const std::vector<std::uint8_t> a{0, 0, 1, 1}, b{0, 1, 0, 1};
  const auto two = [&](const char* name) { return call<std::uint8_t>(scalar_kernel(op(name), DType::bool_), a, b); };
  using Bytes = std::vector<std::uint8_t>;
  for (const std::string prefix : {"logical_", "bitwise_"}) {
    EXPECT_EQ(two((prefix + "and").c_str()), (Bytes{0, 0, 0, 1}));
    EXPECT_EQ(two((prefix + "or").c_str()), (Bytes{0, 1, 1, 1}));
    EXPECT_EQ(two((prefix + "xor").c_str()), (Bytes{0, 1, 1, 0}));
    EXPECT_EQ(two((prefix + "not").c_str()), (Bytes{1, 1, 0, 0}));
  }
  EXPECT_EQ(two("lt"), (Bytes{0, 1, 0, 0}));
}

template <class T> void check_remainders() {
  const auto both = [](T a, T b, T r, T q) {
    EXPECT_TRUE(test::same_bits(one<T>("remainder", a, b), r)) << a << " " << b << " " << one<T>("remainder", a, b);
    EXPECT_TRUE(test::same_bits(one<T>("floor_divide", a, b), q)) << a << " " << b << " " << one<T>("floor_divide", a, b);
  };
  both(7, 3, 1, 2), both(-7, 3, 2, -3), both(7, -3, -2, -3), both(-7, -3, -1, 2);
  both(6, -3, T(-0.0), -2), both(-6, 3, 0, -2), both(T(0.0), 3, 0, 0), both(T(-0.0), 3, 0, T(-0.0));
  both(1, kInf<T>, 1, 0), both(-1, kInf<T>, kInf<T>, -1), both(1, 0, kNan<T>, kInf<T>), both(0, 0, kNan<T>, kNan<T>);
  both(kInf<T>, 2, kNan<T>, kInf<T>), both(kNan<T>, 2, kNan<T>, kNan<T>), both(2, kNan<T>, kNan<T>, kNan<T>);
  both(T(5.5), T(0.5), 0, 11), both(-1, T(1e-3), one<T>("remainder", -1, T(1e-3)), one<T>("floor_divide", -1, T(1e-3)));
}
TEST(ScalarFunctions, RemainderTakesTheDivisorsSign) {
  check_remainders<float>();
  check_remainders<double>();
}

template <class T> void check_binary_errors() {
  const auto check = [](const char* name, auto reference, double limit, auto domain) {
    auto a = operands<T>(0, 1232), b = operands<T>(1, 1232);
    for (std::size_t i = 0; i < a.size(); ++i) domain(a[i], b[i]);
    const auto y = call<T>(scalar_kernel(op(name), dtype_of<T>), a, b);
    for (std::size_t i = 0; i < a.size(); ++i)
      EXPECT_LE(test::ulp_error(y[i], reference(static_cast<Quad>(a[i]), static_cast<Quad>(b[i]))), limit)
          << name << "(" << a[i] << ", " << b[i] << ") = " << y[i];
  };
  const auto any = [](T&, T&) {};
  check("pow", powq, 1.0, any);
  check("atan2", atan2q, 1.0, any);
  check("hypot", hypotq, 1.0, any);
  check("logaddexp", [](Quad a, Quad b) {
    if (a == b) return a + logq(2);
    if (isnanq(a) || isnanq(b)) return Quad(kNan<double>);
    return fmaxq(a, b) + log1pq(expq(-fabsq(a - b)));
  }, 1.6, [](T& a, T& b) { a = std::fabs(a), b = std::fabs(b); });
  check("ldexp", [](Quad a, Quad b) { return a * exp2q(b); }, 2.0, [](T&, T& b) { b = std::fmod(b, T(300)); });
  const auto x = operands<T>(0, 1232), z = operands<T>(1, 1232), w = operands<T>(2, 1232);
  const auto f = call<T>(scalar_kernel(op("fma"), dtype_of<T>), x, z, w);
  for (std::size_t i = 0; i < x.size(); ++i) ASSERT_TRUE(test::same_bits(f[i], std::fma(x[i], z[i], w[i])));
}
TEST(ScalarFunctions, BinaryErrorsInUlp) {
  check_binary_errors<float>();
  check_binary_errors<double>();
}

TEST(ScalarFunctions, ClampAndWhere) {
  for (const float x : {-3.0f, 0.5f, 7.0f}) EXPECT_EQ(one<float>("clamp", x, 0, 1), std::min(std::max(x, 0.0f), 1.0f));
  EXPECT_TRUE(std::isnan(one<float>("clamp", kNan<float>, 0, 1)));
  EXPECT_EQ(one<float>("clamp", 5, kNan<float>, 1), 1);
  EXPECT_EQ(one<float>("clamp", 5, 3, 2), 2);
  EXPECT_EQ(one<std::int32_t>("clamp", -5, -2, 9), -2);
  const auto y = call<double, std::uint8_t, double, double>(scalar_kernel(op("where"), DType::f64), {1, 0}, {1.5, kNan<double>}, {kNan<double>, 2.5});
  EXPECT_EQ(y, (std::vector<double>{1.5, 2.5}));
}

}  // namespace
}  // namespace adjoint::cpu::scalar_test
