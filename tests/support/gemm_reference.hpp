// gemm_reference.hpp: the definition of a product's bits, written to be read: the oracle of the product and convolution
// tests. Not fast.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "kernels/cpu/gemm.hpp"

namespace adjoint::test {

/// Joins block results by the binary counter: equal-sized neighbours pair up as they arrive, the rest from the right.
template <class T> T join_blocks(const std::vector<T>& blocks) {
  struct Subtree {
    T value;
    std::int64_t size;
  };
  std::vector<Subtree> stack;
  for (T b : blocks) {
    stack.push_back({b, 1});
    while (stack.size() > 1 && stack[stack.size() - 2].size == stack.back().size) {
      const Subtree right = stack.back();
      stack.pop_back();
      stack.back() = {stack.back().value + right.value, 2 * right.size};
    }
  }
  T sum = stack.back().value;
  for (std::size_t i = stack.size() - 1; i-- > 0;) sum = stack[i].value + sum;
  return sum;
}

/// One element: term(k, accumulate) calls accumulate(a, b), or not at all when k is an absent tap.
template <class T, class Term> T product_element(std::int64_t K, const Term& term) {
  std::vector<T> blocks;
  for (std::int64_t k0 = 0; k0 < K || k0 == 0; k0 += kernels::kProductBlock) {
    T acc = 0;
    for (std::int64_t k = k0; k < std::min(K, k0 + kernels::kProductBlock); ++k)
      term(k, [&](T a, T b) { acc = std::fma(a, b, acc); });
    blocks.push_back(acc);
  }
  return join_blocks(blocks) + T(0);
}

template <class T> struct AccumulatorOf { using type = T; };
template <> struct AccumulatorOf<bfloat16> { using type = float; };
template <> struct AccumulatorOf<float16> { using type = float; };

template <class T>
void reference_gemm(std::int64_t M, std::int64_t N, std::int64_t K, kernels::MatrixRef<const T> a,
                    kernels::MatrixRef<const T> b, kernels::MatrixRef<T> c) {
  for (std::int64_t i = 0; i < M; ++i)
    for (std::int64_t j = 0; j < N; ++j) {
      const auto at = [&](std::int64_t k) { return a.data[i * a.row_stride + k * a.col_stride]; };
      const auto bt = [&](std::int64_t k) { return b.data[k * b.row_stride + j * b.col_stride]; };
      T& out = c.data[i * c.row_stride + j * c.col_stride];
      if constexpr (std::is_integral_v<T>) {
        using U = std::make_unsigned_t<T>;
        U sum = 0;
        for (std::int64_t k = 0; k < K; ++k) sum += static_cast<U>(at(k)) * static_cast<U>(bt(k));
        out = static_cast<T>(sum);
      } else {
        using A = typename AccumulatorOf<T>::type;
        out = T(product_element<A>(K, [&](std::int64_t k, auto&& acc) { acc(static_cast<A>(at(k)), static_cast<A>(bt(k))); }));
      }
    }
}

}  // namespace adjoint::test
