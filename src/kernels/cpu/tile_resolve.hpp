// tile_resolve.hpp: what ResolvedProgram holds: kernel pointers, and the L1 slot of each register.
// Not for other rooms: they see tiles.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/cpu/scalar_kernels.hpp"
#include "kernels/cpu/tile_rows.hpp"
#include "kernels/cpu/tiles.hpp"

namespace adjoint::cpu {

struct ResolvedProgram::Impl {
  struct Step {
    ScalarKernel kernel;
    std::uint16_t dst, a, b, c;  ///< registers
  };
  struct Port {
    std::uint16_t reg;
    DType dtype;
    std::uint8_t size;     ///< bytes of an element in memory
    bool in_place;         ///< register form = memory form, so that the kernel may work on memory itself
    ScalarKernel convert;  ///< widen (inputs) or narrow (outputs) where the forms differ
    int step;              ///< inputs: the last step that reads it (-1: none). outputs: the first that writes it
  };
  std::vector<Step> steps;
  std::vector<Port> inputs, outputs;
  std::vector<std::uint32_t> slot;  ///< of each register: offset in the scratch memory
  std::size_t scratch = 0;          ///< bytes of all slots
  std::unique_ptr<const RowProgram> rows;  ///< instead of all that, where the program runs row by row
};

/// The kernel of a function, and that which rounds its result (nullptr: it is rounded).
struct InstructionKernels {
  ScalarKernel kernel, round;
};
InstructionKernels instruction_kernels(const plan::TileInstruction& i);

}  // namespace adjoint::cpu
