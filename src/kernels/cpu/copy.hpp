// copy.hpp: kernels that move elements without computing: strided copy, take, concat, pad, iota, fill; and scatter_add,
// the transpose of take. Not a shape rule: shapes and axes were checked where the graph was built.
#pragma once

#include <cstdint>

#include "plan/operand.hpp"

namespace adjoint::cpu {

/// dst = src: same dtype and shape, any strides (those of dst make its elements distinct); no overlap.
void copy(const plan::View& src, const plan::View& dst);

/// Writes the element at `value` (of out's dtype) everywhere.
void fill(const plan::View& out, const void* value);

/// out[..., i, ...] = i along `axis`, converted to out's dtype (not bool).
void iota(const plan::View& out, int axis);

/// out[o, j, i] = x[o, idx[j], i], where the middle index stands on `axis`. idx has rank 1 and dtype i64 or i32.
/// Returns -1, or the first j whose idx[j] is outside [0, x.shape[axis]); then out is untouched.
std::int64_t take(const plan::View& x, int axis, const plan::View& idx, const plan::View& out);

/// out[o, idx[j], i] += src[o, j, i], for each destination in the order of j; integers wrap; bf16 and f16 add up in f32
/// and round once. dtypes of out and src are equal and not bool. Returns as take does. Threads do not change bits.
std::int64_t scatter_add(const plan::View& out, int axis, const plan::View& idx, const plan::View& src);

/// out = the `count` parts one after another along `axis`.
void concat(const plan::View* parts, int count, int axis, const plan::View& out);

/// out[i] = src[i - low] where that exists, else the element at `value`; `low` has one entry an axis, >= 0.
void pad(const plan::View& src, const std::int64_t* low, const void* value, const plan::View& out);

}  // namespace adjoint::cpu
