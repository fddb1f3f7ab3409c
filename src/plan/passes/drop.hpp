// drop.hpp: values of the forward pass that are not kept for the backward pass, on any graph: which ones, and the program without
// them. For fit_memory.cpp. Not the chain's programme (stages.hpp), which may run a value more than twice.
#pragma once

#include <optional>
#include <vector>

#include "plan/passes.hpp"

namespace adjoint::plan {

/// One flag a value of a program: made again for the backward pass, once, when that first wants it.
using Drop = std::vector<char>;
/// The program where the backward pass reads copies of the values dropped; their operands are copies where those are dropped too.
Program without(const Program& program, const Drop& drop);
/// 1 for what runs before any value of the backward pass is there.
std::vector<char> forward_values(const Program& program);

/// What lies inside regions marked by checkpoint(): all that a region computes from its inputs but its result.
Drop marked(const Program& program);
/// The program without the marks, for strategies that do not look at them: a mark reads a region's inputs.
void remove_marks(Program& program);
/// What layers of these names compute but what they hand on. Throws an Error for a name that no layer of the program has.
Drop inside_layers(const Program& program, const std::vector<std::string>& names);

/// A choice with the plan that it gives, not runnable.
struct Dropped {
  Drop drop;
  std::int64_t arena_bytes = 0;
  double time = 0;  ///< seconds of what runs again
};
/// Greedy: drops values alive at the peak that are not wanted there, first where a byte freed for a while costs the least time, until
/// the plan's arena takes at most `bytes`, and then keeps again what there is room for. The smallest arena found, if none does.
Dropped drop_until(const Program& program, std::int64_t bytes, const PlanOf& plan_of);
/// Seconds of the values that run again.
double time_again(const Program& program);

}  // namespace adjoint::plan
