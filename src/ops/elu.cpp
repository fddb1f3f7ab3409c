// elu.cpp: activations with an exponential branch: elu, selu, celu, mish. Not the logistic ones: those are logistic.cpp.
#include "ops/common.hpp"

namespace adjoint {
namespace {

const Primitive& elu_p = define(inlined("elu", "D2"));
const Primitive& selu_p = define(inlined("selu", "D2"));
const Primitive& celu_p = define(inlined("celu", "D2"));
const Primitive& mish_p = define(inlined("mish", "D2"));

/// x where x > 0, else alpha (e^(x / width) - 1). The exponential sees only the x it is for, so that no overflow of the
/// branch not taken reaches the gradient.
Tensor bend(const Tensor& x, double alpha, double width) {
  const Tensor positive = gt(x, 0.0), below = where(positive, 0.0, x);
  const Tensor curve = expm1(width == 1 ? below : below / width);
  return where(positive, x, alpha == 1 ? curve : curve * alpha);
}

}  // namespace

Tensor elu(const Arg& x, double alpha) {
  OpScope scope("elu", x.loc);
  return bend(need_float(x, elu_p), alpha, 1);
}
Tensor selu(const Arg& x) {
  // The fixed point of mean 0 and variance 1 (Klambauer et al., 2017).
  constexpr double alpha = 1.6732632423543772848, scale = 1.0507009873554804934;
  OpScope scope("selu", x.loc);
  return bend(need_float(x, selu_p), alpha, 1) * scale;
}
Tensor celu(const Arg& x, double alpha) {
  OpScope scope("celu", x.loc);
  check_setting(alpha > 0 && alpha < 1e300, celu_p, x.loc, "alpha is " + std::to_string(alpha), "alpha is positive and finite; 1 is usual");
  return bend(need_float(x, celu_p), alpha, alpha);
}
Tensor mish(const Arg& x) {
  OpScope scope("mish", x.loc);
  const Tensor t = need_float(x, mish_p);
  return t * tanh(softplus(t));
}

}  // namespace adjoint
