// reference_tensor.hpp: the value that the reference interpreter computes with: a shape and
// elements in row-major order. Not a Tensor of the library: no graph, no views, one scalar type T
// for every element type.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace adjoint::check {

using Sizes = std::vector<std::int64_t>;

/// Elements of any DType stand as T. T must hold 64-bit integers for i64 to be exact: Quad and long
/// double do.
template <class T> struct RefTensor {
  Sizes shape;
  std::vector<T> data;
};

inline std::int64_t count(const Sizes& shape) {
  std::int64_t n = 1;
  for (const auto d : shape) n *= d;
  return n;
}
template <class T> RefTensor<T> filled(Sizes shape, T value) {
  const auto n = static_cast<std::size_t>(count(shape));
  return {std::move(shape), std::vector<T>(n, value)};
}

/// Flat position of an index.
inline std::size_t flat(const Sizes& index, const Sizes& shape) {
  std::int64_t at = 0;
  for (std::size_t d = 0; d < shape.size(); ++d) at = at * shape[d] + index[d];
  return static_cast<std::size_t>(at);
}
/// Calls visit(index) for every index of the shape, in row-major order.
template <class Visit> void each_index(const Sizes& shape, Visit visit) {
  Sizes index(shape.size(), 0);
  for (std::int64_t left = count(shape); left > 0; --left) {
    visit(std::as_const(index));
    for (std::size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d]) break;
      index[d] = 0;
    }
  }
}

}  // namespace adjoint::check
