// relu.cpp: max(x, 0). Not maximum(x, 0), whose gradient at the tie is 1/2.
#include "ops/common.hpp"

namespace adjoint {

static Tensor where_positive(const Tensor& x, const Tensor& d) { return where(gt(x, 0.0), d, 0.0); }

static const Primitive& relu_p = define({
    .name = "relu",
    .traits = {.elementwise = true},
    .infer = infer_same,
    // The output is positive exactly where the input is: the input need not be kept.
    .vjp = [](const Vjp& r) -> Tensors { return {where_positive(r.out(), r.ct)}; },
    .jvp = [](const Jvp& r) { return where_positive(r.in(0), r.dot[0]); },
    .family = "D2",
});

Tensor relu(const Arg& x) {
  const Tensor t = need(x, relu_p);
  return apply(relu_p, {&t}, {}, x.loc);
}

}  // namespace adjoint
