// row_joins.hpp: the accumulators of a group that joins its elements over its rows, or all of them, while it runs; and which
// rows a thread takes. Not a walk over a view (reduce.hpp): elements arrive row by row, from tiles or from emitted code.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/cpu/reduce.hpp"
#include "kernels/cpu/reduce_lanes.hpp"
#include "plan/tile_program.hpp"

namespace adjoint::cpu {

inline constexpr int kMaxPorts = 64;  ///< inputs and outputs of one program

ReduceOp reduce_op(plan::RowReduction how);

/// An output that joins. Its accumulators are f32, or f64 for f64.
struct RowJoin {
  std::size_t output = 0;
  plan::Join join = plan::Join::none;
  ReduceOp op = ReduceOp::sum;
  DType dtype = DType::f32;  ///< of the elements

  bool wide() const { return dtype == DType::f64; }
  std::int64_t size() const { return wide() ? 8 : 4; }
};
/// Those of a program, in the order of its outputs.
std::vector<RowJoin> row_joins(const plan::TileProgram& program);

/// The accumulators of one run, neutral at first. Down the columns row i goes to lane i % 16 of block i / 4,096; of all
/// elements, element i to lane i % 16 of block i / 4,096: what is in a lane came in the order of rows if each stretch is walked
/// forwards and a part's stretches one after another.
class JoinedRows {
 public:
  JoinedRows(const std::vector<RowJoin>& joins, std::int64_t rows, std::int64_t columns);

  /// How many threads can share the rows.
  std::int64_t parts(std::int64_t threads) const { return std::min(threads, by_lanes_ ? kReduceLanes / grain_ : std::max<std::int64_t>(units_, 1)); }
  /// Calls f(first, last) for the stretches of rows of one part. Within a stretch, accumulators lie distance(j) bytes apart.
  template <class F> void stretches(std::int64_t part, std::int64_t parts, F f) const {
    if (!by_lanes_) return pieces(unit_ * (units_ * part / parts), std::min(rows_, unit_ * (units_ * (part + 1) / parts)), f);
    const std::int64_t shares = kReduceLanes / grain_, first = shares * part / parts * grain_, last = shares * (part + 1) / parts * grain_;
    for (std::int64_t r = 0; r < rows_; r += kReduceLanes) pieces(r + first, std::min(rows_, r + last), f);
  }
  /// Where row `row` is joined: a row of accumulators, or 16.
  std::byte* accumulators(std::size_t j, std::int64_t row) const {
    const Place& p = places_[j];
    return memory_ + p.offset + (p.columns ? row / kReduceBlock * kReduceLanes + row % kReduceLanes : row * columns_ / kReduceBlock) * p.stride;
  }
  std::int64_t distance(std::size_t j) const { return places_[j].columns ? places_[j].stride : 0; }
  /// Joins what is in the lanes and blocks of each, and writes the outputs.
  void finish(const plan::View* outputs) const;

 private:
  struct Place {
    bool columns;
    std::int64_t offset, stride, blocks;  ///< bytes; stride: of a row of accumulators, or of 16
  };
  template <class F> void pieces(std::int64_t first, std::int64_t last, F f) const {
    for (std::int64_t r = first; r < last; r += piece_) f(r, std::min(last, r + piece_));
  }
  template <class A> void finish_as(const RowJoin& join, const Place& place, const plan::View& out) const;

  const std::vector<RowJoin>& joins_;
  std::int64_t rows_, columns_;
  std::array<Place, kMaxPorts> places_;
  std::byte* memory_ = nullptr;
  bool by_lanes_ = false;       ///< parts own lanes; else they own units of rows
  std::int64_t grain_ = 1, piece_ = 1, unit_ = 1, units_ = 1;
};

}  // namespace adjoint::cpu
