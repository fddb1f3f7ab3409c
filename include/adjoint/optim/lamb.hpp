// lamb.hpp: Adam's direction, scaled a parameter to the parameter's own norm.
// Not an owner of parameters: the caller rebinds its model.
#pragma once

#include "adjoint/optim/update.hpp"

namespace adjoint::optim {

/// r = m' / (sqrt(v') + eps) + weight_decay p with Adam's corrected means m' and v', and
/// p = p - learning_rate |p| / |r| r, where the ratio is 1 if |p| or |r| is 0. Source: You et al. 2019.
struct LAMB {
  Number learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-6, weight_decay = 0.01;

  /// What a LAMB keeps between steps; saved and loaded like a model.
  template <class M> struct State {
    M mean, square;
    Tensor step;  ///< i64: steps taken
  };
  /// The state before the first step.
  template <class M> State<M> init(const M& params) const {
    return {detail::zeros(params), detail::zeros(params), detail::first_step()};
  }
  /// New parameters and state; the old ones' buffers are reused by the evaluation that computes them.
  template <class M>
  std::pair<M, State<M>> update(const M& params, const M& grads, const State<M>& state, Loc loc = Loc::current()) const {
    std::pair<M, State<M>> next{params, state};
    auto& s = next.second;
    detail::Update u("LAMB", loc, tree::fields(next.first), tree::fields(grads), {tree::fields(s.mean), tree::fields(s.square)}, s.step);
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
