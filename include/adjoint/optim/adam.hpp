// adam.hpp: Adam and AdamW. Pure functions of parameters, gradients and state. Not an owner of parameters.
#pragma once

#include "adjoint/optim/update.hpp"

namespace adjoint::optim {

/// m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2,
/// p = p - learning_rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps), with g = gradient + weight_decay p, or, when
/// `decoupled` (AdamW), p first shrinks by learning_rate weight_decay p. With `amsgrad` the denominator uses the largest v
/// so far. All numbers are inputs of the step's plan. Source: Kingma and Ba 2014; Loshchilov and Hutter 2017.
struct Adam {
  Number learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0;
  bool decoupled = false, amsgrad = false;

  /// What an Adam keeps between steps; saved and loaded like a model.
  template <class M> struct State {
    M mean, square, largest;  ///< `largest` only with amsgrad
    Tensor step;              ///< i64: steps taken
  };
  /// The state before the first step.
  template <class M> State<M> init(const M& params) const {
    return {detail::zeros(params), detail::zeros(params), detail::zeros(params, amsgrad), detail::first_step()};
  }
  /// New parameters and state; the old ones' buffers are reused by the evaluation that computes them.
  template <class M>
  std::pair<M, State<M>> update(const M& params, const M& grads, const State<M>& state, Loc loc = Loc::current()) const {
    std::pair<M, State<M>> next{params, state};
    auto& s = next.second;
    detail::Update u("Adam", loc, tree::fields(next.first), tree::fields(grads),
                     {tree::fields(s.mean), tree::fields(s.square), tree::fields(s.largest)}, s.step);
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

/// Adam with decoupled weight decay.
inline Adam adamw(double learning_rate = 1e-3, double weight_decay = 0.01) {
  return {.learning_rate = learning_rate, .weight_decay = weight_decay, .decoupled = true};
}

}  // namespace adjoint::optim
