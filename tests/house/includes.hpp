// includes.hpp: which room may include which, and a reader of the #include lines of a source tree.
// Not a preprocessor: conditional includes count like all others.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace house {

/// One #include line: the file that has it (relative to the tree's root), its line, and what stands between the
/// brackets or quotes.
struct Include {
  std::string file;
  int line = 0;
  std::string target;
  bool quoted = false;
};

/// All #include lines of the C++ files below include/, src/ and examples/ of `root`, sorted by file.
std::vector<Include> read_includes(const std::filesystem::path& root);

/// Why this include breaks the order of the rooms; empty when it does not.
std::string broken_rule(const Include& include);

/// The C++ files below the given folders of `root`, relative to it, sorted.
std::vector<std::string> source_files(const std::filesystem::path& root, const std::vector<std::string>& folders);

}  // namespace house
