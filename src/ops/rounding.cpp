// rounding.cpp: rounding to integers, and the remainders of division. Not changes of element type: that is cast.cpp.
#include "ops/common.hpp"

namespace adjoint {
namespace {

const Primitive& floor_p = define(flat("floor", "D1", infer_same_float));
const Primitive& ceil_p = define(flat("ceil", "D1", infer_same_float));
const Primitive& round_p = define(flat("round", "D1", infer_same_float));
const Primitive& trunc_p = define(flat("trunc", "D1", infer_same_float));
const Primitive& floor_divide_p = define(flat("floor_divide", "D3", infer_number));

/// The integer q with x = q y + r. From the result itself, so that the slope is that of the branch the value took,
/// also where x is a multiple of y and the quotient x / y might round across it.
Tensor quotient(const Tensor& x, const Tensor& y, const Tensor& r) { return round((x - r) / y); }

Primitive remainder_like(std::string_view name) {
  return {.name = name,
          .traits = {.elementwise = true},
          .infer = infer_number,
          .vjp = [](const Vjp& r) -> Tensors {
            return {r.ct, r.wants(1) ? -(r.ct * quotient(r.in(0), r.in(1), r.out())) : Tensor()};
          },
          .jvp = [](const Jvp& r) {
            if (!r.dot[1]) return r.dot[0];
            const Tensor through_y = r.dot[1] * quotient(r.in(0), r.in(1), r.out());
            return r.dot[0] ? r.dot[0] - through_y : -through_y;
          },
          .family = "D3"};
}

const Primitive& fmod_p = define(remainder_like("fmod"));
const Primitive& remainder_p = define(remainder_like("remainder"));

/// An integer is its own rounding.
Tensor rounded(const Primitive& prim, const Arg& x) {
  const Tensor t = need(x, prim);
  return is_integer(t.dtype()) ? t : apply(prim, {&t}, {}, x.loc);
}

}  // namespace

Tensor floor(const Arg& x) { return rounded(floor_p, x); }
Tensor ceil(const Arg& x) { return rounded(ceil_p, x); }
Tensor round(const Arg& x) { return rounded(round_p, x); }
Tensor trunc(const Arg& x) { return rounded(trunc_p, x); }
Tensor floor_divide(const Arg& x, const Arg& y) { return apply_elementwise(floor_divide_p, {&x, &y}, x.loc); }
Tensor fmod(const Arg& x, const Arg& y) { return apply_elementwise(fmod_p, {&x, &y}, x.loc); }
Tensor remainder(const Arg& x, const Arg& y) { return apply_elementwise(remainder_p, {&x, &y}, x.loc); }

}  // namespace adjoint
