// topo.hpp: the one topological order that serves every walk over a graph; iterative. Not a transform.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "graph/node.hpp"

namespace adjoint {

/// Nodes in an order where operands come before users, from the roots, operands left to right. `input` gives the
/// positions of a node's operands, so that marks in nodes are not needed after the walk.
struct Order {
  std::vector<Node*> nodes;
  std::vector<std::uint32_t> first;  // first[i]..first[i+1]: range of node i in input
  std::vector<std::uint32_t> input;
  std::vector<std::uint32_t> roots;  // positions of the roots
  std::span<const std::uint32_t> inputs(std::size_t i) const {
    return {input.data() + first[i], first[i + 1] - first[i]};
  }
  std::uint32_t epoch = 0;
  /// The position of a node, or nothing; valid until the next walk over the graph.
  std::optional<std::size_t> find(const Node* n) const {
    if (n->mark_epoch != epoch) return std::nullopt;
    return n->mark_index;
  }
};

struct OrderOptions {
  std::span<Node* const> stop = {};  // their operands are not visited
  bool through_computed = false;     // false: a computed value counts as a leaf
};

/// Nodes visited by all walks so far, for the tests' claim that one gradient is one walk.
std::uint64_t nodes_visited();

/// A wanted value that is not in the graph has no derivative there; but where an operation's graph was dropped, it may have
/// been behind that, and a silent zero would be a lie: throws. A leaf that asked for gradients keeps every graph over it, so
/// for such a one only a cut by request counts.
void check_released(const Order& order, const Node& wanted, const char* op, Loc loc);

/// Linear in nodes and edges. The caller holds graph_mutex().
Order topological_order(std::span<Node* const> roots, const OrderOptions& options = {});

}  // namespace adjoint
