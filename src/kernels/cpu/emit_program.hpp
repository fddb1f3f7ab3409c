// emit_program.hpp: a TileProgram as recorded vector code, cut into passes over a row and what stands between them.
// Not machine code: emit_code.hpp makes that.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "kernels/cpu/micro.hpp"
#include "plan/tile_program.hpp"

namespace adjoint::cpu {

/// Where a value of a section goes.
struct Sink {
  enum class Kind : std::uint8_t { store, keep, accumulate, row_slot, row_store, column };
  Kind kind;
  std::int32_t value;
  std::int32_t index;  ///< of the port, the kept array, the reduction of the pass, or the slot of the row
  DType dtype = DType::f32;
  plan::RowReduction how = plan::RowReduction::none;  ///< column: how what lies at the port joins the value
};
struct Section {
  micro::Body body;
  std::vector<Sink> sinks;
};
struct EmittedReduction {
  plan::RowReduction how;
  std::uint8_t width;
  std::int32_t slot;  ///< of the row: the result, not yet rounded
  std::int32_t port = -1;  ///< or: accumulators come from there and go back, for the next row to go on
};
struct EmittedPass {
  Section section;
  std::vector<EmittedReduction> reductions;
};

/// Ports are numbered inputs first. A row section runs once a row: sections[0] before the first pass, sections[p + 1]
/// after pass p.
struct EmitProgram {
  bool avx512 = false;
  int lanes = 16;
  std::vector<EmittedPass> passes;
  std::vector<Section> row_sections;
  int row_slots = 0, kept = 0;
  std::vector<std::uint8_t> kept_width;
};

/// Of a program that was checked, whose row inputs include those that repeat one element along the row. Nothing if an
/// instruction is not known to the recorder.
std::optional<EmitProgram> record_program(const plan::TileProgram& program, bool avx512);

}  // namespace adjoint::cpu
