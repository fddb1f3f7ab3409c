// html.cpp: escaping and figures. Not a templating system.
#include "io/html.hpp"

#include <fmt/format.h>

#include <cmath>

namespace adjoint::io {

// The length of the UTF-8 character at the front of s; 0 if it is none (Unicode 15, table 3-7).
static std::size_t character(std::string_view s) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned char b = at(0);
  if (b < 0x80) return 1;
  const std::size_t n = b >= 0xC2 && b <= 0xDF   ? 2
                        : (b & 0xF0) == 0xE0     ? 3
                        : b >= 0xF0 && b <= 0xF4 ? 4
                                                 : 0;
  if (n == 0 || s.size() < n) return 0;
  for (std::size_t i = 1; i < n; ++i)
    if ((at(i) & 0xC0) != 0x80) return 0;
  const bool overlong = (b == 0xE0 && at(1) < 0xA0) || (b == 0xF0 && at(1) < 0x90);
  const bool surrogate = b == 0xED && at(1) > 0x9F, beyond = b == 0xF4 && at(1) > 0x8F;
  return overlong || surrogate || beyond ? 0 : n;
}

std::string escape(std::string_view text, std::size_t longest) {
  std::string out;
  for (std::size_t count = 0; !text.empty(); ++count) {
    if (count == longest) return out + "\u2026";
    const std::size_t n = character(text);
    const char c = text[0];
    const bool control = n == 1 && (static_cast<unsigned char>(c) < 0x20 || c == 0x7f);
    if (n == 0 || (control && c != '\n' && c != '\t'))
      out += "\uFFFD";
    else if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\'')
      out += "&#39;";
    else
      out += text.substr(0, n);
    text.remove_prefix(n == 0 ? 1 : n);
  }
  return out;
}

std::string figure(double v) {
  if (v == 0) return "0";
  return fmt::format("{:.4g}", v);
}

std::string grouped(std::int64_t v) {
  std::string digits = std::to_string(v);
  for (auto i = std::ssize(digits) - 3; i > (v < 0 ? 1 : 0); i -= 3)
    digits.insert(static_cast<std::size_t>(i), "\u202F");
  return digits;
}

std::string byte_text(std::int64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double v = static_cast<double>(bytes);
  int unit = 0;
  while (v >= 1024 && unit < 4) v /= 1024, ++unit;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", v, kUnits[unit]);
}

}  // namespace adjoint::io
