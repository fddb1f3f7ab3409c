// settings.cpp: reading of "name=value name=value". Not a parser of graphs.
#include "check/settings.hpp"

#include <charconv>
#include <optional>

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

/// The text behind "name=", up to the next space outside brackets and quotes.
std::optional<std::string_view> find(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const auto equal = text.find('=');
    if (equal == text.npos) fail("attributes without '=': " + std::string(text));
    std::size_t end = equal + 1;
    bool quoted = false;
    for (int depth = 0; end < text.size() && (quoted || depth > 0 || text[end] != ' '); ++end) {
      quoted ^= text[end] == '"';
      depth += (text[end] == '[') - (text[end] == ']');
    }
    if (text.substr(0, equal) == name) return text.substr(equal + 1, end - equal - 1);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::nullopt;
}

}  // namespace

bool Settings::has(std::string_view name) const { return find(text_, name).has_value(); }
std::string Settings::word(std::string_view name) const {
  if (const auto value = find(text_, name)) return std::string(*value);
  fail("no attribute " + std::string(name));
}
std::int64_t Settings::integer(std::string_view name) const { return number(word(name), name); }
bool Settings::flag(std::string_view name) const {
  const std::string text = word(name);
  if (text != "true" && text != "false")
    fail("attribute " + std::string(name) + ": not a bool: " + text);
  return text == "true";
}
std::vector<std::int64_t> Settings::ints(std::string_view name) const {
  const std::string whole = word(name);
  std::string_view text = whole;
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
