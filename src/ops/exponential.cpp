// exponential.cpp: exp and log and their relatives, of one and of two operands. Not the activations built from them.
#include "ops/common.hpp"

#include <numbers>

namespace adjoint {
namespace {

constexpr double kLn2 = std::numbers::ln2, kLn10 = std::numbers::ln10;

Tensor exp_slope(const Tensor&, const Tensor& y) { return y; }
Tensor exp2_slope(const Tensor&, const Tensor& y) { return y * kLn2; }
// Not y + 1, which cancels where y is near -1.
Tensor expm1_slope(const Tensor& x, const Tensor&) { return exp(x); }
Tensor log_divisor(const Tensor& x, const Tensor&) { return x; }
Tensor log2_divisor(const Tensor& x, const Tensor&) { return x * kLn2; }
Tensor log10_divisor(const Tensor& x, const Tensor&) { return x * kLn10; }
Tensor log1p_divisor(const Tensor& x, const Tensor&) { return x + 1.0; }

const Primitive& exp_p = define(unary<exp_slope>("exp"));
const Primitive& exp2_p = define(unary<exp2_slope>("exp2"));
const Primitive& expm1_p = define(unary<expm1_slope>("expm1"));
const Primitive& log_p = define(unary_over<log_divisor>("log"));
const Primitive& log2_p = define(unary_over<log2_divisor>("log2"));
const Primitive& log10_p = define(unary_over<log10_divisor>("log10"));
const Primitive& log1p_p = define(unary_over<log1p_divisor>("log1p"));

/// The share of x in log(e^x + e^y). Two equal infinities have halves; their difference would be NaN.
Tensor share_of(const Tensor& x, const Tensor& y) {
  return sigmoid(where(logical_and(isinf(x), eq(x, y)), 0.0, x - y));
}

const Primitive& logaddexp_p = define({
    .name = "logaddexp",
    .traits = {.elementwise = true},
    .infer = infer_same_float,
    .vjp = [](const Vjp& r) -> Tensors {
      return {r.wants(0) ? r.ct * share_of(r.in(0), r.in(1)) : Tensor(), r.wants(1) ? r.ct * share_of(r.in(1), r.in(0)) : Tensor()};
    },
    .jvp = [](const Jvp& r) {
      const auto part = [&](std::size_t i) { return r.dot[i] * share_of(r.in(i), r.in(1 - i)); };
      return !r.dot[0] ? part(1) : !r.dot[1] ? part(0) : part(0) + part(1);
    },
    .family = "D3",
});

const Primitive& logaddexp2_p = define(inlined("logaddexp2", "D3"));
const Primitive& xlogy_p = define(inlined("xlogy", "D3"));
const Primitive& xlog1py_p = define(inlined("xlog1py", "D3"));

/// x * log(y), and 0 where x is 0 and the logarithm is infinite or undefined: y there is replaced by `one`, whose
/// logarithm is 0, so that nothing infinite enters the gradients.
Tensor times_log(const Primitive& prim, const Arg& xa, const Arg& ya, double lowest, double one, Tensor (*log_of)(const Arg&)) {
  const Tensors t = promote_to_float(prim, {&xa, &ya}, xa.loc);
  const Tensor &x = t[0], &y = t[1];
  const Tensor is_zero = logical_and(eq(x, 0.0), logical_or(le(y, lowest), isinf(y)));
  return x * log_of(where(is_zero, one, y));
}

}  // namespace

Tensor exp(const Arg& x) { return apply_unary_float(exp_p, x); }
Tensor exp2(const Arg& x) { return apply_unary_float(exp2_p, x); }
Tensor expm1(const Arg& x) { return apply_unary_float(expm1_p, x); }
Tensor log(const Arg& x) { return apply_unary_float(log_p, x); }
Tensor log2(const Arg& x) { return apply_unary_float(log2_p, x); }
Tensor log10(const Arg& x) { return apply_unary_float(log10_p, x); }
Tensor log1p(const Arg& x) { return apply_unary_float(log1p_p, x); }

Tensor logaddexp(const Arg& x, const Arg& y) { return apply_elementwise_float(logaddexp_p, {&x, &y}, x.loc); }
Tensor logaddexp2(const Arg& x, const Arg& y) {
  OpScope scope("logaddexp2", x.loc);
  const Tensors t = promote_to_float(logaddexp2_p, {&x, &y}, x.loc);
  return logaddexp(t[0] * kLn2, t[1] * kLn2) / kLn2;
}
Tensor xlogy(const Arg& x, const Arg& y) {
  OpScope scope("xlogy", x.loc);
  return times_log(xlogy_p, x, y, 0, 1, log);
}
Tensor xlog1py(const Arg& x, const Arg& y) {
  OpScope scope("xlog1py", x.loc);
  return times_log(xlog1py_p, x, y, -1, 0, log1p);
}

}  // namespace adjoint
