// scalar_support.hpp: calling scalar kernels on vectors of any length, and the inputs that all their tests share.
// Not a reference of any function.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string_view>
#include <type_traits>
#include <vector>

#include "kernels/cpu/scalar_kernels.hpp"
#include "kernels/cpu/tiles.hpp"
#include "plan/scalar_functions.hpp"

namespace adjoint::cpu::scalar_test {

template <class T> constexpr T kInf = std::numeric_limits<T>::infinity();
template <class T> constexpr T kNan = std::numeric_limits<T>::quiet_NaN();

inline int op(std::string_view name) {
  const int i = plan::find_scalar_function(name);
  EXPECT_GE(i, 0) << name;
  return i;
}

/// Any kernel on vectors of any length.
template <class R, class T, class U = T, class V = T>
std::vector<R> call(ScalarKernel kernel, std::vector<T> a, std::vector<U> b = {}, std::vector<V> c = {}) {
  const std::size_t n = a.size(), padded = (n + kTilePad - 1) / kTilePad * kTilePad;
  a.resize(padded), b.resize(padded), c.resize(padded);
  std::vector<R> y(padded);
  kernel(y.data(), a.data(), b.data(), c.data(), padded);
  y.resize(n);
  return y;
}
template <class T> T one(std::string_view name, T x, T b = 0, T c = 0) {
  return call<T>(scalar_kernel(op(name), dtype_of<T>), std::vector<T>{x}, std::vector<T>{b}, std::vector<T>{c})[0];
}

template <class T> std::vector<T> special_values() {
  using L = std::numeric_limits<T>;
  std::vector<T> v;
  for (const T x : {T(0), L::denorm_min(), L::min(), L::epsilon(), T(0.25), T(0.5), T(0.75), T(1), T(1.5), T(2), T(2.5), T(3),
                    T(88), T(103.9), T(709), T(745), T(1e10), L::max() / 2, L::max(), L::infinity(), L::quiet_NaN()})
    v.push_back(x), v.push_back(-x);
  v.push_back(std::nextafter(T(1), T(0))), v.push_back(std::nextafter(T(1), T(2)));
  return v;
}
/// All magnitudes, the ranges where functions change, and the neighbourhood of 1.
template <class T> std::vector<T> samples(int n) {
  std::mt19937_64 rng(7);
  const auto unit = [&] { return static_cast<double>(rng() >> 11) * 0x1p-53; };
  const auto within = [&](double r) { return static_cast<T>((2 * unit() - 1) * r); };
  const int low = std::numeric_limits<T>::min_exponent - std::numeric_limits<T>::digits, high = std::numeric_limits<T>::max_exponent;
  std::vector<T> x = special_values<T>();
  for (int i = 0; i < n; ++i) {
    const T m = std::ldexp(static_cast<T>(1 + unit()), low + static_cast<int>(unit() * (high - low)));
    for (const T v : {rng() & 1 ? m : -m, within(sizeof(T) == 8 ? 745 : 104), within(20), within(4), within(1),
                      static_cast<T>(1 + within(1) * static_cast<T>(std::ldexp(1.0, -static_cast<int>(unit() * 30))))})
      x.push_back(v);
  }
  return x;
}

template <class T> std::vector<T> operands(int which, std::size_t n) {
  std::mt19937_64 rng(static_cast<std::uint64_t>(which) + 11);
  std::vector<T> x;
  if constexpr (std::is_floating_point_v<T>) {
    x = samples<T>(200);
    std::shuffle(x.begin(), x.end(), rng);
    x.resize(n, T(1));
  } else {
    for (const auto v : {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, std::int64_t{2}, std::int64_t{7},
                         static_cast<std::int64_t>(std::numeric_limits<T>::max()), static_cast<std::int64_t>(std::numeric_limits<T>::min())})
      x.push_back(static_cast<T>(v));
    while (x.size() < n) x.push_back(static_cast<T>(rng() >> (rng() % 60)));
    std::shuffle(x.begin(), x.end(), rng);
  }
  return x;
}
}  // namespace adjoint::cpu::scalar_test
