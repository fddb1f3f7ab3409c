// custom_rule_test.cpp: a user's derivative rules: used, checked, differentiated again; and operations that change gradients.
// Not the table of operations: their rows are in src/check/rows/control.cpp.
#include <gtest/gtest.h>

#include "adjoint/custom.hpp"
#include "adjoint/grad.hpp"
#include "adjoint/ops.hpp"

namespace adjoint {
namespace {

using Numbers = std::vector<float>;
Tensor three() { return tensor({-1, 0.5, 2}); }

CustomVjp bad_rule(std::function<Tensors(const Tensors&, const Tensor&, const Tensor&)> backward) {
  return {.name = "mine", .forward = [](const Tensors& in) { return in[0] * 2.0; }, .backward = std::move(backward)};
}
std::string message_of(const CustomVjp& rule, const Tensors& in) {
  try {
    const Tensor y = sum(custom_vjp(rule, in));
    grad(y, in[0]);
  } catch (const Error& e) { return e.what(); }
  return "nothing was thrown";
}

TEST(CustomVjp, TheRuleReplacesTheDerivativeOnlyThere) {
  const Tensor x = three().requires_grad();
  const CustomVjp step{.name = "hard step",
                       .forward = [](const Tensors& in) { return cast(gt(in[0], 0.0), DType::f32); },
                       .backward = [](const Tensors& in, const Tensor&, const Tensor& ct) -> Tensors { return {where(lt(abs(in[0]), 1.0), ct, 0.0)}; }};
  const Tensor y = custom_vjp(step, {x});
  EXPECT_EQ(y.to_vector<float>(), (Numbers{0, 1, 1}));
  EXPECT_EQ(grad(sum(y * 3.0 + x), x).to_vector<float>(), (Numbers{1, 4, 1}));
}

TEST(CustomVjp, CanBeDifferentiatedAgain) {
  const Tensor x = three();
  const CustomVjp cube{.name = "cube",
                       .forward = [](const Tensors& in) { return in[0] * in[0] * in[0]; },
                       .backward = [](const Tensors& in, const Tensor&, const Tensor& ct) -> Tensors { return {3.0 * square(in[0]) * ct}; }};
  const Tensor d = grad(sum(custom_vjp(cube, {x})), x);
  EXPECT_EQ(grad(sum(d), x).to_vector<float>(), (Numbers{-6, 3, 12}));
}

TEST(CustomVjp, WhatARuleReturnsIsChecked) {
  const Tensor x = three(), i = tensor(std::vector<std::int32_t>{1, 2, 3}, {3});
  EXPECT_NE(message_of(bad_rule([](auto&, auto&, auto&) { return Tensors{}; }), {x}).find("the rule of mine returned 0 cotangents for 1 inputs"), std::string::npos);
  EXPECT_NE(message_of(bad_rule([](auto&, auto&, auto& ct) { return Tensors{sum(ct)}; }), {x}).find("returned f32[] for input 0 of type f32[3]"), std::string::npos);
  EXPECT_NE(message_of(bad_rule([](auto&, auto&, auto& ct) { return Tensors{cast(ct, DType::f64)}; }), {x}).find("returned f64[3] for input 0 of type f32[3]"), std::string::npos);
  EXPECT_NE(message_of(bad_rule([](auto&, auto&, auto& ct) { return Tensors{ct, ct}; }), {x, i}).find("returned a cotangent for input 1 of type i32[3]"), std::string::npos);
}

TEST(CustomVjp, ForwardModeIsRefusedAndSaysWhy) {
  const Tensor x = three(), y = custom_vjp(bad_rule([](auto&, auto&, auto& ct) { return Tensors{ct}; }), {x});
  try {
    jvp(y, x, ones({3}));
    FAIL() << "nothing was thrown";
  } catch (const Error& e) { EXPECT_NE(std::string(e.what()).find("goes backward only"), std::string::npos) << e.what(); }
}

TEST(CustomJvp, ServesBothModes) {
  const Tensor x = three(), w = tensor({2, 3, 4});
  const CustomJvp product{.name = "product",
                          .forward = [](const Tensors& in) { return in[0] * in[1]; },
                          .tangent = [](const Tensors& in, const Tensor&, const Tensors& dot) { return dot[0] * in[1] + in[0] * dot[1]; }};
  const Tensor y = custom_jvp(product, {x, w});
  EXPECT_EQ(grad(sum(y), x).to_vector<float>(), (Numbers{2, 3, 4}));
  EXPECT_EQ(grad(sum(y), w).to_vector<float>(), (Numbers{-1, 0.5, 2}));
  EXPECT_EQ(jvp(y, x, ones({3})).to_vector<float>(), (Numbers{2, 3, 4}));
}

TEST(Control, GradientsAreScaledReversedClippedAndSeen) {
  const Tensor x = three();
  EXPECT_EQ(grad(sum(scale_gradient(x, 0.5) * x), x).to_vector<float>(), (Numbers{-1.5, 0.75, 3}));
  EXPECT_EQ(grad(sum(reverse_gradient(x) * 2.0), x).to_vector<float>(), (Numbers{-2, -2, -2}));
  EXPECT_EQ(grad(sum(square(clip_gradient(x, 1.5))), x).to_vector<float>(), (Numbers{-1.5, 1, 1.5}));
  EXPECT_EQ(grad(sum(straight_through(round(x), x)), x).to_vector<float>(), (Numbers{1, 1, 1}));
  Tensor seen;
  grad(sum(probe(x, [&](const Tensor& ct) { seen = ct; }) * 5.0), x);
  EXPECT_EQ(seen.to_vector<float>(), (Numbers{5, 5, 5}));
}

}  // namespace
}  // namespace adjoint
