// magnitude.cpp: abs, sign, copysign, ldexp, nextafter: what works on sign, exponent or last bit.
// Not rounding to integers: that is rounding.cpp.
#include "ops/common.hpp"

#include <numbers>

namespace adjoint {
namespace {

Tensor abs_slope(const Tensor& x, const Tensor&) { return sign(x); }  // 0 at 0

const Primitive& abs_p = define(unary<abs_slope>("abs", "D1", infer_number));
const Primitive& sign_p = define(flat("sign", "D1", infer_number));

/// d, or -d where copysign flipped x; 0 where x is 0.
Tensor flipped_like(const Tensor& x, const Tensor& y, const Tensor& d) {
  return where(eq(x, 0.0), 0.0, where(eq(x, y), d, -d));
}

const Primitive& copysign_p = define({
    .name = "copysign",
    .traits = {.elementwise = true},
    .infer = infer_same_float,
    .vjp = [](const Vjp& r) -> Tensors { return {r.wants(0) ? flipped_like(r.in(0), r.out(), r.ct) : Tensor(), Tensor()}; },
    .jvp = [](const Jvp& r) { return r.dot[0] ? flipped_like(r.in(0), r.out(), r.dot[0]) : Tensor(); },
    .family = "D3",
});

const Primitive& ldexp_p = define({
    .name = "ldexp",
    .traits = {.elementwise = true},
    .infer = infer_same_float,
    .vjp = [](const Vjp& r) -> Tensors {
      return {r.wants(0) ? ldexp(r.ct, r.in(1)) : Tensor(), r.wants(1) ? r.ct * r.out() * std::numbers::ln2 : Tensor()};
    },
    .jvp = [](const Jvp& r) {
      if (!r.dot[1]) return ldexp(r.dot[0], r.in(1));
      const Tensor through_n = r.out() * r.dot[1] * std::numbers::ln2;
      return r.dot[0] ? ldexp(r.dot[0], r.in(1)) + through_n : through_n;
    },
    .family = "D3",
});

const Primitive& nextafter_p = define({
    .name = "nextafter",
    .traits = {.elementwise = true, .gradient = Gradient::refused},
    .infer = [](const Infer& i) -> Type {
      const Type t = infer_same_float(i);
      if (size_of(t.dtype) < 4) i.fail("needs f32 or f64, got " + to_string(t), "cast the operands first: cast(x, DType::f32)");
      return t;
    },
    .family = "D3",
});

}  // namespace

Tensor abs(const Arg& x) { return apply_unary(abs_p, x); }
Tensor sign(const Arg& x) { return apply_unary(sign_p, x); }
Tensor copysign(const Arg& x, const Arg& y) { return apply_elementwise_float(copysign_p, {&x, &y}, x.loc); }
Tensor ldexp(const Arg& x, const Arg& n) { return apply_elementwise_float(ldexp_p, {&x, &n}, x.loc); }
Tensor nextafter(const Arg& x, const Arg& y) { return apply_elementwise_float(nextafter_p, {&x, &y}, x.loc); }

}  // namespace adjoint
