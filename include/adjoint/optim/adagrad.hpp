// adagrad.hpp: gradients divided by the root of the sum of all their squares.
// Not an owner of parameters: the caller rebinds its model.
#pragma once

#include "adjoint/optim/update.hpp"

namespace adjoint::optim {

/// v = v + g^2, p = p - learning_rate / (1 + (t - 1) rate_decay) g / (sqrt(v) + eps), with g = gradient + weight_decay p and t the
/// step from 1. Source: Duchi, Hazan and Singer 2011.
struct Adagrad {
  Number learning_rate = 0.01, eps = 1e-10, weight_decay = 0, rate_decay = 0;

  /// What an Adagrad keeps between steps; saved and loaded like a model.
  template <class M> struct State {
    M square;
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
    detail::Update u("Adagrad", loc, tree::fields(next.first), tree::fields(grads), {tree::fields(s.square)}, s.step);
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
