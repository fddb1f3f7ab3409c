// docs_program.cpp: turns the ```cpp blocks of one Markdown page into one C++ program, which the tests compile and run.
// Not a documentation generator. A block with `int main()` is a program of its own; `cpp (declares)` stands at namespace
// scope, before the blocks that follow; any other block is the body of a function; `cpp (fragment: why)` is left out.
// `cpp (file: PATH)` becomes a file, `cpp (into: PATH)` stands at the end of that header's namespace: both in a folder.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace {

struct Block {
  int line = 0;  // of the first line inside the fence
  bool declares = false;
  std::string path = {};  // of a file, or of a header that the block stands in
  bool into = false;
  std::vector<std::string> text = {};
  bool is_program() const {
    for (const std::string& t : text)
      if (t.starts_with("int main(")) return true;
    return false;
  }
};

struct Page {
  std::string name;
  std::vector<Block> blocks;
  std::vector<Block> files;
  std::vector<std::string> includes;
  int fragments = 0;
};

[[noreturn]] void fail(const Page& page, int line, const std::string& why) {
  std::cerr << page.name << ":" << line << ": " << why << "\n";
  std::exit(1);
}

Page read(std::istream& stream, std::string name) {
  Page page{.name = std::move(name)};
  std::string text;
  bool inside = false, skipped = false;
  std::vector<Block>* to = &page.blocks;
  for (int line = 1; std::getline(stream, text); ++line) {
    if (!inside && text.starts_with("```")) {
      inside = true;
      const bool fragment = text.starts_with("```cpp (fragment: ");
      const bool plain = text == "```cpp", declares = text == "```cpp (declares)";
      const bool into = text.starts_with("```cpp (into: "), file = into || text.starts_with("```cpp (file: ");
      if (text.starts_with("```cpp") && !fragment && !plain && !declares && !file)
        fail(page, line, "unknown mark on a cpp block: " + text);
      page.fragments += fragment;
      skipped = !plain && !declares && !file;
      to = file ? &page.files : &page.blocks;
      if (!skipped) to->push_back({.line = line + 1, .declares = declares});
      if (file) to->back().path = text.substr(14, text.size() - 15), to->back().into = into;
    } else if (inside && text.starts_with("```")) {
      inside = false;
    } else if (inside && !skipped) {
      const bool include = to == &page.blocks && text.starts_with("#include");
      if (include) page.includes.push_back(text);
      to->back().text.push_back(include ? "" : text);  // an empty line keeps the line numbers
    }
  }
  if (inside) fail(page, page.blocks.empty() ? 0 : page.blocks.back().line, "a block is not closed");
  return page;
}

/// A `main` that ends without a return becomes a function that says `return 0`.
void write_program(std::ostream& out, const Block& block) {
  std::size_t last = block.text.size();
  while (last > 0 && block.text[last - 1] != "}") --last;
  for (std::size_t i = 0; i < block.text.size(); ++i) {
    std::string text = block.text[i];
    if (text.starts_with("int main(")) text.replace(4, 4, "run");
    out << (i + 1 == last ? "return 0; }" : text) << "\n";
  }
}

void write(std::ostream& out, const Page& page) {
  out << "#include <adjoint/adjoint.hpp>\n#include <cstdlib>\n#include <exception>\n#include <iostream>\n";
  for (const std::string& include : page.includes) out << include << "\n";
  out << "using namespace adjoint;\nnamespace {\n";
  int number = 0;
  std::string calls;
  for (const Block& block : page.blocks) {
    const std::string name = "block_" + std::to_string(++number);
    const bool program = block.is_program();
    if (!block.declares) {
      out << (program ? "namespace " + name + " {\n" : "void " + name + "() {\n");
      const std::string line = std::to_string(block.line);
      calls += "  at = " + line + ";\n" + (program ? "  result(at, " + name + "::run());\n" : "  " + name + "();\n");
    }
    out << "#line " << block.line << " \"" << page.name << "\"\n";
    if (program)
      write_program(out, block);
    else
      for (const std::string& text : block.text) out << text << "\n";
    if (!block.declares) out << "}\n";
  }
  out << "[[maybe_unused]] void result(int at, int code) {\n"
      << "  if (code != 0) { std::cerr << \"" << page.name << ":\" << at << \": the block returns \" << code << \"\\n\"; std::exit(1); }\n}\n";
  out << "}\nint main() {\n  int at = 0;\n  try {\n" << calls << "  } catch (const std::exception& e) {\n"
      << "    std::cerr << \"" << page.name << ":\" << at << \": the block throws: \" << e.what() << \"\\n\";\n"
      << "    return 1;\n  }\n  std::cout << \"" << page.name << ": " << page.blocks.size() << " blocks ran, "
      << page.fragments << " marked as fragments\\n\";\n}\n";
}

/// Writes what the page says where the page says it, under `folder`, and leaves the sources under `root` as they are.
void write_files(const Page& page, const std::filesystem::path& root, const std::filesystem::path& folder) {
  for (const Block& block : page.files) {
    std::string before, after, text;
    if (block.into) {
      std::stringstream whole;
      whole << std::ifstream(root / block.path).rdbuf();
      before = whole.str();
      const std::size_t end = before.rfind("}  // namespace");
      if (end == before.npos) fail(page, block.line, "no namespace ends in " + block.path);
      after = "\n" + before.substr(end);
      before.resize(end);
    }
    for (const std::string& t : block.text) text += t + "\n";
    std::filesystem::create_directories((folder / block.path).parent_path());
    std::ofstream out(folder / block.path);
    out << before << text << after;
    if (!out.flush()) fail(page, block.line, "cannot write " + block.path);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 6) {
    std::cerr << "usage: docs_program PAGE.md NAME OUT.cpp [SOURCES FOLDER]\n";
    return 2;
  }
  std::ifstream in(argv[1]);
  std::ofstream out(argv[3]);
  if (!in || !out) {
    std::cerr << "docs_program: cannot open " << (in ? argv[3] : argv[1]) << "\n";
    return 1;
  }
  const Page page = read(in, argv[2]);
  write(out, page);
  if (argc == 6) write_files(page, argv[4], argv[5]);
  return out.flush() ? 0 : 1;
}
