// stop_gradient.cpp: the value, with no gradient through it. A view, so it costs nothing. Not detach, which evaluates.
#include "ops/common.hpp"

namespace adjoint {

static const Primitive& stop_gradient_p = define({
    .name = "stop_gradient",
    .traits = {.gradient = Gradient::zero},
    .infer = infer_same,
    .batch = [](const Batch& b) { return stop_gradient(b.all[0]); },
    .alias = [](const Node&, const Strided& in) -> std::optional<Strided> { return in; },
    .family = "D22",
});

Tensor stop_gradient(const Arg& x) {
  const Tensor t = need(x, stop_gradient_p);
  Tensor out = apply(stop_gradient_p, {&t}, {}, x.loc);
  out.node()->tracked = false;
  return out;
}

}  // namespace adjoint
