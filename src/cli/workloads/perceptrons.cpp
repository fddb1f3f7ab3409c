// perceptrons.cpp: the workloads tiny_mlp (overhead a step) and mlp (products and Adam). Not the mlp of `train image`.
#include "cli/workloads/steps.hpp"

namespace adjoint::cli {
namespace {

struct TinyMlp {
  nn::Linear first, second;
  Tensor operator()(const Tensor& x, nn::Context&) const { return second(relu(first(x))); }
};
struct ThreeLayers {
  nn::Linear first, second, third;
  Tensor operator()(const Tensor& x, nn::Context&) const { return third(relu(second(relu(first(x))))); }
};

Workload tiny_mlp(bool compiled) {
  auto t = classifier(filled(TinyMlp{nn::linear(64, 64, Key(0)), nn::linear(64, 10, Key(1))}), optim::SGD{.learning_rate = 0.1}, compiled);
  return on_batch(t, uniform(stream::kData, {16, 64}), labels(16), {.steps = 40, .warmup = 200, .inner = 200});
}
Workload mlp(bool compiled) {
  auto t = classifier(filled(ThreeLayers{nn::linear(784, 1024, Key(0)), nn::linear(1024, 1024, Key(1)), nn::linear(1024, 10, Key(2))}),
                      optim::Adam{.learning_rate = 1e-4}, compiled);
  return on_batch(t, uniform(stream::kData, {256, 784}), labels(256), {.steps = 100});
}

const bool tiny_mlp_defined = define_workload({"tiny_mlp", tiny_mlp});
const bool mlp_defined = define_workload({"mlp", mlp});

}  // namespace
}  // namespace adjoint::cli
