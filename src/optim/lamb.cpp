// lamb.cpp: the rule of LAMB. Not its trees.
#include "adjoint/optim/lamb.hpp"

#include "adjoint/ops.hpp"

namespace adjoint::optim {

void LAMB::apply(detail::Update& u, Loc loc) const {
  const OpScope scope("LAMB", loc);
  const Tensor t = cast(u.step, DType::f64);
  const Tensor first = 1.0 / (1.0 - pow(beta1, t)), second = 1.0 / (1.0 - pow(beta2, t));
  for (auto& [param, grad, slot] : u.leaves) {
    const DType d = param.dtype();
    slot[0] = beta1 * slot[0] + (1 - beta1) * grad;
    slot[1] = beta2 * slot[1] + (1 - beta2) * adjoint::square(grad);
    Tensor r = cast(first, d) * slot[0] / (sqrt(cast(second, d) * slot[1]) + eps);
    if (weight_decay != 0) r = r + weight_decay * param;
    const Tensor of_param = sqrt(sum(adjoint::square(param))), of_step = sqrt(sum(adjoint::square(r)));
    const Tensor both = logical_and(gt(of_param, 0.0), gt(of_step, 0.0));
    const Tensor ratio = where(both, of_param / where(both, of_step, 1.0), 1.0);
    param = param - learning_rate * ratio * r;
  }
  u.commit();
}

}  // namespace adjoint::optim
