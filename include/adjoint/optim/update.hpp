// update.hpp: what all optimizers share: the leaves of a step and how results go back into the trees. Not an optimizer.
#pragma once

#include <initializer_list>
#include <utility>
#include <vector>

#include "adjoint/number.hpp"
#include "adjoint/tree.hpp"

namespace adjoint::detail {
void donate(const Tensor& old, Loc loc);  // as its namesake of the graph
}

namespace adjoint::optim::detail {

/// One parameter of a step: its value, its gradient and its state. A rule assigns `param` and `slot`s.
struct Leaf {
  Tensor param, grad;
  Tensor slot[3];
};

/// The trained leaves of a step, each identity once. Leaves without a gradient (frozen, buffers) are passed by.
/// commit() marks every result as an update, which runs with the next evaluation and takes over the old buffers, and puts
/// it back into the trees, at every path of a tied parameter.
class Update {
 public:
  /// Throws Error when the trees differ or a gradient is not of its parameter's type.
  Update(const char* op, Loc loc, tree::Fields params, tree::Fields grads, std::vector<tree::Fields> slots, Tensor& step);
  std::vector<Leaf> leaves;
  Tensor step;  ///< number of this step as i64, from 1
  void commit();

 private:
  tree::Fields params_;
  std::vector<tree::Fields> slots_;
  std::vector<std::int32_t> index_;  // leaf number of leaves[i]
  Tensor& step_;
};

/// Gives up every leaf of `old` that is another one in `now`.
void donate(const tree::Fields& old, const tree::Fields& now, Loc loc);
/// update() for trees passed as rvalues, `update(std::move(model), grads, std::move(state))`: the old leaves are donated. Their
/// buffers are overwritten even where handles of them are left, and a donated handle that is used again throws an Error that
/// names this line. Leaves that the update leaves as they are (frozen ones, buffers) are not donated.
template <class O, class M, class S> std::pair<M, S> donating(const O& optimizer, const M& params, const M& grads, const S& state, Loc loc) {
  std::pair<M, S> next = optimizer.update(params, grads, state, loc);
  donate(tree::fields(params), tree::fields(next.first), loc);
  donate(tree::fields(state), tree::fields(next.second), loc);
  return next;
}

/// The tensors of a state before the first step: zeros where `params` has trained leaves, else empty.
void start(tree::Fields params, bool zeros);
template <class M> M zeros(const M& params, bool wanted = true) {
  tree::name_leaves(params);
  M out = params;
  start(tree::fields(out), wanted);
  return out;
}
/// 0 as i64, computed.
Tensor first_step();

}  // namespace adjoint::optim::detail
