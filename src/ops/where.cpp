// where.cpp: select by a mask. Not a multiplication by it: a NaN of the branch not taken never leaks.
#include "ops/common.hpp"

#include "ops/shape_ops.hpp"

namespace adjoint {

static const Primitive& where_p = define({
    .name = "where",
    .traits = {.elementwise = true},
    .infer = [](const Infer& i) -> Type {
      if (i.type(0).dtype != DType::bool_)
        i.fail("the condition must be bool, got " + to_string(i.type(0)), "compare it with something, as in gt(x, 0)");
      if (!(i.type(1) == i.type(2)) || !(i.type(0).shape == i.type(1).shape)) i.fail("operands differ in shape or type", "where() broadcasts and promotes them");
      return i.type(1);
    },
    .vjp = [](const Vjp& r) -> Tensors {
      return {Tensor(), r.wants(1) ? where(r.in(0), r.ct, 0.0) : Tensor(), r.wants(2) ? where(r.in(0), 0.0, r.ct) : Tensor()};
    },
    .jvp = [](const Jvp& r) {
      if (!r.dot[1]) return where(r.in(0), 0.0, r.dot[2]);
      if (!r.dot[2]) return where(r.in(0), r.dot[1], 0.0);
      return where(r.in(0), r.dot[1], r.dot[2]);
    },
    .family = "D4",
});

Tensor where(const Arg& condition, const Arg& x, const Arg& y) {
  const Tensor mask = need(condition, where_p);
  Tensors branches = promote_and_broadcast(where_p, {&x, &y}, condition.loc);
  if (mask.shape() == branches[0].shape()) return apply(where_p, {&mask, &branches[0], &branches[1]}, {}, condition.loc);
  // Broadcast the mask with the branches: a bool and any other type share a shape, not a type.
  const Tensor as_type = mask.dtype() == DType::bool_ ? cast_to(mask, branches[0].dtype(), condition.loc) : mask;
  const Arg m(as_type, condition.loc), b(branches[0], condition.loc);
  const Shape shape = promote_and_broadcast(where_p, {&m, &b}, condition.loc)[0].shape();
  const auto to = [&](const Tensor& t) { return t.shape() == shape ? t : broadcast_node(t, shape, condition.loc); };
  const Tensor c = to(mask), p = to(branches[0]), q = to(branches[1]);
  return apply(where_p, {&c, &p, &q}, {}, condition.loc);
}

}  // namespace adjoint
