// conv.cpp: the three convolutions as core primitives, each with its rules in terms of the others, so that every order
// of derivative exists. Not the public functions and their options: conv_public.cpp.
#include "ops/batching.hpp"
#include "ops/conv_ops.hpp"
#include "ops/index_ops.hpp"

namespace adjoint {
namespace {

Ints spatial(const Shape& shape) { return Ints(shape.span().subspan(2)); }
ConvAttrs resized(ConvAttrs a, const Shape& like) {
  a.size = spatial(like);
  return a;
}

/// x, w and y fit together.
void check(const Infer& i, const Shape& x, const Shape& w, const Shape& y, DType a, DType b) {
  const auto groups = i.attrs.as<ConvAttrs>().groups;
  const auto fails = [&](const char* why) {
    i.fail(std::string(why) + ": input " + to_string(x) + ", weight " + to_string(w) + ", output " + to_string(y) + ", groups " + std::to_string(groups),
           "call conv1d, conv2d or conv3d, which say what does not fit");
  };
  if (a != b || !is_floating(a)) i.fail("needs two floating operands of one type, got " + to_string(i.type(0)) + " and " + to_string(i.type(1)), "cast them first");
  if (x[0] != y[0]) fails("batch sizes differ");
  if (groups < 1 || x[1] != w[1] * groups) fails("the input's channels are not the weight's second size times groups");
  if (w[0] != y[1] || w[0] % groups != 0) fails("the output's channels are not the weight's first size, or groups do not divide them");
}
Shape with_spatial(std::int64_t a, std::int64_t b, const Ints& size) {
  Shape s{a, b};
  for (auto d : size) s.push_back(d);
  return s;
}

/// [examples, n, c, ..] -> [n, examples c, ..]: the channels of each example become groups of their own.
Tensor as_groups(const Tensor& t, Loc loc) {
  const Tensor inside = move_axis(t, 0, 1, loc);
  Shape s = inside.shape();
  s[2] *= s[1];
  s.erase(1);
  return reshape_node(inside, s, loc);
}
ConvAttrs with_groups(const Batch& b) {
  ConvAttrs a = b.attrs<ConvAttrs>();
  a.groups *= b.size;
  return a;
}
/// Of conv and conv_input_grad: one weight for all makes a longer batch, a weight for each makes groups.
Tensor batch_images(const Batch& b) {
  const Loc loc = b.node.loc;
  const Shape& one = b.node.type.shape;
  if (!b.all[1]) {
    const Tensor images = folded(b.all[0], loc), w = b.in(1);
    return reshape_node(apply(*b.node.prim, {&images, &w}, b.node.attrs, loc), in_front(b.size, one), loc);
  }
  const Tensor images = as_groups(every(b, 0), loc), w = folded(b.all[1], loc);
  Shape apart = one;
  apart.insert(1, b.size);
  return move_axis(reshape_node(apply(*b.node.prim, {&images, &w}, with_groups(b), loc), apart, loc), 1, 0, loc);
}

const Primitive& conv_p = define({
    .name = "conv",
    .infer = [](const Infer& i) -> Type {
      const Type &x = i.type(0), &w = i.type(1);
      const Shape y = with_spatial(x.shape[0], w.shape[0], i.attrs.as<ConvAttrs>().size);
      check(i, x.shape, w.shape, y, x.dtype, w.dtype);
      return {y, x.dtype};
    },
    .vjp = [](const Vjp& r) -> Tensors {
      const auto& a = r.attrs<ConvAttrs>();
      const auto &x = r.node.in[0]->type.shape, &w = r.node.in[1]->type.shape;
      return {r.wants(0) ? conv_input_grad_node(r.ct, r.in(1), resized(a, x), r.node.loc) : Tensor(),
              r.wants(1) ? conv_weight_grad_node(r.in(0), r.ct, resized(a, w), r.node.loc) : Tensor()};
    },
    .jvp = [](const Jvp& r) {
      const auto& a = r.attrs<ConvAttrs>();
      if (!r.dot[0]) return conv_node(r.in(0), r.dot[1], a, r.node.loc);
      const Tensor d = conv_node(r.dot[0], r.in(1), a, r.node.loc);
      return r.dot[1] ? d + conv_node(r.in(0), r.dot[1], a, r.node.loc) : d;
    },
    .batch = batch_images,
    .family = "D11",
});

const Primitive& conv_input_grad_p = define({
    .name = "conv_input_grad",
    .infer = [](const Infer& i) -> Type {
      const Type &y = i.type(0), &w = i.type(1);
      const auto& a = i.attrs.as<ConvAttrs>();
      const Shape x = with_spatial(y.shape[0], w.shape[1] * a.groups, a.size);
      check(i, x, w.shape, y.shape, y.dtype, w.dtype);
      return {x, y.dtype};
    },
    .vjp = [](const Vjp& r) -> Tensors {
      const auto& a = r.attrs<ConvAttrs>();
      const auto &y = r.node.in[0]->type.shape, &w = r.node.in[1]->type.shape;
      return {r.wants(0) ? conv_node(r.ct, r.in(1), resized(a, y), r.node.loc) : Tensor(),
              r.wants(1) ? conv_weight_grad_node(r.ct, r.in(0), resized(a, w), r.node.loc) : Tensor()};
    },
    .jvp = [](const Jvp& r) {
      const auto& a = r.attrs<ConvAttrs>();
      if (!r.dot[0]) return conv_input_grad_node(r.in(0), r.dot[1], a, r.node.loc);
      const Tensor d = conv_input_grad_node(r.dot[0], r.in(1), a, r.node.loc);
      return r.dot[1] ? d + conv_input_grad_node(r.in(0), r.dot[1], a, r.node.loc) : d;
    },
    .batch = batch_images,
    .family = "D11",
});

const Primitive& conv_weight_grad_p = define({
    .name = "conv_weight_grad",
    .infer = [](const Infer& i) -> Type {
      const Type &x = i.type(0), &y = i.type(1);
      const auto& a = i.attrs.as<ConvAttrs>();
      const Shape w = with_spatial(y.shape[1], a.groups > 0 ? x.shape[1] / a.groups : 0, a.size);
      check(i, x.shape, w, y.shape, x.dtype, y.dtype);
      return {w, x.dtype};
    },
    .vjp = [](const Vjp& r) -> Tensors {
      const auto& a = r.attrs<ConvAttrs>();
      const auto &x = r.node.in[0]->type.shape, &y = r.node.in[1]->type.shape;
      return {r.wants(0) ? conv_input_grad_node(r.in(1), r.ct, resized(a, x), r.node.loc) : Tensor(),
              r.wants(1) ? conv_node(r.in(0), r.ct, resized(a, y), r.node.loc) : Tensor()};
    },
    .jvp = [](const Jvp& r) {
      const auto& a = r.attrs<ConvAttrs>();
      if (!r.dot[0]) return conv_weight_grad_node(r.in(0), r.dot[1], a, r.node.loc);
      const Tensor d = conv_weight_grad_node(r.dot[0], r.in(1), a, r.node.loc);
      return r.dot[1] ? d + conv_weight_grad_node(r.in(0), r.dot[1], a, r.node.loc) : d;
    },
    .batch = [](const Batch& b) {
      const Loc loc = b.node.loc;
      const Tensor dw = conv_weight_grad_node(as_groups(every(b, 0), loc), as_groups(every(b, 1), loc), with_groups(b), loc);
      return reshape_node(dw, in_front(b.size, b.node.type.shape), loc);
    },
    .family = "D11",
});

}  // namespace

Tensor conv_node(const Tensor& x, const Tensor& w, const ConvAttrs& a, Loc loc) { return apply(conv_p, {&x, &w}, a, loc); }
Tensor conv_input_grad_node(const Tensor& dy, const Tensor& w, const ConvAttrs& a, Loc loc) {
  return apply(conv_input_grad_p, {&dy, &w}, a, loc);
}
Tensor conv_weight_grad_node(const Tensor& x, const Tensor& dy, const ConvAttrs& a, Loc loc) {
  return apply(conv_weight_grad_p, {&x, &dy}, a, loc);
}

}  // namespace adjoint
