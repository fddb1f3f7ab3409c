// logsumexp.cpp: logarithm of a sum of exponentials, and of their mean. Not softmax, its gradient.
#include <cmath>
#include <limits>

#include "ops/reduce_ops.hpp"

namespace adjoint {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Type infer_floating(const Infer& i) {
  if (!is_floating(i.type(0).dtype)) i.fail("needs a floating element type, got " + to_string(i.type(0)), "cast the operand first: cast(x, DType::f32)");
  return infer_reduced(i);
}
/// e^(x - y): the weight of each element; 0 where everything is -inf.
Tensor weights(const Tensor& x, const Tensor& y, const Ints& axes, Loc loc) {
  const Tensor shift = where(eq(y, -kInfinity), 0.0, y);
  return exp(x - spread(shift, x.shape(), axes, loc));
}

const Primitive& logsumexp_p = define({
    .name = "logsumexp",
    .infer = infer_floating,
    .decompose = [](const Node& n) {
      const auto& a = n.attrs.as<Axes>();
      const Tensor x = share(n.in[0]), top = amax_node(x, a.axes, true, n.loc);
      const Tensor shift = stop_gradient(where(isfinite(top), top, 0.0));
      const Tensor total = sum_node(exp(x - broadcast_node(shift, x.shape(), n.loc)), a.axes, true, n.loc);
      return without_axes(log(total) + shift, a.axes, a.keepdim, n.loc);
    },
    .vjp = [](const Vjp& r) -> Tensors {
      const auto& a = r.attrs<Axes>();
      const Tensor x = r.in(0);
      return {spread(r.ct, x.shape(), a.axes, r.node.loc) * weights(x, r.out(), a.axes, r.node.loc)};
    },
    .jvp = [](const Jvp& r) {
      const auto& a = r.attrs<Axes>();
      return sum_node(r.dot[0] * weights(r.in(0), r.out(), a.axes, r.node.loc), a.axes, a.keepdim, r.node.loc);
    },
    .family = "D5",
});
const Primitive& logmeanexp_p = define({.name = "logmeanexp", .traits = {.inlined = true}, .family = "D5"});

}  // namespace

Tensor logsumexp(const Arg& x, const Ints& axes, bool keepdim) {
  const Tensor t = floating(need(x, logsumexp_p), x.loc);
  return apply(logsumexp_p, {&t}, Axes{normal_axes(axes, t, "logsumexp", x.loc), keepdim}, x.loc);
}

Tensor logmeanexp(const Arg& x, const Ints& axes, bool keepdim) {
  OpScope scope("logmeanexp", x.loc);
  const Tensor t = floating(need(x, logmeanexp_p), x.loc);
  const Ints over = normal_axes(axes, t, "logmeanexp", x.loc);
  const double n = static_cast<double>(elements_along(t, over));
  return sub(Arg(apply(logsumexp_p, {&t}, Axes{over, keepdim}, x.loc), x.loc), Arg(std::log(n), x.loc));
}

}  // namespace adjoint
