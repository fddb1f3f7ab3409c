// update.cpp: gathering leaves and putting results back. Not the mathematics of any optimizer.
#include "adjoint/optim/update.hpp"

#include "adjoint/ops.hpp"

namespace adjoint::optim::detail {

Update::Update(const char* op, Loc loc, tree::Fields params, tree::Fields grads, std::vector<tree::Fields> slots, Tensor& step_ref)
    : params_(std::move(params)), slots_(std::move(slots)), step_(step_ref) {
  tree::same_structure(params_, grads, op, loc);
  for (const auto& s : slots_) tree::same_structure(params_, s, op, loc);
  if (!step_)
    throw Error({.op = op, .message = "the state was never made", .where = loc, .hint = "start with: auto state = optimizer.init(model)"});
  step = step_ + 1.0;
  for (std::size_t l = 0; l < params_.first.size(); ++l) {
    const auto i = params_.first[l];
    const Tensor& g = *grads.at[i].tensor;
    if (!g || !params_.trained(l)) continue;
    const Tensor& p = *params_.at[i].tensor;
    if (!(g.type() == p.type()))
      throw Error({.op = op, .message = "the gradient of " + adjoint::detail::name_of(p) + " is " + to_string(g.type()) + ", the parameter " +
                                        to_string(p.type()),
                   .where = loc, .hint = "pass the parameters and their gradients in this order"});
    Leaf leaf{p, g, {}};
    for (std::size_t k = 0; k < slots_.size(); ++k) leaf.slot[k] = *slots_[k].at[i].tensor;
    leaves.push_back(std::move(leaf));
    index_.push_back(static_cast<std::int32_t>(l));
  }
}

void Update::commit() {
  std::vector<std::int32_t> number(params_.first.size(), -1);  // of a leaf of the tree, in `leaves`
  const auto mark = [&](const tree::Fields& f, std::int32_t leaf, Tensor& now) {
    const Tensor& old = *f.at[params_.first[static_cast<std::size_t>(leaf)]].tensor;
    if (now && now.node() == old.node()) now = Tensor();  // as it was
    if (now && old) now = adjoint::detail::updated(std::move(now), old);
  };
  for (std::size_t n = 0; n < leaves.size(); ++n) {
    number[static_cast<std::size_t>(index_[n])] = static_cast<std::int32_t>(n);
    mark(params_, index_[n], leaves[n].param);
    for (std::size_t k = 0; k < slots_.size(); ++k) mark(slots_[k], index_[n], leaves[n].slot[k]);
  }
  const auto put = [&](tree::Fields& f, auto value_of) {
    for (std::size_t i = 0; i < f.at.size(); ++i) {
      const auto n = params_.leaf[i] < 0 ? -1 : number[static_cast<std::size_t>(params_.leaf[i])];
      if (n < 0) continue;
      if (const Tensor& now = value_of(leaves[static_cast<std::size_t>(n)])) *f.at[i].tensor = now;
    }
  };
  put(params_, [](const Leaf& l) -> const Tensor& { return l.param; });
  for (std::size_t k = 0; k < slots_.size(); ++k) put(slots_[k], [k](const Leaf& l) -> const Tensor& { return l.slot[k]; });
  step_ = adjoint::detail::updated(std::move(step), step_);
}

void donate(const tree::Fields& old, const tree::Fields& now, Loc loc) {
  for (std::size_t i = 0; i < old.at.size(); ++i)
    if (const Tensor& t = *old.at[i].tensor; t && t.node() != now.at[i].tensor->node()) adjoint::detail::donate(t, loc);
}

void start(tree::Fields params, bool zeros_wanted) {
  for (std::size_t i = 0; i < params.at.size(); ++i) {
    if (params.leaf[i] < 0) continue;
    const auto l = static_cast<std::size_t>(params.leaf[i]);
    Tensor& at = *params.at[i].tensor;
    if (params.first[l] != i) {  // a second path to a leaf
      at = *params.at[params.first[l]].tensor;
      continue;
    }
    Tensor start;
    if (zeros_wanted && params.trained(l)) {
      start = zeros_like(at).detach();
      adjoint::detail::set_name(start, adjoint::detail::name_of(at));
    }
    at = std::move(start);
  }
}

Tensor first_step() { return scalar_i64(0).detach(); }

}  // namespace adjoint::optim::detail
