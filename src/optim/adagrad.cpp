// adagrad.cpp: the rule of Adagrad. Not its trees.
#include "adjoint/optim/adagrad.hpp"

#include "adjoint/ops.hpp"

namespace adjoint::optim {

void Adagrad::apply(detail::Update& u, Loc loc) const {
  const OpScope scope("Adagrad", loc);
  Tensor rate;  // of this step, where it decays
  if (rate_decay != 0) rate = learning_rate / (1.0 + rate_decay * (cast(u.step, DType::f64) - 1.0));
  for (auto& [param, grad, slot] : u.leaves) {
    const Tensor g = weight_decay == 0 ? grad : grad + weight_decay * param;
    slot[0] = slot[0] + square(g);
    const Tensor direction = g / (sqrt(slot[0]) + eps);
    param = param - (rate ? cast(rate, param.dtype()) * direction : learning_rate * direction);
  }
  u.commit();
}

}  // namespace adjoint::optim
