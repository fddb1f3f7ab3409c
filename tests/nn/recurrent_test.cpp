// recurrent_test.cpp: recurrent layers against their cells in a C++ loop, both directions, several layers, start values, errors, and that
// they learn to remember. Not the loop's gradient: tests/transform/scan_test.cpp.
#include <gtest/gtest.h>

#include "adjoint/adjoint.hpp"

namespace adjoint {
namespace {

using Floats = std::vector<float>;
Tensor drawn(std::uint64_t seed, const Shape& shape) { return uniform(Key(seed), shape, {.low = -1, .high = 1}).detach(); }

/// Outputs of one cell over a sequence, and its last state.
template <class Cell> std::pair<Tensor, typename Cell::State> looped(const Cell& cell, const Tensor& xs, bool reverse = false) {
  auto state = cell.start(xs.shape(1));
  Tensors ys(static_cast<std::size_t>(xs.shape(0)));
  for (std::size_t step = 0; step < ys.size(); ++step) {
    const std::size_t t = reverse ? ys.size() - 1 - step : step;
    state = cell(select(xs, 0, static_cast<std::int64_t>(t)), state);
    ys[t] = Cell::output(state);
  }
  return {stack(ys), state};
}

template <class Layer> void expect_loops(const Layer& layer) {
  const Tensor xs = drawn(7, {6, 2, 3});
  const auto result = layer(xs);
  Tensor expected = xs;
  for (std::size_t k = 0; k < layer.forward.size(); ++k) {
    Tensors sides{looped(layer.forward[k], expected).first};
    if (!layer.backward.empty()) sides.push_back(looped(layer.backward[k], expected, true).first);
    expected = concat(sides, 2);
  }
  const Tensor ys = result.ys;
  EXPECT_EQ(ys.to_vector<float>(), expected.to_vector<float>());
  EXPECT_EQ(result.last.size(), layer.forward.size() + layer.backward.size());
}

TEST(Recurrent, IsItsCellInALoop) {
  expect_loops(nn::rnn(3, 4, Key(1)));
  expect_loops(nn::rnn(3, 4, Key(1), {.relu = true}));
  expect_loops(nn::lstm(3, 4, Key(2), {.layers = 2}));
  expect_loops(nn::gru(3, 4, Key(3), {.layers = 2, .bidirectional = true, .bias = false}));
  expect_loops(nn::lstm(3, 5, Key(4), {.bidirectional = true}));
}

TEST(Recurrent, GoesOnFromAState) {
  const auto layer = nn::lstm(3, 4, Key(1), {.layers = 2});
  const Tensor xs = drawn(2, {6, 2, 3});
  const auto whole = layer(xs), first = layer(narrow(xs, 0, 0, 4)), rest = layer(narrow(xs, 0, 4, 2), first.last);
  EXPECT_EQ(concat({first.ys, rest.ys}).to_vector<float>(), whole.ys.to_vector<float>());
  EXPECT_EQ(layer(narrow(xs, 0, 0, 0)).ys.shape(), (Shape{0, 2, 4}));
}

TEST(Recurrent, StartsAsAsked) {
  const auto layer = nn::lstm(3, 4, Key(1), {.forget_bias = 1});
  const Tensor forget = *layer.forward[0].bias_ih + *layer.forward[0].bias_hh;
  EXPECT_EQ(narrow(forget, 0, 4, 4).to_vector<float>(), (Floats{1, 1, 1, 1}));
  EXPECT_EQ(tree::count(layer), 4 * 4 * (3 + 4 + 2));
  const auto names = tree::leaves(layer);
  EXPECT_EQ(names[0].path, "forward[0].weight_ih");
  EXPECT_FALSE(nn::gru(3, 4, Key(1), {.bias = false}).forward[0].bias_ih);
}

// The first element of each sequence is to be said at its end.
TEST(Recurrent, LearnsToRemember) {
  struct Model {
    nn::Lstm lstm;
    nn::Linear head;
  };
  Model model{nn::lstm(1, 12, Key(1), {.forget_bias = 1}), nn::linear(12, 1, Key(2))};
  const optim::Adam adam{.learning_rate = 0.02};
  auto state = adam.init(model);
  const Tensor xs = drawn(3, {12, 32, 1}), target = select(xs, 0, 0);
  double first = 0, last = 0;
  const auto step = compile([&](Model& m, optim::Adam::State<Model>& s) {
    const auto result = m.lstm(xs, {}, "sqrt");
    const auto [loss, g] = value_and_grad(mse(m.head(result.last[0].h), target), m);
    std::tie(m, s) = adam.update(m, g, s);
    return loss;
  });
  for (int i = 0; i < 150; ++i) {
    last = step(model, state).item();
    if (i == 0) first = last;
  }
  EXPECT_LT(last, first / 20);
}

TEST(Recurrent, ErrorsTeach) {
  const auto layer = nn::gru(3, 4, Key(1));
  const auto message = [](const std::function<void()>& call) -> std::string {
    try {
      call();
    } catch (const Error& e) {
      return e.what();
    }
    return "nothing was thrown";
  };
  EXPECT_NE(message([&] { layer(drawn(1, {6, 3})); }).find("has the axes [time, batch, features]"), std::string::npos);
  EXPECT_NE(message([&] { layer(drawn(1, {6, 2, 3}), {drawn(1, {2, 4}), drawn(1, {2, 4})}); }).find("2 first states for 1 cells"), std::string::npos);
  EXPECT_NE(message([&] { nn::lstm(0, 4, Key(1)); }).find("sizes are >= 1"), std::string::npos);
  EXPECT_NE(message([&] { nn::lstm(3, 4, Key(1), {.bias = false, .forget_bias = 1}); }).find("a forget bias, and no biases"), std::string::npos);
  EXPECT_NE(message([&] { layer(drawn(1, {6, 2, 5})); }).find("recurrent_test.cpp"), std::string::npos);
}

}  // namespace
}  // namespace adjoint
