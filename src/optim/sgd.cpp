// sgd.cpp: the rule of SGD. Not its trees.
#include "adjoint/optim/sgd.hpp"

#include "adjoint/ops.hpp"

namespace adjoint::optim {

void SGD::apply(detail::Update& u, Loc loc) const {
  const OpScope scope("SGD", loc);
  for (auto& [param, grad, slot] : u.leaves) {
    Tensor g = weight_decay == 0 ? grad : fma(weight_decay, param, grad);
    if (momentum != 0) {
      if (!slot[0])
        throw Error({.op = "SGD", .message = "the state has no velocity, but momentum is " + std::to_string(static_cast<double>(momentum)), .where = loc,
                     .hint = "set momentum before init, or make the state anew"});
      slot[0] = fma(momentum, slot[0], g);
      g = nesterov ? fma(momentum, slot[0], g) : slot[0];
    }
    param = fma(-learning_rate, g, param);
  }
  u.commit();
}

}  // namespace adjoint::optim
