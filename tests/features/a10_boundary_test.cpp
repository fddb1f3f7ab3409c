// a10_boundary_test.cpp: rows A10: the boundary between model, gradient and optimizer. Not the exchange of optimizers (A10.1)
// and not their formulas: tests/optim.
#include <concepts>

#include "features/support.hpp"

namespace adjoint::features {
namespace {

struct Batch {
  Tensor x, target;
};
Batch batch(int step) { return {noise(100 + static_cast<std::uint64_t>(step), {16, 12}, DType::f32), noise(900, {16, 5}, DType::f32)}; }

// The model is a function of (parameters, batch, key); nothing of it knows an optimizer.
Tensor loss_of(const Mlp& net, const Batch& b, const Key& key) { return mse(net(dropout(key, b.x, 0.1)), b.target); }

TEST(Features, A10_2_TheGradientOfAModelIsAModel) {
  const Mlp net = mlp(12, 16, 5, DType::f32);
  const Tensor loss = loss_of(net, batch(0), Key(7));
  const auto g = grad(loss, net);
  static_assert(std::same_as<decltype(g), const Mlp>);
  const auto theta = tree::leaves(net), d = tree::leaves(g);
  ASSERT_EQ(theta.size(), 6u);
  ASSERT_EQ(d.size(), 6u);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(d[i].tensor.type(), theta[i].tensor.type());
    EXPECT_EQ(values(d[i].tensor), values(grad(loss, theta[i].tensor)));
  }
  EXPECT_EQ(tree::paths(g), tree::paths(net));
}

// Three providers of one gradient. The first records a graph and differentiates it; the second is the imperative form; the third was
// written by hand, layer by layer, as a text on backpropagation derives it, and hands over plain data.
Mlp recorded(const Mlp& net, const Batch& b) { return grad(mse(net(b.x), b.target), net); }
Mlp imperative(const Mlp& net, const Batch& b) {
  Mlp with = net, g = net;
  tree::requires_grad(with);
  tree::for_each([](const std::string&, Tensor& t) { t.zero_grad(); }, with);
  backward(mse(with(b.x), b.target));
  return tree::map([](const Tensor& t) { return t.grad(); }, with);
}
Mlp by_hand(const Mlp& net, const Batch& b) {
  const NoGrad none;
  const Tensor z1 = linear(b.x, net.first.weight, *net.first.bias), h1 = relu(z1);
  const Tensor z2 = linear(h1, net.second.weight, *net.second.bias), h2 = relu(z2);
  const Tensor y = linear(h2, net.head.weight, *net.head.bias);
  const auto through_relu = [](const Tensor& d, const Tensor& h) { return where(gt(h, 0.0), d, 0.0); };
  const Tensor d3 = (y - b.target) * (2.0 * (1.0 / static_cast<double>(y.numel())));
  const Tensor d2 = through_relu(matmul(d3, net.head.weight), h2);
  const Tensor d1 = through_relu(matmul(d2, net.second.weight), h1);
  const auto layer = [](const Tensor& d, const Tensor& in) { return nn::Linear{matmul(transpose(d), in).detach(), sum(d, {0}).detach()}; };
  return {layer(d1, b.x), layer(d2, h1), layer(d3, h2)};
}

template <class Provider> std::vector<std::vector<double>> after_100_steps(Provider gradient, const optim::Adam& adam) {
  Mlp net = mlp(12, 16, 5, DType::f32);
  auto state = adam.init(net);
  for (int step = 0; step < 100; ++step) {
    std::tie(net, state) = adam.update(net, gradient(net, batch(step)), state);
    eval(tree::flatten(net));
  }
  std::vector<std::vector<double>> theta;
  for (const auto& t : tree::flatten(net)) theta.push_back(values(t));
  return theta;
}
TEST(Features, A10_4_TheOptimizerCannotTellWhoMadeTheGradient) {
  const optim::Adam adam{.learning_rate = 0.01};
  const auto theta = after_100_steps(recorded, adam);
  EXPECT_EQ(after_100_steps(imperative, adam), theta);
  EXPECT_EQ(after_100_steps(by_hand, adam), theta);
  std::vector<std::vector<double>> start;
  for (const auto& t : tree::flatten(mlp(12, 16, 5, DType::f32))) start.push_back(values(t));
  EXPECT_NE(theta, start);
}

}  // namespace
}  // namespace adjoint::features
