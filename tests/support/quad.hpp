// quad.hpp: errors in units of the last place, against a 113-bit reference. Not a reference of any function.
#pragma once

#include <quadmath.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace adjoint::test {

using Quad = __float128;

/// |got - expected| in units of T's last place at `expected`; 0 where both are NaN, infinite where one is.
template <class T> double ulp_error(T got, Quad expected) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  if (isnanq(expected)) return std::isnan(got) ? 0 : inf;
  if (std::isnan(got)) return inf;
  // Infinity stands one ULP above the largest number, and so does all that lies beyond.
  const Quad limit = ldexpq(1, std::numeric_limits<T>::max_exponent);
  const auto bounded = [&](Quad x) { return x > limit ? limit : x < -limit ? -limit : x; };
  const Quad want = bounded(expected), have = bounded(static_cast<Quad>(got));
  int exponent = std::numeric_limits<T>::min_exponent;
  if (want != 0) {
    int e;
    frexpq(want, &e);
    exponent = std::clamp(e, exponent, std::numeric_limits<T>::max_exponent);
  }
  const int digits = std::numeric_limits<T>::digits;
  return static_cast<double>(fabsq(have - want) / ldexpq(1, exponent - digits));
}

}  // namespace adjoint::test
