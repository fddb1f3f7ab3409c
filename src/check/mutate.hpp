// mutate.hpp: one fault in the graph that a backward rule has built. Not the choice of faults, nor their detection.
#pragma once

#include <string>
#include <vector>

#include "graph/node.hpp"

namespace adjoint::check {

enum class Fault : std::uint8_t {
  flip_sign,       // of cotangent `at`
  double_it,       // of cotangent `at`
  forget,          // cotangent `at` is zero
  exchange,        // cotangents `at` and `other`
  reverse,         // cotangent `at` runs backwards along its last axis
  other_function,  // node `at` computes another function (mul for div, sin for cos, lt for gt)
  drop,            // node `at` is left out: its operand stands in its place
  swap_operands,   // of node `at`
  double_literal,  // operand `other` of node `at`, a number
  stale_operand,   // operand `other` of node `at` is another operand or the result of the forward operation
  other_axis,      // node `at` works along another axis
  shift,           // node `at` reads or writes one place further
};
struct Mutation {
  Fault fault = Fault::flip_sign;
  std::uint32_t at = 0;     // of a cotangent, or of a node in the order of the rule's graph
  std::uint32_t other = 0;
};
std::string describe(const Mutation& m, const Vjp& r, const Tensors& cotangents);

/// All faults that fit the graph behind `cotangents`, as far as the operands of the forward node.
std::vector<Mutation> mutations_of(const Vjp& r, const Tensors& cotangents);
/// The cotangents with the fault; empty if the graph cannot have it or would not have the right types.
Tensors mutated(const Mutation& m, const Vjp& r, const Tensors& cotangents);

}  // namespace adjoint::check
