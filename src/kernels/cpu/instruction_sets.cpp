// instruction_sets.cpp: the names of the vector targets, for `doctor`. Not the dispatch.
#include "runtime/instruction_sets.hpp"

#include "kernels/cpu/simd_setup.hpp"
// after simd_setup, which says what is compiled
#include <hwy/highway.h>

namespace adjoint::runtime {

static std::string name_of_target(std::int64_t target) {
  const std::string name = hwy::TargetName(target);
  return name == "EMU128" || name == "Scalar" ? "portable" : name;
}

InstructionSets instruction_sets() {
  InstructionSets sets;
  std::int64_t best = 0;
  const std::int64_t built = HWY_TARGETS, here = built & hwy::SupportedTargets();
  for (std::int64_t bit = 1; bit != 0 && bit <= (std::int64_t{1} << 62); bit <<= 1)
    if (built & bit) {
      sets.built += (sets.built.empty() ? "" : ", ") + name_of_target(bit);
      if (!best && (here & bit)) best = bit;  // lower bits are the better targets
    }
  sets.used = best ? name_of_target(best) : "portable";
  return sets;
}

}  // namespace adjoint::runtime
