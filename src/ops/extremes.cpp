// extremes.cpp: amax and amin with ties shared evenly in both modes; argmax and argmin. Not maximum of two tensors.
#include "ops/batching.hpp"
#include "ops/reduce_ops.hpp"

namespace adjoint {

Tensor spread(const Tensor& reduced, const Shape& full, const Ints& axes, Loc loc) {
  return broadcast_node(keep_axes(reduced, full, axes, loc), full, loc);
}
Tensor without_axes(const Tensor& kept, const Ints& axes, bool keepdim, Loc loc) {
  if (keepdim) return kept;
  Shape shape = kept.shape();
  for (std::size_t k = axes.size(); k-- > 0;) shape.erase(static_cast<int>(axes[k]));
  return reshape_node(kept, shape, loc);
}
std::int64_t elements_along(const Tensor& x, const Ints& axes) {
  std::int64_t n = 1;
  for (auto a : axes) n *= x.shape(static_cast<int>(a));
  return n;
}
Tensor floating(const Tensor& x, Loc loc) { return is_floating(x.dtype()) ? x : cast_to(x, DType::f32, loc); }

namespace {

struct Ties {
  Tensor mask, count;  // who equals the extreme element; how many, in the shape of the result
};
Ties ties(const Tensor& x, const Tensor& y, const Axes& a, Loc loc) {
  const Tensor mask = eq(x, spread(y, x.shape(), a.axes, loc));
  return {mask, sum_node(cast_to(mask, x.dtype(), loc), a.axes, a.keepdim, loc)};
}

Tensors extreme_vjp(const Vjp& r) {
  const auto& a = r.attrs<Axes>();
  const Ties t = ties(r.in(0), r.out(), a, r.node.loc);
  return {where(t.mask, spread(r.ct / t.count, t.mask.shape(), a.axes, r.node.loc), 0.0)};
}
Tensor extreme_jvp(const Jvp& r) {
  const auto& a = r.attrs<Axes>();
  const Ties t = ties(r.in(0), r.out(), a, r.node.loc);
  return sum_node(where(t.mask, r.dot[0], 0.0), a.axes, a.keepdim, r.node.loc) / t.count;
}

const Primitive& amax_p = define({.name = "amax", .infer = infer_reduced, .vjp = extreme_vjp, .jvp = extreme_jvp, .batch = batch_reduced, .family = "D5"});
const Primitive& amin_p = define({.name = "amin", .infer = infer_reduced, .vjp = extreme_vjp, .jvp = extreme_jvp, .batch = batch_reduced, .family = "D5"});

Type infer_position(const Infer& i) {
  const auto& [axes, keep] = i.attrs.as<Axes>();
  std::int64_t n = 1;
  for (auto a : axes) n *= i.type(0).shape[static_cast<std::size_t>(a)];
  Type out = infer_reduced(i);
  if (n == 0 && out.shape.numel() != 0) i.fail("nothing to choose from in " + to_string(i.type(0)), "the reduced axes have no elements");
  out.dtype = DType::i64;
  return out;
}
const Primitive& argmax_p = define({.name = "argmax", .traits = {.gradient = Gradient::zero}, .infer = infer_position, .batch = batch_reduced, .family = "D5"});
const Primitive& argmin_p = define({.name = "argmin", .traits = {.gradient = Gradient::zero}, .infer = infer_position, .batch = batch_reduced, .family = "D5"});

Tensor reduced(const Primitive& prim, const Arg& x, const Ints& axes, bool keepdim) {
  Tensor t = need(x, prim);
  return apply(prim, {&t}, Axes{normal_axes(axes, t, prim.name, x.loc), keepdim}, x.loc);
}
Tensor position(const Primitive& prim, const Arg& x, const Ints& axes, bool keepdim) {
  Tensor t = need(x, prim);
  if (t.dtype() == DType::bool_) t = cast_to(t, DType::u8, x.loc);
  return apply(prim, {&t}, Axes{normal_axes(axes, t, prim.name, x.loc), keepdim}, x.loc);
}

}  // namespace

Tensor amax_node(const Tensor& x, const Ints& axes, bool keepdim, Loc loc) { return apply(amax_p, {&x}, Axes{axes, keepdim}, loc); }
Tensor amax(const Arg& x, const Ints& axes, bool keepdim) { return reduced(amax_p, x, axes, keepdim); }
Tensor amin(const Arg& x, const Ints& axes, bool keepdim) { return reduced(amin_p, x, axes, keepdim); }
Tensor argmax(const Arg& x, const Ints& axes, bool keepdim) { return position(argmax_p, x, axes, keepdim); }
Tensor argmin(const Arg& x, const Ints& axes, bool keepdim) { return position(argmin_p, x, axes, keepdim); }

}  // namespace adjoint
