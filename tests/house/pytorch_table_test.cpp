// pytorch_table_test.cpp: every name of ours in docs/pytorch.md stands in a public header or is a registered operation.
// Not a judge of what the rows say.
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "graph/primitive.hpp"
#include "house/includes.hpp"
#include "support/paths.hpp"

namespace house {
namespace {

std::string text_of(const std::string& file) {
  std::stringstream text;
  text << std::ifstream(std::filesystem::path(ADJOINT_SOURCE_DIR) / file).rdbuf();
  return text.str();
}

/// The words that public headers declare or use outside of comments, operators included.
std::set<std::string> public_words() {
  std::set<std::string> words;
  const std::regex comment("//[^\n]*"), word("operator *[^ (\\w]+|[A-Za-z_]\\w*");
  for (const std::string& file : source_files(ADJOINT_SOURCE_DIR, {"include"})) {
    const std::string code = std::regex_replace(text_of(file), comment, "");
    for (std::sregex_iterator it(code.begin(), code.end(), word), end; it != end; ++it) words.insert(it->str());
  }
  for (const adjoint::Primitive* p : adjoint::primitives()) words.emplace(p->name);
  return words;
}

struct Row {
  int line;
  std::vector<std::string> names;  // in backticks, of the middle column
};

std::vector<Row> rows_of(const std::string& page) {
  std::vector<Row> rows;
  std::istringstream lines(page);
  const std::regex row("^\\| (.*) \\| (.*?) ?\\| (.*?) ?\\|$"), name("`([^`]+)`");
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    std::smatch cells;
    if (!line.starts_with("| ") || line.starts_with("| PyTorch") || !std::regex_match(line, cells, row)) continue;
    const std::string ours = cells[2];
    rows.push_back({number, {}});
    for (std::sregex_iterator it(ours.begin(), ours.end(), name), end; it != end; ++it) rows.back().names.push_back((*it)[1]);
  }
  return rows;
}

}  // namespace

TEST(PytorchTable, NamesExist) {
  const auto rows = rows_of(text_of("docs/pytorch.md"));
  const auto words = public_words();
  EXPECT_GE(rows.size(), 150u);
  std::size_t named = 0;
  for (const Row& row : rows) {
    named += !row.names.empty();
    for (const std::string& name : row.names) EXPECT_TRUE(words.contains(name)) << "docs/pytorch.md:" << row.line << ": " << name;
  }
  EXPECT_GE(named, 150u);
}

TEST(PytorchTable, ReadsRowsAndRefusesInventions) {
  const auto rows = rows_of("| PyTorch | Adjoint | |\n|---|---|---|\n| `torch.cat` | `concat`, `+` | joins |\n| x | | later |\n");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].line, 3);
  EXPECT_EQ(rows[0].names, (std::vector<std::string>{"concat", "+"}));
  EXPECT_TRUE(rows[1].names.empty());
  const auto words = public_words();
  EXPECT_TRUE(words.contains("concat") && words.contains("operator+="));
  EXPECT_FALSE(words.contains("torch") || words.contains("concatenate_everything"));
}

}  // namespace house
