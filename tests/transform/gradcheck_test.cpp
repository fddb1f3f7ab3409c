// gradcheck_test.cpp: the public proofs of derivatives accept right rules and refuse wrong ones. Not the table of rows.
#include <gtest/gtest.h>

#include <cmath>

#include "adjoint/check.hpp"
#include "adjoint/ops.hpp"

namespace adjoint {
namespace {

Tensor some(std::initializer_list<double> v) { return tensor(std::vector<double>(v), {static_cast<std::int64_t>(v.size())}); }

TEST(Gradcheck, AcceptsARightRule) {
  const auto r = gradcheck([](const Tensors& x) { return exp(x[0]) * x[1] / (1 + square(x[0])); }, {some({0.5, -1, 2}), some({1, 2, -3})});
  EXPECT_TRUE(r.ok) << r.message;
  EXPECT_LT(r.worst, 1e-7);
}
TEST(Gradcheck, RefusesAWrongRule) {
  // The gradient is cut where differences see a slope.
  const auto r = gradcheck([](const Tensors& x) { return x[0] * stop_gradient(x[0]); }, {some({0.5, -1, 2})});
  EXPECT_FALSE(r.ok);
  EXPECT_GT(r.worst, 0.1);
  EXPECT_NE(r.message.find("by differences"), std::string::npos);
}
TEST(Gradcheck, SeesOneElementOfMany) {
  const auto wrong_at_7 = [](const Tensors& x) {
    std::vector<double> v(20, 0);
    v[7] = 1;
    return where(gt(tensor(v, {20}), 0.5), stop_gradient(x[0]), x[0]);
  };
  EXPECT_FALSE(gradcheck(wrong_at_7, {full({20}, 1.5, DType::f64)}).ok);
  EXPECT_FALSE(gradcheck(wrong_at_7, {full({20}, 1.5, DType::f64)}, {.most_elements = 1}).ok) << "the direction has all elements in it";
}
TEST(Gradcheck, NeedsF64) {
  try {
    gradcheck([](const Tensors& x) { return x[0] * 2.0; }, {ones({3})});
    FAIL() << "did not throw";
  } catch (const Error& e) {
    EXPECT_NE(e.message().find("an input is f32[3], not f64"), std::string::npos) << e.what();
  }
  EXPECT_THROW(gradcheck([](const Tensors& x) { return cast(x[0], DType::f32); }, {some({1})}), Error);
}
TEST(Gradcheck, EmptyInputsAreFine) {
  EXPECT_TRUE(gradcheck([](const Tensors& x) { return x[0] * 2.0; }, {zeros({0, 3}, DType::f64)}).ok);
}

TEST(Refcheck, CountsUlps) {
  const Function twice = [](const Tensors& x) { return x[0] + x[0]; }, by_two = [](const Tensors& x) { return x[0] * 2.0; };
  const auto same = refcheck(twice, by_two, {some({0.1, 3, -1e-310, 0})});
  EXPECT_EQ(same.max_ulp, 0);
  EXPECT_EQ(same.max_ulp_gradient, 0);
  const auto off = refcheck([](const Tensors& x) { return x[0] * (2 + 4 * 0x1p-52); }, by_two, {some({1, 1.5})});
  EXPECT_NEAR(off.max_ulp, 3, 1.01);
  EXPECT_GE(off.max_ulp_gradient, 1);
}
TEST(Refcheck, InfinityWhereOnlyOneIsFinite) {
  const auto r = refcheck([](const Tensors& x) { return 1 / x[0]; }, [](const Tensors& x) { return x[0]; }, {some({0})});
  EXPECT_TRUE(std::isinf(r.max_ulp));
}
TEST(Refcheck, TypesMustAgree) {
  EXPECT_THROW(refcheck([](const Tensors& x) { return x[0]; }, [](const Tensors& x) { return cast(x[0], DType::f32); }, {some({1})}), Error);
}

}  // namespace
}  // namespace adjoint
