// bitwise.cpp: operations on the bits of integers, and gcd. Not the logical operations, which give bool.
#include "ops/common.hpp"

namespace adjoint {
namespace {

const Primitive& not_p = define(flat("bitwise_not", "D1", infer_bits));
const Primitive& popcount_p = define(flat("popcount", "D1", infer_integer));
const Primitive& and_p = define(flat("bitwise_and", "D3", infer_bits));
const Primitive& or_p = define(flat("bitwise_or", "D3", infer_bits));
const Primitive& xor_p = define(flat("bitwise_xor", "D3", infer_bits));
const Primitive& left_p = define(flat("shift_left", "D3", infer_integer));
const Primitive& right_p = define(flat("shift_right", "D3", infer_integer));
const Primitive& gcd_p = define(flat("gcd", "D3", infer_integer));

}  // namespace

Tensor bitwise_not(const Arg& x) { return apply_unary(not_p, x); }
Tensor popcount(const Arg& x) { return apply_unary(popcount_p, x); }
Tensor bitwise_and(const Arg& x, const Arg& y) { return apply_elementwise(and_p, {&x, &y}, x.loc); }
Tensor bitwise_or(const Arg& x, const Arg& y) { return apply_elementwise(or_p, {&x, &y}, x.loc); }
Tensor bitwise_xor(const Arg& x, const Arg& y) { return apply_elementwise(xor_p, {&x, &y}, x.loc); }
Tensor shift_left(const Arg& x, const Arg& n) { return apply_elementwise(left_p, {&x, &n}, x.loc); }
Tensor shift_right(const Arg& x, const Arg& n) { return apply_elementwise(right_p, {&x, &n}, x.loc); }
Tensor gcd(const Arg& x, const Arg& y) { return apply_elementwise(gcd_p, {&x, &y}, x.loc); }

}  // namespace adjoint
