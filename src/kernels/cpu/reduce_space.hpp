// reduce_space.hpp: the index space of a reduction: kept and reduced axes, merged, with offsets in elements.
// Not a kernel: no element is read here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "plan/operand.hpp"

namespace adjoint::cpu {

struct Axis {
  std::int64_t size = 1;
  std::int64_t in = 0, out = 0;  ///< strides in elements
};

struct ReduceSpace {
  const std::byte* in;
  std::array<Axis, plan::kMaxRank> kept, reduced;
  int kept_rank = 0, reduced_rank = 0;  ///< reduced_rank >= 1: a lone element is an axis of size 1
  std::int64_t kept_size = 1, reduced_size = 1;
  Axis column;  ///< after take_columns(): the kept axis that is contiguous in `in`

  ReduceSpace(const plan::View& x, std::uint32_t mask, const plan::View& y) : in(x.data) {
    int o = 0;
    for (int d = 0; d < x.rank; ++d) {
      const auto i = static_cast<std::size_t>(d);
      if (mask >> d & 1) append(reduced, reduced_rank, reduced_size, {x.shape[i], x.strides[i], 0});
      else append(kept, kept_rank, kept_size, {x.shape[i], x.strides[i], y.strides[static_cast<std::size_t>(o++)]});
    }
    if (reduced_rank == 0) reduced[static_cast<std::size_t>(reduced_rank++)] = {1, 1, 0};
  }

  /// Sets the contiguous kept axis apart if working on columns is better than on rows; then kept_size is without it.
  bool take_columns() {
    if (reduced[static_cast<std::size_t>(reduced_rank - 1)].in == 1 && reduced_size > 1) return false;
    for (int d = 0; d < kept_rank; ++d) {
      const auto i = static_cast<std::size_t>(d);
      if (kept[i].in != 1 || kept[i].size < 4) continue;
      column = kept[i];
      for (int e = d + 1; e < kept_rank; ++e) kept[static_cast<std::size_t>(e - 1)] = kept[static_cast<std::size_t>(e)];
      --kept_rank;
      kept_size /= column.size;
      return true;
    }
    return false;
  }

  /// True if all of it comes from beyond the second cache.
  bool far(std::size_t element) const {
    return kept_size * column.size * reduced_size * static_cast<std::int64_t>(element) >= (1 << 20);
  }

  struct Offsets {
    std::int64_t in = 0, out = 0;
  };
  Offsets kept_offsets(std::int64_t i) const {
    Offsets o;
    for (int d = kept_rank; d-- > 0;) {
      const Axis& a = kept[static_cast<std::size_t>(d)];
      const std::int64_t at = d == 0 ? i : i % a.size;
      o.in += at * a.in;
      o.out += at * a.out;
      if (d > 0) i /= a.size;
    }
    return o;
  }
  /// Offset of row `row` of the reduced axes without the innermost one.
  std::int64_t reduced_offset(std::int64_t row) const {
    std::int64_t o = 0;
    for (int d = reduced_rank - 1; d-- > 0;) {
      const Axis& a = reduced[static_cast<std::size_t>(d)];
      o += (d == 0 ? row : row % a.size) * a.in;
      if (d > 0) row /= a.size;
    }
    return o;
  }

 private:
  static void append(std::array<Axis, plan::kMaxRank>& axes, int& rank, std::int64_t& total, Axis a) {
    total *= a.size;
    if (a.size == 1) return;
    if (rank > 0) {
      Axis& last = axes[static_cast<std::size_t>(rank - 1)];
      if (last.in == a.in * a.size && last.out == a.out * a.size) {
        last = {last.size * a.size, a.in, a.out};
        return;
      }
    }
    axes[static_cast<std::size_t>(rank++)] = a;
  }
};

/// The offsets of reduced elements first, first + 1, ... in logical order.
class ReducedWalk {
 public:
  ReducedWalk(const ReduceSpace& s, std::int64_t first) : s_(s) {
    for (int d = s.reduced_rank; d-- > 0;) {
      const Axis& a = s.reduced[static_cast<std::size_t>(d)];
      index_[static_cast<std::size_t>(d)] = d == 0 ? first : first % a.size;
      offset_ += index_[static_cast<std::size_t>(d)] * a.in;
      if (d > 0) first /= a.size;
    }
  }
  std::int64_t next() {
    const std::int64_t now = offset_;
    for (int d = s_.reduced_rank; d-- > 0;) {
      const Axis& a = s_.reduced[static_cast<std::size_t>(d)];
      offset_ += a.in;
      if (++index_[static_cast<std::size_t>(d)] < a.size || d == 0) break;
      index_[static_cast<std::size_t>(d)] = 0;
      offset_ -= a.in * a.size;
    }
    return now;
  }

 private:
  const ReduceSpace& s_;
  std::array<std::int64_t, plan::kMaxRank> index_{};
  std::int64_t offset_ = 0;
};

}  // namespace adjoint::cpu
