// loops.cpp: how much the gradients of loops remember under a memory strategy of the whole plan. Weighed by the arena that comes out, as
// fit_memory weighs what it keeps; before it, because a loop that runs its steps again by chunks saves most for least.
// Not the chunks themselves: src/transform/chunks.cpp.
#include <algorithm>
#include <optional>

#include "plan/passes.hpp"
#include "transform/scan.hpp"

namespace adjoint::plan {

static bool has_backward_loop(const Order& order) {
  return std::ranges::any_of(order.nodes, [](const Node* n) { return n->kind == Kind::op && n->prim == &scan_vjp_primitive() && !n->computed(); });
}

Tensors lower_loops(const Order& order, const Memory& memory, const std::function<std::int64_t(const Tensors&)>& arena_of) {
  using enum Memory::Strategy;
  const auto least = memory.strategy == recompute ? std::int64_t{1} : 0;
  const bool budgeted = memory.strategy == budget && has_backward_loop(order);
  Tensors best = widen(lower(order, least));
  if (!budgeted) return best;
  auto smallest = arena_of(best);
  constexpr std::int64_t kHalvings = 12;  // beyond them a loop has nothing left to give
  auto bytes = memory.bytes;
  for (int k = 0; k < kHalvings && smallest > memory.bytes; ++k, bytes -= bytes / 3) {
    Tensors tried = widen(lower(order, bytes));
    if (const auto arena = arena_of(tried); arena < smallest) smallest = arena, best = std::move(tried);
  }
  return best;
}

}  // namespace adjoint::plan
