// merge_equal.cpp: common subexpressions, by operation, attributes and operands. Runs after differentiation only.
// Not for the user's literals: two numbers that are equal today may differ in the next step. Constants are fixed, and equal
// ones are one.
#include <bit>
#include <unordered_map>

#include "plan/passes.hpp"

namespace adjoint::plan {

static bool equal(const Program& p, std::uint32_t i, std::uint32_t j) {
  const Value &a = p.values[i], &b = p.values[j];
  if (a.role != b.role || !(a.node->type == b.node->type)) return false;
  if (a.role == Role::constant) return literal_bits(*a.node) == literal_bits(*b.node);
  return a.node->prim == b.node->prim && a.node->attrs.hash() == b.node->attrs.hash() && std::ranges::equal(p.in(i), p.in(j));
}

void merge_equal(Program& p) {
  std::vector<std::uint32_t> same(p.values.size());
  std::unordered_multimap<std::uint64_t, std::uint32_t> seen;
  seen.reserve(p.values.size());
  for (std::uint32_t i = 0; i < p.values.size(); ++i) {
    same[i] = i;
    for (auto& k : p.in(i)) k = same[k];
    const Value& v = p.values[i];
    if (v.role == Role::leaf || v.role == Role::literal) continue;
    std::uint64_t h = v.role == Role::constant ? static_cast<std::uint64_t>(literal_bits(*v.node))
                                               : mix(std::bit_cast<std::uintptr_t>(v.node->prim), v.node->attrs.hash());
    for (auto k : p.in(i)) h = mix(h, k);
    const auto [from, to] = seen.equal_range(h);
    auto it = from;
    while (it != to && !equal(p, i, it->second)) ++it;
    if (it == to) seen.emplace(h, i);
    else {
      same[i] = it->second;
      p.values[same[i]].backward &= v.backward;  // what the forward pass needs belongs to it
    }
  }
  for (auto& r : p.roots) r = same[r];
  compact(p);
}

}  // namespace adjoint::plan
