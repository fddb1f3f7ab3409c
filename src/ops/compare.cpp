// compare.cpp: the six comparisons, and equality within a tolerance. Not the logical operations: those are logical.cpp.
#include "ops/common.hpp"
#include "ops/shape_ops.hpp"

namespace adjoint {
namespace {

const Primitive& eq_p = define(flat("eq", "D4", infer_bool));
const Primitive& ne_p = define(flat("ne", "D4", infer_bool));
const Primitive& lt_p = define(flat("lt", "D4", infer_bool));
const Primitive& le_p = define(flat("le", "D4", infer_bool));
const Primitive& gt_p = define(flat("gt", "D4", infer_bool));
const Primitive& ge_p = define(flat("ge", "D4", infer_bool));
const Primitive& isclose_p = define(inlined("isclose", "D4", Gradient::zero));
const Primitive& allclose_p = define(inlined("allclose", "D4", Gradient::zero));

Tensor close(const Primitive& prim, const Arg& x, const Arg& y, Tolerance t) {
  check_setting(t.relative >= 0 && t.absolute >= 0, prim, x.loc,
                "the tolerances are " + std::to_string(t.relative) + " (relative) and " + std::to_string(t.absolute) + " (absolute)",
                "tolerances are not negative");
  Tensors v = promote_and_broadcast(prim, {&x, &y}, x.loc);
  if (!is_floating(v[0].dtype()))
    for (auto& operand : v) operand = cast_to(operand, DType::f64, x.loc);
  const Tensor near = le(abs(v[0] - v[1]), abs(v[1]) * t.relative + t.absolute);
  const Tensor result = logical_or(eq(v[0], v[1]), logical_and(isfinite(v[1]), near));
  return t.equal_nan ? logical_or(result, logical_and(isnan(v[0]), isnan(v[1]))) : result;
}

}  // namespace

Tensor eq(const Arg& x, const Arg& y) { return apply_elementwise(eq_p, {&x, &y}, x.loc); }
Tensor ne(const Arg& x, const Arg& y) { return apply_elementwise(ne_p, {&x, &y}, x.loc); }
Tensor lt(const Arg& x, const Arg& y) { return apply_elementwise(lt_p, {&x, &y}, x.loc); }
Tensor le(const Arg& x, const Arg& y) { return apply_elementwise(le_p, {&x, &y}, x.loc); }
Tensor gt(const Arg& x, const Arg& y) { return apply_elementwise(gt_p, {&x, &y}, x.loc); }
Tensor ge(const Arg& x, const Arg& y) { return apply_elementwise(ge_p, {&x, &y}, x.loc); }

Tensor isclose(const Arg& x, const Arg& y, Tolerance tolerance) {
  OpScope scope("isclose", x.loc);
  return close(isclose_p, x, y, tolerance);
}
Tensor allclose(const Arg& x, const Arg& y, Tolerance tolerance) {
  OpScope scope("allclose", x.loc);
  return eq(sum(cast(logical_not(close(allclose_p, x, y, tolerance)), DType::i64)), 0.0);
}

}  // namespace adjoint
