// logical.cpp: and, or, xor, not, and the tests for NaN and infinity. Not the operations on bits: those are bitwise.cpp.
#include "ops/common.hpp"
#include "ops/shape_ops.hpp"

namespace adjoint {
namespace {

const Primitive& not_p = define(flat("logical_not", "D1", infer_bool));
const Primitive& and_p = define(flat("logical_and", "D4", infer_bool));
const Primitive& or_p = define(flat("logical_or", "D4", infer_bool));
const Primitive& xor_p = define(flat("logical_xor", "D4", infer_bool));
const Primitive& isnan_p = define(flat("isnan", "D1", infer_bool));
const Primitive& isinf_p = define(flat("isinf", "D1", infer_bool));
const Primitive& isfinite_p = define(flat("isfinite", "D1", infer_bool));

/// Anything but 0 is true.
Tensor truth(const Primitive& prim, const Arg& x) { return cast_to(need(x, prim), DType::bool_, x.loc); }

Tensor combine(const Primitive& prim, const Arg& x, const Arg& y) {
  const Tensor p = truth(prim, x), q = truth(prim, y);
  const Arg a(p, x.loc), b(q, y.loc);
  return apply_elementwise(prim, {&a, &b}, x.loc);
}

}  // namespace

Tensor logical_not(const Arg& x) {
  const Tensor t = truth(not_p, x);
  return apply(not_p, {&t}, {}, x.loc);
}
Tensor logical_and(const Arg& x, const Arg& y) { return combine(and_p, x, y); }
Tensor logical_or(const Arg& x, const Arg& y) { return combine(or_p, x, y); }
Tensor logical_xor(const Arg& x, const Arg& y) { return combine(xor_p, x, y); }
Tensor isnan(const Arg& x) { return apply_unary_float(isnan_p, x); }
Tensor isinf(const Arg& x) { return apply_unary_float(isinf_p, x); }
Tensor isfinite(const Arg& x) { return apply_unary_float(isfinite_p, x); }

}  // namespace adjoint
