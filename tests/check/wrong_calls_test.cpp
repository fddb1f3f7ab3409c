// wrong_calls_test.cpp: thousands of generated wrong calls of operations: each is an Error at the caller's line, or legal
// after all and then computes. Not their exact messages: error_messages_test.cpp.
#include <gtest/gtest.h>

#include <iostream>

#include "check/wrong_calls.hpp"
#include "support/soak.hpp"

namespace adjoint::check {
namespace {

std::string first_of(const std::vector<std::string>& lines) {
  std::string s;
  for (std::size_t i = 0; i < lines.size() && i < 40; ++i) s += "\n  " + lines[i];
  return s;
}

TEST(WrongCalls, OfEveryRowAreTypedErrorsAtTheCallersLine) {
  WrongReport report;
  wrong_rows(report);
  std::cout << report.text();
  EXPECT_TRUE(report.broken.empty()) << first_of(report.broken);
  EXPECT_GE(report.total().threw, 2000);
}

TEST(WrongCallsSoak, WithSeveralOperandsChangedByChance) {
  const std::int64_t count = support::soak_scaled(100000);
  WrongReport report;
  wrong_rows_at_random(support::soak_seed(), count, report);
  std::cout << report.text();
  EXPECT_TRUE(report.broken.empty()) << first_of(report.broken);
  support::soak_count("check.wrong_calls", report.total().threw);
}

}  // namespace
}  // namespace adjoint::check
