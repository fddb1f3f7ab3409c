// index.hpp: elements chosen by data. An index is i64 or i32 and counts from 0; one that is negative or too large is an
// Error when the value is computed, naming the index and the bound. Not slices with numbers known beforehand: shape.hpp.
#pragma once

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

}  // namespace adjoint
