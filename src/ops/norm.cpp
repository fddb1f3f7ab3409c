// norm.cpp: vector norms over axes and over many tensors. Not normalisation, not clipping.
#include <cmath>

#include "ops/reduce_ops.hpp"

namespace adjoint {
namespace {

struct Power { double p; Ints axes; bool keepdim; };

/// |x| divided by its largest element, and that element, with the axes kept; 1 stands for 0 and for infinity.
struct Scaled {
  Tensor ratio, scale;
};
Scaled scaled(const Tensor& x, const Ints& axes, Loc loc) {
  const Tensor size = abs(x), top = stop_gradient(amax_node(size, axes, true, loc));
  const Tensor scale = where(logical_and(gt(top, 0.0), isfinite(top)), top, 1.0);
  return {size / broadcast_node(scale, x.shape(), loc), scale};
}
/// y without zeros, over all of x: a divisor.
Tensor divisor(const Tensor& y, const Tensor& x, const Ints& axes, Loc loc) { return spread(where(eq(y, 0.0), 1.0, y), x.shape(), axes, loc); }

Type infer_norm(const Infer& i) {
  const auto& a = i.attrs.as<Power>();
  Type out = i.type(0);
  if (!is_floating(out.dtype)) i.fail("needs a floating element type, got " + to_string(out), "cast the operand first: cast(x, DType::f32)");
  for (std::size_t k = a.axes.size(); k-- > 0;) {
    if (a.keepdim) out.shape[static_cast<std::size_t>(a.axes[k])] = 1;
    else out.shape.erase(static_cast<int>(a.axes[k]));
  }
  return out;
}
/// dy/dx: sign(x) (|x| / y)^(p - 1); 0 where y is 0.
Tensor slope(const Tensor& x, const Tensor& y, const Power& a, Loc loc) {
  if (a.p == 1) return sign(x);
  const Tensor by = divisor(y, x, a.axes, loc);
  if (a.p == 2) return x / by;
  const Tensor ratio = abs(x) / by;
  return sign(x) * (a.p == 3 ? ratio * ratio : pow(ratio, a.p - 1));
}

const Primitive& power_p = define({
    .name = "norm_p",
    .infer = infer_norm,
    .decompose = [](const Node& n) {
      const auto& a = n.attrs.as<Power>();
      const Scaled s = scaled(share(n.in[0]), a.axes, n.loc);
      const Tensor terms = a.p == 1 ? s.ratio : a.p == 2 ? s.ratio * s.ratio : pow(s.ratio, a.p);
      const Tensor total = sum_node(terms, a.axes, true, n.loc);
      const Tensor root = a.p == 1 ? total : a.p == 2 ? sqrt(total) : pow(total, 1 / a.p);
      return without_axes(root * s.scale, a.axes, a.keepdim, n.loc);
    },
    .vjp = [](const Vjp& r) -> Tensors {
      const auto& a = r.attrs<Power>();
      const Tensor x = r.in(0);
      return {spread(r.ct, x.shape(), a.axes, r.node.loc) * slope(x, r.out(), a, r.node.loc)};
    },
    .jvp = [](const Jvp& r) {
      const auto& a = r.attrs<Power>();
      return sum_node(r.dot[0] * slope(r.in(0), r.out(), a, r.node.loc), a.axes, a.keepdim, r.node.loc);
    },
    .family = "D5",
});
const Primitive& norm_2_p = define({.name = "norm_2", .traits = {.inlined = true}, .family = "D5"});
const Primitive& global_p = define({.name = "global_norm", .traits = {.inlined = true}, .family = "D5"});

Tensor norm(const Primitive& prim, const Arg& x, double p, const Ints& axes, bool keepdim) {
  OpScope scope(prim.name.data(), x.loc);
  const Tensor t = floating(need(x, prim), x.loc);
  if (!(p >= 1)) fail(prim.name, x.loc, "p = " + std::to_string(p) + " gives no norm", {&t}, "p is at least 1; infinity is allowed");
  const Ints over = normal_axes(axes, t, prim.name, x.loc);
  if (std::isinf(p)) return elements_along(t, over) == 0 ? sum_node(t, over, keepdim, x.loc) : amax_node(abs(Arg(t, x.loc)), over, keepdim, x.loc);
  return apply(power_p, {&t}, Power{p, over, keepdim}, x.loc);
}

}  // namespace

Tensor norm_2(const Arg& x, const Ints& axes, bool keepdim) { return norm(norm_2_p, x, 2, axes, keepdim); }
Tensor norm_p(const Arg& x, double p, const Ints& axes, bool keepdim) { return norm(power_p, x, p, axes, keepdim); }

Tensor global_norm(std::span<const Tensor> tensors, Loc loc) {
  OpScope scope(global_p.name.data(), loc);
  Tensor total;
  for (const auto& given : tensors) {
    if (!given) fail("global_norm", loc, "an operand has no value", {}, "a default-constructed or moved-from Tensor was passed; give it a value first");
    const Tensor t = given.dtype() == DType::f64 ? given : cast_to(given, DType::f32, loc);
    Ints all;
    for (int k = 0; k < t.rank(); ++k) all.push_back(k);
    const Tensor squares = sum_node(mul(Arg(t, loc), Arg(t, loc)), all, false, loc);
    total = total ? add(Arg(total, loc), Arg(squares, loc)) : squares;
  }
  if (!total) fail("global_norm", loc, "no tensors given", {}, "give at least one");
  const Tensor none = eq(Arg(total, loc), Arg(0.0, loc));
  return where(none, 0.0, sqrt(where(none, 1.0, total)));
}

}  // namespace adjoint
