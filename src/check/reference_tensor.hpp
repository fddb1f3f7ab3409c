// reference_tensor.hpp: the value that the reference interpreter computes with, and walks over its
// elements. Not a Tensor of the library: no graph, no views, one scalar type T for every element
// type.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "adjoint/dtype.hpp"

namespace adjoint::check {

using Sizes = std::vector<std::int64_t>;

/// Row-major elements. `dtype` says what they stand for; floating types are not rounded to it,
/// integers are. T must hold 64-bit integers for i64 to be exact: Quad and long double do, double
/// does up to 2^53.
template <class T> struct RefTensor {
  Sizes shape;
  DType dtype = DType::f64;
  std::vector<T> data;
};

inline std::int64_t count(const Sizes& shape) {
  std::int64_t n = 1;
  for (const auto d : shape) n *= d;
  return n;
}
template <class T> RefTensor<T> filled(Sizes shape, DType dtype, T value) {
  const auto n = static_cast<std::size_t>(count(shape));
  return {std::move(shape), dtype, std::vector<T>(n, value)};
}

/// Flat position of an index.
inline std::size_t flat(const Sizes& index, const Sizes& shape) {
  std::int64_t at = 0;
  for (std::size_t d = 0; d < shape.size(); ++d) at = at * shape[d] + index[d];
  return static_cast<std::size_t>(at);
}
/// Calls visit(index, flat position) for every index of the shape, in row-major order.
template <class Visit> void each_index(const Sizes& shape, Visit visit) {
  Sizes index(shape.size(), 0);
  const auto n = static_cast<std::size_t>(count(shape));
  for (std::size_t at = 0; at < n; ++at) {
    visit(std::as_const(index), at);
    for (std::size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d]) break;
      index[d] = 0;
    }
  }
}

}  // namespace adjoint::check
