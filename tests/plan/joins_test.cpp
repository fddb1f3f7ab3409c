// joins_test.cpp: which reductions over rows, and over all elements, a fused group takes along, that nothing is then written for
// them, and that planned = interpreted. Not the executors: tests/kernels/row_joins_test.cpp.
#include <gtest/gtest.h>

#include "adjoint/adjoint.hpp"
#include "kernels/cpu/emit.hpp"
#include "planned.hpp"
#include "runtime/pool.hpp"

namespace adjoint {
namespace {

Tensor noise(std::uint64_t seed, const Shape& shape, DType dtype = DType::f32) {
  const Tensor t = cast(uniform(Key(seed), shape, {.low = -1, .high = 1}), dtype).detach();
  eval(t);
  return t;
}

struct Restore {
  int threads = runtime::threads();
  cpu::GroupExecutor executor = cpu::group_executor();
  ~Restore() {
    runtime::set_threads(threads);
    cpu::set_group_executor(executor);
  }
};

/// Steps of the plan, all of them compared with the interpreter, for every executor and some numbers of threads.
std::int64_t steps_of(const Tensors& roots) {
  const Restore keep;
  std::int64_t steps = 0;
  for (const int threads : {1, 2, 3})
    for (const auto e : {cpu::GroupExecutor::tiles, cpu::GroupExecutor::avx2, cpu::GroupExecutor::avx512}) {
      runtime::set_threads(threads);
      if (!cpu::set_group_executor(e)) continue;
      std::lock_guard lock(graph_mutex());
      const planned::Graph g(roots, std::vector<char>(roots.size(), 0), {}, [](const Node&) { return false; });
      const auto out = planned::compared(g, true);
      EXPECT_EQ(out.fault, "");
      steps = out.steps;
    }
  return steps;
}

Tensors with_gradients(const Tensor& loss, const Tensors& wrt) {
  Tensors all = grad(loss, wrt);
  all.push_back(loss);
  return all;
}

TEST(Joins, NormSoftmaxAndTheirLossWithAllGradientsAreOneStep) {
  for (const std::int64_t rows : {64, 4096, 5000}) {
    const Tensor x = noise(1, {rows, 128}), g = noise(2, {128}), b = noise(3, {128}), r = noise(4, {rows, 128});
    EXPECT_EQ(steps_of(with_gradients(sum(softmax(layer_norm(x, {.weight = g, .bias = b})) * r), {x, g, b})), 1) << rows;
  }
}

TEST(Joins, BiasGradientComesWithTheGradientThatAProductReads) {
  const Tensor x = noise(1, {96, 64}), w = noise(2, {256, 64}), b = noise(3, {256}), v = noise(4, {10, 256});
  const auto steps = steps_of(with_gradients(sum(linear(relu(linear(x, w, b)), v)), {w, b, v}));
  const auto without = steps_of(with_gradients(sum(linear(relu(linear(x, w, b)), v)), {w, v}));
  EXPECT_EQ(steps, without);
}

TEST(Joins, LossesOfAnySizeComeWithTheirElements) {
  for (const Shape& shape : {Shape{1 << 16}, Shape{3, 5}, Shape{7, 11, 13}, Shape{64, 768}, Shape{5, 64, 96}})
    EXPECT_LE(steps_of({sum(exp(noise(1, shape)) * noise(2, shape))}), 1) << to_string(shape);
}

TEST(Joins, OfManyRowsOfOtherKinds) {
  const Tensor x = noise(1, {9, 16, 80}), y = noise(2, {80});
  EXPECT_EQ(steps_of({sum(tanh(x * y), {0, 1}), amax(x * y, {0, 1}), tanh(x * y)}), 1);
  EXPECT_EQ(steps_of({sum(exp(noise(3, {300, 64}, DType::f64)), {0}), sum(tanh(noise(4, {300, 64}, DType::bf16)), {0})}), 2);
}

TEST(Joins, WhatHasNoRowsForThemRunsByItself) {
  const Tensor x = noise(1, {40, 100}), y = noise(2, {100});
  EXPECT_EQ(steps_of({sum(exp(x * y))}), 2) << "rows of 100 are no part of a block, and do not lie behind one another as one";
  EXPECT_EQ(steps_of({sum(exp(noise(3, {8, 40, 6})), {1})}), 2) << "neither all axes nor all but the last";
}

TEST(Joins, ASumIsReadLaterThanItsGroup) {
  const Tensor x = noise(1, {50, 64}), y = exp(x), s = sum(y, {0}, true);
  EXPECT_EQ(steps_of({y / s}), 2);
  EXPECT_EQ(steps_of({y / sum(y)}), 2);
}

// A number seen as a full tensor lies as one element; its windows are written out and lie as windows.
TEST(Joins, WindowsOfANumberAreNoRow) {
  const Tensor w = windows(full({2, 7}, 0.75), {1}, {3}, {.stride = {2}});
  steps_of({mean(tanh(where(isfinite(w), w, 0.375)))});
}

}  // namespace
}  // namespace adjoint
