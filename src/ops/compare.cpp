// compare.cpp: the six comparisons. Not equality within a tolerance: that is isclose.
#include "ops/common.hpp"

namespace adjoint {

static const Primitive& gt_p = define({
    .name = "gt", .traits = {.elementwise = true, .gradient = Gradient::zero}, .infer = infer_bool, .family = "D4"});

Tensor gt(const Arg& x, const Arg& y) { return apply_elementwise(gt_p, {&x, &y}, x.loc); }

}  // namespace adjoint
