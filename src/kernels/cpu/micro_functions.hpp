// micro_functions.hpp: records the instructions of a TileProgram. Not where a function's mathematics stands: that is in
// the -inl.hpp files, which tiles use too.
#pragma once

#include "kernels/cpu/micro.hpp"
#include "plan/tile_program.hpp"

namespace adjoint::cpu::micro {

/// Records a function of operands a, b, c (values or masks of `body`), rounded to i.dtype; -1 if it is not known here.
std::int32_t record(Body& body, const plan::TileInstruction& i, std::int32_t a, std::int32_t b, std::int32_t c);
/// Rounds an f32 value to what bf16 or f16 can hold; every other type is left alone.
std::int32_t record_rounding(Body& body, DType to, std::int32_t value);
/// True for the types whose register form is known: floats, i32, i64 and bool.
bool has_register_form(DType d);
/// Bytes of a lane in that form; a mask's are 4.
int lane_width(DType d);

}  // namespace adjoint::cpu::micro
