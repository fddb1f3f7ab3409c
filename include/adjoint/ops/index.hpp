// index.hpp: elements chosen by data. An index is i64 or i32 and counts from 0; one that is negative or too large is an
// Error when the value is computed, naming the index and the bound. Not slices with numbers known beforehand: shape.hpp.
#pragma once

#include <optional>
#include <vector>

#include "adjoint/tensor.hpp"

namespace adjoint {

/// x with `axis` replaced by the axes of idx: y[o.., j.., i..] = x[o.., idx[j..], i..].
///   gradient  dx = ct added at idx, in the order of j
Tensor take(const Arg& x, const Arg& idx, int axis = 0);
/// The slices of x along `axis` that the vector idx names.  gradient  as take
Tensor index_select(const Arg& x, int axis, const Arg& idx);
/// The rows of table [n, features] that idx names: [idx.., features].  gradient  dtable = ct added at the rows
Tensor embedding(const Arg& table, const Arg& idx);
/// base, then y[o.., idx[j..], i..] += src[o.., j.., i..] in the order of j, so that the bits are fixed; duplicates add up.
///   gradient  dbase = ct, dsrc = take(ct, idx, axis)
Tensor scatter_add(const Arg& base, const Arg& idx, const Arg& src, int axis = 0);
/// scatter_add at a vector of indices.  gradient  dx = ct, dsrc = take(ct, idx, axis)
Tensor index_add(const Arg& x, int axis, const Arg& idx, const Arg& src);
/// y[.., j, ..] = x[.., idx[.., j, ..], ..] along `axis`; all other axes broadcast (numpy.take_along_axis).
///   gradient  dx = ct added at idx
Tensor take_along_axis(const Arg& x, const Arg& idx, int axis);
/// The same where the other axes of idx may be shorter than those of x, which is then cut (torch.gather).
///   gradient  dx = ct added at idx
Tensor gather(const Arg& x, int axis, const Arg& idx);

/// start : stop : step of an axis as in Python: absent ends reach to the axis' ends, negative ones count from the end.
struct Range {
  std::optional<std::int64_t> start = {}, stop = {};
  std::int64_t step = 1;
};
struct NewAxis {};   ///< an axis of size 1
struct Ellipsis {};  ///< all axes not named otherwise
/// One entry of getitem: a number drops its axis, a Range cuts it, a Tensor of i64 or i32 picks along it (or a bool vector
/// is refused: the size of its result depends on data).
struct Index {
  /// Which of the members below holds the entry.
  enum class Kind : std::uint8_t { number, range, new_axis, ellipsis, tensor } kind;
  std::int64_t number = 0;
  Range range = {};
  Tensor tensor = {};
  /// A position; negative ones count from the end.
  Index(int i) : kind(Kind::number), number(i) {}                    // NOLINT: implicit by design
  /// A position.
  Index(std::int64_t i) : kind(Kind::number), number(i) {}           // NOLINT: implicit by design
  /// A cut.
  Index(Range r) : kind(Kind::range), range(r) {}                    // NOLINT: implicit by design
  /// A new axis.
  Index(NewAxis) : kind(Kind::new_axis) {}                           // NOLINT: implicit by design
  /// The axes not named otherwise.
  Index(Ellipsis) : kind(Kind::ellipsis) {}                          // NOLINT: implicit by design
  /// Positions that are data.
  Index(const Tensor& t) : kind(Kind::tensor), tensor(t) {}          // NOLINT: implicit by design
};
/// x[at...] as in numpy, one entry an axis in order; axes not named are taken whole. At most one tensor, whose axes stand in
/// the place of its own.  gradient  dx = ct written (for a tensor: added) where it was read
Tensor getitem(const Arg& x, const std::vector<Index>& at);
/// y[j..] = x[i0[j..], i1[j..], ..]: the leading axes of x indexed together by tensors that broadcast.
///   gradient  dx = ct added where it was read
Tensor index(const Arg& x, const Tensors& indices);

/// `sizes` elements from a place that is data: starts is an integer vector, one entry an axis, moved so that the slice lies
/// inside.  gradient  dx = ct added at that place
Tensor dynamic_slice(const Arg& x, const Arg& starts, const Shape& sizes);
/// x with `update` written at a place that is data, moved likewise.  gradient  dx = ct, 0 where overwritten; dupdate = the
/// slice of ct
Tensor dynamic_update_slice(const Arg& x, const Arg& update, const Arg& starts);
/// x with src written to x[start : stop : step] of an axis.  gradient  dx = ct, 0 where overwritten; dsrc = the slice of ct
Tensor slice_scatter(const Arg& x, const Arg& src, int axis, const Range& range = {});

/// [idx.., classes]: 1 where the class is idx, else 0; all 0 for an index outside. No gradient (zero).
Tensor one_hot(const Arg& idx, std::int64_t classes, DType dtype = DType::f32);
/// i64[size, rank]: where x is not zero, in row-major order; rows that are left over are -1. The size is given because a
/// shape cannot depend on data. No gradient (zero).
Tensor nonzero(const Arg& x, std::int64_t size);
/// i64[size]: how often each number occurs in an integer tensor. No gradient (zero).
///   throws  (when computed) a number outside [0, size)
Tensor bincount(const Arg& x, std::int64_t size);
/// i64[bins]: how many elements lie in each of the equal parts of [low, high], the last one closed; others are not counted.
/// No gradient (zero).
Tensor histogram(const Arg& x, std::int64_t bins, double low, double high);
/// i64: for each value the number of elements of the ascending vector `sorted` that are less than it (right: at most equal
/// to it). No gradient (zero).
Tensor searchsorted(const Arg& sorted, const Arg& values, bool right = false);
/// searchsorted with the operands in PyTorch's other order: which bucket each value falls into. No gradient (zero).
Tensor bucketize(const Arg& values, const Arg& boundaries, bool right = false);
/// Always an Error: the size of the result depends on data. The hint says what to do.
Tensor unique(const Arg& x);

}  // namespace adjoint
