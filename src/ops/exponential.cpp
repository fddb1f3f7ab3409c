// exponential.cpp: exp and log and their relatives. Not the activations built from them.
#include "ops/common.hpp"

namespace adjoint {

static const Primitive& exp_p = define({
    .name = "exp",
    .traits = {.elementwise = true},
    .infer = infer_same_float,
    .vjp = [](const Vjp& r) -> Tensors { return {r.ct * r.out()}; },
    .jvp = [](const Jvp& r) { return r.dot[0] * r.out(); },
    .family = "D1",
});

static const Primitive& log_p = define({
    .name = "log",
    .traits = {.elementwise = true},
    .infer = infer_same_float,
    .vjp = [](const Vjp& r) -> Tensors { return {r.ct / r.in(0)}; },
    .jvp = [](const Jvp& r) { return r.dot[0] / r.in(0); },
    .family = "D1",
});

Tensor exp(const Arg& x) { return apply_unary_float(exp_p, x); }
Tensor log(const Arg& x) { return apply_unary_float(log_p, x); }

}  // namespace adjoint
