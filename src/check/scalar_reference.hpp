// scalar_reference.hpp: every scalar function of the core by its definition, in any scalar type,
// found by name. Not the kernels: nothing here is fast, and nothing here is shared with
// src/kernels, which is held to it.
#pragma once

#include <algorithm>
#include <string_view>
#include <utility>

#include "check/quad.hpp"

namespace adjoint::check {

template <class T> using Fn1 = T (*)(T);
template <class T> using Fn2 = T (*)(T, T);
template <class T> using Fn3 = T (*)(T, T, T);

/// One definition a function. Truth is 1 and 0. NaN in gives NaN out, except for comparisons and
/// tests.
template <class T> struct Scalar {
  using E = Elementary<T>;
  static bool nan(T x) { return x != x; }
  static T infinity() { return T(std::numeric_limits<double>::infinity()); }

  // ---- one operand
  static T neg(T x) { return -x; }
  static T square(T x) { return x * x; }
  static T reciprocal(T x) { return 1 / x; }
  static T rsqrt(T x) { return 1 / E::sqrt(x); }
  static T sign(T x) { return nan(x) ? x : T((x > 0) - (x < 0)); }
  static T relu(T x) { return nan(x) || x > 0 ? x : T(0); }
  static T isnan(T x) { return nan(x); }
  static T isinf(T x) { return E::abs(x) == infinity(); }
  static T isfinite(T x) { return E::abs(x) < infinity(); }
  static T logical_not(T x) { return x == 0; }

  static T sigmoid(T x) {
    const T e = E::exp(-E::abs(x));
    return (x < 0 ? e : T(1)) / (1 + e);
  }
  /// log(x / (1 - x)); near 1/2 the quotient is written as 1 + (2x - 1) / (1 - x).
  static T logit(T x) {
    return x > T(0.25) && x < T(0.75) ? E::log1p((2 * x - 1) / (1 - x)) : E::log(x) - E::log1p(-x);
  }
  static T softplus(T x) { return nan(x) ? x : (x > 0 ? x : T(0)) + E::log1p(E::exp(-E::abs(x))); }
  static T log_sigmoid(T x) { return -softplus(-x); }
  static T silu(T x) { return x * sigmoid(x); }
  /// x Phi(x), Phi the normal distribution function.
  static T gelu(T x) { return x * E::erfc(-x / E::sqrt(T(2))) / 2; }
  /// x/2 (1 + tanh(u)) with u = sqrt(2/pi) (x + 0.044715 x^3); (1 + tanh(u)) / 2 = sigmoid(2u).
  static T gelu_tanh(T x) {
    const T c = E::sqrt(2 / E::acos(T(-1))), a = T(44715) / 1000000;
    return x * sigmoid(2 * c * (x + a * x * x * x));
  }
  static T erfinv(T x);

  // ---- two operands
  static T add(T x, T y) { return x + y; }
  static T sub(T x, T y) { return x - y; }
  static T mul(T x, T y) { return x * y; }
  static T div(T x, T y) { return x / y; }
  /// -0 counts as less than +0, which the sums at 0 say.
  static T maximum(T x, T y) { return x == 0 && y == 0 ? x + y : nan(x) || x > y ? x : y; }
  static T minimum(T x, T y) { return x == 0 && y == 0 ? -(-x + -y) : nan(x) || x < y ? x : y; }
  /// The sign of a NaN counts as +.
  static T copysign(T x, T y) { return nan(y) ? E::abs(x) : E::copysign(x, y); }
  /// x - y floor(x / y): the sign is that of y.
  static T remainder(T x, T y) {
    const T r = E::fmod(x, y);
    if (r == 0) return E::copysign(r, y);
    return (r < 0) != (y < 0) ? r + y : r;
  }
  static T floor_divide(T x, T y) {
    if (y == 0 || !(E::abs(x) < infinity()) || nan(y)) return x / y;
    return E::nearbyint((x - remainder(x, y)) / y);
  }
  static T ldexp(T x, T n) {
    const bool whole = n == E::trunc(n) && E::abs(n) < T(1 << 20);
    return whole ? E::scale(x, static_cast<long>(n)) : x * E::exp2(n);
  }
  /// log(exp(x) + exp(y)) without overflow.
  static T logaddexp(T x, T y) {
    if (x == y) return x + E::log(T(2));  // of infinities too
    return nan(x) || nan(y) ? x + y : std::max(x, y) + E::log1p(E::exp(-E::abs(x - y)));
  }
  /// Among the numbers of f64.
  static T nextafter(T x, T y) { return T(std::nextafter(static_cast<double>(x), static_cast<double>(y))); }
  static T eq(T x, T y) { return x == y; }
  static T ne(T x, T y) { return x != y; }
  static T lt(T x, T y) { return x < y; }
  static T le(T x, T y) { return x <= y; }
  static T gt(T x, T y) { return x > y; }
  static T ge(T x, T y) { return x >= y; }
  static T logical_and(T x, T y) { return x != 0 && y != 0; }
  static T logical_or(T x, T y) { return x != 0 || y != 0; }
  static T logical_xor(T x, T y) { return (x != 0) != (y != 0); }

  // ---- three operands
  static T where(T c, T x, T y) { return c != 0 ? x : y; }
  /// min(max(x, low), high)
  static T clamp(T x, T low, T high) {  // a NaN bound does not bound
    const T y = x < low ? low : x;
    return y > high ? high : y;
  }
};

/// Halley's iteration on erf(y) = x for small |x| and on erfc(y) = 1 - |x|, whose right side is
/// then exact, for others.
template <class T> T Scalar<T>::erfinv(T x) {
  const T a = E::abs(x), one = 1;
  if (x == 0 || nan(x)) return x;
  if (a >= one)
    return a == one ? E::copysign(infinity(), x) : T(std::numeric_limits<double>::quiet_NaN());
  const T half_root_pi = E::sqrt(E::acos(T(-1))) / 2;
  const T l = E::log1p(-a * a), k = 2 / (E::acos(T(-1)) * T(0.147)) + l / 2;
  T y = E::sqrt(E::sqrt(k * k - l / T(0.147)) -
                k);  // to 2e-3; cancels for tiny a, where the series is better
  if (a < T(1e-3)) y = a * half_root_pi;
  for (int i = 0; i < 6; ++i) {
    const T miss = a < T(0.5) ? E::erf(y) - a : (one - a) - E::erfc(y);
    const T u = miss * half_root_pi * E::exp(y * y);
    y -= u / (1 + y * u);
  }
  return E::copysign(y, x);
}

template <class T>
inline constexpr std::pair<std::string_view, Fn1<T>> kUnary[] = {
    {"neg", Scalar<T>::neg},
    {"abs", Elementary<T>::abs},
    {"square", Scalar<T>::square},
    {"sign", Scalar<T>::sign},
    {"relu", Scalar<T>::relu},
    {"sqrt", Elementary<T>::sqrt},
    {"rsqrt", Scalar<T>::rsqrt},
    {"cbrt", Elementary<T>::cbrt},
    {"reciprocal", Scalar<T>::reciprocal},
    {"exp", Elementary<T>::exp},
    {"exp2", Elementary<T>::exp2},
    {"expm1", Elementary<T>::expm1},
    {"log", Elementary<T>::log},
    {"log2", Elementary<T>::log2},
    {"log10", Elementary<T>::log10},
    {"log1p", Elementary<T>::log1p},
    {"sin", Elementary<T>::sin},
    {"cos", Elementary<T>::cos},
    {"tan", Elementary<T>::tan},
    {"asin", Elementary<T>::asin},
    {"acos", Elementary<T>::acos},
    {"atan", Elementary<T>::atan},
    {"sinh", Elementary<T>::sinh},
    {"cosh", Elementary<T>::cosh},
    {"tanh", Elementary<T>::tanh},
    {"asinh", Elementary<T>::asinh},
    {"acosh", Elementary<T>::acosh},
    {"atanh", Elementary<T>::atanh},
    {"sigmoid", Scalar<T>::sigmoid},
    {"logit", Scalar<T>::logit},
    {"erf", Elementary<T>::erf},
    {"erfc", Elementary<T>::erfc},
    {"erfinv", Scalar<T>::erfinv},
    {"gelu", Scalar<T>::gelu},
    {"gelu_tanh", Scalar<T>::gelu_tanh},
    {"silu", Scalar<T>::silu},
    {"softplus", Scalar<T>::softplus},
    {"log_sigmoid", Scalar<T>::log_sigmoid},
    {"floor", Elementary<T>::floor},
    {"ceil", Elementary<T>::ceil},
    {"trunc", Elementary<T>::trunc},
    {"round", Elementary<T>::nearbyint},
    {"lgamma", Elementary<T>::lgamma},
    {"isnan", Scalar<T>::isnan},
    {"isinf", Scalar<T>::isinf},
    {"isfinite", Scalar<T>::isfinite},
    {"logical_not", Scalar<T>::logical_not},
};
template <class T>
inline constexpr std::pair<std::string_view, Fn2<T>> kBinary[] = {
    {"add", Scalar<T>::add},
    {"sub", Scalar<T>::sub},
    {"mul", Scalar<T>::mul},
    {"div", Scalar<T>::div},
    {"pow", Elementary<T>::pow},
    {"fmod", Elementary<T>::fmod},
    {"remainder", Scalar<T>::remainder},
    {"floor_divide", Scalar<T>::floor_divide},
    {"maximum", Scalar<T>::maximum},
    {"minimum", Scalar<T>::minimum},
    {"atan2", Elementary<T>::atan2},
    {"hypot", Elementary<T>::hypot},
    {"copysign", Scalar<T>::copysign},
    {"ldexp", Scalar<T>::ldexp},
    {"logaddexp", Scalar<T>::logaddexp},
    {"nextafter", Scalar<T>::nextafter},
    {"eq", Scalar<T>::eq},
    {"ne", Scalar<T>::ne},
    {"lt", Scalar<T>::lt},
    {"le", Scalar<T>::le},
    {"gt", Scalar<T>::gt},
    {"ge", Scalar<T>::ge},
    {"logical_and", Scalar<T>::logical_and},
    {"logical_or", Scalar<T>::logical_or},
    {"logical_xor", Scalar<T>::logical_xor},
};
template <class T>
inline constexpr std::pair<std::string_view, Fn3<T>> kTernary[] = {
    {"where", Scalar<T>::where},
    {"clamp", Scalar<T>::clamp},
    {"fma", Elementary<T>::fma},
};

/// The function of that name in a table above, or null.
template <class Table> auto find_scalar(const Table& table, std::string_view name) {
  for (const auto& [key, f] : table)
    if (key == name) return f;
  return decltype(std::begin(table)->second){};
}

}  // namespace adjoint::check
