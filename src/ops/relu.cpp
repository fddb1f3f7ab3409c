// relu.cpp: max(x, 0) and its relatives with another slope or another top. Not maximum(x, 0), whose gradient at the tie
// is 1/2.
#include "ops/common.hpp"

namespace adjoint {
namespace {

Tensor where_positive(const Tensor& x, const Tensor& d) { return where(gt(x, 0.0), d, 0.0); }

const Primitive& relu_p = define({
    .name = "relu",
    .traits = {.elementwise = true},
    .infer = infer_number,
    // The output is positive exactly where the input is: the input need not be kept.
    .vjp = [](const Vjp& r) -> Tensors { return {where_positive(r.out(), r.ct)}; },
    .jvp = [](const Jvp& r) { return where_positive(r.in(0), r.dot[0]); },
    .family = "D2",
});

const Primitive& relu6_p = define(inlined("relu6", "D2"));
const Primitive& relu_squared_p = define(inlined("relu_squared", "D2"));
const Primitive& leaky_relu_p = define(inlined("leaky_relu", "D2"));
const Primitive& prelu_p = define(inlined("prelu", "D2"));
const Primitive& step_p = define(inlined("step", "D2", Gradient::zero));

}  // namespace

Tensor relu(const Arg& x) { return apply_unary(relu_p, x); }
Tensor relu6(const Arg& x) {
  OpScope scope("relu6", x.loc);
  const Tensor t = need_float(x, relu6_p);
  return where(gt(t, 6.0), 6.0, relu(t));
}
Tensor relu_squared(const Arg& x) {
  OpScope scope("relu_squared", x.loc);
  return square(relu(need_float(x, relu_squared_p)));
}
Tensor leaky_relu(const Arg& x, double slope) {
  OpScope scope("leaky_relu", x.loc);
  const Tensor t = need_float(x, leaky_relu_p);
  return where(gt(t, 0.0), t, t * slope);
}
Tensor prelu(const Arg& x, const Arg& slope) {
  OpScope scope("prelu", x.loc);
  const Tensors t = promote_to_float(prelu_p, {&x, &slope}, x.loc);
  return where(gt(t[0], 0.0), t[0], t[0] * t[1]);
}
Tensor step(const Arg& x) {
  OpScope scope("step", x.loc);
  const Tensor t = need_float(x, step_p);
  return cast(gt(t, 0.0), t.dtype());
}

}  // namespace adjoint
