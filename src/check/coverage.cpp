// coverage.cpp: the registry counted against the rows. Not a list of operations.
#include "check/coverage.hpp"

#include <algorithm>

#include "check/row.hpp"
#include "graph/primitive.hpp"

namespace adjoint::check {

Coverage coverage() {
  Coverage c;
  for (const Primitive* p : primitives()) {
    CoverageLine line{.name = std::string(p->name), .family = std::string(p->family)};
    switch (p->traits.gradient) {
      case Gradient::smooth: line.derivative = "differentiable", ++c.differentiable; break;
      case Gradient::zero: line.derivative = "zero", ++c.zero_derivative; break;
      case Gradient::refused: line.derivative = "refused", ++c.refused; break;
    }
    line.core = p->vjp != nullptr;
    line.rows = std::ranges::count(all_rows(), line.name, &Row::op);
    line.bad_calls = std::ranges::count(all_bad_calls(), line.name, &BadCall::op);
    if (line.rows == 0 && !(line.derivative == "refused" && line.bad_calls > 0)) ++c.without_row;
    c.lines.push_back(std::move(line));
  }
  const auto number = [](const CoverageLine& l) { return l.family.size() > 1 ? std::stoi(l.family.substr(1)) : 0; };
  std::ranges::stable_sort(c.lines, {}, number);
  return c;
}

}  // namespace adjoint::check
