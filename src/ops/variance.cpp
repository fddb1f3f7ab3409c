// variance.cpp: var, std, var_mean in two passes. Not normalisation, which has fused rules of its own.
#include "ops/reduce_ops.hpp"

namespace adjoint {
namespace {

const Primitive& var_p = define({.name = "var", .traits = {.inlined = true}, .family = "D5"});
const Primitive& std_p = define({.name = "std", .traits = {.inlined = true}, .family = "D5"});
const Primitive& var_mean_p = define({.name = "var_mean", .traits = {.inlined = true}, .family = "D5"});

struct Moments {
  Tensor var, mean;
};
Moments moments(const Primitive& prim, const Arg& x, const Ints& axes, const VarOptions& o) {
  const Tensor t = floating(need(x, prim), x.loc);
  const Ints over = normal_axes(axes, t, prim.name, x.loc);
  const double n = static_cast<double>(elements_along(t, over));
  if (!(n - o.correction > 0))
    fail(prim.name, x.loc, std::to_string(elements_along(t, over)) + " elements less a correction of " + std::to_string(o.correction) + " leave nothing to divide by",
         {&t}, "use .correction = 0, or reduce over more elements");
  const auto over_n = [&](const Tensor& s, double by) { return div(Arg(s, x.loc), Arg(by, x.loc)); };
  const Tensor mean = over_n(sum_node(t, over, true, x.loc), n);
  const Tensor centred = sub(Arg(t, x.loc), Arg(mean, x.loc));
  const Tensor squares = sum_node(mul(Arg(centred, x.loc), Arg(centred, x.loc)), over, true, x.loc);
  return {without_axes(over_n(squares, n - o.correction), over, o.keepdim, x.loc), without_axes(mean, over, o.keepdim, x.loc)};
}

}  // namespace

Tensor var(const Arg& x, const Ints& axes, const VarOptions& options) {
  OpScope scope("var", x.loc);
  return moments(var_p, x, axes, options).var;
}

Tensor std(const Arg& x, const Ints& axes, const VarOptions& options) {
  OpScope scope("std", x.loc);
  const Tensor v = moments(std_p, x, axes, options).var;
  const Tensor none = eq(Arg(v, x.loc), Arg(0.0, x.loc));  // where the root has no derivative: 0 by convention
  return where(none, 0.0, sqrt(where(none, 1.0, v)));
}

std::pair<Tensor, Tensor> var_mean(const Arg& x, const Ints& axes, const VarOptions& options) {
  OpScope scope("var_mean", x.loc);
  Moments m = moments(var_mean_p, x, axes, options);
  return {std::move(m.var), std::move(m.mean)};
}

}  // namespace adjoint
