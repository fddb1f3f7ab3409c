// seed_table_test.cpp: docs/seed.md names a test for every row of the founding text that is built, and each of those tests exists.
// Not the rows themselves.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "support/paths.hpp"

namespace adjoint::features {
namespace {

std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// "Suite.Name" of every TEST, TEST_F and TEST_P under tests/.
std::set<std::string> tests_that_exist() {
  std::set<std::string> names;
  const std::regex test(R"(^TEST(?:_F|_P)?\((\w+), *(\w+)\).*)");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(ADJOINT_SOURCE_DIR "/tests"))
    if (entry.path().extension() == ".cpp")
      for (const auto& line : lines_of(entry.path()))
        if (std::smatch m; std::regex_match(line, m, test)) names.insert(m[1].str() + "." + m[2].str());
  return names;
}

/// Row -> the names in its last column.
std::map<std::string, std::vector<std::string>> table() {
  std::map<std::string, std::vector<std::string>> rows;
  const std::regex row(R"(^\| (A[\w.-]+) \|.*\|([^|]*)\|$)"), name(R"(`(\w+\.\w+)`)");
  for (const auto& line : lines_of(ADJOINT_SOURCE_DIR "/docs/seed.md"))
    if (std::smatch m; std::regex_match(line, m, row)) {
      const std::string cell = m[2];
      auto& tests = rows[m[1]];
      for (std::sregex_iterator it(cell.begin(), cell.end(), name), end; it != end; ++it) tests.push_back((*it)[1]);
    }
  return rows;
}

TEST(SeedTable, EveryRowNamesTestsThatExist) {
  const auto exist = tests_that_exist();
  ASSERT_GT(exist.size(), 100u);
  const auto rows = table();
  for (const auto& [row, tests] : rows) {
    EXPECT_FALSE(tests.empty()) << row << " names no test";
    for (const auto& t : tests) EXPECT_TRUE(exist.count(t)) << row << " names " << t << ", which is not there";
  }
  for (const char* row : {"A1.1", "A1.2", "A1.3", "A1.4", "A1.5", "A1.6", "A1.7", "A1.8", "A2.1",  "A2.2",  "A2.3",  "A2.4",  "A3.1", "A3.2",
                          "A3.3", "A3.4", "A3.6", "A3.7", "A3.8", "A3.11", "A8.1", "A8.2", "A8.3", "A10.1", "A10.2", "A10.4", "A-conv"})
    EXPECT_TRUE(rows.count(row)) << row << " is missing";
}

TEST(SeedTable, EveryTestNamedAfterARowIsInTheTable) {
  std::set<std::string> named;
  for (const auto& [row, tests] : table()) named.insert(tests.begin(), tests.end());
  const std::regex of_row(R"(Features\.A\d+_\d+_.*)");
  for (const auto& name : tests_that_exist())
    EXPECT_TRUE(named.count(name) || !std::regex_match(name, of_row)) << name << " is not in docs/seed.md";
}

}  // namespace
}  // namespace adjoint::features
