// merge_equal.cpp: common subexpressions, by operation, attributes and operands. Runs after differentiation only.
// Not for the user's literals: two numbers that are equal today may differ in the next step. Numbers that definitions
// brought in (`constant`) are fixed, and equal ones are one.
#include <unordered_map>

#include "plan/plan.hpp"

namespace adjoint::plan {

std::vector<std::uint32_t> merge_equal(const Order& order, const std::vector<char>& constant) {
  std::vector<std::uint32_t> same(order.nodes.size());
  std::unordered_multimap<std::uint64_t, std::uint32_t> seen;
  for (std::uint32_t i = 0; i < order.nodes.size(); ++i) {
    same[i] = i;
    const Node& n = *order.nodes[i];
    const auto inputs = order.inputs(i);
    if (!constant[i] && (n.kind != Kind::op || inputs.empty())) continue;
    std::uint64_t h = mix(reinterpret_cast<std::uintptr_t>(n.prim), constant[i] ? static_cast<std::uint64_t>(n.integer) : n.attrs.hash());
    for (auto k : inputs) h = mix(h, same[k]);
    const auto equal = [&](std::uint32_t j) {
      const Node& m = *order.nodes[j];
      const auto other = order.inputs(j);
      if (constant[i] != constant[j] || (constant[i] && m.integer != n.integer)) return false;
      if (m.prim != n.prim || m.attrs.hash() != n.attrs.hash() || !(m.type == n.type) || other.size() != inputs.size()) return false;
      for (std::size_t k = 0; k < other.size(); ++k)
        if (same[other[k]] != same[inputs[k]]) return false;
      return true;
    };
    const auto [from, to] = seen.equal_range(h);
    auto it = from;
    while (it != to && !equal(it->second)) ++it;
    if (it != to) same[i] = it->second;
    else seen.emplace(h, i);
  }
  return same;
}

}  // namespace adjoint::plan
