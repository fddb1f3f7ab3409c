// hyperbolic.cpp: sinh, cosh, tanh and their inverses. Not the trigonometric functions.
#include "ops/common.hpp"

namespace adjoint {
namespace {

Tensor sinh_slope(const Tensor& x, const Tensor&) { return cosh(x); }
Tensor cosh_slope(const Tensor& x, const Tensor&) { return sinh(x); }
Tensor tanh_slope(const Tensor&, const Tensor& y) { return (1.0 - y) * (1.0 + y); }  // the input need not be kept
Tensor asinh_divisor(const Tensor& x, const Tensor&) { return hypot(x, 1.0); }
Tensor acosh_divisor(const Tensor& x, const Tensor&) { return sqrt(x - 1.0) * sqrt(x + 1.0); }
Tensor atanh_divisor(const Tensor& x, const Tensor&) { return (1.0 - x) * (1.0 + x); }

const Primitive& sinh_p = define(unary<sinh_slope>("sinh"));
const Primitive& cosh_p = define(unary<cosh_slope>("cosh"));
const Primitive& tanh_p = define(unary<tanh_slope>("tanh"));
const Primitive& asinh_p = define(unary_over<asinh_divisor>("asinh"));
const Primitive& acosh_p = define(unary_over<acosh_divisor>("acosh"));
const Primitive& atanh_p = define(unary_over<atanh_divisor>("atanh"));

}  // namespace

Tensor sinh(const Arg& x) { return apply_unary_float(sinh_p, x); }
Tensor cosh(const Arg& x) { return apply_unary_float(cosh_p, x); }
Tensor tanh(const Arg& x) { return apply_unary_float(tanh_p, x); }
Tensor asinh(const Arg& x) { return apply_unary_float(asinh_p, x); }
Tensor acosh(const Arg& x) { return apply_unary_float(acosh_p, x); }
Tensor atanh(const Arg& x) { return apply_unary_float(atanh_p, x); }

}  // namespace adjoint
