// settings.cpp: reading of "name=value name=value". Not a parser of graphs.
#include "check/settings.hpp"

#include <charconv>

#include "adjoint/error.hpp"

namespace adjoint::check {
namespace {

[[noreturn]] void fail(std::string message) {
  throw Error({.op = "reference", .message = std::move(message)});
}
std::int64_t number(std::string_view text, std::string_view name) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    fail("attribute " + std::string(name) + ": not an integer: " + std::string(text));
  return value;
}

}  // namespace

Settings::Settings(std::string_view text) {
  while (!text.empty()) {
    const auto equal = text.find('=');
    if (equal == text.npos) fail("attributes without '=': " + std::string(text));
    std::size_t end = equal + 1;
    for (int depth = 0; end < text.size() && (depth > 0 || text[end] != ' '); ++end)
      depth += (text[end] == '[') - (text[end] == ']');
    fields_.emplace_back(text.substr(0, equal), text.substr(equal + 1, end - equal - 1));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

bool Settings::has(std::string_view name) const {
  for (const auto& [key, value] : fields_)
    if (key == name) return true;
  return false;
}
const std::string& Settings::word(std::string_view name) const {
  for (const auto& [key, value] : fields_)
    if (key == name) return value;
  fail("no attribute " + std::string(name));
}
std::int64_t Settings::integer(std::string_view name) const { return number(word(name), name); }
bool Settings::flag(std::string_view name) const {
  const auto& text = word(name);
  if (text != "true" && text != "false")
    fail("attribute " + std::string(name) + ": not a bool: " + text);
  return text == "true";
}
std::vector<std::int64_t> Settings::ints(std::string_view name) const {
  std::string_view text = word(name);
  if (text.size() < 2 || text.front() != '[' || text.back() != ']')
    fail("attribute " + std::string(name) + ": not a list: " + std::string(text));
  text = text.substr(1, text.size() - 2);
  std::vector<std::int64_t> list;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    list.push_back(number(text.substr(0, comma), name));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return list;
}

}  // namespace adjoint::check
