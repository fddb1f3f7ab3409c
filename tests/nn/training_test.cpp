// training_test.cpp: a small network learns through the whole path: layers, loss, gradient of a tree, optimizer, in place.
// Not a test of speed.
#include <gtest/gtest.h>

#include <cmath>

#include "adjoint/nn/linear.hpp"
#include "adjoint/ops.hpp"
#include "adjoint/ops/loss.hpp"
#include "adjoint/ops/random.hpp"
#include "adjoint/optim/sgd.hpp"
#include "graph/buffer.hpp"
#include "graph/node.hpp"

namespace adjoint {
namespace {

struct Mlp {
  nn::Linear hidden, head;
  Tensor operator()(const Tensor& x) const { return head(relu(hidden(x))); }
};
Mlp make_mlp() {
  const Key key(7);
  return {nn::linear(8, 32, key.fold_in(0)), nn::linear(32, 3, key.fold_in(1))};
}

Tensor inputs() { return uniform(Key(1), {24, 8}, {.low = -1, .high = 1}).detach(); }
Tensor targets() {
  std::vector<std::int64_t> t;
  for (int i = 0; i < 24; ++i) t.push_back(i % 3);
  return tensor(t, {24});
}

TEST(Training, LossFallsAndParametersStayInTheirBuffers) {
  Mlp model = make_mlp();
  const optim::SGD sgd{.learning_rate = 0.3, .momentum = 0.9};
  auto state = sgd.init(model);
  const Tensor x = inputs(), t = targets();
  double first = 0, last = 0;
  std::size_t bytes = 0;
  std::int64_t nodes = 0;
  const void* weight = nullptr;
  for (int step = 0; step < 120; ++step) {
    const Tensor loss = cross_entropy(model(x), t);
    const Mlp g = grad(loss, model);
    std::tie(model, state) = sgd.update(model, g, state);
    last = loss.item();
    if (step == 0) first = last;
    if (step == 119) {
      EXPECT_EQ(buffer_bytes_live(), bytes) << "buffers pile up";
      EXPECT_EQ(live_nodes(), nodes) << "nodes pile up";
    }
    if (step == 20) {
      bytes = buffer_bytes_live();
      nodes = live_nodes();
      weight = model.hidden.weight.node()->data.load()->data;
    }
  }
  EXPECT_NEAR(first, std::log(3.0), 0.3);
  EXPECT_LT(last, 0.05);
  EXPECT_EQ(model.hidden.weight.node()->data.load()->data, weight) << "the parameter was not updated in place";
  EXPECT_TRUE(model.hidden.weight.wants_grad());
  EXPECT_EQ(detail::name_of(model.hidden.weight), "hidden.weight");
  EXPECT_EQ(state.step.item(), 120);
}

TEST(Training, TheSameSeedGivesTheSameBits) {
  const auto run = [] {
    Mlp model = make_mlp();
    const optim::SGD sgd{.learning_rate = 0.1};
    auto state = sgd.init(model);
    for (int step = 0; step < 5; ++step) {
      const Tensor loss = cross_entropy(model(inputs()), targets());
      std::tie(model, state) = sgd.update(model, grad(loss, model), state);
      loss.item();
    }
    return model.head.weight.to_vector<float>();
  };
  const int before = threads();
  set_threads(1);
  const auto one = run();
  set_threads(2);
  EXPECT_EQ(run(), one);
  set_threads(before);
}

}  // namespace
}  // namespace adjoint
