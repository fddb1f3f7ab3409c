// sum.cpp: sum over axes, in the fixed order that defines its bits; mean. Not scans, not segments.
#include "ops/batching.hpp"
#include "ops/common.hpp"
#include "ops/shape_ops.hpp"

namespace adjoint {

Tensor keep_axes(const Tensor& reduced, const Shape& full, const Ints& axes, Loc loc) {
  Shape kept = full;
  for (auto a : axes) kept[static_cast<std::size_t>(a)] = 1;
  return reshape_node(reduced, kept, loc);
}

static const Primitive& sum_p = define({
    .name = "sum",
    .infer = infer_reduced,
    .vjp = [](const Vjp& r) -> Tensors {
      const Shape& full = r.node.in[0]->type.shape;
      return {broadcast_node(keep_axes(r.ct, full, r.attrs<Axes>().axes, r.node.loc), full, r.node.loc)};
    },
    .jvp = [](const Jvp& r) {
      const auto& a = r.attrs<Axes>();
      return sum_node(r.dot[0], a.axes, a.keepdim, r.node.loc);
    },
    .batch = batch_reduced,
    .family = "D5",
});

Type infer_reduced(const Infer& i) {
  const auto& [axes, keep] = i.attrs.as<Axes>();
  Type out = i.type(0);
  if (out.dtype == DType::bool_) i.fail("cannot reduce " + to_string(out) + " arithmetically", "cast it first, or use any, all, count_nonzero");
  for (std::size_t k = axes.size(); k-- > 0;) {
    if (keep) out.shape[static_cast<std::size_t>(axes[k])] = 1;
    else out.shape.erase(static_cast<int>(axes[k]));
  }
  return out;
}

Ints normal_axes(const Ints& axes, const Tensor& x, std::string_view op, Loc loc) {
  Ints full;
  unsigned mask = 0;
  for (auto a : axes) {
    const unsigned bit = 1u << normal_axis(a, x.rank(), op, loc);
    if (mask & bit)
      throw Error({.op = std::string(op), .message = "axis " + std::to_string(a) + " is named twice in " + to_string(axes),
                   .where = user_loc(loc), .operands = {describe(*x.node())}, .hint = "name each axis once"});
    mask |= bit;
  }
  for (int i = 0; i < x.rank(); ++i)
    if (axes.empty() || (mask >> i & 1)) full.push_back(i);
  return full;
}

Tensor sum_node(const Tensor& x, const Ints& axes, bool keepdim, Loc loc) {
  return apply(sum_p, {&x}, Axes{axes, keepdim}, loc);
}

Tensor sum(const Arg& x, const Ints& axes, bool keepdim) {
  const Tensor t = need(x, sum_p);
  return sum_node(t, normal_axes(axes, t, "sum", x.loc), keepdim, x.loc);
}

static const Primitive& mean_p = define({.name = "mean", .traits = {.inlined = true}, .family = "D5"});

Tensor mean(const Arg& x, const Ints& axes, bool keepdim) {
  OpScope scope("mean", x.loc);
  Tensor t = need(x, mean_p);
  if (!is_floating(t.dtype())) t = cast_to(t, DType::f32, x.loc);
  const Ints over = normal_axes(axes, t, "mean", x.loc);
  double n = 1;
  for (auto a : over) n *= static_cast<double>(t.shape(static_cast<int>(a)));
  return sum_node(t, over, keepdim, x.loc) / n;
}

}  // namespace adjoint
