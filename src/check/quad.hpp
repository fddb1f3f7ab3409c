// quad.hpp: the scalar types of the reference (double, long double, quad) and the elementary
// functions of each. Not the functions of the library's operations: those are defined with these in
// scalar_reference.hpp.
#pragma once

#include <cmath>
#include <limits>
#include <type_traits>

#if __has_include(<quadmath.h>) && defined(__SIZEOF_FLOAT128__)
#include <quadmath.h>
namespace adjoint::check {
using Quad = __float128;
}
#else
namespace adjoint::check {
using Quad = long double;
}
#endif

namespace adjoint::check {

/// True where Quad has 113 bits; otherwise it is long double, and bounds that rest on it must be
/// widened.
inline constexpr bool kHasQuad = !std::is_same_v<Quad, long double>;

/// Distance from 1 to the next number.
template <class T> constexpr T epsilon() {
  if constexpr (std::is_floating_point_v<T>) return std::numeric_limits<T>::epsilon();
  T e = 1;
  for (int i = 0; i < 112; ++i) e /= 2;
  return e;
}

/// The elementary functions of T: those of <cmath>.
template <class T> struct Elementary {
  static T exp(T x) { return std::exp(x); }
  static T exp2(T x) { return std::exp2(x); }
  static T expm1(T x) { return std::expm1(x); }
  static T log(T x) { return std::log(x); }
  static T log2(T x) { return std::log2(x); }
  static T log10(T x) { return std::log10(x); }
  static T log1p(T x) { return std::log1p(x); }
  static T sqrt(T x) { return std::sqrt(x); }
  static T cbrt(T x) { return std::cbrt(x); }
  static T sin(T x) { return std::sin(x); }
  static T cos(T x) { return std::cos(x); }
  static T tan(T x) { return std::tan(x); }
  static T asin(T x) { return std::asin(x); }
  static T acos(T x) { return std::acos(x); }
  static T atan(T x) { return std::atan(x); }
  static T sinh(T x) { return std::sinh(x); }
  static T cosh(T x) { return std::cosh(x); }
  static T tanh(T x) { return std::tanh(x); }
  static T asinh(T x) { return std::asinh(x); }
  static T acosh(T x) { return std::acosh(x); }
  static T atanh(T x) { return std::atanh(x); }
  static T erf(T x) { return std::erf(x); }
  static T erfc(T x) { return std::erfc(x); }
  static T lgamma(T x) { return std::lgamma(x); }
  static T floor(T x) { return std::floor(x); }
  static T ceil(T x) { return std::ceil(x); }
  static T trunc(T x) { return std::trunc(x); }
  static T nearbyint(T x) { return std::nearbyint(x); }
  static T abs(T x) { return std::fabs(x); }
  static T pow(T x, T y) { return std::pow(x, y); }
  static T fmod(T x, T y) { return std::fmod(x, y); }
  static T atan2(T x, T y) { return std::atan2(x, y); }
  static T hypot(T x, T y) { return std::hypot(x, y); }
  static T copysign(T x, T y) { return std::copysign(x, y); }
  static T scale(T x, long n) { return std::scalbln(x, n); }
  static T fma(T x, T y, T z) { return std::fma(x, y, z); }
};

#if __has_include(<quadmath.h>) && defined(__SIZEOF_FLOAT128__)
/// Those of libquadmath.
template <> struct Elementary<__float128> {
  using T = __float128;
  static T exp(T x) { return expq(x); }
  static T exp2(T x) { return exp2q(x); }
  static T expm1(T x) { return expm1q(x); }
  static T log(T x) { return logq(x); }
  static T log2(T x) { return log2q(x); }
  static T log10(T x) { return log10q(x); }
  static T log1p(T x) { return log1pq(x); }
  static T sqrt(T x) { return sqrtq(x); }
  static T cbrt(T x) { return cbrtq(x); }
  static T sin(T x) { return sinq(x); }
  static T cos(T x) { return cosq(x); }
  static T tan(T x) { return tanq(x); }
  static T asin(T x) { return asinq(x); }
  static T acos(T x) { return acosq(x); }
  static T atan(T x) { return atanq(x); }
  static T sinh(T x) { return sinhq(x); }
  static T cosh(T x) { return coshq(x); }
  static T tanh(T x) { return tanhq(x); }
  static T asinh(T x) { return asinhq(x); }
  static T acosh(T x) { return acoshq(x); }
  static T atanh(T x) { return atanhq(x); }
  static T erf(T x) { return erfq(x); }
  static T erfc(T x) { return erfcq(x); }
  static T lgamma(T x) { return lgammaq(x); }
  static T floor(T x) { return floorq(x); }
  static T ceil(T x) { return ceilq(x); }
  static T trunc(T x) { return truncq(x); }
  static T nearbyint(T x) { return nearbyintq(x); }
  static T abs(T x) { return fabsq(x); }
  static T pow(T x, T y) { return powq(x, y); }
  static T fmod(T x, T y) { return fmodq(x, y); }
  static T atan2(T x, T y) { return atan2q(x, y); }
  static T hypot(T x, T y) { return hypotq(x, y); }
  static T copysign(T x, T y) { return copysignq(x, y); }
  static T scale(T x, long n) { return scalblnq(x, n); }
  static T fma(T x, T y, T z) { return fmaq(x, y, z); }
};
#endif

}  // namespace adjoint::check
