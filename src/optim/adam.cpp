// adam.cpp: the rule of Adam and AdamW. Not its trees.
#include "adjoint/optim/adam.hpp"

#include <map>

#include "adjoint/ops.hpp"

namespace adjoint::optim {

void Adam::apply(detail::Update& u, Loc loc) const {
  const OpScope scope("Adam", loc);
  // The corrections depend on the step alone: scalars, once a type, in f64.
  const Tensor t = cast(u.step, DType::f64);
  const Tensor c1 = 1.0 - pow(beta1, t), c2 = 1.0 - pow(beta2, t);
  const Tensor rate64 = -learning_rate / c1, root64 = rsqrt(c2);
  std::map<DType, std::pair<Tensor, Tensor>> scaled;
  for (auto& [param, grad, slot] : u.leaves) {
    auto& [minus_rate, root] = scaled[param.dtype()];
    if (!minus_rate) minus_rate = cast(rate64, param.dtype()), root = cast(root64, param.dtype());
    const Tensor g = weight_decay != 0 && !decoupled ? grad + weight_decay * param : grad;
    slot[0] = fma(1 - beta1, g, beta1 * slot[0]);  // fma: one operation, one rounding fewer
    slot[1] = fma(1 - beta2, g * g, beta2 * slot[1]);
    if (amsgrad) slot[2] = maximum(slot[2], slot[1]);
    const Tensor denominator = fma(sqrt(amsgrad ? slot[2] : slot[1]), root, eps);
    const Tensor p = weight_decay != 0 && decoupled ? param * (1 - learning_rate * weight_decay) : param;
    param = fma(minus_rate, slot[0] / denominator, p);
  }
  u.commit();
}

}  // namespace adjoint::optim
