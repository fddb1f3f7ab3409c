// mutate.hpp: one fault in the graph that a rule has built. Not the choice of faults, nor their detection.
#pragma once

#include <string>
#include <vector>

#include "graph/node.hpp"

namespace adjoint::check {

enum class Fault : std::uint8_t {
  flip_sign,       // of result `at`
  double_it,       // of result `at`
  forget,          // result `at` is zero
  exchange,        // results `at` and `other`
  reverse,         // result `at` runs backwards along its last axis
  transpose,       // result `at` has two axes of one size exchanged
  other_function,  // node `at` computes another function (mul for div, sin for cos, lt for gt)
  drop,            // node `at` is left out: its operand stands in its place
  swap_operands,   // of node `at`
  double_literal,  // operand `other` of node `at`, a number
  stale_operand,   // operand `other` of node `at` is another operand or the result of the forward operation
  other_setting,   // node `at` works along another axis, in another order of axes, or one place further
};
struct Mutation {
  Fault fault = Fault::flip_sign;
  std::uint32_t at = 0;      // of a result, or of a node in the order of the rule's graph
  std::uint32_t other = 0;
  std::uint32_t choice = 0;  // which of several wrong operands or settings
};

/// One call of a rule: of a backward rule with the cotangent, which gives a result an operand (none where it is empty); or of
/// a forward rule with the tangents, which gives one.
struct RuleCall {
  const Node& node;
  Tensors given;
  Tensors results;
  Tensor in(std::size_t k) const { return share(node.in[k]); }
  Tensor out() const { return share(const_cast<Node*>(&node)); }
};

/// The graph that the rule built, as text without shapes: a fault found in one call fits all calls with the same outline.
std::string outline(const RuleCall& r);
/// All faults that fit the graph behind the results, as far as the operands of the forward node.
std::vector<Mutation> mutations_of(const RuleCall& r);
/// The results with the fault; empty if the graph cannot have it or would not have the right types.
Tensors mutated(const Mutation& m, const RuleCall& r);
std::string describe(const Mutation& m, const RuleCall& r);

}  // namespace adjoint::check
