// rmsprop.hpp: gradients divided by a running root mean square.
// Not an owner of parameters: the caller rebinds its model.
#pragma once

#include "adjoint/optim/update.hpp"

namespace adjoint::optim {

/// v = decay v + (1 - decay) g^2, p = p - learning_rate g / (sqrt(v) + eps), with g = gradient + weight_decay p. `centred`
/// divides by sqrt(v - m^2) + eps, m the running mean of g. With momentum, u = momentum u + g / (..) is the direction.
/// Source: Hinton, lecture 6e of 2012; Graves 2013 for the centred form.
struct RMSprop {
  Number learning_rate = 0.01, decay = 0.99, eps = 1e-8, weight_decay = 0, momentum = 0;
  bool centred = false;

  /// What an RMSprop keeps between steps; saved and loaded like a model.
  template <class M> struct State {
    M square, velocity, mean;
    Tensor step;  ///< i64: steps taken
  };
  /// The state before the first step.
  template <class M> State<M> init(const M& params) const {
    return {detail::zeros(params), detail::zeros(params, momentum != 0), detail::zeros(params, centred), detail::first_step()};
  }
  /// New parameters and state; the old ones' buffers are reused by the evaluation that computes them.
  template <class M>
  std::pair<M, State<M>> update(const M& params, const M& grads, const State<M>& state, Loc loc = Loc::current()) const {
    std::pair<M, State<M>> next{params, state};
    auto& s = next.second;
    detail::Update u("RMSprop", loc, tree::fields(next.first), tree::fields(grads),
                     {tree::fields(s.square), tree::fields(s.velocity), tree::fields(s.mean)}, s.step);
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
