// promises_test.cpp: each test and each file that docs/promises.md names exists. Not a run of those tests: ctest does that.
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <sstream>
#include <string>

#include "house/includes.hpp"
#include "support/paths.hpp"

namespace house {
namespace {

std::string text_of(const std::filesystem::path& file) {
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

/// The sources of all tests, in which TEST(Suite, Name) is written "Suite.Name" first.
std::string all_tests() {
  std::string text;
  const std::regex test("TEST(?:_F|_P)?\\((\\w+), (\\w+)\\)");
  for (const std::string& file : source_files(ADJOINT_SOURCE_DIR, {"tests"})) {
    const std::string code = text_of(std::filesystem::path(ADJOINT_SOURCE_DIR) / file);
    for (std::sregex_iterator it(code.begin(), code.end(), test), end; it != end; ++it) text += (*it)[1].str() + "." + (*it)[2].str() + "\n";
  }
  return text + text_of(std::filesystem::path(ADJOINT_SOURCE_DIR) / "tests/house/CMakeLists.txt");
}

/// What the page says exists and does not.
std::vector<std::string> missing(const std::string& page, const std::string& tests) {
  std::vector<std::string> names;
  const std::regex quoted("`([^`]+)`"), path("(tests|src|docs|scripts)/[\\w/.-]+"), test("(\\w+\\.)(\\w+|\\*)");
  for (std::sregex_iterator it(page.begin(), page.end(), quoted), end; it != end; ++it) {
    const std::string name = (*it)[1];
    std::smatch parts;
    if (std::regex_match(name, path)) {
      if (!std::filesystem::exists(std::filesystem::path(ADJOINT_SOURCE_DIR) / name)) names.push_back(name);
    } else if (std::regex_match(name, parts, test)) {
      if (tests.find(parts[2] == "*" ? parts[1].str() : name) == tests.npos) names.push_back(name);
    }
  }
  return names;
}

}  // namespace

TEST(Promises, NameTestsAndFilesThatExist) {
  const std::string page = text_of(std::filesystem::path(ADJOINT_SOURCE_DIR) / "docs/promises.md");
  ASSERT_GT(page.size(), 1000u);
  for (const std::string& name : missing(page, all_tests())) ADD_FAILURE() << "docs/promises.md names " << name << ", which is not there";
}

TEST(Promises, AMissingNameIsFound) {
  EXPECT_EQ(missing("`Suite.Name` `Suite.*` `Other.*` `Suite.Wrong` `tests/house` `tests/nowhere_test.cpp` `scripts/test --all`", "Suite.Name\n"),
            (std::vector<std::string>{"Other.*", "Suite.Wrong", "tests/nowhere_test.cpp"}));
}

}  // namespace house
