// train_step.hpp: the one training step of image classifiers, which `train image` runs and `plan image` explains. Not the loop.
#pragma once

#include <tuple>

#include "adjoint/adjoint.hpp"
#include "adjoint/optim.hpp"
#include "cli/models.hpp"
#include "cli/train_image.hpp"

namespace adjoint::cli {

/// What a step leaves besides model and state; nothing is computed yet.
template <class M> struct StepResults {
  Tensor loss, accuracy;
  M gradient;
};

/// Forward, backward and update on one batch: `model` and `state` become the updated ones.
template <class M, class Opt>
StepResults<M> training_step(M& model, typename Opt::template State<M>& state, const Opt& opt, const Tensor& x, const Tensor& y, nn::Context& context) {
  const Tensor logits = model(x, context), loss = cross_entropy(logits, y);
  StepResults<M> results{loss, mean(cast(eq(argmax(logits, {1}), y), DType::f32)), grad(loss, model)};
  std::tie(model, state) = opt.update(model, results.gradient, state);
  context.apply(model);
  return results;
}

/// Calls use(optimizer) with the one that the settings name.
template <class F> auto with_optimizer(const ImageTraining& s, F use) {
  if (s.optimizer == "sgd") return use(optim::SGD{.learning_rate = s.learning_rate, .momentum = 0.9, .weight_decay = s.weight_decay, .nesterov = true});
  return use(optim::adamw(s.learning_rate, s.weight_decay));
}

/// The model's leaves in this precision.
template <class M> M in_precision(const M& model, const std::string& precision) {
  if (precision == "f32") return model;
  return tree::map([](const Tensor& t) {
    Tensor wide = cast(t, DType::f64).detach();
    if (t.wants_grad()) wide.requires_grad();
    return wide;
  }, model);
}

}  // namespace adjoint::cli
