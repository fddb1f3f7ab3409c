// support.hpp: the small networks and measures that the rows of the seed share. Not a harness: rows of operations have theirs.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "adjoint/adjoint.hpp"

namespace adjoint::features {

inline Tensor noise(std::uint64_t seed, const Shape& shape, DType dtype = DType::f64, double low = -1, double high = 1) {
  return uniform(Key(seed), shape, {.low = low, .high = high, .dtype = dtype}).detach();
}
inline std::vector<double> values(const Tensor& t) { return t.to_vector<double>(); }

/// max |a - b| / max |b|.
inline double off(const std::vector<double>& a, const std::vector<double>& b) {
  double most = 0, size = 0;
  EXPECT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a[i] - b[i])), size = std::max(size, std::abs(b[i]));
  return size > 0 ? most / size : most;
}

struct Mlp {
  nn::Linear first, second, head;
  Tensor operator()(const Tensor& x) const { return head(relu(second(relu(first(x))))); }
};
inline Mlp mlp(std::int64_t in = 12, std::int64_t width = 16, std::int64_t out = 5, DType dtype = DType::f64) {
  return {nn::linear(in, width, Key(1), {.dtype = dtype}), nn::linear(width, width, Key(2), {.dtype = dtype}),
          nn::linear(width, out, Key(3), {.dtype = dtype})};
}

struct ConvNet {
  nn::Conv2d first, second;
  nn::Linear head;
  Tensor operator()(const Tensor& x) const {
    const Tensor h = max_pool2d(relu(first(x)), {2, 2});
    return head(flatten(max_pool2d(relu(second(h)), {2, 2}), 1));
  }
};
inline ConvNet conv_net() {
  return {nn::conv2d(1, 6, {5, 5}, Key(1), {.same = true}), nn::conv2d(6, 16, {3, 3}, Key(2), {.same = true}), nn::linear(16 * 16, 10, Key(3))};
}

/// The loss with all gradients, as one list to evaluate.
inline Tensors with_loss(const Tensor& loss, Tensors gradients) {
  gradients.insert(gradients.begin(), loss);
  return gradients;
}

}  // namespace adjoint::features
