// making.cpp: a clock for each thread, which operands push forward. Not a clock of the machine.
#include "graph/making.hpp"

#include <algorithm>
#include <numeric>

namespace adjoint {

void number_making(Node& n) {
  thread_local std::uint64_t clock = 0;
  for (const Node* operand : n.operands()) clock = std::max(clock, made_at(*operand));
  n.integer = static_cast<std::int64_t>(++clock);
}

std::vector<std::uint32_t> in_order_of_making(const Order& order) {
  std::vector<std::uint32_t> positions(order.nodes.size());
  std::iota(positions.begin(), positions.end(), 0u);
  std::vector<std::uint64_t> at;
  at.reserve(positions.size());
  for (const Node* n : order.nodes) at.push_back(made_at(*n));
  if (!std::ranges::is_sorted(at)) std::ranges::stable_sort(positions, {}, [&](std::uint32_t i) { return at[i]; });
  return positions;
}

}  // namespace adjoint
