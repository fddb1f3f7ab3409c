// copy_axes.hpp: the index space of a kernel that reads one view and writes another: merged axes, offsets in elements.
// Not a kernel.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "plan/operand.hpp"

namespace adjoint::cpu {

/// Axes with a stride in each of two views, in order; axes of size 1 are dropped and mergeable neighbours merged.
struct Axes {
  struct Axis {
    std::int64_t size = 1, from = 0, to = 0;
  };
  std::array<Axis, plan::kMaxRank> axis;
  int rank = 0;
  std::int64_t size = 1;

  /// Axes [begin, end) of two views of the same shape there.
  static Axes of(const plan::View& from, const plan::View& to, int begin, int end) {
    Axes a;
    for (int d = begin; d < end; ++d) {
      const auto i = static_cast<std::size_t>(d);
      a.append({from.shape[i], from.strides[i], to.strides[i]});
    }
    return a;
  }
  void append(Axis x) {
    size *= x.size;
    if (x.size == 1) return;
    if (rank > 0) {
      Axis& last = axis[static_cast<std::size_t>(rank - 1)];
      if (last.from == x.from * x.size && last.to == x.to * x.size) {
        last = {last.size * x.size, x.from, x.to};
        return;
      }
    }
    axis[static_cast<std::size_t>(rank++)] = x;
  }
  /// Removes axis d and returns it; an axis of size 1 if there is none.
  Axis remove(int d) {
    if (d < 0 || d >= rank) return {1, 1, 1};
    const Axis x = axis[static_cast<std::size_t>(d)];
    for (int e = d + 1; e < rank; ++e) axis[static_cast<std::size_t>(e - 1)] = axis[static_cast<std::size_t>(e)];
    --rank;
    size = 1;
    for (int e = 0; e < rank; ++e) size *= axis[static_cast<std::size_t>(e)].size;
    return x;
  }

  struct Offsets {
    std::int64_t from = 0, to = 0;
  };
  /// Of the i-th index in row-major order.
  Offsets offsets(std::int64_t i) const {
    Offsets o;
    for (int d = rank; d-- > 0;) {
      const Axis& a = axis[static_cast<std::size_t>(d)];
      const std::int64_t at = d == 0 ? i : i % a.size;
      o.from += at * a.from;
      o.to += at * a.to;
      if (d > 0) i /= a.size;
    }
    return o;
  }
};

}  // namespace adjoint::cpu
