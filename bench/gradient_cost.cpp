// gradient_cost.cpp: time of loss and gradients over time of the loss alone, over sizes: the cheap-gradient guarantee (A3.8).
// Not a training benchmark: `adjoint bench` has those. Usage: bench_gradient_cost [seconds a row]
#include <cstdlib>

#include "adjoint/adjoint.hpp"
#include "timing.hpp"

namespace {
using namespace adjoint;

struct Mlp {
  nn::Linear first, second, third;
  Tensor operator()(const Tensor& x) const { return third(relu(second(relu(first(x))))); }
};
struct ConvNet {
  nn::Conv2d first, second;
  nn::Linear head;
  Tensor operator()(const Tensor& x) const {
    return head(flatten(max_pool2d(relu(second(max_pool2d(relu(first(x)), {2, 2}))), {2, 2}), 1));
  }
};

template <class M> void measure(const char* name, const M& model, const Tensor& x, double budget) {
  const Tensor y = zeros({x.shape(0)}, DType::i32).detach();
  const auto parameters = tree::flatten(model);
  double checksum = 0;
  const auto forward = [&] {
    const NoGrad no_graph;
    checksum = cross_entropy(model(x), y).item();
  };
  const auto both = [&] {
    const Tensor loss = cross_entropy(model(x), y);
    auto wanted = grad(loss, parameters);
    wanted.push_back(loss);
    eval(wanted);
    checksum -= loss.item();
  };
  forward();
  both();
  bench::require(checksum == 0, "the loss differs with its gradient beside it");
  const auto t = bench::best_of_rivals(budget, forward, both);
  std::printf("| %-8s | %11ld | %9.3f | %9.3f | %5.2f |\n", name, tree::count(model), t[0] * 1e3, t[1] * 1e3, t[1] / t[0]);
}
}  // namespace

int main(int argc, char** argv) {
  const double budget = argc > 1 ? std::atof(argv[1]) : 1;
  set_threads(1);
  std::printf("| model | parameters | forward ms | forward and gradients ms | ratio |\n|---|---|---|---|---|\n");
  for (const std::int64_t width : {16, 64, 256, 1024, 4096, 7000}) {
    const Mlp mlp{nn::linear(width, width, Key(1)), nn::linear(width, width, Key(2)), nn::linear(width, 10, Key(3))};
    measure("mlp", mlp, uniform(Key(4), {64, width}, {.low = -1, .high = 1}).detach(), budget);
  }
  for (const std::int64_t channels : {4, 16, 64}) {
    const ConvNet net{nn::conv2d(1, channels, {5, 5}, Key(1)), nn::conv2d(channels, channels, {5, 5}, Key(2)), nn::linear(channels * 16, 10, Key(3))};
    measure("conv net", net, uniform(Key(4), {32, 1, 28, 28}, {.low = -1, .high = 1}).detach(), budget);
  }
}
