// reduce_lanes.hpp: the inner loops of reductions, for one accumulator type, one operation and one instruction set.
// Not the walk over a strided view: reduce.cpp.
#pragma once

#include <cstdint>

#include "kernels/cpu/reduce.hpp"

namespace adjoint::cpu {

inline constexpr std::int64_t kReduceBlock = 4096;
inline constexpr int kReduceLanes = 16;

/// Part of a block: where it stands, and how many elements follow one another there.
struct Piece {
  std::int64_t offset, length;
};

/// A is the accumulator type: float (also for bf16 and f16), double, std::int64_t, std::int32_t, std::int8_t,
/// std::uint8_t (also for bool). n <= kReduceBlock, n >= 1.
template <class A>
struct LaneKernels {
  A neutral;
  /// out[m] = the block of n elements at x[m], lanes joined.
  void (*block)(const A* x, std::int64_t n, A* out);
  void (*block4)(const A* const* x, std::int64_t n, A* out);
  /// The same for four blocks that lie in pieces: x[m] + piece[i].offset, each a multiple of 16 long.
  void (*pieces4)(const A* const* x, const Piece* piece, std::int64_t count, A* out);
  // Columns: element-wise on w columns.
  void (*first)(A* lane, const A* x, std::int64_t w);                    ///< lane = neutral op x
  void (*next)(A* lane, const A* x, std::int64_t w);                     ///< lane = lane op x; also joins
  void (*next4)(A* lane, const A* const* x, std::int64_t w);             ///< ((lane op x0) op x1) op x2) op x3
};

/// Of the instruction set that Highway has chosen. op is sum, prod, amax, amin, any or all (the last two on bytes).
template <class A>
const LaneKernels<A>& lane_kernels(ReduceOp op);

}  // namespace adjoint::cpu
