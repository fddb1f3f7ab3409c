// iota.cpp: 0, 1, 2, ... along an axis, made when the plan runs. Not random, and not arange, which is built from it.
#include "ops/batching.hpp"
#include "ops/index_ops.hpp"

namespace adjoint {

// The one operand is a number that is not read: a node without operands would be a leaf with data.
static const Primitive& iota_p = define({
    .name = "iota",
    .traits = {.gradient = Gradient::zero},
    .infer = [](const Infer& i) -> Type {
      const auto& a = i.attrs.as<Iota>();
      return {a.shape, a.dtype};
    },
    .batch = [](const Batch& b) {  // it does not depend on its operand
      return broadcast_node(share(const_cast<Node*>(&b.node)), in_front(b.size, b.node.type.shape), b.node.loc);
    },
    .family = "D24",
});

Tensor iota_node(const Shape& shape, std::int64_t axis, DType dtype, Loc loc) {
  const Tensor anchor = literal({Shape{}, DType::i64}, 0, loc);
  return apply(iota_p, {&anchor}, Iota{shape, axis, dtype}, loc);
}

Tensor iota(const Shape& shape, int axis, DType dtype, Loc loc) {
  checked_elements(shape, "iota", loc);
  if (dtype == DType::bool_) fail("iota", loc, "bool has no counting", {}, "name an integer or a floating type");
  return iota_node(shape, normal_axis(axis, shape.rank(), "iota", loc), dtype, loc);
}

}  // namespace adjoint
