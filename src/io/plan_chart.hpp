// plan_chart.hpp: the two pictures of a plan's memory over its steps. Not the page around them.
#pragma once

#include <string>

#include "adjoint/explain.hpp"

namespace adjoint::io {

/// The kind of a value, which decides its colour: "kept" for the backward pass, or made and used within the "forward" or "backward" pass.
const char* kind_of(const PlanReport& report, const PlanReport::Life& life);
/// Bytes alive at each step: what is kept for the backward pass, and on it what is only worked on.
std::string alive_chart(const PlanReport& report);
/// The arena: each value a rectangle from birth to death, at its place, linked to its row #vN.
std::string arena_chart(const PlanReport& report);
/// "1.5 GFLOP"
std::string flops_text(std::int64_t flops);
/// "kept for conv2d_weight at models.cpp:45", the readers in the backward pass, or what else reads it.
std::string reason_of(const PlanReport& report, const PlanReport::Life& life);

}  // namespace adjoint::io
