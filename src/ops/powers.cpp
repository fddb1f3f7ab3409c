// powers.cpp: square, roots, reciprocals, pow and hypot. Not exponentials: those are exponential.cpp.
#include "ops/common.hpp"

#include <limits>

namespace adjoint {
namespace {

Tensor square_slope(const Tensor& x, const Tensor&) { return x * 2.0; }
Tensor reciprocal_slope(const Tensor&, const Tensor& y) { return -(y * y); }
Tensor rsqrt_slope(const Tensor&, const Tensor& y) { return y * y * y * -0.5; }
Tensor sqrt_divisor(const Tensor&, const Tensor& y) { return y * 2.0; }  // infinite slope at 0, by definition
Tensor cbrt_divisor(const Tensor&, const Tensor& y) { return y * y * 3.0; }

const Primitive& square_p = define(unary<square_slope>("square", "D1", infer_number));
const Primitive& reciprocal_p = define(unary<reciprocal_slope>("reciprocal"));
const Primitive& rsqrt_p = define(unary<rsqrt_slope>("rsqrt"));
const Primitive& sqrt_p = define(unary_over<sqrt_divisor>("sqrt"));
const Primitive& cbrt_p = define(unary_over<cbrt_divisor>("cbrt"));

/// y x^(y-1), and 0 where y is 0 whatever x is: 0 * infinity never arises.
Tensor by_base(const Tensor& x, const Tensor& y) { return where(eq(y, 0.0), 0.0, y * pow(x, y - 1.0)); }

/// x^y log x. At x = 0 its limit: 0 for y >= 0, -infinity for y < 0; never NaN.
Tensor by_exponent(const Tensor& x, const Tensor& y, const Tensor& power) {
  const Tensor at_zero = eq(x, 0.0);
  const Tensor limit = where(lt(y, 0.0), -std::numeric_limits<double>::infinity(), zeros_like(y));
  return where(at_zero, limit, power * log(where(at_zero, 1.0, x)));
}

const Primitive& pow_p = define({
    .name = "pow",
    .traits = {.elementwise = true},
    .infer = infer_number,
    .vjp = [](const Vjp& r) -> Tensors {
      return {r.wants(0) ? r.ct * by_base(r.in(0), r.in(1)) : Tensor(),
              r.wants(1) ? r.ct * by_exponent(r.in(0), r.in(1), r.out()) : Tensor()};
    },
    .jvp = [](const Jvp& r) {
      if (!r.dot[1]) return r.dot[0] * by_base(r.in(0), r.in(1));
      const Tensor through_y = r.dot[1] * by_exponent(r.in(0), r.in(1), r.out());
      return r.dot[0] ? r.dot[0] * by_base(r.in(0), r.in(1)) + through_y : through_y;
    },
    .family = "D3",
});

/// x / hypot, and 0 at the origin, where the function has a corner.
Tensor direction(const Tensor& x, const Tensor& h) { return x / where(eq(h, 0.0), 1.0, h); }

const Primitive& hypot_p = define({
    .name = "hypot",
    .traits = {.elementwise = true},
    .infer = infer_same_float,
    .vjp = [](const Vjp& r) -> Tensors {
      return {r.wants(0) ? r.ct * direction(r.in(0), r.out()) : Tensor(), r.wants(1) ? r.ct * direction(r.in(1), r.out()) : Tensor()};
    },
    .jvp = [](const Jvp& r) {
      const auto part = [&](std::size_t i) { return r.dot[i] * direction(r.in(i), r.out()); };
      return !r.dot[0] ? part(1) : !r.dot[1] ? part(0) : part(0) + part(1);
    },
    .family = "D3",
});

}  // namespace

Tensor square(const Arg& x) { return apply_unary(square_p, x); }
Tensor reciprocal(const Arg& x) { return apply_unary_float(reciprocal_p, x); }
Tensor sqrt(const Arg& x) { return apply_unary_float(sqrt_p, x); }
Tensor rsqrt(const Arg& x) { return apply_unary_float(rsqrt_p, x); }
Tensor cbrt(const Arg& x) { return apply_unary_float(cbrt_p, x); }
Tensor pow(const Arg& x, const Arg& y) { return apply_elementwise(pow_p, {&x, &y}, x.loc); }
Tensor hypot(const Arg& x, const Arg& y) { return apply_elementwise_float(hypot_p, {&x, &y}, x.loc); }

}  // namespace adjoint
