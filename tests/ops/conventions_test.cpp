// conventions_test.cpp: derivatives at ties, bounds and corners are those of docs/conventions.md, in both modes.
// Not derivatives elsewhere: those are the rows of src/check.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "adjoint/grad.hpp"
#include "adjoint/ops.hpp"

namespace adjoint {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

/// d y / d x by the backward rule and by the forward rule, where y is a scalar function of scalars.
void expect_slopes(Tensor (*f)(const Tensors&), const std::vector<double>& at, const std::vector<double>& slopes) {
  Tensors x;
  for (const double v : at) x.push_back(scalar(v, DType::f64) * 1.0);
  eval(x);
  const Tensor y = f(x);
  const Tensor one = ones_like(y);
  const Tensors reverse = vjp(std::span(&y, 1), std::span(&one, 1), x);
  for (std::size_t k = 0; k < x.size(); ++k) {
    const Tensor forward = jvp(y, x[k], ones_like(x[k]));
    EXPECT_EQ(reverse[k].item(), slopes[k]) << "reverse, operand " << k;
    EXPECT_EQ(forward.item(), slopes[k]) << "forward, operand " << k;
  }
}
template <Tensor (*f)(const Arg&)> Tensor one(const Tensors& x) { return f(x[0]); }
template <Tensor (*f)(const Arg&, const Arg&)> Tensor two(const Tensors& x) { return f(x[0], x[1]); }

TEST(Conventions, MaximumAndMinimumSplitATie) {
  expect_slopes(two<maximum>, {2, 2}, {0.5, 0.5});
  expect_slopes(two<minimum>, {2, 2}, {0.5, 0.5});
  expect_slopes(two<maximum>, {0, -0.0}, {0.5, 0.5});
}
TEST(Conventions, ReductionsShareATieEvenly) {
  expect_slopes([](const Tensors& x) { return amax(stack(x), {0}); }, {2, 1, 2}, {0.5, 0, 0.5});
  expect_slopes([](const Tensors& x) { return amin(stack(x), {0}); }, {2, 2, 3, 2, 2}, {0.25, 0.25, 0, 0.25, 0.25});
}
TEST(Conventions, ClampPassesAtTheBound) {
  const auto f = [](const Tensors& x) { return clamp(x[0], x[1], x[2]); };
  expect_slopes(f, {1, 1, 2}, {1, 0, 0});
  expect_slopes(f, {2, 1, 2}, {1, 0, 0});
  expect_slopes(f, {1, 1, 1}, {1, 0, 0});
}
TEST(Conventions, ClampOfCrossedBoundsIsTheUpperOne) {
  expect_slopes([](const Tensors& x) { return clamp(x[0], x[1], x[2]); }, {1.5, 2, 1}, {0, 0, 1});
}
TEST(Conventions, ReluFamilyIsFlatAtZero) {
  expect_slopes(one<relu>, {0}, {0});
  expect_slopes(one<relu>, {-0.0}, {0});
  expect_slopes(one<relu_squared>, {0}, {0});
  expect_slopes(one<relu6>, {0}, {0});
}
TEST(Conventions, LeakySlopesAtZeroAreTheLowerBranch) {
  expect_slopes([](const Tensors& x) { return leaky_relu(x[0], 0.25); }, {0}, {0.25});
  expect_slopes(two<prelu>, {0, 0.25}, {0.25, 0});
  expect_slopes([](const Tensors& x) { return elu(x[0], 0.5); }, {0}, {0.5});
  expect_slopes([](const Tensors& x) { return celu(x[0], 0.5); }, {0}, {1});
  expect_slopes(one<selu>, {0}, {1.0507009873554804934 * 1.6732632423543772848});
}
TEST(Conventions, UpperBoundsPass) {
  expect_slopes(one<relu6>, {6}, {1});
  expect_slopes([](const Tensors& x) { return hardtanh(x[0]); }, {1}, {1});
  expect_slopes([](const Tensors& x) { return hardtanh(x[0]); }, {-1}, {1});
}
TEST(Conventions, HardSigmoidAndSwishAtTheKnees) {
  expect_slopes(one<hardsigmoid>, {-3}, {1 / 6.0});
  expect_slopes(one<hardsigmoid>, {3}, {1 / 6.0});
  expect_slopes(one<hardswish>, {-3}, {-0.5});
  expect_slopes(one<hardswish>, {3}, {1.5});
}
TEST(Conventions, ShrinksAreFlatAtTheirWidth) {
  for (const double at : {0.5, -0.5}) {
    expect_slopes([](const Tensors& x) { return hardshrink(x[0], 0.5); }, {at}, {0});
    expect_slopes([](const Tensors& x) { return softshrink(x[0], 0.5); }, {at}, {0});
  }
  expect_slopes([](const Tensors& x) { return threshold(x[0], 0.5, 2); }, {0.5}, {0});
}
TEST(Conventions, AbsAtZero) {
  expect_slopes(one<abs>, {0}, {0});
  expect_slopes(one<abs>, {-0.0}, {0});
  expect_slopes(one<softsign>, {0}, {1});
}
TEST(Conventions, CopysignAtZero) {
  expect_slopes(two<copysign>, {0, -1}, {0, 0});
  expect_slopes(two<copysign>, {2, -0.0}, {-1, 0});
}
TEST(Conventions, PowAtBaseZero) {
  expect_slopes(two<pow>, {0, 2}, {0, 0});
  expect_slopes(two<pow>, {0, 1}, {1, 0});
  expect_slopes(two<pow>, {0, 0}, {0, 0});
  expect_slopes(two<pow>, {0, 0.5}, {kInf, 0});
  const auto by_exponent = [](const Tensors& x) { return pow(0.0, x[0]); };
  expect_slopes(by_exponent, {-1}, {-kInf});
  expect_slopes(by_exponent, {0}, {0});
}
TEST(Conventions, PowOfNegativeBase) {
  expect_slopes([](const Tensors& x) { return pow(x[0], 3); }, {-2}, {12});
  expect_slopes([](const Tensors& x) { return pow(x[0], -1); }, {-2}, {-0.25});
}
TEST(Conventions, RootsAtZeroAreSteep) {
  expect_slopes(one<sqrt>, {0}, {kInf});
  expect_slopes(one<cbrt>, {0}, {kInf});
}
TEST(Conventions, TheOriginOfAnglesAndLengths) {
  expect_slopes(two<atan2>, {0, 0}, {0, 0});
  expect_slopes(two<hypot>, {0, 0}, {0, 0});
}
TEST(Conventions, RemaindersAtMultiples) {
  expect_slopes(two<fmod>, {6, 2}, {1, -3});
  expect_slopes(two<fmod>, {-6, 2}, {1, 3});
  expect_slopes(two<remainder>, {6, 2}, {1, -3});
  expect_slopes(two<remainder>, {-6, 2}, {1, 3});
}
TEST(Conventions, RoundingIsFlat) {
  for (const double at : {0.0, 0.5, 1.25, -2.5})
    for (const auto f : {one<floor>, one<ceil>, one<round>, one<trunc>, one<sign>, one<step>}) expect_slopes(f, {at}, {0});
}
TEST(Conventions, LogarithmicProductsAtZero) {
  expect_slopes(two<xlogy>, {0, 0}, {0, 0});
  expect_slopes(two<xlog1py>, {0, -1}, {0, 0});
}
TEST(Conventions, EqualInfinitiesShareLogaddexp) {
  expect_slopes(two<logaddexp>, {-kInf, -kInf}, {0.5, 0.5});
  expect_slopes(two<logaddexp>, {kInf, kInf}, {0.5, 0.5});
  expect_slopes(two<logaddexp>, {-kInf, 1}, {0, 1});
}
TEST(Conventions, MaskedRowsAreFlat) {
  const auto value = [](const Tensor& t) { return t.item(); };
  const Tensor none = full({2}, -kInf, DType::f64);
  EXPECT_EQ(value(logsumexp(none)), -kInf);
  EXPECT_EQ(value(logsumexp_pair(scalar(-kInf, DType::f64), scalar(-kInf, DType::f64))), -kInf);
  EXPECT_EQ(masked_softmax(none, gt(none, 0.0)).to_vector<double>(), (std::vector<double>{0, 0}));
  expect_slopes([](const Tensors& x) { return logsumexp(stack({x[0], x[1]})); }, {-kInf, -kInf}, {0, 0});
  expect_slopes(two<logsumexp_pair>, {-kInf, -kInf}, {0, 0});
  expect_slopes(two<logsumexp_pair>, {-kInf, 1}, {0, 1});
  expect_slopes([](const Tensors& x) { return sum(masked_softmax(stack({x[0], x[1]}), gt(zeros({2}), 0.0))); }, {1, 2}, {0, 0});
  // What is not masked comes through.
  EXPECT_EQ(value(logsumexp_pair(scalar(kInf, DType::f64), scalar(1, DType::f64))), kInf);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(std::isnan(value(logsumexp_pair(scalar(1, DType::f64), scalar(nan, DType::f64)))));
  EXPECT_TRUE(std::isnan(value(logsumexp_pair(scalar(nan, DType::f64), scalar(-kInf, DType::f64)))));
}
TEST(Conventions, ClampIgnoresNaNBounds) {
  const auto f = [](const Tensors& x) { return clamp(x[0], x[1], x[2]); };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  expect_slopes(f, {1, nan, 2}, {1, 0, 0});
  expect_slopes(f, {3, nan, 2}, {0, 0, 1});
  expect_slopes(f, {1, 0, nan}, {1, 0, 0});
  expect_slopes(f, {nan, 2, 1}, {1, 0, 0});
}
TEST(Conventions, DistancesAtZero) {
  expect_slopes([](const Tensors& x) { return l1(x[0], x[1]); }, {2, 2}, {0, 0});
  expect_slopes([](const Tensors& x) { return norm_p(stack({x[0], x[1]}), 1); }, {0, -3}, {0, -1});
  expect_slopes([](const Tensors& x) { return norm_2(stack({x[0], x[1]})); }, {0, 0}, {0, 0});
}
TEST(Conventions, LossesAtTheirKnees) {
  expect_slopes([](const Tensors& x) { return hinge(x[0], scalar(1, DType::f64)); }, {1}, {0});
  expect_slopes([](const Tensors& x) { return hinge(x[0], scalar(-1, DType::f64)); }, {-1}, {0});
  for (const double side : {1.0, -1.0}) {
    expect_slopes([](const Tensors& x) { return huber(x[0], x[1], {.delta = 0.5}); }, {side * 0.5, 0}, {side * 0.5, side * -0.5});
    expect_slopes([](const Tensors& x) { return smooth_l1(x[0], x[1], {.beta = 0.5}); }, {side * 0.5, 0}, {side, -side});
  }
}
TEST(Conventions, WhereSelects) {
  const auto f = [](const Tensors& x) { return where(gt(x[0], 0.5), x[0], x[1]); };
  expect_slopes(f, {1, std::numeric_limits<double>::quiet_NaN()}, {1, 0});
}
TEST(Conventions, NanToNumIsFlatWhereItReplaces) {
  for (const double at : {kInf, -kInf, std::numeric_limits<double>::quiet_NaN()})
    expect_slopes([](const Tensors& x) { return nan_to_num(x[0]); }, {at}, {0});
}
// relu(x) and maximum(x, 0) are different functions to a gradient: no rewrite may exchange them before it is taken.
TEST(Conventions, ReluIsNotMaximumWithZero) {
  expect_slopes(one<relu>, {0}, {0});
  expect_slopes([](const Tensors& x) { return maximum(x[0], 0); }, {0}, {0.5});
}

}  // namespace
}  // namespace adjoint
