// reduce.hpp: operations that combine elements along axes. Sums run in a fixed order that depends on sizes alone:
// 16 lanes, blocks of 4,096, a fixed tree. Not scans. `axes` may be negative; all axes when empty; `keepdim` leaves the
// reduced axes at size 1. Over no elements a sum is 0, a product 1, a maximum -inf, a minimum +inf, a mean NaN.
#pragma once

#include <span>
#include <utility>

#include "adjoint/tensor.hpp"

namespace adjoint {

/// Sum over `axes`.  gradient  dx = ct broadcast back.  error  |e| <= eps log2(n) sum |x|
Tensor sum(const Arg& x, const Ints& axes = {}, bool keepdim = false);
/// Arithmetic mean over `axes`.  gradient  dx = ct / n broadcast back
Tensor mean(const Arg& x, const Ints& axes = {}, bool keepdim = false);
/// Product over `axes`.  gradient  dx_i = ct * product of all others, exact at zeros: formed without division
Tensor prod(const Arg& x, const Ints& axes = {}, bool keepdim = false);
/// Largest element; NaN if there is one.  gradient  ct shared evenly by all elements equal to it (jvp: their mean)
Tensor amax(const Arg& x, const Ints& axes = {}, bool keepdim = false);
/// Smallest element; NaN if there is one.  gradient  ct shared evenly by all elements equal to it (jvp: their mean)
Tensor amin(const Arg& x, const Ints& axes = {}, bool keepdim = false);

/// bool: some element is not zero; a NaN is not zero. No gradient (zero).
Tensor any(const Arg& x, const Ints& axes = {}, bool keepdim = false);
/// bool: no element is zero. No gradient (zero).
Tensor all(const Arg& x, const Ints& axes = {}, bool keepdim = false);
/// i64: where the largest element stands, row-major among the reduced axes: the first of equals, the first NaN if there
/// is one. No gradient (zero).  throws  nothing to choose from
Tensor argmax(const Arg& x, const Ints& axes = {}, bool keepdim = false);
/// i64: where the smallest element stands, likewise. No gradient (zero).
Tensor argmin(const Arg& x, const Ints& axes = {}, bool keepdim = false);
/// i64: how many elements are not zero. No gradient (zero).
Tensor count_nonzero(const Arg& x, const Ints& axes = {}, bool keepdim = false);

/// log(sum(e^x)), shifted by the maximum so that nothing overflows.  gradient  dx = ct * e^(x - y), 0 where y = -inf
Tensor logsumexp(const Arg& x, const Ints& axes = {}, bool keepdim = false);
/// log(mean(e^x)).  gradient  as logsumexp
Tensor logmeanexp(const Arg& x, const Ints& axes = {}, bool keepdim = false);

/// Settings of var(), std() and var_mean().
struct VarOptions {
  double correction = 1;  ///< the sum of squares is divided by n - correction; 1 is unbiased, 0 that of the sample
  bool keepdim = false;
};
/// Variance in two passes, about the mean.  gradient  dx = ct * 2 (x - mean) / (n - correction)
///   throws  a correction that leaves nothing: n - correction <= 0
Tensor var(const Arg& x, const Ints& axes = {}, const VarOptions& options = {});
/// sqrt(var).  gradient  dx = ct * (x - mean) / ((n - correction) std), 0 where the variance is 0
Tensor std(const Arg& x, const Ints& axes = {}, const VarOptions& options = {});
/// Both var and mean from one pass over the mean.  gradient  as var and mean
std::pair<Tensor, Tensor> var_mean(const Arg& x, const Ints& axes = {}, const VarOptions& options = {});

/// sqrt(sum x^2), scaled so that squares neither overflow nor vanish.  gradient  dx = ct * x / y, 0 where y = 0
Tensor norm_2(const Arg& x, const Ints& axes = {}, bool keepdim = false);
/// (sum |x|^p)^(1/p), scaled likewise; p >= 1, infinity is the largest |x|.
///   gradient  dx = ct * sign(x) (|x| / y)^(p - 1), 0 where y = 0; for infinity that of amax(abs(x))
Tensor norm_p(const Arg& x, double p, const Ints& axes = {}, bool keepdim = false);
/// sqrt of the sum of all squares of all tensors, in f32 at least.  gradient  dx_i = ct * x_i / y, 0 where y = 0
Tensor global_norm(std::span<const Tensor> tensors, Loc loc = Loc::current());

/// Sum without NaN elements.  gradient  dx = ct where x is a number, else 0
Tensor nansum(const Arg& x, const Ints& axes = {}, bool keepdim = false);
/// Mean of the elements that are not NaN; NaN if there are none.  gradient  dx = ct / count where x is a number, else 0
Tensor nanmean(const Arg& x, const Ints& axes = {}, bool keepdim = false);

/// y[s] = sum of the slices x[i] of axis 0 with ids[i] == s, for s < segments, in the order of i.
///   gradient  dx[i] = ct[ids[i]]   throws (when computed)  an id outside [0, segments)
Tensor segment_sum(const Arg& x, const Arg& ids, std::int64_t segments);
/// Means likewise; 0 for an empty segment.  gradient  dx[i] = ct[ids[i]] / count[ids[i]]
Tensor segment_mean(const Arg& x, const Arg& ids, std::int64_t segments);
/// Largest elements likewise; -inf (the least integer) for an empty segment.  gradient  ct shared evenly by equals
Tensor segment_max(const Arg& x, const Arg& ids, std::int64_t segments);
/// Products likewise; 1 for an empty segment.  gradient  dx[i] = ct[ids[i]] * product of the others, exact at zeros; it
/// costs memory for segments * size of x
Tensor segment_prod(const Arg& x, const Arg& ids, std::int64_t segments);

}  // namespace adjoint
