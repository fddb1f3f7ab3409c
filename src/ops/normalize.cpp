// normalize.cpp: (x - mean) / sqrt(var + eps) and x / sqrt(mean x^2 + eps) over axes, with closed-form gradients: what
// all normalisations stand on. Not the public functions: normalizations.cpp.
#include "ops/norm_ops.hpp"

#include "ops/shape_ops.hpp"

namespace adjoint {
namespace {

// Each intermediate that forward and backward share is a composite of its own, with its numbers in attributes: the plan
// then sees that both are the same value.

Tensor averaged(const Tensor& x, const Ints& axes, Loc loc) {
  double n = 1;
  for (auto a : axes) n *= static_cast<double>(x.shape(static_cast<int>(a)));
  return sum_node(x, axes, true, loc) / n;
}

/// 1 / sqrt(v + eps); 0 where that is not finite because both are 0.
Tensor inverse_root(const Tensor& v, double eps) {
  if (eps > 0) return rsqrt(v + eps);
  const Tensor some = gt(v, 0.0);
  return where(some, rsqrt(where(some, v, 1.0)), 0.0);
}

Type infer_kept(const Infer& i) {
  Type out = i.type(0);
  for (auto a : i.attrs.as<Normalized>().axes) out.shape[static_cast<std::size_t>(a)] = 1;
  return out;
}

Tensor node(const Primitive& prim, const Tensor& x, const Normalized& a, Loc loc) { return apply(prim, {&x}, a, loc); }
Tensor of_operand(const Primitive& prim, const Node& n) { return node(prim, share(n.in[0]), n.attrs.as<Normalized>(), n.loc); }

/// x - mean x
const Primitive& centre_p = define({
    .name = "centre",
    .infer = infer_same_float,
    .decompose = [](const Node& n) {
      const Tensor x = share(n.in[0]);
      return x - averaged(x, n.attrs.as<Normalized>().axes, n.loc);
    },
    .vjp = [](const Vjp& r) -> Tensors { return {node(centre_p, r.ct, r.attrs<Normalized>(), r.node.loc)}; },
    .jvp = [](const Jvp& r) { return node(centre_p, r.dot[0], r.attrs<Normalized>(), r.node.loc); },
    .family = "D13",
});

/// 1 / sqrt(var x + eps)
const Primitive& inverse_deviation_p = define({
    .name = "inverse_deviation",
    .infer = infer_kept,
    .decompose = [](const Node& n) {
      const auto& a = n.attrs.as<Normalized>();
      const Tensor c = node(centre_p, share(n.in[0]), {a.axes, 0}, n.loc);
      return inverse_root(averaged(square(c), a.axes, n.loc), a.eps);
    },
    .family = "D13",
});

const Primitive& normalize_p = define({
    .name = "normalize",
    .infer = infer_same_float,
    .decompose = [](const Node& n) {
      const auto& a = n.attrs.as<Normalized>();
      return node(centre_p, share(n.in[0]), {a.axes, 0}, n.loc) * of_operand(inverse_deviation_p, n);
    },
    .vjp = [](const Vjp& r) -> Tensors {
      const auto& a = r.attrs<Normalized>();
      const Loc loc = r.node.loc;
      const Tensor y = r.out();
      return {of_operand(inverse_deviation_p, r.node) * (node(centre_p, r.ct, {a.axes, 0}, loc) - y * averaged(r.ct * y, a.axes, loc))};
    },
    .family = "D13",
});

/// 1 / sqrt(mean x^2 + eps)
const Primitive& inverse_rms_p = define({
    .name = "inverse_rms",
    .infer = infer_kept,
    .decompose = [](const Node& n) {
      const auto& a = n.attrs.as<Normalized>();
      return inverse_root(averaged(square(share(n.in[0])), a.axes, n.loc), a.eps);
    },
    .family = "D13",
});

/// J t, and J^T t, since J is symmetric: r (t - y mean(t y)) with r = inverse_rms. Of one element it is t eps r^3: there
/// 1 - y^2 would cancel down to eps r^2.
Tensor rms_slope(const Node& n, const Tensor& y, const Tensor& t) {
  const auto& a = n.attrs.as<Normalized>();
  const Tensor r = of_operand(inverse_rms_p, n);
  if (r.numel() == y.numel()) return t * (r * r * r * a.eps);
  return r * (t - y * averaged(t * y, a.axes, n.loc));
}

const Primitive& rms_normalize_p = define({
    .name = "rms_normalize",
    .infer = infer_same_float,
    .decompose = [](const Node& n) { return share(n.in[0]) * of_operand(inverse_rms_p, n); },
    .vjp = [](const Vjp& r) -> Tensors { return {rms_slope(r.node, r.out(), r.ct)}; },
    .jvp = [](const Jvp& r) { return rms_slope(r.node, r.out(), r.dot[0]); },
    .family = "D13",
});

Tensor in_f32(const Primitive& prim, const Tensor& x, const Ints& axes, double eps, Loc loc) {
  if (axes.empty()) return x;
  if (size_of(x.dtype()) != 2) return node(prim, x, {axes, eps}, loc);
  return cast_to(node(prim, cast_to(x, DType::f32, loc), {axes, eps}, loc), x.dtype(), loc);
}

}  // namespace

Tensor normalize_node(const Tensor& x, const Ints& axes, double eps, Loc loc) { return in_f32(normalize_p, x, axes, eps, loc); }
Tensor rms_normalize_node(const Tensor& x, const Ints& axes, double eps, Loc loc) { return in_f32(rms_normalize_p, x, axes, eps, loc); }
Tensor centre_node(const Tensor& x, const Ints& axes, Loc loc) { return node(centre_p, x, {axes, 0}, loc); }

}  // namespace adjoint
