// shape.hpp: operations that rearrange elements without computing. Those marked "view" cost nothing.
// Not indexing by data: that is index.hpp. Axes may be negative and then count from the end.
#pragma once

#include <utility>

#include "adjoint/tensor.hpp"

namespace adjoint {

// ---- one shape to another -------------------------------------------------------------------------

/// The same elements, row-major, in another shape; one entry may be -1 and is inferred. View.  gradient  dx = reshape(ct)
Tensor reshape(const Arg& x, const Shape& shape);
/// reshape under PyTorch's name; never refuses because of strides.  gradient  dx = reshape(ct)
Tensor view(const Arg& x, const Shape& shape);
/// Axes first ... last joined to one.  gradient  dx = reshape(ct)
Tensor flatten(const Arg& x, int first = 0, int last = -1);
/// One axis split into `sizes`; one of them may be -1.  gradient  dx = reshape(ct)
Tensor unflatten(const Arg& x, int axis, const Shape& sizes);
/// Without the given axes, each of size 1; without all axes of size 1 when none is named.  gradient  dx = reshape(ct)
Tensor squeeze(const Arg& x, const Ints& axes = {});
/// With a new axis of size 1 at this place of the result.  gradient  dx = reshape(ct)
Tensor unsqueeze(const Arg& x, int axis);
/// Axis i of the result is axis axes[i] of x. View.  gradient  dx = ct permuted back
Tensor permute(const Arg& x, const Ints& axes);
/// Swaps two axes. View.  gradient  dx = ct with the same axes swapped
Tensor transpose(const Arg& x, int axis0 = -2, int axis1 = -1);
/// Moves axes to other places; the rest keep their order. View.  gradient  dx = ct moved back
Tensor moveaxis(const Arg& x, const Ints& from, const Ints& to);
/// The value in row-major order in memory of its own.  gradient  dx = ct
Tensor contiguous(const Arg& x);
/// The sizes of x as i64[rank]. No gradient (zero).
Tensor shape_of(const Arg& x);
/// The number of elements of x as an i64 scalar. No gradient (zero).
Tensor numel(const Arg& x);

// ---- repeating ------------------------------------------------------------------------------------

/// Repeats axes of size 1, and new leading axes, up to `shape`. View.  gradient  dx = ct summed over the repeated axes
Tensor broadcast_to(const Arg& x, const Shape& shape);
/// x `times[i]` times one after another along axis i; missing leading entries are 1, missing axes are added.
///   gradient  dx = ct summed over the copies
Tensor tile(const Arg& x, const Ints& times);
/// tile with an entry for every axis of x (torch.Tensor.repeat).  gradient  as tile
Tensor repeat(const Arg& x, const Ints& times);
/// Each element `times` times in a row along the axis.  gradient  dx = ct summed over the copies
Tensor repeat_interleave(const Arg& x, std::int64_t times, int axis);
/// Kronecker product: shapes are aligned at the last axis and multiplied.  gradient  that of the product
Tensor kron(const Arg& x, const Arg& y);
/// Each vector broadcast over the grid of all; result i varies along axis i.  gradient  dx = ct summed over the other axes
Tensors meshgrid(const Tensors& vectors, Loc loc = Loc::current());

// ---- joining and cutting --------------------------------------------------------------------------

/// One after another along an axis that exists; element types are promoted.  gradient  dx_i = the part of ct
Tensor concat(const Tensors& parts, int axis = 0, Loc loc = Loc::current());
/// Along a new axis.  gradient  dx_i = the slice of ct
Tensor stack(const Tensors& parts, int axis = 0, Loc loc = Loc::current());
/// Parts of these sizes along the axis. Views.  gradient  dx = ct of the parts joined
Tensors split(const Arg& x, const Ints& sizes, int axis = 0);
/// Parts of ceil(size / count), the last one shorter, and fewer than count when nothing is left. Views.
///   gradient  dx = ct of the parts joined
Tensors chunk(const Arg& x, std::int64_t count, int axis = 0);
/// One tensor an index of the axis, which is dropped. Views.  gradient  dx = the cts stacked
Tensors unstack(const Arg& x, int axis = 0);
/// x[start : stop : step] on every axis given in order; stop is exclusive and may lie past the end, negative start and
/// stop count from the end, step may be negative. View.  gradient  dx = ct written into zeros
Tensor slice(const Arg& x, const Ints& start, const Ints& stop, const Ints& step = {});
/// x at one index of an axis, which is dropped; a negative index counts from the end. View.
///   gradient  dx = ct written into zeros
Tensor select(const Arg& x, int axis, std::int64_t index);
/// `size` elements of an axis from `start`. View.  gradient  dx = ct written into zeros
Tensor narrow(const Arg& x, int axis, std::int64_t start, std::int64_t size);

// ---- padding --------------------------------------------------------------------------------------

/// `low[i]` elements before and `high[i]` after axis i, all equal to `value`.  gradient  dx = the middle of ct
Tensor pad_constant(const Arg& x, const Ints& low, const Ints& high, double value = 0);
/// The elements next to the edge in reverse, the edge itself not repeated; at most size - 1 of them.
///   gradient  dx = ct added where it was read
Tensor pad_reflect(const Arg& x, const Ints& low, const Ints& high);
/// The edge repeated.  gradient  dx = ct added where it was read
Tensor pad_replicate(const Arg& x, const Ints& low, const Ints& high);
/// The other end of the axis; at most `size` elements.  gradient  dx = ct added where it was read
Tensor pad_circular(const Arg& x, const Ints& low, const Ints& high);

// ---- reversing and shifting -----------------------------------------------------------------------

/// Reversed along axes (all when empty). View.  gradient  dx = ct reversed
Tensor flip(const Arg& x, const Ints& axes = {});
/// Shifted along axes, what falls off enters at the other end: y[i] = x[i - shift].  gradient  dx = ct shifted back
Tensor roll(const Arg& x, const Ints& shifts, const Ints& axes);
/// Turned by 90 degrees `times` times, from axis0 towards axis1.  gradient  dx = ct turned back
Tensor rot90(const Arg& x, int times = 1, int axis0 = 0, int axis1 = 1);

// ---- strided views, diagonals, triangles ----------------------------------------------------------

/// y[i..] = x's element number offset + sum i stride, in row-major order of x; elements may repeat. View.
///   gradient  dx = ct added at each element's place, in row-major order   throws  a view that reaches outside x
Tensor as_strided(const Arg& x, const Shape& shape, const Ints& strides, std::int64_t offset = 0);
/// Settings of windows().
struct WindowOptions {
  Ints stride = {};    ///< step between windows, one entry an axis; default 1
  Ints dilation = {};  ///< distance between the elements of a window; default 1
};
/// Sliding windows of `size` over `axes`: these axes count windows, and the window's own axes come last. View.
///   gradient  dx = ct added at each element's place
Tensor windows(const Arg& x, const Ints& axes, const Ints& size, const WindowOptions& options = {});
/// The diagonal of two axes, which are dropped, as a last axis; a positive offset lies above it. View.
///   gradient  dx = ct on that diagonal
Tensor diagonal(const Arg& x, std::int64_t offset = 0, int axis0 = 0, int axis1 = 1);
/// Matrices with the last axis of x on a diagonal, zeros elsewhere.  gradient  dx = diagonal(ct)
Tensor diag_embed(const Arg& x, std::int64_t offset = 0);
/// diag_embed of a vector, diagonal of a matrix.  gradient  the other one of ct
Tensor diag(const Arg& x, std::int64_t offset = 0);
/// The sum of a diagonal.  gradient  dx = ct on that diagonal
Tensor trace(const Arg& x, std::int64_t offset = 0, int axis0 = 0, int axis1 = 1);
/// Matrices with zeros above the diagonal number `offset`.  gradient  dx = tril(ct)
Tensor tril(const Arg& x, std::int64_t offset = 0);
/// Matrices with zeros below the diagonal number `offset`.  gradient  dx = triu(ct)
Tensor triu(const Arg& x, std::int64_t offset = 0);

// ---- pictures -------------------------------------------------------------------------------------

/// [.., c f f, h, w] -> [.., c, h f, w f].  gradient  dx = pixel_unshuffle(ct, f)
Tensor pixel_shuffle(const Arg& x, std::int64_t factor);
/// [.., c, h f, w f] -> [.., c f f, h, w].  gradient  dx = pixel_shuffle(ct, f)
Tensor pixel_unshuffle(const Arg& x, std::int64_t factor);
/// [n, g k, ..] with channels reordered as [k, g].  gradient  dx = ct reordered back
Tensor channel_shuffle(const Arg& x, std::int64_t groups);

/// 0, 1, 2, ... along one axis of a new tensor. No gradient (zero).
Tensor iota(const Shape& shape, int axis = 0, DType dtype = DType::i64, Loc loc = Loc::current());

}  // namespace adjoint
