// savings.hpp: what would lower the peak of a plan, and at which price. Not a planner: nothing is changed by it.
#pragma once

#include "adjoint/explain.hpp"

namespace adjoint::plan {

/// Bytes that a value takes in the arena, which places by whole cache lines.
inline std::int64_t arena_size(std::int64_t bytes) { return (bytes + 63) / 64 * 64; }

/// For each residual that is alive at the peak without being used there, what computing it again would change.
std::vector<PlanReport::Saving> savings(const PlanReport& report);

}  // namespace adjoint::plan
