// fail.cpp: errors of operations, and sizes that may overflow. Not the registry, not shape inference.
#include "ops/fail.hpp"

#include <algorithm>

#include "graph/node.hpp"

namespace adjoint {

void fail(std::string_view op, Loc loc, std::string message, std::initializer_list<const Tensor*> operands, std::string hint) {
  throw Error({.op = std::string(op),
               .message = std::move(message),
               .where = user_loc(loc),
               .operands = operand_lines({operands.begin(), operands.size()}),
               .hint = std::move(hint)});
}

std::int64_t checked_product(std::int64_t x, std::int64_t y, std::string_view op, Loc loc) {
  std::int64_t n = 0;
  if (__builtin_mul_overflow(x, y, &n) || n > (std::int64_t{1} << 58))
    fail(op, loc, "too many elements: " + std::to_string(x) + " times " + std::to_string(y), {}, "sizes multiply to at most 2^58");
  return n;
}

std::int64_t checked_list(std::int64_t n, std::string_view op, Loc loc) {
  if (n > (std::int64_t{1} << 27)) fail(op, loc, "an axis of " + std::to_string(n) + " elements is too long here", {}, "at most 2^27");
  return n;
}

std::int64_t checked_elements(const Shape& shape, std::string_view op, Loc loc) {
  std::int64_t n = 1;
  for (auto d : shape) {
    if (d < 0) fail(op, loc, "a negative size in " + to_string(shape), {}, "sizes are >= 0");
    n = checked_product(n, std::max<std::int64_t>(d, 1), op, loc);  // of an empty tensor too: no stride overflows
  }
  return shape.numel();
}

}  // namespace adjoint
