// grad_test.cpp: gradients end to end on small graphs with known answers. Not the generated checks of every op.
#include <gtest/gtest.h>

#include <cmath>

#include "adjoint/grad.hpp"
#include "adjoint/ops.hpp"

using namespace adjoint;

TEST(grad, square_of_a_sum) {
  const Tensor x = tensor<double>({1, 2, 3}, {3});
  const Tensor loss = sum(x * x * x);
  const Tensor g = grad(loss, x);
  EXPECT_EQ(g.to_vector<double>(), (std::vector<double>{3, 12, 27}));
  EXPECT_EQ(loss.item(), 36);
}

TEST(grad, linear_layer_closed_form) {
  const Tensor w = tensor<double>({1, 2, 3, 4, 5, 6}, {2, 3}), a = tensor<double>({1, 0, -1, 2, 1, 0}, {2, 3});
  const Tensor b = tensor<double>({10, 20}, {2});
  const Tensor h = relu(matmul(a, transpose(w)) + b);
  const Tensor loss = sum(h * h) * 0.5;
  const Tensor wrt[] = {w, b, a};
  const Tensors g = grad(loss, wrt);
  EXPECT_EQ(h.to_vector<double>(), (std::vector<double>{8, 18, 14, 33}));
  EXPECT_EQ(g[1].to_vector<double>(), (std::vector<double>{22, 51}));
  EXPECT_EQ(g[0].to_vector<double>(), (std::vector<double>{8 + 28, 14, -8, 18 + 66, 33, -18}));
  EXPECT_EQ(g[2].shape(), (Shape{2, 3}));
}

TEST(grad, third_derivative_of_a_power) {
  const Tensor x = scalar(2.0, DType::f64);
  Tensor y = x * x * x * x * x;
  for (int i = 0; i < 3; ++i) y = grad(y, x);
  EXPECT_EQ(y.item(), 60 * 4);
}

TEST(grad, stale_adjoint_trap) {
  Tensor a = tensor<double>({3}, {});
  a.requires_grad();
  const Tensor b = a * a, c = b * b;
  backward(c, {.retain = true});
  EXPECT_EQ(a.grad().item(), 108);
  a.zero_grad();
  backward(c, {.retain = true});
  EXPECT_EQ(a.grad().item(), 108);
  backward(c);
  EXPECT_EQ(a.grad().item(), 216);  // accumulated on request
  EXPECT_THROW(backward(c), Error);
}

TEST(grad, jvp_is_the_transpose) {
  const Tensor x = tensor<double>({0.5, 1.5}, {2}), u = tensor<double>({1, -2}, {2}), v = tensor<double>({3, 5}, {2});
  const Tensor y = exp(x) * log(x) / (x + 1.0);
  EXPECT_NEAR(sum(jvp(y, x, u) * v).item(), sum(vjp(y, v, x) * u).item(), 1e-14);
}

TEST(grad, long_chain) {
  const Tensor x = scalar(1.0, DType::f64);
  Tensor y = x;
  for (int i = 0; i < 20000; ++i) y = y * 1.0001;
  EXPECT_NEAR(grad(y, x).item(), std::pow(1.0001, 20000), 1e-9);
}
