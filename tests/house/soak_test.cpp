// soak_test.cpp: the harness of the long programs counts once and hands out its seed. Not a long program itself.
#include "support/soak.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace {

TEST(Harness, CountsGoToTheFileThatIsNamed) {
  const std::string file = testing::TempDir() + "soak_counts.tsv";
  std::remove(file.c_str());
  setenv("ADJOINT_SOAK_COUNTERS", file.c_str(), 1);
  support::soak_count("a.b", 3);
  support::soak_count("a.b", 4);
  unsetenv("ADJOINT_SOAK_COUNTERS");
  support::soak_count("a.b", 5);  // no file is named: nowhere to go
  std::ifstream stream(file);
  std::string name;
  std::int64_t amount = 0, sum = 0;
  while (stream >> name >> amount) sum += amount;
  EXPECT_EQ(name, "a.b");
  EXPECT_EQ(sum, 7);
}

TEST(HarnessSoak, RunsAndCounts) {
  EXPECT_GE(support::soak_seed(), 1u);
  support::soak_count("house.harness_runs", support::soak_scaled(1));
}

}  // namespace
