// shape.cpp: text and edits of shapes. Not shape inference: that is each primitive's own `infer`.
#include "adjoint/shape.hpp"

#include <ostream>

#include "graph/node.hpp"

namespace adjoint {

void Shape::too_long(std::size_t n, Loc loc) {
  throw Error({.op = "shape",
               .message = "a shape has at most " + std::to_string(kMaxRank) + " axes, got " + std::to_string(n),
               .where = user_loc(loc),
               .hint = "merge axes with reshape first"});
}

void Shape::insert(int at, std::int64_t d, Loc loc) {
  push_back(0, loc);
  for (int i = rank_ - 1; i > at; --i) dims_[static_cast<std::size_t>(i)] = dims_[static_cast<std::size_t>(i - 1)];
  dims_[static_cast<std::size_t>(at)] = d;
}

void Shape::erase(int at) {
  for (int i = at; i + 1 < rank_; ++i) dims_[static_cast<std::size_t>(i)] = dims_[static_cast<std::size_t>(i + 1)];
  --rank_;
}

std::string to_string(const Shape& s) {
  std::string text = "[";
  for (std::size_t i = 0; i < s.size(); ++i) text += (i ? "," : "") + std::to_string(s[i]);
  return text + ']';
}

std::ostream& operator<<(std::ostream& out, const Shape& s) { return out << to_string(s); }

std::string to_string(const Type& t) { return std::string(name_of(t.dtype)) + to_string(t.shape); }

}  // namespace adjoint
