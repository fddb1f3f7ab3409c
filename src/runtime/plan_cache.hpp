// plan_cache.hpp: plans found by structure: equal graphs with equal options share one. Not the plans of a compiled step, which
// keeps those that it found here.
#pragma once

#include <memory>

#include "plan/plan.hpp"
#include "runtime/executor.hpp"

namespace adjoint::runtime {

/// The plan of a request, made at its first sight. The caller holds graph_mutex().
std::shared_ptr<Executable> find_plan(const plan::Request& request);

}  // namespace adjoint::runtime
