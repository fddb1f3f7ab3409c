// error_function.cpp: erf, erfc and the inverse of erf. Not gelu, which is built on them.
#include "ops/common.hpp"

#include <numbers>

namespace adjoint {
namespace {

constexpr double kTwoOverRootPi = 2 * std::numbers::inv_sqrtpi;

Tensor erf_slope(const Tensor& x, const Tensor&) { return exp(-(x * x)) * kTwoOverRootPi; }
Tensor erfc_slope(const Tensor& x, const Tensor&) { return exp(-(x * x)) * -kTwoOverRootPi; }
Tensor erfinv_slope(const Tensor&, const Tensor& y) { return exp(y * y) * (1 / kTwoOverRootPi); }

const Primitive& erf_p = define(unary<erf_slope>("erf"));
const Primitive& erfc_p = define(unary<erfc_slope>("erfc"));
const Primitive& erfinv_p = define(unary<erfinv_slope>("erfinv"));

}  // namespace

Tensor erf(const Arg& x) { return apply_unary_float(erf_p, x); }
Tensor erfc(const Arg& x) { return apply_unary_float(erfc_p, x); }
Tensor erfinv(const Arg& x) { return apply_unary_float(erfinv_p, x); }

}  // namespace adjoint
