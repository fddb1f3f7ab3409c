// control.cpp: values as they are, gradients changed or marked. Not rules that a user writes: transform/custom_rule.cpp.
#include "adjoint/ops/control.hpp"

#include "ops/batching.hpp"
#include "ops/common.hpp"
#include "ops/shape_ops.hpp"

namespace adjoint {
namespace {

std::optional<Strided> as_operand(const Node&, const Strided& in) { return in; }
Type infer_first(const Infer& i) { return i.type(0); }

const Primitive& straight_through_p = define({
    .name = "straight_through",
    .infer = infer_same,
    .vjp = [](const Vjp& r) -> Tensors { return {Tensor(), r.ct}; },
    .jvp = [](const Jvp& r) { return r.dot[1]; },
    .batch = batch_same,
    .alias = as_operand,
    .family = "D22",
});

/// Operands: the value, the factor as a scalar of its type.
const Primitive& scale_gradient_p = define({
    .name = "scale_gradient",
    .infer = infer_first,
    .vjp = [](const Vjp& r) -> Tensors { return {r.ct * r.in(1), Tensor()}; },
    .jvp = [](const Jvp& r) { return r.dot[0] ? r.dot[0] * r.in(1) : Tensor(); },
    .batch = [](const Batch& b) {  // a factor for each example stands in a column
      const Tensor x = every(b, 0);
      Shape column{b.size};
      while (column.rank() < x.rank()) column.push_back(1);
      const Tensor by = b.all[1] ? reshape_node(b.all[1], column, b.node.loc) : b.in(1);
      return apply(*b.node.prim, {&x, &by}, {}, b.node.loc);
    },
    .alias = as_operand,
    .family = "D22",
});
const Primitive& reverse_gradient_p = define({.name = "reverse_gradient", .traits = {.inlined = true}, .family = "D22"});

struct Limit { double limit; };
const Primitive& clip_gradient_p = define({
    .name = "clip_gradient",
    .infer = infer_same_float,
    .vjp = [](const Vjp& r) -> Tensors {
      const double limit = r.attrs<Limit>().limit;
      return {clamp(r.ct, -limit, limit)};
    },
    .jvp = [](const Jvp& r) { return r.dot[0]; },
    .batch = batch_same,
    .alias = as_operand,
    .family = "D22",
});

struct Name { std::string name; };
Tensors pass(const Vjp& r) { return {r.ct}; }
Tensor pass_tangent(const Jvp& r) { return r.dot[0]; }
const Primitive& name_value_p = define({
    .name = "name_value", .infer = infer_first, .vjp = pass, .jvp = pass_tangent, .batch = batch_same, .alias = as_operand, .family = "D22"});
const Primitive& identity_barrier_p = define({
    .name = "identity_barrier", .infer = infer_first, .vjp = pass, .jvp = pass_tangent, .batch = batch_same, .alias = as_operand, .family = "D22"});
/// Operands: the result of the region, then its inputs, where a plan stops looking for what lies inside.
const Primitive& checkpoint_p = define({
    .name = "checkpoint",
    .infer = infer_first,
    .vjp = [](const Vjp& r) -> Tensors {
      Tensors cts(r.arity());
      cts[0] = r.ct;
      return cts;
    },
    .jvp = pass_tangent,
    .batch = [](const Batch& b) {
      Tensors in{every(b, 0)};
      for (std::size_t i = 1; i < b.arity(); ++i) in.push_back(b.all[i] ? b.all[i] : b.in(i));
      return apply(*b.node.prim, in, {}, b.node.loc);
    },
    .alias = as_operand,
    .family = "D22",
});

Tensor scaled_gradient(const Primitive& prim, const Arg& x, double factor) {
  const Tensor t = need(x, prim);
  if (!is_floating(t.dtype()))
    throw Error({.op = std::string(prim.name), .message = "a value of type " + to_string(t.type()) + " has no gradient", .where = user_loc(x.loc),
                 .operands = {describe(*t.node())}, .hint = "cast it to a floating type"});
  const Tensor by = literal({Shape{}, t.dtype()}, factor, x.loc);
  return apply(scale_gradient_p, {&t, &by}, {}, x.loc);
}

}  // namespace

Tensor straight_through(const Arg& value, const Arg& surrogate) {
  const Tensor v = need(value, straight_through_p), s = need(surrogate, straight_through_p);
  return apply(straight_through_p, {&v, &s}, {}, value.loc);
}
Tensor scale_gradient(const Arg& x, double factor) { return scaled_gradient(scale_gradient_p, x, factor); }
Tensor reverse_gradient(const Arg& x, double factor) {
  OpScope scope("reverse_gradient", x.loc);
  return scaled_gradient(reverse_gradient_p, x, -factor);
}
Tensor clip_gradient(const Arg& x, double limit) {
  const Tensor t = need(x, clip_gradient_p);
  if (!(limit >= 0))
    throw Error({.op = "clip_gradient", .message = "a limit of " + std::to_string(limit), .where = user_loc(x.loc), .operands = {describe(*t.node())},
                 .hint = "it is >= 0"});
  return apply(clip_gradient_p, {&t}, Limit{limit}, x.loc);
}

Tensor name_value(const Arg& x, std::string name) {
  const Tensor t = need(x, name_value_p);
  Tensor out = apply(name_value_p, {&t}, Name{name}, x.loc);
  extra_of(*out.node()).name = std::move(name);
  return out;
}
Tensor identity_barrier(const Arg& x) {
  const Tensor t = need(x, identity_barrier_p);
  return apply(identity_barrier_p, {&t}, {}, x.loc);
}
Tensor checkpoint(const std::function<Tensor(const Tensors&)>& region, const Tensors& in, Loc loc) {
  if (!region) throw Error({.op = "checkpoint", .message = "no region was given", .where = user_loc(loc), .hint = "pass a function of the inputs"});
  const Tensor out = region(in), inside = need(Arg(out, loc), checkpoint_p);
  Tensors operands{inside};
  for (const auto& t : in)
    if (t) operands.push_back(t);
  return apply(checkpoint_p, operands, {}, loc);
}

}  // namespace adjoint
