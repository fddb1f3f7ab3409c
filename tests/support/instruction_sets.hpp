// instruction_sets.hpp: runs a piece of a test once for each instruction set that the kernels were compiled for and this
// processor has. Not a benchmark.
#pragma once

#include "kernels/cpu/simd_setup.hpp"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <cstdint>

namespace adjoint::test {

/// Calls f(mask) with the sets in turn, the best first. Kernels that are looked up inside f are those of the set.
template <class F> void for_each_instruction_set(F f) {
  const std::int64_t all = hwy::SupportedTargets() & HWY_TARGETS;
  for (std::int64_t rest = all; rest; rest &= rest - 1) {
    const std::int64_t one = rest & -rest;
    hwy::SetSupportedTargetsForTest(one);
    hwy::GetChosenTarget().Update(one);
    SCOPED_TRACE(hwy::TargetName(one));
    f(one);
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(all);
}

}  // namespace adjoint::test
