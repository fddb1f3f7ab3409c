// operand.hpp: a typed, strided window on memory, which is all that a kernel sees of a tensor.
// Not an owner, not a shape rule: sizes were checked where the graph was built.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "adjoint/dtype.hpp"

namespace adjoint::plan {

inline constexpr int kMaxRank = 8;

/// `rank` axes; axis d has shape[d] elements that lie strides[d] ELEMENTS apart (0 repeats one element, may be
/// negative). `data` is the address of the element with all indices 0. Entries past `rank` are not read.
struct View {
  std::byte* data = nullptr;
  DType dtype = DType::f32;
  int rank = 0;
  std::array<std::int64_t, kMaxRank> shape{};
  std::array<std::int64_t, kMaxRank> strides{};

  std::int64_t elements() const {
    std::int64_t n = 1;
    for (int d = 0; d < rank; ++d) n *= shape[static_cast<std::size_t>(d)];
    return n;
  }
  /// True if the elements lie in row-major order without gaps (axes of size 1 may have any stride).
  bool contiguous() const {
    std::int64_t expected = 1;
    for (int d = rank; d-- > 0;) {
      const auto i = static_cast<std::size_t>(d);
      if (shape[i] == 0) return true;
      if (shape[i] != 1 && strides[i] != expected) return false;
      expected *= shape[i];
    }
    return true;
  }
};

/// A row-major view of `rank` axes on `data`.
inline View contiguous_view(void* data, DType dtype, const std::int64_t* shape, int rank) {
  View v{static_cast<std::byte*>(data), dtype, rank, {}, {}};
  std::int64_t stride = 1;
  for (int d = rank; d-- > 0;) {
    const auto i = static_cast<std::size_t>(d);
    v.shape[i] = shape[d];
    v.strides[i] = stride;
    stride *= shape[d];
  }
  return v;
}

}  // namespace adjoint::plan
