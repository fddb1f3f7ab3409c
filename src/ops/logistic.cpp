// logistic.cpp: sigmoid, its inverse and its integrals: logit, softplus, log_sigmoid; silu. Not softmax.
#include "ops/common.hpp"

namespace adjoint {
namespace {

Tensor sigmoid_slope(const Tensor&, const Tensor& y) { return y * (1.0 - y); }  // the input need not be kept
Tensor logit_divisor(const Tensor& x, const Tensor&) { return x * (1.0 - x); }
Tensor softplus_slope(const Tensor& x, const Tensor&) { return sigmoid(x); }
Tensor log_sigmoid_slope(const Tensor& x, const Tensor&) { return sigmoid(-x); }
Tensor silu_slope(const Tensor& x, const Tensor&) {
  const Tensor s = sigmoid(x);
  return s * (x * (1.0 - s) + 1.0);
}

const Primitive& sigmoid_p = define(unary<sigmoid_slope>("sigmoid"));
const Primitive& logit_p = define(unary_over<logit_divisor>("logit"));
const Primitive& softplus_p = define(unary<softplus_slope>("softplus", "D2"));
const Primitive& log_sigmoid_p = define(unary<log_sigmoid_slope>("log_sigmoid", "D2"));
const Primitive& silu_p = define(unary<silu_slope>("silu", "D2"));

}  // namespace

Tensor sigmoid(const Arg& x) { return apply_unary_float(sigmoid_p, x); }
Tensor logit(const Arg& x) { return apply_unary_float(logit_p, x); }
Tensor log_sigmoid(const Arg& x) { return apply_unary_float(log_sigmoid_p, x); }
Tensor silu(const Arg& x) { return apply_unary_float(silu_p, x); }

Tensor softplus(const Arg& x, double beta) {
  check_setting(beta > 0 && beta < 1e300, softplus_p, x.loc, "beta is " + std::to_string(beta), "beta is positive and finite; 1 is usual");
  if (beta == 1) return apply_unary_float(softplus_p, x);
  OpScope scope("softplus", x.loc);
  return apply_unary_float(softplus_p, need_float(x, softplus_p) * beta) / beta;
}

}  // namespace adjoint
