// lion.hpp: the sign of a mixed momentum.
// Not an owner of parameters: the caller rebinds its model.
#pragma once

#include "adjoint/optim/update.hpp"

namespace adjoint::optim {

/// p = p (1 - learning_rate weight_decay) - learning_rate sign(beta1 m + (1 - beta1) g), then m = beta2 m + (1 - beta2) g.
/// Source: Chen et al. 2023.
struct Lion {
  Number learning_rate = 1e-4, beta1 = 0.9, beta2 = 0.99, weight_decay = 0;

  /// What a Lion keeps between steps; saved and loaded like a model.
  template <class M> struct State {
    M mean;
    Tensor step;  ///< i64: steps taken
  };
  /// The state before the first step.
  template <class M> State<M> init(const M& params) const {
    return {detail::zeros(params), detail::first_step()};
  }
  /// New parameters and state; the old ones' buffers are reused by the evaluation that computes them.
  template <class M>
  std::pair<M, State<M>> update(const M& params, const M& grads, const State<M>& state, Loc loc = Loc::current()) const {
    std::pair<M, State<M>> next{params, state};
    auto& s = next.second;
    detail::Update u("Lion", loc, tree::fields(next.first), tree::fields(grads), {tree::fields(s.mean)}, s.step);
    apply(u, loc);
    return next;
  }
  /// The same for trees that are given up: see detail::donating.
  template <class M> std::pair<M, State<M>> update(M&& params, const M& grads, State<M>&& state, Loc loc = Loc::current()) const {
    return detail::donating(*this, std::as_const(params), grads, std::as_const(state), loc);
  }
  /// The rule itself, for one step's leaves.
  void apply(detail::Update& u, Loc loc) const;
};

}  // namespace adjoint::optim
