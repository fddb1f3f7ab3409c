// a3_graph_test.cpp: rows A3: contributions that add, their order, micro-batches, the gradient as a graph, the cost of a gradient.
// Not the rows of scale (tests/runtime), of random graphs and of every operation (tests/check).
#include <algorithm>
#include <numeric>
#include <string>

#include "features/support.hpp"

namespace adjoint::features {
namespace {

// y = sum of n uses of f(x): every use gives f'(x).
TEST(Features, A3_1_NUsesGiveNContributions) {
  const auto slope = [](const Tensor& x, Tensor (*f)(const Tensor&), int n) {
    Tensor y = f(x);
    for (int i = 1; i < n; ++i) y = y + f(x);
    return grad(y, x).item();
  };
  const Tensor x = scalar(3.0, DType::f64), u = scalar(0.7, DType::f64);
  for (const int n : {1, 2, 3, 17, 1000, 4099}) {
    EXPECT_EQ(slope(x, [](const Tensor& t) { return t * t; }, n), 6.0 * n);
    const double one = slope(u, [](const Tensor& t) { return sin(t); }, 1), all = slope(u, [](const Tensor& t) { return sin(t); }, n);
    const double half_ulp = std::ldexp(0.5, std::ilogb(n * one) - 52);
    EXPECT_LE(std::abs(all - n * one), n * half_ulp) << n;
  }
}

// The order of the sum is that of the graph seen from the loss: when a use was made does not matter.
TEST(Features, A3_1_TheOrderInWhichUsesAreMadeKeepsTheBits) {
  constexpr int kUses = 40;
  std::vector<double> first;
  for (std::size_t permutation = 0; permutation < 20; ++permutation) {
    const Tensor x = noise(1, {33});
    std::vector<int> order(kUses);
    std::iota(order.begin(), order.end(), 0);
    for (std::size_t i = kUses - 1; i > 0; --i) std::swap(order[i], order[(i * 7919 + permutation * 104729) % (i + 1)]);
    Tensors uses(kUses);
    for (int i : order) uses[static_cast<std::size_t>(i)] = sin(x * (0.1 + 0.37 * i));
    Tensor y = uses[0];
    for (int i = 1; i < kUses; ++i) y = y + uses[static_cast<std::size_t>(i)];
    const auto g = values(grad(sum(y), x));
    if (permutation == 0) first = g;
    EXPECT_EQ(g, first) << permutation;
  }
}

TEST(Features, A3_2_MicroBatchesAddUpToTheBatch) {
  Mlp net = mlp();
  tree::requires_grad(net);
  const Tensor x = noise(5, {24, 12});
  const auto loss_of = [&](const Tensor& rows) { return sum(square(net(rows))) / 24.0; };
  const Tensors whole = grad(loss_of(x), tree::flatten(net));
  for (const std::int64_t k : {2, 3, 8, 24}) {
    for (const auto& t : tree::flatten(net)) Tensor(t).zero_grad();
    Tensors sum_of_parts;
    for (std::int64_t part = 0; part < k; ++part) {
      const Tensor loss = loss_of(slice(x, {part * 24 / k, 0}, {(part + 1) * 24 / k, 12}));
      const Tensors g = grad(loss, tree::flatten(net));  // a value: nothing to reset
      if (part == 0) sum_of_parts = g;
      else for (std::size_t i = 0; i < g.size(); ++i) sum_of_parts[i] = sum_of_parts[i] + g[i];
      backward(loss);  // the imperative form accumulates
    }
    const auto parameters = tree::flatten(net);
    for (std::size_t i = 0; i < whole.size(); ++i) {
      EXPECT_LE(off(values(sum_of_parts[i]), values(whole[i])), 1e-12) << k;
      EXPECT_EQ(values(parameters[i].grad()), values(sum_of_parts[i])) << k;  // both forms add in the same order
    }
  }
  const Tensors again = grad(loss_of(x), tree::flatten(net));
  for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_EQ(values(again[i]), values(whole[i]));
}

struct Tied {
  nn::Embedding words;
  nn::Linear head;  // its weight is the table of words
};

// One parameter in two roles: its gradient is the sum of both uses, and it is one leaf.
TEST(Features, A3_3_ASharedParameterSumsItsUses) {
  const Tensor table = noise(1, {7, 4});
  const Tied net{{table}, {table}};
  const Tensor index = tensor<std::int64_t>({1, 3, 3, 6}, {4});
  const auto loss_of = [&](const Tied& m) { return mean(square(m.head(tanh(m.words(index))))); };
  const Tied g = grad(loss_of(net), net);
  EXPECT_EQ(tree::flatten(net).size(), 1u);
  EXPECT_EQ(g.words.weight.node(), g.head.weight.node());
  const Tied untied{{table.detach()}, {table.detach()}};
  const Tied parts = grad(loss_of(untied), untied);
  EXPECT_LE(off(values(g.words.weight), values(parts.words.weight + parts.head.weight)), 1e-15);
}

// loss -> backward of the head -> backward of relu -> backward of the first layer, as text and as a graph that can be drawn.
TEST(Features, A3_7_TheGradientIsAGraphThatPrints) {
  const Tensor W = noise(1, {4, 3}), V = noise(2, {2, 4}), x = noise(3, {5, 3});
  const Tensor loss = sum(square(linear(relu(linear(x, W)), V)));
  const std::string text = graph_text(grad(loss, W));
  std::size_t at = 0;
  for (const char* step : {"backward of square", "backward of linear", "backward of relu", "backward of linear"}) {
    const auto next = text.find(step, at);
    ASSERT_NE(next, text.npos) << step << " after " << at << " in\n" << text;
    at = next + 1;
  }
  EXPECT_NE(text.find("a3_graph_test.cpp:"), text.npos) << text;
  const std::string dot = graph_dot(grad(loss, W));
  EXPECT_EQ(dot.find("digraph"), 0u);
  EXPECT_NE(dot.find("style=dashed"), dot.npos);
}

TEST(Features, A3_7_TheHessianOfAQuadraticFormIsExact) {
  const std::vector<double> A{2, -3, 5, 7, 11, -13, 17, 1, 4};
  const Tensor a = tensor(A, {3, 3}), x = tensor<double>({1, -2, 3}, {3});
  const Tensor g = grad(dot(x, mv(a, x)), x);
  for (std::int64_t i = 0; i < 3; ++i) {
    const auto row = values(grad(sum(slice(g, {i}, {i + 1})), x));
    for (std::int64_t k = 0; k < 3; ++k)
      EXPECT_EQ(row[static_cast<std::size_t>(k)], A[static_cast<std::size_t>(i * 3 + k)] + A[static_cast<std::size_t>(k * 3 + i)]);
  }
}

TEST(Features, A3_7_ThirdDerivativeOfAPower) {
  const Tensor x = scalar(3.0, DType::f64);
  const auto third = [&](Tensor y) {
    for (int i = 0; i < 3; ++i) y = grad(y, x);
    return y.item();
  };
  EXPECT_EQ(third(x * x * x * x * x), 60 * 9);
  EXPECT_EQ(third(pow(x, 5.0)), 60 * 9);
}

/// Counted FLOPs of a training step's forward and backward pass over those of the forward pass.
double cost_ratio(const Tensor& loss, const Tensors& wrt) {
  const PlanReport forward = explain_plan(loss), both = explain_plan(with_loss(loss, grad(loss, wrt)));
  EXPECT_GT(forward.flops, 0);
  return static_cast<double>(both.flops) / static_cast<double>(forward.flops);
}
TEST(Features, A3_8_AGradientCostsAtMostThreeTimesTheFunction) {
  const Tensor x = noise(1, {16, 64}, DType::f32), labels = tensor(std::vector<std::int64_t>(16, 3), {16});
  const Mlp net = mlp(64, 96, 10, DType::f32);
  const double of_mlp = cost_ratio(cross_entropy(net(x), labels), tree::flatten(net));
  EXPECT_LE(of_mlp, 3.0);
  EXPECT_GT(of_mlp, 2.0);

  const ConvNet conv = conv_net();
  const Tensor pictures = noise(2, {16, 1, 16, 16}, DType::f32);
  const Tensor loss = cross_entropy(conv(pictures), labels);
  const double of_conv = cost_ratio(loss, tree::flatten(conv));
  EXPECT_LE(of_conv, 3.0);
  EXPECT_GT(of_conv, 2.0);
  Tensors with_input = tree::flatten(conv);
  with_input.push_back(pictures);
  EXPECT_EQ(cost_ratio(loss, with_input), 3.0);  // the counted cost of all three convolutions is one
}

}  // namespace
}  // namespace adjoint::features
