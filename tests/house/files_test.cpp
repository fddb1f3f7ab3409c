// files_test.cpp: what every source file of this tree holds to: two opening comment lines,
// headers guarded once. Not a formatter: .clang-format is the one place for layout.
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "house/includes.hpp"

namespace house {
namespace {

struct Text {
  std::vector<std::string> lines;
};

Text read(const std::string& file) {
  Text text;
  std::ifstream stream(std::filesystem::path(ADJOINT_SOURCE_DIR) / file);
  for (std::string line; std::getline(stream, line);) text.lines.push_back(line);
  return text;
}

/// Why the opening is not two comment lines; empty when it is.
std::string broken_opening(const std::vector<std::string>& lines) {
  if (lines.size() < 2) return "has fewer than two lines";
  if (!lines[0].starts_with("// ")) return "line 1 does not say in a comment what the file is";
  if (!lines[1].starts_with("// ")) return "line 2 does not say in a comment what the file is not";
  return "";
}

std::vector<std::string> all_files() {
  return source_files(ADJOINT_SOURCE_DIR, {"include", "src", "tests", "examples"});
}

}  // namespace

TEST(Files, OpenWithWhatTheyAreAndAreNot) {
  const auto files = all_files();
  ASSERT_GT(files.size(), 10u);
  for (const std::string& file : files) {
    const std::string why = broken_opening(read(file).lines);
    EXPECT_TRUE(why.empty()) << file << ": " << why;
  }
}

TEST(Files, HeadersAreGuardedOnce) {
  for (const std::string& file : all_files()) {
    if (!file.ends_with(".hpp")) continue;
    int guards = 0;
    for (const std::string& line : read(file).lines) guards += line == "#pragma once";
    EXPECT_EQ(guards, 1) << file;
  }
}

TEST(Files, TheOpeningRuleFindsEachFault) {
  EXPECT_NE(broken_opening({"// only one line"}), "");
  EXPECT_NE(broken_opening({"#pragma once", "// late"}), "");
  EXPECT_NE(broken_opening({"// first", "#pragma once"}), "");
  EXPECT_NE(broken_opening({"//", "// first is empty"}), "");
  EXPECT_EQ(broken_opening({"// what it is", "// what it is not"}), "");
}

}  // namespace house
