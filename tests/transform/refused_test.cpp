// refused_test.cpp: a gradient through what has no derivative is an Error, also where no cotangent could arrive; and how to say that none is meant.
// Not the list of what is refused: src/check/rows asks each operation.
#include <gtest/gtest.h>

#include <string>

#include "adjoint/grad.hpp"
#include "adjoint/ops.hpp"

namespace adjoint {
namespace {

const Key kKey(5);

std::string refusal(const Tensor& loss, const Tensor& wrt) {
  try {
    grad(loss, wrt);
    return "";
  } catch (const Error& e) {
    return e.what();
  }
}
std::string refusal_forward(const Tensor& loss, const Tensor& wrt) {
  try {
    jvp(loss, wrt, ones_like(wrt));
    return "";
  } catch (const Error& e) {
    return e.what();
  }
}
void expect_refused(const Tensor& loss, const Tensor& wrt, const std::string& op) {
  for (const std::string& said : {refusal(loss, wrt), refusal_forward(loss, wrt)}) {
    EXPECT_NE(said.find(op + " has no derivative"), std::string::npos) << said;
    EXPECT_NE(said.find("stop_gradient"), std::string::npos) << said;
  }
}
void expect_silent(const Tensor& loss, const Tensor& wrt) {
  EXPECT_EQ(refusal(loss, wrt), "");
  EXPECT_EQ(refusal_forward(loss, wrt), "");
}

struct Draws : testing::Test {
  Tensor p = full({3}, 0.5).detach(), x = full({3}, 2.0).detach();
};

TEST_F(Draws, ABoolThatPicksABranch) {
  expect_refused(sum(where(bernoulli(kKey, p), x, 0.0)), p, "bernoulli");
  expect_refused(sum(where(bernoulli(kKey, sigmoid(p)), x * p, 0.0)), p, "bernoulli");
  expect_silent(sum(where(bernoulli(kKey, p), x, 0.0)), x);
}
TEST_F(Draws, AnIndex) {
  expect_refused(sum(take(x, reshape(categorical(kKey, p), {1}))), p, "categorical");
  expect_refused(sum(take(x, multinomial(kKey, p, 2))), p, "multinomial");
  expect_refused(sum(take(x, multinomial(kKey, p, 2, false))), p, "multinomial");
  expect_silent(sum(take(x, multinomial(kKey, p, 2))), x);
}
TEST_F(Draws, ANumberThatIsOnlyCompared) {
  expect_refused(sum(poisson(kKey, p)), p, "poisson");
  expect_refused(sum(where(gt(poisson(kKey, p), 1), x, 0.0)), p, "poisson");
  expect_refused(sum(floor(poisson(kKey, p)) * x), p, "poisson");
}
TEST_F(Draws, ThePathIsNamed) {
  EXPECT_NE(refusal(sum(where(gt(poisson(kKey, p), 1), x, 0.0)), p).find("poisson -> gt -> where -> sum"), std::string::npos)
      << refusal(sum(where(gt(poisson(kKey, p), 1), x, 0.0)), p);
}
TEST_F(Draws, StopGradientSaysThatNoneIsMeant) {
  expect_silent(sum(where(bernoulli(kKey, stop_gradient(p)), x * p, 0.0)), p);
  expect_silent(sum(take(x * p, stop_gradient(multinomial(kKey, p, 2)))), p);
  expect_silent(sum(x * p * stop_gradient(poisson(kKey, p))), p);
}
TEST_F(Draws, AParameterBehindAFlatFunctionIsNoQuestion) { expect_silent(sum(where(bernoulli(kKey, floor(p)), x * p, 0.0)), p); }
TEST_F(Draws, StraightThroughReplacesTheDraw) {
  const Tensor y = sum(straight_through(cast(bernoulli(kKey, p), DType::f32), p) * x);
  expect_silent(y, p);
  EXPECT_EQ(grad(y, p).to_vector<float>(), (std::vector<float>{2, 2, 2}));
  EXPECT_EQ(jvp(y, p, ones_like(p)).item(), 6);
}
TEST_F(Draws, AnotherPathDoesNotHideIt) {
  const Tensor drawn = cast(bernoulli(kKey, p), DType::f32);
  expect_refused(sum(stop_gradient(drawn) * x + drawn), p, "bernoulli");
}
TEST_F(Draws, ImperativeForm) {
  p.requires_grad();
  EXPECT_THROW(backward(sum(where(bernoulli(kKey, p), x, 0.0))), Error);
  backward(sum(where(bernoulli(kKey, stop_gradient(p)), x * p, 0.0)));
  EXPECT_TRUE(p.grad());
}
TEST_F(Draws, ADrawByItsDefinitionIsAFunctionOfItsKey) {
  const Tensor logits = log(tensor({0.1, 0.2, 0.7}));
  const auto one = categorical(kKey, logits).to_vector<std::int64_t>();
  EXPECT_EQ(one, argmax(logits + gumbel(kKey, {3})).to_vector<std::int64_t>());
  EXPECT_EQ(multinomial(kKey, x, 0).shape(), (Shape{0}));
}

}  // namespace
}  // namespace adjoint
