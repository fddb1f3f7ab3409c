// clip.cpp: the arithmetic of clipping and averaging. Not the walks over trees.
#include "adjoint/optim/clip.hpp"

#include "adjoint/ops.hpp"

namespace adjoint::optim::detail {

void need_positive(double value, const char* op, Loc loc) {
  if (!(value > 0)) throw Error({.op = op, .message = "the bound is " + std::to_string(value), .where = loc, .hint = "it must be > 0"});
}

Tensor clip_value_of(const Tensor& grad, double limit) { return clamp(grad, -limit, limit); }

/// most / norm where the norm is larger, else exactly 1. A norm that is not finite spreads.
static Tensor factor(const Tensor& norm, double most) { return where(le(norm, most), 1.0, most / norm); }

Tensor clip_one(const Tensor& grad, double most) { return grad * cast(factor(norm_2(grad), most), grad.dtype()); }

Tensors clip_all(const Tensors& grads, double most, Tensor& norm, Loc loc) {
  const OpScope scope("clip_by_global_norm", loc);
  norm = global_norm(grads, loc);
  const Tensor f = factor(norm, most);
  Tensors out;
  for (const auto& g : grads) out.push_back(g * cast(f, g.dtype()));
  return out;
}

Tensor scaled(const Tensor& x, double by) { return x * by; }
Tensor sum_of(const Tensor& x, const Tensor& y) { return x + y; }
Tensor moved_towards(const Tensor& average, const Tensor& now, double decay) { return average + (1 - decay) * (now - average); }

void average_leaves(tree::Fields average, const tree::Fields& now, double decay, Loc loc) {
  tree::same_structure(average, now, "update_average", loc);
  if (!(decay >= 0 && decay <= 1))
    throw Error({.op = "update_average", .message = "a decay of " + std::to_string(decay), .where = loc, .hint = "it lies in [0, 1]"});
  const OpScope scope("update_average", loc);
  for (std::size_t l = 0; l < average.first.size(); ++l) {
    const auto first = average.first[l];
    const Tensor old = *average.at[first].tensor, &target = *now.at[first].tensor;
    if (!target) continue;
    Tensor next = target;
    if (average.at[first].trained && is_floating(old.dtype()))
      next = adjoint::detail::updated(moved_towards(old, stop_gradient(target), decay), old);
    for (std::size_t i = first; i < average.at.size(); ++i)
      if (average.leaf[i] == static_cast<std::int32_t>(l)) *average.at[i].tensor = next;
  }
}

}  // namespace adjoint::optim::detail
