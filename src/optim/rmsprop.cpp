// rmsprop.cpp: the rule of RMSprop. Not its trees.
#include "adjoint/optim/rmsprop.hpp"

#include "adjoint/ops.hpp"

namespace adjoint::optim {

void RMSprop::apply(detail::Update& u, Loc loc) const {
  const OpScope scope("RMSprop", loc);
  for (auto& [param, grad, slot] : u.leaves) {
    const Tensor g = weight_decay == 0 ? grad : grad + weight_decay * param;
    slot[0] = decay * slot[0] + (1 - decay) * square(g);
    Tensor v = slot[0];
    if (centred) {
      slot[2] = decay * slot[2] + (1 - decay) * g;
      v = maximum(v - square(slot[2]), 0.0);  // rounding may leave less than nothing
    }
    Tensor direction = g / (sqrt(v) + eps);
    if (momentum != 0) direction = slot[1] = momentum * slot[1] + direction;
    param = param - learning_rate * direction;
  }
  u.commit();
}

}  // namespace adjoint::optim
