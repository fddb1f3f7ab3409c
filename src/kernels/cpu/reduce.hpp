// reduce.hpp: reductions over any axes of a strided view, with bits defined by the logical order alone.
// Not for products of matrices (gemm) and not fused with elementwise work (tiles).
#pragma once

#include <cstdint>

#include "plan/operand.hpp"

namespace adjoint::cpu {

enum class ReduceOp : std::uint8_t { sum, prod, amax, amin, argmax, argmin, any, all };

/// out = op over the axes d of `in` whose bit (1 << d) is set in `reduced`. `out` has the kept axes, in order (rank =
/// number of kept axes, any strides, distinct elements), and does not overlap `in`.
///
/// Types: sum, prod, amax, amin give in's dtype (bf16 and f16 accumulate in f32 and round once; out may also be f32);
/// integers wrap. argmax and argmin give i64: the row-major index among the reduced axes, the first one on ties, the first
/// NaN if there is one. any and all take and give bool.
///
/// Bits: the K reduced elements, numbered row-major over the reduced axes, form blocks of 4,096. In a block, lane l of
/// 16 starts at the neutral element (+0, or 1) and takes elements l, l+16, ... in order; lanes join l with l+8, then +4,
/// +2, +1. Block results join by the binary-counter tree, incomplete subtrees folded from the right. amax and amin
/// propagate NaN and order -0 below +0. Neither memory layout nor threads nor vector width change a bit.
///
/// K = 0: sum 0, prod 1, any false, all true, amax -inf (the least integer), amin +inf (the largest); argmax, argmin -1.
void reduce(ReduceOp op, const plan::View& in, std::uint32_t reduced, const plan::View& out);

}  // namespace adjoint::cpu
