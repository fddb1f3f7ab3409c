// combined.cpp: products and sums of three operands: fma, lerp, addcmul, addcdiv, squared_difference.
// Not products of matrices: those are dot.cpp.
#include "ops/common.hpp"

namespace adjoint {
namespace {

const Primitive& fma_p = define({
    .name = "fma",
    .traits = {.elementwise = true},
    .infer = infer_same_float,
    .vjp = [](const Vjp& r) -> Tensors {
      return {r.wants(0) ? r.ct * r.in(1) : Tensor(), r.wants(1) ? r.ct * r.in(0) : Tensor(), r.ct};
    },
    .jvp = [](const Jvp& r) {
      Tensor sum = r.dot[2];
      if (r.dot[1]) sum = sum ? fma(r.in(0), r.dot[1], sum) : r.in(0) * r.dot[1];
      if (r.dot[0]) sum = sum ? fma(r.dot[0], r.in(1), sum) : r.dot[0] * r.in(1);
      return sum;
    },
    .family = "D3",
});

const Primitive& lerp_p = define(inlined("lerp", "D3"));
const Primitive& addcmul_p = define(inlined("addcmul", "D3"));
const Primitive& addcdiv_p = define(inlined("addcdiv", "D3"));
const Primitive& squared_difference_p = define(inlined("squared_difference", "D3"));

}  // namespace

Tensor fma(const Arg& x, const Arg& y, const Arg& z) { return apply_elementwise_float(fma_p, {&x, &y, &z}, x.loc); }

Tensor lerp(const Arg& start, const Arg& end, const Arg& weight) {
  OpScope scope("lerp", start.loc);
  const Tensors t = promote_to_float(lerp_p, {&start, &end, &weight}, start.loc);
  const Tensor &a = t[0], &b = t[1], &w = t[2], d = b - a;
  return where(lt(w, 0.5), a + w * d, b - (1.0 - w) * d);  // exact at both ends
}
Tensor addcmul(const Arg& x, const Arg& a, const Arg& b, double value) {
  OpScope scope("addcmul", x.loc);
  const Tensors t = promote_to_float(addcmul_p, {&x, &a, &b}, x.loc);
  return t[0] + t[1] * t[2] * value;
}
Tensor addcdiv(const Arg& x, const Arg& a, const Arg& b, double value) {
  OpScope scope("addcdiv", x.loc);
  const Tensors t = promote_to_float(addcdiv_p, {&x, &a, &b}, x.loc);
  return t[0] + t[1] / t[2] * value;
}
Tensor squared_difference(const Arg& x, const Arg& y) {
  OpScope scope("squared_difference", x.loc);
  const Tensors t = promote_and_broadcast(squared_difference_p, {&x, &y}, x.loc);
  return square(t[0] - t[1]);
}

}  // namespace adjoint
