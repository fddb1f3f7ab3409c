// tile_rows.hpp: a program with reductions along rows, resolved into passes over a row.
// Not for other rooms: they see tiles.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/cpu/reduce.hpp"
#include "kernels/cpu/row_joins.hpp"
#include "kernels/cpu/scalar_kernels.hpp"
#include "plan/operand.hpp"
#include "plan/tile_program.hpp"

namespace adjoint::cpu {

/// Where registers live during a row: `wide` ones (reduced, or read in a later pass) have a place for the whole row, the
/// others for one tile; those with one value a row hold it repeated over a tile.
struct RowProgram {
  struct Step {
    ScalarKernel kernel, round;  ///< round: nullptr where nothing is rounded
    std::uint16_t dst, a, b, c;
  };
  struct Reduction {
    ReduceOp op;
    DType accumulator, result;
    std::uint16_t dst, a;
  };
  struct Port {
    std::uint16_t reg;
    bool row;
    std::uint8_t size;     ///< bytes of an element in memory
    ScalarKernel convert;  ///< between register form and memory form, or nullptr
    bool direct;           ///< inputs: may be read where it lies
    int last_pass;         ///< inputs: the last pass that reads it
    bool join = false;     ///< outputs: its elements go to accumulators, in the last pass
  };
  struct Pass {
    std::vector<std::uint16_t> loads;  ///< inputs, by index
    std::vector<Step> steps;
    std::vector<Reduction> reductions;
    std::vector<Step> row_steps;       ///< after the reductions
  };
  struct Register {
    std::uint8_t size = 4;
    bool row = false, wide = false;
    std::uint32_t place = 0;  ///< among the wide ones, or among the tiles
  };
  std::vector<Port> inputs, outputs;
  std::vector<RowJoin> joins;
  std::vector<Step> first_row_steps;   ///< of row inputs alone
  std::vector<Pass> passes;
  std::vector<Register> registers;
  std::uint32_t wide_places = 0, tile_places = 0;
};

/// Of a program that was checked.
RowProgram resolve_rows(const plan::TileProgram& program);

void run_rows(const RowProgram& program, const plan::View* inputs, const plan::View* outputs, int rank,
              const std::int64_t* shape);

}  // namespace adjoint::cpu
