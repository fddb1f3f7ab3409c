// includes_test.cpp: the arrows between the rooms of DESIGN point one way, proven on this tree and on planted faults.
// Not a style check: opening lines and sizes are seen to in files_test.cpp and scripts/limits.
#include "house/includes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string>
#include <string_view>

#include "support/paths.hpp"

namespace house {
namespace {

// graph <- ops <- transform <- plan <- runtime <- kernels: a room may include itself and those before it.
constexpr std::array<std::string_view, 6> kCore = {"graph", "ops", "transform", "plan", "runtime", "kernels"};
// These stand on the public headers and on their own folder; the command also on the checks that it runs, and the checks
// on the graph, which their reference walks, and on the rules that they mutate: never on plans and kernels.
constexpr std::array<std::string_view, 8> kOutside = {"nn",  "optim", "data",  "io",
                                                      "distributed", "cli", "check", "examples"};
// Headers that know the processor belong to the kernels alone.
constexpr std::array<std::string_view, 5> kProcessor = {"immintrin.h", "x86intrin.h", "hwy/", "sleef.h", "xbyak/"};

// The pool hands the caller's rounding and flush-to-zero state to its threads.
constexpr std::string_view kFloatState = "src/runtime/pool.cpp";

int core_rank(std::string_view room) {
  const auto at = std::find(kCore.begin(), kCore.end(), room);
  return at == kCore.end() ? -1 : static_cast<int>(at - kCore.begin());
}

bool is_outside(std::string_view room) {
  return std::find(kOutside.begin(), kOutside.end(), room) != kOutside.end();
}

std::string first_folder(std::string_view path) { return std::string(path.substr(0, path.find('/'))); }

/// "graph" for src/graph/node.hpp, "include" for public headers, "examples" for examples.
std::string room_of(const std::string& file) {
  return file.starts_with("src/") ? first_folder(std::string_view(file).substr(4)) : first_folder(file);
}

void write(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

}  // namespace

std::vector<std::string> source_files(const std::filesystem::path& root, const std::vector<std::string>& folders) {
  std::vector<std::string> files;
  for (const std::string& folder : folders) {
    if (!std::filesystem::exists(root / folder)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
      const auto extension = entry.path().extension();
      if (extension == ".hpp" || extension == ".cpp" || extension == ".h" || extension == ".inc")
        files.push_back(std::filesystem::relative(entry.path(), root).generic_string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<Include> read_includes(const std::filesystem::path& root) {
  std::vector<Include> includes;
  for (const std::string& file : source_files(root, {"include", "src", "examples"})) {
    std::ifstream stream(root / file);
    std::string text;
    for (int line = 1; std::getline(stream, text); ++line) {
      const auto hash = text.find_first_not_of(" \t");
      if (hash == text.npos || text[hash] != '#') continue;
      const auto word = text.find_first_not_of(" \t", hash + 1);
      if (word == text.npos || text.compare(word, 7, "include") != 0) continue;
      const auto open = text.find_first_of("<\"", word + 7);
      const auto close = open == text.npos ? open : text.find_first_of(">\"", open + 1);
      if (close == text.npos) continue;
      includes.push_back({file, line, text.substr(open + 1, close - open - 1), text[open] == '"'});
    }
  }
  return includes;
}

std::string broken_rule(const Include& include) {
  const std::string room = room_of(include.file), target_room = first_folder(include.target);
  const bool is_public = target_room == "adjoint";
  if (include.target.starts_with("..")) return "a relative path that climbs: name the room instead";
  if (room == "include") {
    if (is_public) return "";
    return include.quoted || include.target.find('/') != std::string::npos || include.target.ends_with(".h")
               ? "a public header includes only the standard library and public headers"
               : "";
  }
  if (room != "kernels" && include.file != kFloatState)
    for (const std::string_view header : kProcessor)
      if (include.target.starts_with(header)) return "only kernels know the processor";
  if (!include.quoted || is_public) return "";
  if (is_outside(room)) {
    const bool own = include.target.find('/') == std::string::npos || target_room == room;
    const bool command_checks = room == "cli" && target_room == "check";
    const bool reference = room == "check" && (target_room == "graph" || target_room == "ops");  // it verifies their rules
    return own || command_checks || reference ? "" : "this room stands on the public headers only";
  }
  const int from = core_rank(room), to = core_rank(target_room);
  if (from < 0) return "a folder that is no room of the design";
  if (include.target.find('/') == std::string::npos) return "";  // a file of its own folder
  if (to < 0) return "a core room includes core rooms and public headers only";
  return to <= from ? "" : "the arrow points the wrong way: " + room + " must not know " + target_room;
}

TEST(Includes, AllArrowsOfThisTreePointOneWay) {
  const auto includes = read_includes(ADJOINT_SOURCE_DIR);
  ASSERT_GT(includes.size(), 20u) << "the reader finds too few #include lines to mean anything";
  for (const Include& include : includes) {
    const std::string why = broken_rule(include);
    EXPECT_TRUE(why.empty()) << include.file << ":" << include.line << ": includes " << include.target << ": " << why;
  }
}

TEST(Includes, EachPlantedFaultIsFound) {
  const auto root = std::filesystem::path(testing::TempDir()) / "planted_includes";
  std::filesystem::remove_all(root);
  const std::vector<std::pair<std::string, std::string>> planted = {
      {"src/graph/a.cpp", "#include \"ops/ops.hpp\"\n"},
      {"src/ops/a.cpp", "  #  include \"runtime/executor.hpp\"\n"},
      {"src/runtime/a.cpp", "#include \"kernels/cpu/gemm.hpp\"\n"},
      {"src/plan/a.hpp", "#include <hwy/highway.h>\n"},
      {"src/nn/a.cpp", "#include \"graph/node.hpp\"\n"},
      {"src/cli/a.cpp", "#include \"io/gz.hpp\"\n"},
      {"src/check/a.cpp", "#include \"cli/main.hpp\"\n"},
      {"src/check/b.cpp", "#include \"kernels/cpu/gemm.hpp\"\n"},
      {"src/ops/b.cpp", "#include \"nn/linear.hpp\"\n"},
      {"src/misc/a.cpp", "#include \"graph/node.hpp\"\n"},
      {"src/ops/c.cpp", "#include \"../graph/node.hpp\"\n"},
      {"include/adjoint/a.hpp", "#include \"graph/node.hpp\"\n"},
      {"include/adjoint/b.hpp", "#include <fmt/format.h>\n"},
      {"examples/a.cpp", "#include \"graph/node.hpp\"\n"},
  };
  for (const auto& [file, text] : planted) write(root / file, "// first\n" + text);
  const auto includes = read_includes(root);
  EXPECT_EQ(includes.size(), planted.size());
  for (const Include& include : includes)
    EXPECT_FALSE(broken_rule(include).empty()) << include.file << " includes " << include.target;
  std::filesystem::remove_all(root);
}

TEST(Includes, WhatTheDesignAllowsIsAllowed) {
  EXPECT_EQ(broken_rule({"src/ops/a.cpp", 1, "graph/node.hpp", true}), "");
  EXPECT_EQ(broken_rule({"src/kernels/cpu/a.cpp", 1, "runtime/pool.hpp", true}), "");
  EXPECT_EQ(broken_rule({"src/kernels/cpu/a.cpp", 1, "hwy/highway.h", false}), "");
  EXPECT_EQ(broken_rule({"src/nn/a.cpp", 1, "adjoint/tensor.hpp", true}), "");
  EXPECT_EQ(broken_rule({"src/io/a.cpp", 1, "io/gz.hpp", true}), "");
  EXPECT_EQ(broken_rule({"src/check/a.cpp", 1, "graph/topo.hpp", true}), "");
  EXPECT_EQ(broken_rule({"src/cli/a.cpp", 1, "check/rows.hpp", true}), "");
  EXPECT_EQ(broken_rule({"include/adjoint/a.hpp", 1, "vector", false}), "");
}

}  // namespace house
