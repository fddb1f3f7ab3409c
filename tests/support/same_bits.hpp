// same_bits.hpp: equality to the last bit, where all NaNs count as one. Not a tolerance.
#pragma once

#include <cstring>
#include <type_traits>

#include "adjoint/dtype.hpp"

namespace adjoint::test {

template <class T> bool is_nan(T x) {
  if constexpr (std::is_floating_point_v<T>) return x != x;
  else if constexpr (std::is_integral_v<T>) return false;
  else return static_cast<float>(x) != static_cast<float>(x);
}

template <class T> bool same_bits(T a, T b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0 || (is_nan(a) && is_nan(b));
}

}  // namespace adjoint::test
