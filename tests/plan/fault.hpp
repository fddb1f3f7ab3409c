// fault.hpp: what a planted fault is: a wrong rewrite of the graph, of a fused group's program, or of the finished plan.
// Not the faults: graph_faults.hpp, tile_faults.hpp, plan_faults.hpp.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "check/statements.hpp"
#include "graph/topo.hpp"
#include "plan/plan.hpp"

namespace adjoint::faults {

using check::Choices;

/// A node about to be rebuilt: its operands as they are now, and all values before it.
struct Place {
  const Node& node;
  const Tensors& in;
  const Tensors& earlier;
  bool is(std::string_view name) const { return node.kind == Kind::op && node.prim->name == name; }
  /// Operand k is the result of this operation.
  bool in_is(std::size_t k, std::string_view name) const {
    const Node& n = *in[k].node();
    return n.kind == Kind::op && !n.computed() && n.prim->name == name;
  }
  Tensor in_of_in(std::size_t k, std::size_t j) const { return share(in[k].node()->in[j]); }
};

/// Exactly one of the three functions is there.
struct Fault {
  std::string_view name;
  /// A wrong value for the node; empty where it has no such fault.
  std::function<Tensor(const Place&, Choices&)> rewrite = {};
  /// Changes the program of one fused group; false where it has no such fault.
  std::function<bool(plan::TileProgram&, Choices&)> tiles = {};
  /// Changes the plan; false where it has no such fault. The plan stays within its memory.
  std::function<bool(plan::Plan&, Choices&)> plan = {};
};


/// One of the list, or null.
template <class T> T* one_of(std::vector<T>& list, Choices& c) { return list.empty() ? nullptr : &list[c.below(list.size())]; }

}  // namespace adjoint::faults
