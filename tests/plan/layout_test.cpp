// layout_test.cpp: operands lie as their readers want them: no transpose is written out for a product, forward or backward. Counted in
// plans, not timed.
#include <gtest/gtest.h>

#include "adjoint/adjoint.hpp"
#include "adjoint/explain.hpp"
#include "nets.hpp"

namespace adjoint {
namespace {

/// Steps of a plan that only move bytes.
std::string copies(const PlanReport& plan) {
  std::string text;
  for (const auto& s : plan.steps)
    if (s.name == "copy") text += "copy at " + to_string(s.where) + (s.backward ? " (backward); " : "; ");
  return text;
}
template <class Net> PlanReport step_of() {
  const Net net = Net::make();
  nn::Context context{.training = true, .key = Key(7)};
  const Tensor loss = net.loss(context);
  Tensors all = tree::flatten(grad(loss, net));
  all.push_back(loss);
  return explain_plan(all);
}
Tensor drawn(std::uint64_t seed, const Shape& shape) { return normal(Key(seed), shape).detach(); }
PlanReport gradients(const Tensor& loss, const Tensors& of) {
  Tensors all = grad(loss, of);
  all.push_back(loss);
  return explain_plan(all);
}

TEST(Layout, ProductsReadTransposesWhereTheyLie) {
  const Tensor a = drawn(1, {24, 32}), b = drawn(2, {40, 32}), c = drawn(3, {24, 40});
  EXPECT_EQ(copies(explain_plan(matmul(a, transpose(b)))), "");
  EXPECT_EQ(copies(explain_plan(matmul(transpose(a), c))), "");
  EXPECT_EQ(copies(explain_plan(matmul(transpose(b), transpose(c)))), "");
  EXPECT_EQ(copies(gradients(sum(square(matmul(a, transpose(b)))), {a, b})), "");
  EXPECT_EQ(copies(gradients(sum(square(matmul(transpose(a), c))), {a, c})), "");
}

TEST(Layout, ASecondDerivativeDoesToo) {
  const Tensor a = drawn(1, {8, 12}), b = drawn(2, {12, 8});
  const Tensor first = grad(sum(square(tanh(matmul(a, b)))), a);
  EXPECT_EQ(copies(gradients(sum(square(first)), {a, b})), "");
}

TEST(Layout, AnMlpCopiesNothing) { EXPECT_EQ(copies(step_of<nets::Mlp>()), ""); }
TEST(Layout, LeNetCopiesNothing) { EXPECT_EQ(copies(step_of<nets::LeNet>()), ""); }
// Heads that lie apart become one axis: where they are joined, and where the gradients of query, key and value are.
TEST(Layout, ATransformerBlockWritesOutItsHeadsTwice) {
  const auto plan = step_of<nets::Transformer>();
  EXPECT_LE(std::ranges::count(plan.steps, "copy", &PlanReport::Step::name), 2) << copies(plan);
}

// Heads are an axis of a view: [batch, time, heads, size] is read as [batch, heads, time, size].
TEST(Layout, AttentionReadsItsHeadsWhereTheyLie) {
  constexpr std::int64_t B = 2, T = 16, H = 4, S = 8;
  const Tensor q = drawn(1, {B, T, H * S}), k = drawn(2, {B, T, H * S}), v = drawn(3, {B, T, H * S}), out = drawn(4, {H * S, H * S});
  const auto heads = [&](const Tensor& x) { return permute(reshape(x, {B, T, H, S}), {0, 2, 1, 3}); };
  const Tensor scores = matmul(heads(q), transpose(heads(k)));
  const Tensor mixed = matmul(softmax(scores * 0.35), heads(v));
  EXPECT_EQ(copies(explain_plan(mixed)), "");
  // Joining heads again is a new order of elements: one copy, and one for each gradient that is a result. Each is written once.
  const Tensor joined = matmul(reshape(permute(mixed, {0, 2, 1, 3}), {B * T, H * S}), out);
  const auto plan = gradients(sum(square(joined)), {q, k, v, out});
  EXPECT_LE(std::ranges::count(plan.steps, "copy", &PlanReport::Step::name), 4) << copies(plan);
}

}  // namespace
}  // namespace adjoint
