// cumulative.hpp: what has been added, multiplied or found up to each element along an axis. Not loops of one's own: adjoint/scan.hpp.
#pragma once

#include "adjoint/tensor.hpp"

namespace adjoint {

/// Each of these: y[.., i, ..] joins x[.., 0, ..] to x[.., i, ..] along `axis`, from the first to the last (from the last to the first with
/// `reverse`), one after another.
///   shapes    any of rank >= 1; the result has that of x
///   dtypes    any number; logcumsumexp floating (integers become f32)
///   throws    Error for a scalar, bool, or an axis out of range
/// Settings of cumsum(), cumprod(), cummax(), cummin() and logcumsumexp().
struct CumulativeOptions {
  bool reverse = false;
};
/// Sums.  gradient  dx = cumsum of dy from the other end
Tensor cumsum(const Arg& x, int axis = 0, CumulativeOptions options = {});
/// Products.  gradient  by the chain rule, without division: right where elements are 0
Tensor cumprod(const Arg& x, int axis = 0, CumulativeOptions options = {});
/// The largest so far.  gradient  to the element that is the largest; half each where the largest so far equals the next, as maximum()
Tensor cummax(const Arg& x, int axis = 0, CumulativeOptions options = {});
/// The smallest so far.  gradient  likewise, as minimum()
Tensor cummin(const Arg& x, int axis = 0, CumulativeOptions options = {});
/// log of the sum of exp so far, without overflow.  gradient  as of logaddexp, element by element
Tensor logcumsumexp(const Arg& x, int axis = 0, CumulativeOptions options = {});
/// x[i + 1] - x[i] along `axis`: one element fewer (none of none).  throws  Error for a scalar, bool, or an axis out of range
Tensor diff(const Arg& x, int axis = -1);

}  // namespace adjoint
