// context.cpp: collecting new running statistics and putting them into the model. Not their formulas: nn/norm.
#include "adjoint/nn/context.hpp"

namespace adjoint::nn {

void Context::update(const Buffer<Tensor>& buffer, Tensor now) {
  for (auto& [before, newest] : updates_)
    if (before.node() == buffer.value.node()) {
      newest = std::move(now);
      return;
    }
  updates_.emplace_back(buffer.value, std::move(now));
}

Tensor Context::current(const Buffer<Tensor>& buffer) const {
  for (const auto& [before, newest] : updates_)
    if (before.node() == buffer.value.node()) return newest;
  return buffer.value;
}

void Context::put(tree::Fields& f) {
  for (const auto& [before, newest] : updates_) {
    Tensor marked;
    for (auto& field : f.at)
      if (field.tensor->node() == before.node()) {
        if (!marked) marked = adjoint::detail::updated(newest, before);
        *field.tensor = marked;
      }
  }
  updates_.clear();
}

}  // namespace adjoint::nn
