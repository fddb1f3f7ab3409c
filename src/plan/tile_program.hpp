// tile_program.hpp: a fused elementwise group as data: straight-line instructions over registers.
// Not an executor: src/kernels/cpu/tiles.hpp runs it, and its portable build defines the bits.
#pragma once

#include <cstdint>
#include <vector>

#include "adjoint/dtype.hpp"

namespace adjoint::plan {

/// One scalar function applied to whole registers.
struct TileInstruction {
  std::uint16_t op = 0;       ///< index in the table of scalar_functions.hpp
  DType dtype = DType::f32;   ///< of the result
  DType src = DType::f32;     ///< of the operands (of the last two, for `where`, whose first is bool)
  std::uint16_t dst = 0;      ///< the register that it defines
  std::uint16_t a = 0, b = 0, c = 0;  ///< operand registers; those past the arity are not read
};

/// A register that is loaded from an input or stored to an output, and the element type in memory.
struct TilePort {
  std::uint16_t reg = 0;
  DType dtype = DType::f32;
};

/// Every register is defined exactly once, by one input or by one instruction, before it is read (the executor maps
/// registers to L1 memory and reuses what is dead, so a register costs nothing). A register's values are those of its
/// dtype: after each instruction they are rounded to it, so that fusing changes no bit. The dtype of an output port is
/// that of its register. One register may be stored more than once, and an input may be stored unchanged.
struct TileProgram {
  std::vector<TileInstruction> instructions;
  std::vector<TilePort> inputs;
  std::vector<TilePort> outputs;
  std::uint16_t registers = 0;  ///< registers are numbered 0 ... registers-1
};

}  // namespace adjoint::plan
