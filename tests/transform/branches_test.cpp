// branches_test.cpp: choices and bounded repetitions: what runs, what gradients follow, which errors come. Derivatives, batching and
// plans against definitions are rows: src/check/rows/branches.cpp.
#include <gtest/gtest.h>

#include <cmath>

#include "adjoint/branches.hpp"
#include "adjoint/compile.hpp"
#include "adjoint/grad.hpp"
#include "adjoint/vmap.hpp"

namespace adjoint {
namespace {

std::vector<double> values(const Tensor& t) { return t.to_vector<double>(); }
const Tensor x = tensor<double>({1, -2, 3}, {3});

}  // namespace

TEST(Branches, TheIndexChoosesAndIsClamped) {
  for (const auto& [index, wanted] : {std::pair<std::int64_t, double>{-5, 2}, {0, 2}, {1, 3}, {2, 4}, {9, 4}}) {
    const Tensor y = choose<Tensor>(scalar_i64(index), {[] { return x * 2.0; }, [] { return x * 3.0; }, [] { return x * 4.0; }});
    EXPECT_EQ(values(y), (std::vector<double>{wanted, -2 * wanted, 3 * wanted})) << index;
  }
}

// The branch that does not run may divide by zero or be out of range: where() would carry its NaN into the gradient.
TEST(Branches, WhatDoesNotRunLeavesNoTrace) {
  const Tensor at = scalar(-1.0, DType::f64);  // a number is an operand like any
  const Tensor y = cond(gt(at, 0.0), [&] { return sqrt(at); }, [&] { return at * at; });
  EXPECT_EQ(grad(y, at).item(), -2);
  EXPECT_EQ(y.item(), 1);
  EXPECT_TRUE(std::isnan(grad(where(gt(at, 0.0), sqrt(at), at * at), at).item()));
  const Tensor rows = tensor<double>({1, 2}, {2}), far = tensor<std::int64_t>({7}, {1});
  EXPECT_EQ(values(cond(lt(sum(rows), 0.0), [&] { return take(rows, far, 0); }, [&] { return slice(rows, {1}, {2}); })), std::vector<double>{2});
}

TEST(Branches, AWhileEndsWhereItsConditionDoes) {
  const auto halved = [](const Tensor& start, std::int64_t most) {
    return while_bounded([](const Tensor& y) { return gt(y, 1.0); }, [](const Tensor& y) { return y * 0.5; }, start, most);
  };
  EXPECT_EQ(halved(scalar(10.0, DType::f64), 100).item(), 0.625);
  EXPECT_EQ(halved(scalar(0.5, DType::f64), 100).item(), 0.5);
  EXPECT_EQ(halved(scalar(10.0, DType::f64), 2).item(), 2.5);  // the bound
  EXPECT_EQ(halved(scalar(10.0, DType::f64), 0).item(), 10);
  const Tensor start = scalar(10.0, DType::f64);
  EXPECT_EQ(grad(halved(start, 100), start).item(), 0.0625);  // four steps ran
}

TEST(Branches, UnderCompileTheChoiceIsMadeInEveryCall) {
  const auto step = compile([](const Tensor& v) { return cond(gt(sum(v), 0.0), [&] { return v + 1.0; }, [&] { return -v; }); });
  EXPECT_EQ(values(step(x)), (std::vector<double>{2, -1, 4}));
  EXPECT_EQ(values(step(-x)), (std::vector<double>{1, -2, 3}));
  EXPECT_EQ(step.traces(), 1);
}

TEST(Branches, EachExampleHasItsOwnChoice) {
  const Tensor all = tensor<double>({1, -1, 4, -9}, {4});
  const Tensor y = vmap([](const Tensor& v) { return cond(gt(v, 0.0), [&] { return v * 10.0; }, [&] { return v * v; }); }, all);
  EXPECT_EQ(values(y), (std::vector<double>{10, 1, 40, 81}));
}

}  // namespace adjoint
