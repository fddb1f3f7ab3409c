// instruction_sets.hpp: which vector instruction sets the kernels were built for and which one runs.
// Declared here, told by src/kernels/cpu. Not a switch: the choice is made by the processor.
#pragma once

#include <string>

namespace adjoint::runtime {

struct InstructionSets {
  std::string built, used;
};
InstructionSets instruction_sets();

}  // namespace adjoint::runtime
