// error.cpp: the text of an Error. Not the place where anything is checked.
#include "adjoint/error.hpp"

#include <cstring>

namespace adjoint {

std::string to_string(const Loc& loc) {
  const char* slash = std::strrchr(loc.file, '/');
  return std::string(slash ? slash + 1 : loc.file) + ':' + std::to_string(loc.line);
}

static std::string text(const Error::Parts& p) {
  std::string s = "adjoint: " + p.op + ": " + p.message;
  for (const auto& o : p.operands) s += "\n  " + o;
  if (p.where.line > 0) {
    s += "\n  at " + to_string(p.where);
    if (*p.where.function) s += std::string(" in ") + p.where.function;
  }
  if (!p.hint.empty()) s += "\n  hint: " + p.hint;
  return s;
}

/// Every error says what to do; where an operation has nothing better, that is to read its contract.
static Error::Parts with_hint(Error::Parts p) {
  if (p.hint.empty() && p.where.line > 0) p.hint = "the contract of " + p.op + " stands at its declaration in include/adjoint";
  return p;
}

Error::Error(Parts parts) : std::runtime_error(text(with_hint(parts))), parts_(with_hint(std::move(parts))) {}

}  // namespace adjoint
