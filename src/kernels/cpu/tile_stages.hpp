// tile_stages.hpp: which registers of a TileProgram hold one value a row, and in which pass over a row each is known.
// Not a check of the program (tile_resolve.cpp), and not an executor.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/tile_program.hpp"

namespace adjoint::cpu {

/// A row is walked in passes 0, 1, ...: a reduction in pass s needs the whole row, so that what depends on it comes in pass
/// s + 1 or later.
struct TileStages {
  std::vector<char> row;       ///< of each register: one value a row
  std::vector<char> live;      ///< of each instruction: an output depends on it
  std::vector<int> stage;      ///< of each register: the first pass in which it can be made (or, by row, read)
  std::vector<int> last_pass;  ///< of each register: the last pass that reads it, -1 for none
  int passes = 0;
};

/// Of a program whose registers are all defined before they are read.
TileStages tile_stages(const plan::TileProgram& program);

/// Number of registers that an instruction reads: a, b and c in this order.
int operand_count(const plan::TileInstruction& i);

}  // namespace adjoint::cpu
