// steps.hpp: the two forms of a workload's step: training a classifier, and value with gradient. Written as a user would, not
// tuned. Not a workload.
#pragma once

#include <memory>

#include "adjoint/compile.hpp"
#include "adjoint/optim.hpp"
#include "cli/models.hpp"
#include "cli/workloads.hpp"

namespace adjoint::cli {

/// Start values by rule: matrices by parameter(); vectors keep 0 (biases) or 1 (norm weights).
template <class M> M filled(M model) {
  std::uint64_t k = 0;
  tree::for_each([&](const std::string& path, Tensor& t) {
    if (path.find("running_") != path.npos) return;  // no parameter
    const Shape shape = t.shape();
    if (shape.rank() >= 2) t = parameter(k, shape);
    else t = adjoint::tensor(std::vector<float>(static_cast<std::size_t>(shape.numel()), path.ends_with("bias") ? 0.0f : 1.0f), shape);
    t.requires_grad();
    ++k;
  }, model);
  return model;
}

/// Every tensor of the tree that is there.
template <class T> void add_leaves(Tensors& all, const T& of) {
  for (const auto& leaf : tree::leaves(of))
    if (leaf.tensor) all.push_back(leaf.tensor);
}

template <class M, class Opt> struct Classifier {
  using State = typename Opt::template State<M>;
  static constexpr auto kStep = [](M& model, State& state, const Opt& opt, const Tensor& x, const Tensor& y) {
    nn::Context context{.training = true};
    const Tensor loss = cross_entropy(model(x, context), y);
    const M gradient = grad(loss, model);
    std::tie(model, state) = opt.update(model, gradient, state);
    context.apply(model);
    return loss;
  };
  M model;
  Opt opt;
  State state;
  bool compiled;
  decltype(compile(kStep)) run = compile(kStep);

  Tensor step(const Tensor& x, const Tensor& y) {
    if (compiled) return run(model, state, opt, x, y);
    const Tensor loss = kStep(model, state, opt, x, y);
    eval(loss);
    return loss;
  }
  Tensors values(const Tensor& x, const Tensor& y) const {
    M next = model;
    State after = state;
    Tensors all{kStep(next, after, opt, x, y)};
    add_leaves(all, next);
    add_leaves(all, after);
    return all;
  }
};
template <class M, class Opt> std::shared_ptr<Classifier<M, Opt>> classifier(M model, Opt opt, bool compiled) {
  auto state = opt.init(model);
  return std::shared_ptr<Classifier<M, Opt>>(new Classifier<M, Opt>{std::move(model), opt, std::move(state), compiled});
}

/// Steps of `trainer` on one batch.
Workload on_batch(auto trainer, Tensor x, Tensor y, Workload w) {
  w.step = [trainer, x, y] { return trainer->step(x, y); };
  w.values = [trainer, x, y] { return trainer->values(x, y); };
  return w;
}

/// loss_of(leaves) and its gradient with respect to each of them, as one plan. The last step's gradients are given up before.
template <class F> Workload value_and_gradient(Tensors leaves, F loss_of, bool compiled, Workload w) {
  const auto both = [loss_of](const Tensors& at) {
    const Tensor loss = loss_of(at);
    Tensors results = grad(loss, at);
    results.push_back(loss);
    return results;
  };
  w.values = [leaves, both] { return both(leaves); };
  w.step = [leaves, both, run = compile(both), compiled, results = Tensors()]() mutable {
    results.clear();
    if (compiled) results = run(leaves);
    else eval(results = both(leaves));
    return results.back();
  };
  return w;
}

inline Tensor labels(std::int64_t n) { return adjoint::tensor(stream_integers(stream::kLabels, n, 10), Shape{n}); }

/// Noise pictures whose brightness tells the class.
inline Tensor pictures(const Shape& shape) {
  auto x = stream_uniform(stream::kData, shape.numel(), -1, 1);
  const auto y = stream_integers(stream::kLabels, shape[0], 10);
  const auto size = static_cast<std::size_t>(shape.numel() / shape[0]);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += static_cast<float>(0.2 * y[i / size] - 0.9);
  return adjoint::tensor(x, shape);
}

}  // namespace adjoint::cli
