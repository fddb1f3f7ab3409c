// gelu.cpp: x Phi(x), exactly and in its two usual approximations. Weights trained with one form need that form.
// Not the gated forms: those are gated.cpp.
#include "ops/common.hpp"

#include <numbers>

namespace adjoint {
namespace {

/// Phi(x) + x phi(x), the normal distribution function and density.
Tensor gelu_slope(const Tensor& x, const Tensor&) {
  const Tensor below = erfc(x * -(std::numbers::sqrt2 / 2)) * 0.5;
  const Tensor density = exp(x * x * -0.5) * (std::numbers::inv_sqrtpi / std::numbers::sqrt2);
  return below + x * density;
}

/// With u = sqrt(2/pi) (x + a x^3) and s = sigmoid(2u) = (1 + tanh u)/2:  s + x s (1 - s) 2u'
Tensor gelu_tanh_slope(const Tensor& x, const Tensor&) {
  constexpr double a = 0.044715, two_c = 2 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
  const Tensor x2 = x * x;
  const Tensor s = sigmoid(x * (x2 * a + 1.0) * two_c);
  return s + x * s * (1.0 - s) * ((x2 * (3 * a) + 1.0) * two_c);
}

const Primitive& gelu_p = define(unary<gelu_slope>("gelu", "D2"));
const Primitive& gelu_tanh_p = define(unary<gelu_tanh_slope>("gelu_tanh", "D2"));
const Primitive& gelu_erf_p = define(inlined("gelu_erf", "D2"));
const Primitive& quick_gelu_p = define(inlined("quick_gelu", "D2"));

}  // namespace

Tensor gelu(const Arg& x) { return apply_unary_float(gelu_p, x); }
Tensor gelu_tanh(const Arg& x) { return apply_unary_float(gelu_tanh_p, x); }
Tensor gelu_erf(const Arg& x) {
  OpScope scope("gelu_erf", x.loc);
  return gelu(need(x, gelu_erf_p));
}
Tensor quick_gelu(const Arg& x) {
  OpScope scope("quick_gelu", x.loc);
  const Tensor t = need_float(x, quick_gelu_p);
  return t * sigmoid(t * 1.702);
}

}  // namespace adjoint
