// rows_test.cpp: every operation of the registry through the harness: one case each. Not the harness's own proof, which
// is faults_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>

#include "check/harness.hpp"
#include "graph/primitive.hpp"

namespace adjoint::check {
namespace {

std::string joined(const std::vector<std::string>& lines) {
  std::string s;
  for (const auto& l : lines) s += "\n  " + l;
  return s;
}

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const Primitive* p : primitives()) all.emplace_back(p->name);
  return all;
}

class Operation : public testing::TestWithParam<std::string> {};
TEST_P(Operation, HoldsInEveryCheck) {
  const CheckReport report = check_operation(GetParam());
  EXPECT_EQ(report.failed, 0) << joined(report.failures);
  EXPECT_GT(report.checks, 0);
}
INSTANTIATE_TEST_SUITE_P(All, Operation, testing::ValuesIn(names()), [](const auto& i) { return i.param; });

// What a row leaves out, or allows beyond the usual bound, it explains; values at a kink are written out, or explained.
TEST(Rows, SayWhyTheyLeaveSomethingOut) {
  for (const auto& row : all_rows()) {
    const bool written = std::ranges::any_of(row.in, [](const Input& in) { return !in.exact.empty(); });
    const bool plain = row.condition == 1 && row.f32 && row.f32_tolerance == 8 && row.linear_in_ct && !row.one_mode && (!row.kink || written);
    EXPECT_TRUE(plain || !row.reason.empty()) << row.op << " in " << row.at.file << ":" << row.at.line;
  }
}

}  // namespace
}  // namespace adjoint::check
