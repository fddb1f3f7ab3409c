// hard.cpp: activations made of straight pieces, and the shrinking ones. Not relu and its relatives: those are relu.cpp.
#include "ops/common.hpp"

namespace adjoint {
namespace {

const Primitive& hardtanh_p = define(inlined("hardtanh", "D2"));
const Primitive& hardsigmoid_p = define(inlined("hardsigmoid", "D2"));
const Primitive& hardswish_p = define(inlined("hardswish", "D2"));
const Primitive& hardshrink_p = define(inlined("hardshrink", "D2"));
const Primitive& softshrink_p = define(inlined("softshrink", "D2"));
const Primitive& threshold_p = define(inlined("threshold", "D2"));

/// The derivative of x - tanh x is tanh^2 x; the one of its definition, 1 - (1 - y)(1 + y), cancels near 0.
Tensor tanhshrink_slope(const Tensor& x) { return square(tanh(x)); }
const Primitive& tanhshrink_p = define({
    .name = "tanhshrink",
    .infer = infer_same_float,
    .decompose = [](const Node& n) { const Tensor x = share(n.in[0]); return x - tanh(x); },
    .vjp = [](const Vjp& r) -> Tensors { return {r.ct * tanhshrink_slope(r.in(0))}; },
    .jvp = [](const Jvp& r) { return r.dot[0] * tanhshrink_slope(r.in(0)); },
    .family = "D2",
});

/// The derivative of x / (1 + |x|) is 1 / (1 + |x|)^2; the one of the quotient cancels far from 0.
Tensor softsign_divisor(const Tensor& x) { return square(abs(x) + 1.0); }
const Primitive& softsign_p = define({
    .name = "softsign",
    .infer = infer_same_float,
    .decompose = [](const Node& n) { const Tensor x = share(n.in[0]); return x / (abs(x) + 1.0); },
    .vjp = [](const Vjp& r) -> Tensors { return {r.ct / softsign_divisor(r.in(0))}; },
    .jvp = [](const Jvp& r) { return r.dot[0] / softsign_divisor(r.in(0)); },
    .family = "D2",
});

void check_width(double lambda, const Primitive& prim, Loc loc) {
  check_setting(lambda >= 0, prim, loc, "lambda is " + std::to_string(lambda), "lambda is not negative; 0.5 is usual");
}
Tensor sixth_above(const Tensor& x) { return clamp(x + 3.0, 0.0, 6.0) / 6.0; }

}  // namespace

Tensor hardtanh(const Arg& x, double low, double high) {
  OpScope scope("hardtanh", x.loc);
  check_setting(low <= high, hardtanh_p, x.loc, "the bounds are " + std::to_string(low) + " and " + std::to_string(high),
                "the lower bound comes first");
  return clamp(need_float(x, hardtanh_p), low, high);
}
Tensor hardsigmoid(const Arg& x) {
  OpScope scope("hardsigmoid", x.loc);
  return sixth_above(need_float(x, hardsigmoid_p));
}
Tensor hardswish(const Arg& x) {
  OpScope scope("hardswish", x.loc);
  const Tensor t = need_float(x, hardswish_p);
  return t * sixth_above(t);
}
Tensor hardshrink(const Arg& x, double lambda) {
  OpScope scope("hardshrink", x.loc);
  check_width(lambda, hardshrink_p, x.loc);
  const Tensor t = need_float(x, hardshrink_p);
  return where(le(abs(t), lambda), 0.0, t);
}
Tensor softshrink(const Arg& x, double lambda) {
  OpScope scope("softshrink", x.loc);
  check_width(lambda, softshrink_p, x.loc);
  const Tensor t = need_float(x, softshrink_p);
  return t - clamp(t, -lambda, lambda);
}
Tensor tanhshrink(const Arg& x) { return apply_unary_float(tanhshrink_p, x); }
Tensor softsign(const Arg& x) { return apply_unary_float(softsign_p, x); }
Tensor threshold(const Arg& x, double at, double value) {
  OpScope scope("threshold", x.loc);
  const Tensor t = need_float(x, threshold_p);
  return where(le(t, at), value, t);
}

}  // namespace adjoint
