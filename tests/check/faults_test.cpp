// faults_test.cpp: the rows catch wrong rules; without faults they pass. Many more faults under scripts/soak.
#include "check/faults.hpp"

#include <gtest/gtest.h>

#include "support/soak.hpp"

namespace adjoint::check {
namespace {

std::string joined(const FaultReport& r) {
  std::string s = std::to_string(r.caught) + " of " + std::to_string(r.mutants) + " caught, " + std::to_string(r.equivalent.size()) + " equivalent; survived:";
  for (const auto& l : r.survived) s += "\n  " + l;
  return s;
}

TEST(SeededFaults, RowsCatchThem) {
  const FaultReport r = seed_faults("", 300, 1);
  EXPECT_EQ(r.mutants, 300);
  EXPECT_GE(static_cast<double>(r.caught), 0.99 * static_cast<double>(r.mutants)) << joined(r);
}

TEST(SeededFaults, OneOperationIsLeftAsItWas) {
  const FaultReport first = seed_faults("mul", 1000, 1), again = seed_faults("mul", 1000, 2);
  EXPECT_GT(first.mutants, 5);
  EXPECT_EQ(first.mutants, again.mutants);
  EXPECT_EQ(first.caught, again.caught);
}

// Of the faults that no row catches, only those are left out that change nothing: relu's rule may read its result in the place
// of its operand, and the other way round, but tanh's may not.
TEST(SeededFaults, OnlyWhatChangesNothingIsEquivalent) {
  EXPECT_EQ(seed_faults("relu", 1000, 1).equivalent.size(), 2);
  EXPECT_TRUE(seed_faults("tanh", 1000, 1).equivalent.empty());
}

TEST(SeededFaultsSoak, RowsCatchThem) {
  const FaultReport r = seed_faults("", support::soak_scaled(100000), support::soak_seed());
  EXPECT_GE(r.mutants, 300);
  EXPECT_GE(static_cast<double>(r.caught), 0.99 * static_cast<double>(r.mutants)) << joined(r);
  std::printf("%s\n", joined(r).c_str());
  support::soak_count("faults.mutants", r.mutants);
  support::soak_count("faults.caught", r.caught);
  support::soak_count("faults.equivalent", static_cast<std::int64_t>(r.equivalent.size()));
  for (const auto& l : r.equivalent) std::printf("equivalent: %s\n", l.c_str());
}

}  // namespace
}  // namespace adjoint::check
