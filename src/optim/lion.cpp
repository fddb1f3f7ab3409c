// lion.cpp: the rule of Lion. Not its trees.
#include "adjoint/optim/lion.hpp"

#include "adjoint/ops.hpp"

namespace adjoint::optim {

void Lion::apply(detail::Update& u, Loc loc) const {
  const OpScope scope("Lion", loc);
  for (auto& [param, grad, slot] : u.leaves) {
    const Tensor direction = sign(beta1 * slot[0] + (1 - beta1) * grad);
    slot[0] = beta2 * slot[0] + (1 - beta2) * grad;
    param = (weight_decay == 0 ? param : param * (1 - learning_rate * weight_decay)) - learning_rate * direction;
  }
  u.commit();
}

}  // namespace adjoint::optim
