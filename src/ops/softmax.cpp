// softmax.cpp: softmax, log_softmax, softmin and masked_softmax: definitions and closed-form gradients. Not the fused
// kernels, and not cross_entropy: cross_entropy.cpp.
#include "adjoint/ops/softmax.hpp"

#include <limits>

#include "ops/common.hpp"
#include "ops/softmax_ops.hpp"

namespace adjoint {
namespace {

Tensor sum_along(const Tensor& x, std::int64_t axis) { return sum(x, {axis}, true); }

Type infer_softmax(const Infer& i) {
  if (!is_floating(i.type(0).dtype)) i.fail("needs a floating element type, got " + to_string(i.type(0)), "cast the operand first: cast(x, DType::f32)");
  return i.type(0);
}

/// The operand as a floating tensor with the axis in range.
Tensor checked(const Primitive& prim, const Arg& x, int axis, SoftmaxAxis& out) {
  Tensor t = need(x, prim);
  if (!is_floating(t.dtype()) && t.dtype() != DType::bool_) t = cast(Arg(t, x.loc), DType::f32);
  out.axis = normal_axis(axis, t.rank(), prim.name, x.loc);
  return t;
}

const Primitive& softmax_p = define({
    .name = "softmax",
    .infer = infer_softmax,
    .decompose = [](const Node& n) {
      const auto axis = n.attrs.as<SoftmaxAxis>().axis;
      const Tensor e = exp(shifted(share(n.in[0]), axis));
      return e / sum_along(e, axis);
    },
    .vjp = [](const Vjp& r) -> Tensors {
      const Tensor y = r.out(), weighted = y * r.ct;
      return {weighted - y * sum_along(weighted, r.attrs<SoftmaxAxis>().axis)};
    },
    .family = "D14",
});

const Primitive& log_softmax_p = define({
    .name = "log_softmax",
    .infer = infer_softmax,
    .decompose = [](const Node& n) {
      const auto axis = n.attrs.as<SoftmaxAxis>().axis;
      const Tensor s = shifted(share(n.in[0]), axis);
      return s - log(sum_along(exp(s), axis));
    },
    .vjp = [](const Vjp& r) -> Tensors {
      return {r.ct - exp(r.out()) * sum_along(r.ct, r.attrs<SoftmaxAxis>().axis)};
    },
    .family = "D14",
});

const Primitive& masked_softmax_p = define({
    .name = "masked_softmax",
    .infer = [](const Infer& i) -> Type {
      if (i.type(1).dtype != DType::bool_) i.fail("the mask must be bool, got " + to_string(i.type(1)), "compare it with something, as in gt(m, 0)");
      if (!(i.type(0).shape == i.type(1).shape)) i.fail("mask and operand differ in shape: " + to_string(i.type(1)) + " and " + to_string(i.type(0)), "broadcast_to the mask first");
      return infer_softmax(i);
    },
    .decompose = [](const Node& n) {
      const auto axis = n.attrs.as<SoftmaxAxis>().axis;
      const Tensor x = share(n.in[0]), mask = share(n.in[1]);
      const double infinity = std::numeric_limits<double>::infinity();
      const Tensor seen = where(mask, x, -infinity);
      Tensor top = stop_gradient(amax(seen, {axis}, true));
      top = where(gt(top, -infinity), top, 0.0);  // a row without any element
      const Tensor e = where(mask, exp(seen - top), 0.0), total = sum_along(e, axis);
      return e / where(gt(total, 0.0), total, 1.0);
    },
    .vjp = [](const Vjp& r) -> Tensors {
      const Tensor y = r.out(), weighted = where(r.in(1), y * r.ct, 0.0);
      return {weighted - y * sum_along(weighted, r.attrs<SoftmaxAxis>().axis), Tensor()};
    },
    .family = "D14",
});

const Primitive& softmin_p = define({.name = "softmin", .traits = {.inlined = true}, .family = "D14"});
const Primitive& logsumexp_pair_p = define({.name = "logsumexp_pair", .traits = {.inlined = true}, .family = "D14"});

}  // namespace

Tensor shifted(const Tensor& x, std::int64_t axis) { return x - stop_gradient(amax(x, {axis}, true)); }

Tensor softmax(const Arg& x, int axis) {
  SoftmaxAxis a;
  const Tensor t = checked(softmax_p, x, axis, a);
  return apply(softmax_p, {&t}, a, x.loc);
}

Tensor log_softmax(const Arg& x, int axis) {
  SoftmaxAxis a;
  const Tensor t = checked(log_softmax_p, x, axis, a);
  return apply(log_softmax_p, {&t}, a, x.loc);
}

Tensor softmin(const Arg& x, int axis) {
  OpScope scope("softmin", x.loc);
  SoftmaxAxis a;
  return softmax(-checked(softmin_p, x, axis, a), axis);
}

Tensor masked_softmax(const Arg& x, const Arg& mask, int axis) {
  OpScope scope("masked_softmax", x.loc);
  SoftmaxAxis a;
  const Tensor t = checked(masked_softmax_p, x, axis, a);
  const Tensor m = broadcast_to(Arg(need(mask, masked_softmax_p), x.loc), t.shape());
  return apply(masked_softmax_p, {&t, &m}, a, x.loc);
}

Tensor logsumexp_pair(const Arg& x, const Arg& y) {
  OpScope scope("logsumexp_pair", x.loc);
  const Tensors t = promote_and_broadcast(logsumexp_pair_p, {&x, &y}, x.loc);
  if (!is_floating(t[0].dtype()))
    throw Error({.op = "logsumexp_pair", .message = "needs a floating element type, got " + to_string(t[0].type()), .where = user_loc(x.loc),
                 .hint = "cast the operands first: cast(x, DType::f32)"});
  const double infinity = std::numeric_limits<double>::infinity();
  Tensor top = stop_gradient(maximum(t[0], t[1]));
  const Tensor some = ne(top, -infinity);  // true for NaN, which must come through
  top = where(isfinite(top), top, 0.0);
  const Tensor total = exp(t[0] - top) + exp(t[1] - top);
  // The logarithm is only taken of a positive sum: the branch not taken must not carry an infinite slope.
  return where(some, top + log(where(some, total, 1.0)), -infinity);
}

}  // namespace adjoint
