// shape.hpp: operations that rearrange elements without computing. Most are views: they cost nothing.
// Not indexing by data: that is index.hpp.
#pragma once

#include "adjoint/tensor.hpp"

namespace adjoint {

/// The same elements, row-major, in another shape; one entry may be -1 and is inferred.  gradient  dx = reshape(ct)
Tensor reshape(const Arg& x, const Shape& shape);
/// Axis i of the result is axis axes[i] of x.  gradient  dx = ct permuted back
Tensor permute(const Arg& x, const Ints& axes);
/// Swaps two axes.  gradient  dx = ct with the same axes swapped
Tensor transpose(const Arg& x, int axis0 = -2, int axis1 = -1);
/// Repeats axes of size 1, and new leading axes, up to `shape`.  gradient  dx = ct summed over the repeated axes
Tensor broadcast_to(const Arg& x, const Shape& shape);
/// x[start : stop : step] on every axis given in order; stop is exclusive and may lie past the end, negative start and
/// stop count from the end, step may be negative.  gradient  dx = ct written into zeros
Tensor slice(const Arg& x, const Ints& start, const Ints& stop, const Ints& step = {});

}  // namespace adjoint
