// plan_text_test.cpp: a plan says what runs and where it lies. Not a test of the passes.
#include <gtest/gtest.h>

#include "adjoint/ops.hpp"
#include "plan/plan.hpp"

namespace adjoint {
namespace {

TEST(PlanText, OneLineAStepWithOperandsPlacesAndTheArena) {
  const Tensor x = tensor<double>({1, 2, 3}, {1, 3, 1});
  const Tensor y = sum(exp(x) * 2.0, {1});  // over an axis that no group takes along
  std::lock_guard lock(graph_mutex());
  Node* root = y.node();
  const Order order = topological_order(std::span(&root, 1));
  const plan::Plan plan = plan::make_plan({order, {0}, {0}});
  const std::string text = plan::to_string(plan);
  EXPECT_EQ(text.find("exp+mul (f64[3]@leaf0, "), 0u) << text;
  EXPECT_NE(text.find("@number0) -> f64[3]@0\n"), std::string::npos) << text;
  EXPECT_NE(text.find("sum (f64[1,3,1]@0) -> f64[1,1]@out0\n"), std::string::npos) << text;
  EXPECT_NE(text.find("arena 64 bytes, live at most 64\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace adjoint
