// sgd.hpp: stochastic gradient descent with momentum. A pure function of parameters, gradients and state.
// Not an owner of parameters: the caller rebinds its model.
#pragma once

#include "adjoint/optim/update.hpp"

/// Optimizers, schedules and clipping as pure functions of trees.
namespace adjoint::optim {

/// v = momentum v + g + weight_decay p, p = p - learning_rate v; with nesterov p = p - learning_rate (g' + momentum v),
/// where g' = g + weight_decay p. All numbers are inputs of the step's plan: changing them between steps costs nothing.
struct SGD {
  Number learning_rate = 0.01, momentum = 0, weight_decay = 0;
  bool nesterov = false;

  /// What an SGD keeps between steps; saved and loaded like a model.
  template <class M> struct State {
    M velocity;   ///< empty Tensors when momentum is 0
    Tensor step;  ///< i64: steps taken
  };
  /// The state before the first step.
  template <class M> State<M> init(const M& params) const {
    return {detail::zeros(params, momentum != 0), detail::first_step()};
  }
  /// New parameters and state; the old ones' buffers are reused by the evaluation that computes them.
  template <class M>
  std::pair<M, State<M>> update(const M& params, const M& grads, const State<M>& state, Loc loc = Loc::current()) const {
    std::pair<M, State<M>> next{params, state};
    detail::Update u("SGD", loc, tree::fields(next.first), tree::fields(grads), {tree::fields(next.second.velocity)}, next.second.step);
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
