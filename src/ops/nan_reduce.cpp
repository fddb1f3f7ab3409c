// nan_reduce.cpp: sums and means that pass over NaN elements. Not nan_to_num, which replaces them.
#include "ops/reduce_ops.hpp"

namespace adjoint {

static const Primitive& nansum_p = define({.name = "nansum", .traits = {.inlined = true}, .family = "D5"});
static const Primitive& nanmean_p = define({.name = "nanmean", .traits = {.inlined = true}, .family = "D5"});

Tensor nansum(const Arg& x, const Ints& axes, bool keepdim) {
  OpScope scope("nansum", x.loc);
  const Tensor t = need(x, nansum_p);
  const Ints over = normal_axes(axes, t, "nansum", x.loc);
  return sum_node(is_floating(t.dtype()) ? where(isnan(t), 0.0, t) : t, over, keepdim, x.loc);
}

Tensor nanmean(const Arg& x, const Ints& axes, bool keepdim) {
  OpScope scope("nanmean", x.loc);
  const Tensor t = floating(need(x, nanmean_p), x.loc), none = isnan(t);
  const Ints over = normal_axes(axes, t, "nanmean", x.loc);
  const Tensor count = sum_node(where(none, 0.0, ones_like(t)), over, keepdim, x.loc);
  return sum_node(where(none, 0.0, t), over, keepdim, x.loc) / count;
}

}  // namespace adjoint
