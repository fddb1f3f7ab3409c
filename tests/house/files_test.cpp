// files_test.cpp: what every source file of this tree holds to: an opening comment that says what it is and is not,
// headers guarded once. Not a formatter: .clang-format is the one place for layout.
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "house/includes.hpp"
#include "support/paths.hpp"

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

/// Why the opening comment does not say what the file is and, for the library, what it is not; empty when it does.
std::string broken_opening(const std::vector<std::string>& lines, bool library) {
  std::string comment;
  for (const std::string& line : lines) {
    if (!line.starts_with("// ")) break;
    comment += line.substr(2);
  }
  if (comment.size() < 30) return "the first line does not say in a comment what the file is";
  for (const char* word : {" not ", " Not ", " no ", " No ", " never ", " Never ", " nothing "})
    if (comment.find(word) != comment.npos) return "";
  return library ? "the opening comment does not say what the file is not" : "";
}

std::vector<std::string> all_files() {
  return source_files(ADJOINT_SOURCE_DIR, {"include", "src", "tests", "examples"});
}

}  // namespace

TEST(Files, OpenWithWhatTheyAreAndAreNot) {
  const auto files = all_files();
  ASSERT_GT(files.size(), 10u);
  for (const std::string& file : files) {
    const std::string why = broken_opening(read(file).lines, !file.starts_with("tests/"));
    EXPECT_TRUE(why.empty()) << file << ": " << why;
  }
}

TEST(Files, HeadersAreGuardedOnce) {
  for (const std::string& file : all_files()) {
    if (!file.ends_with(".hpp") || file.ends_with("-inl.hpp")) continue;  // -inl: read once an instruction set
    int guards = 0;
    for (const std::string& line : read(file).lines) guards += line == "#pragma once";
    EXPECT_EQ(guards, 1) << file;
  }
}

TEST(Files, TheOpeningRuleFindsEachFault) {
  EXPECT_NE(broken_opening({"// too short"}, false), "");
  EXPECT_NE(broken_opening({"#pragma once", "// The opening comment comes too late. Not early."}, false), "");
  EXPECT_NE(broken_opening({"// The file says at length what it is and stops there."}, true), "");
  EXPECT_EQ(broken_opening({"// The file says at length what it is and stops there."}, false), "");
  EXPECT_EQ(broken_opening({"// The file says what it is.", "// Not what it is not."}, true), "");
}

}  // namespace house
