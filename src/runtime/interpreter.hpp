// interpreter.hpp: the reference of every plan: runs a graph as it was written, one node after the other.
// Not a plan and not fast: nothing is merged, fused, moved, kept back or written in place, and one thread does it all.
#pragma once

#include <span>
#include <vector>

#include "plan/plan.hpp"

namespace adjoint::runtime {

/// Keeps of the graph what it needs: the graph may be gone when the interpreter runs.
class Interpreter {
 public:
  /// One node as the graph has it; its operands are nodes before it.
  struct Item {
    const Primitive* prim = nullptr;  // null: leaf or literal number `input`
    bool literal = false;
    std::uint32_t input = 0;
    Attrs attrs;
    Type type;
    Loc loc;
    std::vector<std::uint32_t> in;
    std::uint32_t last_reader = 0;
  };

  /// The caller holds graph_mutex().
  explicit Interpreter(const plan::Request& request) : Interpreter(request.order) {}
  explicit Interpreter(const Order& order);

  /// The value of each root as a leaf with bytes of its own. Leaves and literals are those of the request, in its order; leaves
  /// are only read. Throws Error of the first operation that fails, with its line.
  Tensors run(std::span<Buffer* const> leaves, std::span<const std::int64_t> literals) const;

  /// The node that root k is.
  const Item& root(std::size_t k) const { return items_[roots_[k]]; }
  std::span<const Item> items() const { return items_; }

 private:
  std::vector<Item> items_;
  std::vector<std::uint32_t> roots_;
};

}  // namespace adjoint::runtime
