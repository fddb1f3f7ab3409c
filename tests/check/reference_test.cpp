// reference_test.cpp: the reference interpreter over graphs of the library. Not the rows of the
// operations: the harness runs those.
#include "check/reference.hpp"

#include <gtest/gtest.h>

#include "adjoint/grad.hpp"
#include "adjoint/ops.hpp"
#include "check/reference_op.hpp"
#include "graph/primitive.hpp"

namespace adjoint::check {
namespace {

Tensor f64(std::vector<double> v, const Shape& shape) { return tensor(v, shape); }
RefTensor<Quad> quad(const Tensor& t) { return std::move(evaluate<Quad>(std::span(&t, 1))[0]); }

TEST(Reference, ComputesAGraphInQuad) {
  const Tensor x = f64({1, 2, 3, 4, 5, 6}, {2, 3}), w = f64({0.5, -1, 2}, {3, 1});
  const Tensor y = sum(exp(matmul(x, w)) / 3.0, {0});
  const auto q = quad(y);
  ASSERT_EQ(q.shape, (Sizes{1}));
  const Quad want = (Elementary<Quad>::exp(Quad(4.5)) + Elementary<Quad>::exp(Quad(9))) / 3;
  EXPECT_LT(static_cast<double>(Elementary<Quad>::abs(q.data[0] / want - 1)),
            kHasQuad ? 1e-32 : 1e-17);
  const auto d = evaluate<double>(std::span(&y, 1));
  EXPECT_NEAR(d[0].data[0], static_cast<double>(want), 1e-11);
}

TEST(Reference, DoesNotRoundToNarrowTypes) {
  const Tensor x = full({2}, 1, DType::f32), y = x / 3.0;
  EXPECT_EQ(quad(y).data[0], Quad(1) / 3);
  EXPECT_EQ(quad(cast(f64({0.1}, {1}), DType::bf16)).data[0], Quad(0.1));
}

TEST(Reference, OverridesStandInPlaceOfAValueAndAllBehindIt) {
  const Tensor x = f64({3}, {1}), y = x * x, z = y + x;
  const Override<Quad> at{y, filled({1}, DType::f64, Quad(100))};
  const auto q = evaluate<Quad>(std::span(&z, 1), std::span(&at, 1));
  EXPECT_EQ(static_cast<double>(q[0].data[0]), 103);
  EXPECT_EQ(static_cast<double>(quad(z).data[0]), 12);  // and leave no trace
}

TEST(Reference, SeveralOutputsAndRepeatedOnes) {
  const Tensor x = f64({2}, {}), y = x * x;
  const Tensor outs[] = {y, x, y};
  const auto q = evaluate<Quad>(outs);
  EXPECT_EQ(static_cast<double>(q[0].data[0]), 4);
  EXPECT_EQ(static_cast<double>(q[1].data[0]), 2);
  EXPECT_EQ(static_cast<double>(q[2].data[0]), 4);
}

TEST(Reference, GradientGraphsAreGraphs) {
  const Tensor x = f64({0.3, -1.2}, {2}), loss = sum(exp(x * x));
  const auto g = quad(grad(loss, x));
  for (int i = 0; i < 2; ++i) {
    const Quad v = value_of<Quad>(x).data[static_cast<std::size_t>(i)];
    const Quad want = 2 * v * Elementary<Quad>::exp(v * v);
    EXPECT_LT(
        static_cast<double>(Elementary<Quad>::abs(g.data[static_cast<std::size_t>(i)] / want - 1)),
        kHasQuad ? 1e-32 : 1e-17);
  }
}

TEST(Reference, DifferencesInQuadHaveTwentyDigits) {
  const Tensor x = f64({0.3, -1.2, 2.5}, {3}), y = exp(x * x) / (x + 4.0);
  const auto w = RefTensor<Quad>{{3}, DType::f64, {1, -2, 3}};
  const auto n = numeric_gradient<Quad>(y, w, x);
  const Tensor seed = f64({1, -2, 3}, {3});
  EXPECT_LT(norm_error(quad(vjp(y, seed, x)), n.q), kHasQuad ? 1e-20 : 1e-10);
  EXPECT_LT(gradient_error(quad(vjp(y, seed, x)), n), kHasQuad ? 1e-20 : 1e-10);
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_EQ(n.scale.data[i], Elementary<Quad>::abs(n.q.data[i]));  // diagonal J
}

TEST(Reference, ScaleIsTheAbsoluteJacobian) {
  const Tensor x = f64({1, 1}, {1, 2}), m = f64({1, -1, 1, 1}, {2, 2}),
               y = matmul(x, m);  // J^T w with w = (1, 1): cancels
  const auto n = numeric_gradient<Quad>(y, RefTensor<Quad>{{1, 2}, DType::f64, {1, 1}}, x);
  EXPECT_NEAR(static_cast<double>(n.q.data[0]), 0, 1e-12);
  EXPECT_NEAR(static_cast<double>(n.scale.data[0]), 2, 1e-12);
  RefTensor<Quad> wrong = n.q;
  wrong.data[0] += Quad(1e-3);
  EXPECT_NEAR(gradient_error(wrong, n), 1e-3 / std::sqrt(8.0), 1e-9);
}

TEST(Reference, ErrorsOfNorms) {
  const double inf = std::numeric_limits<double>::infinity();
  const auto r = [](std::vector<double> v) {
    return RefTensor<double>{{static_cast<std::int64_t>(v.size())}, DType::f64, v};
  };
  EXPECT_EQ(norm_error(r({1, 2}), r({1, 2})), 0);
  EXPECT_EQ(norm_error(r({}), r({})), 0);
  EXPECT_EQ(norm_error(r({0}), r({0})), 0);
  EXPECT_EQ(norm_error(r({1}), r({0})), inf);
  EXPECT_EQ(norm_error(r({NAN, 2}), r({1, 2})), inf);
  EXPECT_EQ(norm_error(r({inf, 2}), r({inf, 2})), 0);
  EXPECT_EQ(norm_error(r({inf, 2}), r({-inf, 2})), inf);
  EXPECT_EQ(norm_error(r({1}), r({1, 2})), inf);
  EXPECT_NEAR(norm_error(r({3, 4.5}), r({3, 4})), 0.1, 1e-15);
}

TEST(Reference, LeavesOfEveryTypeAreReadExactly) {
  EXPECT_EQ(value_of<Quad>(tensor(std::vector<std::int64_t>{INT64_MAX}, {1})).data[0],
            Quad(INT64_MAX));
  EXPECT_EQ(static_cast<double>(value_of<Quad>(tensor(std::vector<float>{0.1f}, {1})).data[0]),
            static_cast<double>(0.1f));
  EXPECT_EQ(
      static_cast<double>(value_of<Quad>(tensor(std::vector<std::uint8_t>{255}, {1})).data[0]),
      255);
  EXPECT_EQ(static_cast<double>(value_of<Quad>(full({2, 2}, -3, DType::i32)).data[3]), -3);
  EXPECT_EQ(
      static_cast<double>(value_of<Quad>(tensor(std::vector<float16>{float16(2.5f)}, {1})).data[0]),
      2.5);
}

TEST(Reference, EveryCorePrimitiveHasADefinition) {
  int defined = 0;
  for (const Primitive* p : primitives()) {
    if (p->traits.inlined || p->decompose) continue;
    EXPECT_NE(find_definition<Quad>(p->name), nullptr)
        << p->name << ": write its definition in src/check/reference_*.cpp";
    ++defined;
  }
  EXPECT_GT(defined, 10);
}

TEST(Reference, AValueThatIsMissingIsAnError) { EXPECT_THROW(quad(Tensor()), Error); }

}  // namespace
}  // namespace adjoint::check
