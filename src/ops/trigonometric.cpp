// trigonometric.cpp: sin, cos, tan, their inverses, atan2 and sinc. Not the hyperbolic functions.
#include "ops/common.hpp"

#include <numbers>

namespace adjoint {
namespace {

Tensor sin_slope(const Tensor& x, const Tensor&) { return cos(x); }
Tensor cos_slope(const Tensor& x, const Tensor&) { return -sin(x); }
Tensor tan_slope(const Tensor&, const Tensor& y) { return y * y + 1.0; }
// (1 - x)(1 + x), not 1 - x^2, which loses digits near 1.
Tensor asin_divisor(const Tensor& x, const Tensor&) { return sqrt((1.0 - x) * (1.0 + x)); }
Tensor acos_divisor(const Tensor& x, const Tensor&) { return -sqrt((1.0 - x) * (1.0 + x)); }
Tensor atan_divisor(const Tensor& x, const Tensor&) { return x * x + 1.0; }

const Primitive& sin_p = define(unary<sin_slope>("sin"));
const Primitive& cos_p = define(unary<cos_slope>("cos"));
const Primitive& tan_p = define(unary<tan_slope>("tan"));
const Primitive& asin_p = define(unary_over<asin_divisor>("asin"));
const Primitive& acos_p = define(unary_over<acos_divisor>("acos"));
const Primitive& atan_p = define(unary_over<atan_divisor>("atan"));

/// a / (a^2 + b^2) without overflow, and 0 at the origin.
Tensor over_square(const Tensor& a, const Tensor& h) {
  const Tensor safe = where(eq(h, 0.0), 1.0, h);
  return a / safe / safe;
}

const Primitive& atan2_p = define({
    .name = "atan2",
    .traits = {.elementwise = true},
    .infer = infer_same_float,
    .vjp = [](const Vjp& r) -> Tensors {
      const Tensor y = r.in(0), x = r.in(1), h = hypot(x, y);
      return {r.wants(0) ? r.ct * over_square(x, h) : Tensor(), r.wants(1) ? -(r.ct * over_square(y, h)) : Tensor()};
    },
    .jvp = [](const Jvp& r) {
      const Tensor y = r.in(0), x = r.in(1), h = hypot(x, y);
      if (!r.dot[1]) return r.dot[0] * over_square(x, h);
      const Tensor through_x = r.dot[1] * over_square(y, h);
      return r.dot[0] ? r.dot[0] * over_square(x, h) - through_x : -through_x;
    },
    .family = "D3",
});

const Primitive& sinc_p = define(inlined("sinc", "D1"));

/// sin(z)/z for |z| <= 1 as a series in u = z^2: its derivatives of all orders keep their digits, which those of the
/// quotient do not near 0. The first term left out is below 1e-22.
Tensor sinc_series(const Tensor& u) {
  double term = 1;
  double coefficients[11];
  for (int k = 0; k < 11; ++k) {
    coefficients[k] = term;
    term /= -(2.0 * k + 2) * (2.0 * k + 3);
  }
  Tensor y = u * coefficients[10] + coefficients[9];
  for (int k = 8; k >= 0; --k) y = y * u + coefficients[k];
  return y;
}

}  // namespace

Tensor sin(const Arg& x) { return apply_unary_float(sin_p, x); }
Tensor cos(const Arg& x) { return apply_unary_float(cos_p, x); }
Tensor tan(const Arg& x) { return apply_unary_float(tan_p, x); }
Tensor asin(const Arg& x) { return apply_unary_float(asin_p, x); }
Tensor acos(const Arg& x) { return apply_unary_float(acos_p, x); }
Tensor atan(const Arg& x) { return apply_unary_float(atan_p, x); }
Tensor atan2(const Arg& y, const Arg& x) { return apply_elementwise_float(atan2_p, {&y, &x}, y.loc); }

Tensor sinc(const Arg& x) {
  OpScope scope("sinc", x.loc);
  const Tensor z = need_float(x, sinc_p) * std::numbers::pi;
  const Tensor small = le(abs(z), 1.0);
  const Tensor inner = where(small, z, 0.0), outer = where(small, 1.0, z);  // each branch sees only what it is for
  return where(small, sinc_series(inner * inner), sin(outer) / outer);
}

}  // namespace adjoint
