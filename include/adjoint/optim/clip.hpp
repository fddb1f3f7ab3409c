// clip.hpp: gradients between grad and update: clipping, accumulation, and averages of parameters. Pure functions of trees.
// Not optimizers.
#pragma once

#include <functional>

#include "adjoint/optim/update.hpp"

namespace adjoint::optim {

/// Results of clip_by_global_norm().
template <class M> struct Clipped {
  M grads;
  Tensor norm;  ///< before clipping, over all gradients, f32 at least
};
namespace detail {
Tensors clip_all(const Tensors& grads, double most, Tensor& norm, Loc loc);
Tensor clip_one(const Tensor& grad, double most);
Tensor clip_value_of(const Tensor& grad, double limit);
Tensor moved_towards(const Tensor& average, const Tensor& now, double decay);
void average_leaves(tree::Fields average, const tree::Fields& now, double decay, Loc loc);
Tensor scaled(const Tensor& x, double factor);
Tensor sum_of(const Tensor& x, const Tensor& y);
void need_positive(double value, const char* op, Loc loc);
template <class M, class F> M each(const M& tree, F&& f) {
  return tree::map([&](const Tensor& t) { return t && is_floating(t.dtype()) ? f(t) : t; }, tree);
}
}  // namespace detail

/// Every element into [-limit, limit].
template <class M> M clip_by_value(const M& grads, double limit, Loc loc = Loc::current()) {
  detail::need_positive(limit, "clip_by_value", loc);
  return detail::each(grads, [&](const Tensor& t) { return detail::clip_value_of(t, limit); });
}
/// Each gradient to a norm of at most `most`; its direction stays.
template <class M> M clip_by_norm(const M& grads, double most, Loc loc = Loc::current()) {
  detail::need_positive(most, "clip_by_norm", loc);
  return detail::each(grads, [&](const Tensor& t) { return detail::clip_one(t, most); });
}
/// All gradients together to a norm of at most `most`: where the norm is larger, everything is multiplied by most / norm.
/// A tied parameter counts once. Where the norm is not finite, so are the results.
template <class M> Clipped<M> clip_by_global_norm(const M& grads, double most, Loc loc = Loc::current()) {
  detail::need_positive(most, "clip_by_global_norm", loc);
  Clipped<M> out{grads, {}};
  out.grads = tree::unflatten(grads, detail::clip_all(tree::flatten(grads), most, out.norm, loc), loc);
  return out;
}

/// Sum of gradients over micro-batches: start with the first, add the others, and divide by their number:
/// `mean_of(add(add(g0, g1), g2), 3)`.
template <class M> M add(const M& a, const M& b, Loc loc = Loc::current()) {
  const OpScope scope("add", loc);
  return tree::map([](const Tensor& x, const Tensor& y) { return !x ? y : !y ? x : detail::sum_of(x, y); }, a, b);
}
/// Every gradient times a number.
template <class M> M scale(const M& a, double factor) {
  return detail::each(a, [&](const Tensor& t) { return detail::scaled(t, factor); });
}
/// total / count.  throws  Error unless count > 0
template <class M> M mean_of(const M& total, std::int64_t count, Loc loc = Loc::current()) {
  detail::need_positive(static_cast<double>(count), "mean_of", loc);
  return scale(total, 1 / static_cast<double>(count));
}

/// Exponential moving average of a model: average = decay average + (1 - decay) model, buffers and integers as in the model.
/// Start with `M average = start_average(model)`.
template <class M> M start_average(const M& model) {
  return tree::map([](const Tensor& t) { return t.detach(); }, model);
}
/// The next average.
template <class M> M update_average(const M& average, const M& model, double decay, Loc loc = Loc::current()) {
  M out = average;
  detail::average_leaves(tree::fields(out), tree::fields(model), decay, loc);
  return out;
}

/// One group of parameters with its own optimizer settings: the gradient tree with only those leaves whose path `chosen`
/// accepts; the others are empty, and an optimizer passes them by. Update the same model once a group:
/// `a.update(model, only(g, [](auto& path) { return path.ends_with("weight"); }), state_a)`.
template <class M> M only(const M& grads, const std::function<bool(const std::string& path)>& chosen) {
  M out = grads;
  tree::for_each([&](const std::string& path, Tensor& t) {
    if (!chosen(path)) t = Tensor();
  }, out);
  return out;
}

}  // namespace adjoint::optim
