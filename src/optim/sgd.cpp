// sgd.cpp: the rule of SGD. Not its trees.
#include "adjoint/optim/sgd.hpp"

#include "adjoint/ops.hpp"

namespace adjoint::optim {

void SGD::apply(detail::Update& u, Loc loc) const {
  const OpScope scope("SGD", loc);
  for (auto& [param, grad, slot] : u.leaves) {
    Tensor g = weight_decay == 0 ? grad : grad + weight_decay * param;
    if (momentum != 0) {
      if (!slot[0])
        throw Error({.op = "SGD", .message = "the state has no velocity, but momentum is " + std::to_string(momentum), .where = loc,
                     .hint = "set momentum before init, or make the state anew"});
      slot[0] = momentum * slot[0] + g;
      g = nesterov ? g + momentum * slot[0] : slot[0];
    }
    param = param - learning_rate * g;
  }
  u.commit();
}

}  // namespace adjoint::optim
