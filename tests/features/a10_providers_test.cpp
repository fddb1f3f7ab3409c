// a10_providers_test.cpp: row A10.4: three providers of a gradient behind one optimizer: the recorded graph, a compiled plan, and a
// backward written by hand; the bits of the parameters after 100 steps are the same. Not a test of any optimizer.
#include <gtest/gtest.h>

#include "adjoint/compile.hpp"
#include "adjoint/nn.hpp"
#include "adjoint/ops.hpp"
#include "adjoint/optim.hpp"

namespace adjoint {
namespace {

struct Net {
  Tensor w1, b1, w2, b2;
};
Net start() {
  const auto parameter = [](std::uint64_t k, const Shape& shape) { return (0.3 * normal(Key(k), shape)).detach(); };
  return {parameter(1, {8, 16}), parameter(2, {16}), parameter(3, {16, 4}), parameter(4, {4})};
}
Tensor inputs(int step) { return normal(Key(100 + static_cast<std::uint64_t>(step)), {32, 8}).detach(); }
Tensor targets(int step) { return normal(Key(900 + static_cast<std::uint64_t>(step)), {32, 4}).detach(); }

Tensor loss_of(const Net& n, const Tensor& x, const Tensor& y) {
  const Tensor h = relu(matmul(x, n.w1) + n.b1);
  return sum(square(matmul(h, n.w2) + n.b2 - y));
}

/// What the chapter derives for two layers: z' = 2 (z - y), W' = h^T z', b' = z' summed over the batch, h' = z' W^T.
Net by_hand(const Net& n, const Tensor& x, const Tensor& y) {
  const Tensor z1 = matmul(x, n.w1) + n.b1, h = relu(z1), e = matmul(h, n.w2) + n.b2 - y;
  const Tensor d2 = 2.0 * e;
  const Tensor d1 = where(gt(z1, 0.0), matmul(d2, transpose(n.w2)), 0.0);
  return {matmul(transpose(x), d1), sum(d1, {0}), matmul(transpose(h), d2), sum(d2, {0})};
}

std::vector<float> flat(const Net& n) {
  std::vector<float> all;
  for (const auto* t : {&n.w1, &n.b1, &n.w2, &n.b2})
    for (const float v : t->to_vector<float>()) all.push_back(v);
  return all;
}

template <class Opt> void same_bits(const Opt& opt) {
  Net recorded = start(), planned = start(), written = start();
  auto s1 = opt.init(recorded), s2 = opt.init(planned), s3 = opt.init(written);
  const auto gradient = compile([](const Net& n, const Tensor& x, const Tensor& y) { return grad(loss_of(n, x, y), n); });
  for (int i = 0; i < 100; ++i) {
    const Tensor x = inputs(i), y = targets(i);
    std::tie(recorded, s1) = opt.update(recorded, grad(loss_of(recorded, x, y), recorded), s1);
    eval(recorded.w1);
    std::tie(planned, s2) = opt.update(planned, gradient(planned, x, y), s2);
    eval(planned.w1);
    std::tie(written, s3) = opt.update(written, by_hand(written, x, y), s3);
    eval(written.w1);
  }
  EXPECT_EQ(gradient.traced(), 1);
  EXPECT_NE(flat(recorded), flat(start()));
  EXPECT_EQ(flat(recorded), flat(planned));
  EXPECT_EQ(flat(recorded), flat(written));
}

}  // namespace

TEST(Features, A10_4_ThreeProvidersOfAGradientGiveTheSameBitsAfter100Steps) {
  same_bits(optim::SGD{.learning_rate = 1e-4, .momentum = 0.9});
  same_bits(optim::Adam{.learning_rate = 1e-3});
}

}  // namespace adjoint
