// adam_update.cpp: the workload of that name: AdamW on 50 tensors of 400 x 1,000 with gradients that never change.
// No loss: the number that stands for it is the mean of |first tensor|.
#include "cli/workloads/steps.hpp"

namespace adjoint::cli {
namespace {

struct Update {
  optim::Adam opt = optim::adamw(1e-3, 0.1);
  using State = optim::Adam::State<Tensors>;
  static constexpr auto kStep = [](Tensors& params, State& state, const optim::Adam& opt, const Tensors& grads) {
    std::tie(params, state) = opt.update(params, grads, state);
  };
  Tensors params = {}, grads = {};
  State state = {};
  bool compiled = true;
  decltype(compile(kStep)) run = compile(kStep);

  Tensor step() {
    if (compiled) run(params, state, opt, grads);
    else kStep(params, state, opt, grads), eval(params);
    return mean(abs(params[0]));
  }
  Tensors values() const {
    Tensors next = params;
    State after = state;
    kStep(next, after, opt, grads);
    add_leaves(next, after);
    return next;
  }
};

Workload adam_update(bool compiled) {
  auto u = std::make_shared<Update>();
  u->compiled = compiled;
  for (std::uint64_t k = 0; k < 50; ++k) {
    u->params.push_back(parameter(k, {400, 1000}).requires_grad());
    u->grads.push_back(uniform(2 + k, {400, 1000}, -0.01, 0.01));
  }
  u->state = u->opt.init(u->params);
  u->step();  // as the peers do before they time
  return {.step = [u] { return u->step(); }, .values = [u] { return u->values(); }, .steps = 20};
}

const bool defined = define_workload({"adam_update", adam_update});

}  // namespace
}  // namespace adjoint::cli
