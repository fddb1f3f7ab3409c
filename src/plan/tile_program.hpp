// tile_program.hpp: a fused group as data: straight-line instructions over registers, with reductions along rows.
// Not an executor: src/kernels/cpu/tiles.hpp runs it, and its portable build defines the bits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adjoint/dtype.hpp"

namespace adjoint::plan {

/// How an instruction joins the elements of a row.
enum class RowReduction : std::uint8_t { none, sum, prod, amax, amin };

/// What an output holds of its register: each element (or one a row), or its elements joined over the rows (one a column),
/// or all of them joined to one.
enum class Join : std::uint8_t { none, columns, all };
inline constexpr std::int64_t kJoinedBlock = 4096;  ///< elements of a block of a reduction: what the rows of Join::all divide

/// One scalar function applied to whole registers; or, if `reduction` is not none, that reduction of register `a` along
/// the row (`op`, `b` and `c` are then not read).
struct TileInstruction {
  std::uint16_t op = 0;       ///< index in the table of scalar_functions.hpp
  DType dtype = DType::f32;   ///< of the result
  DType src = DType::f32;     ///< of the operands (of the last two, for `where`, whose first is bool)
  std::uint16_t dst = 0;      ///< the register that it defines
  std::uint16_t a = 0, b = 0, c = 0;  ///< operand registers; those past the arity are not read
  RowReduction reduction = RowReduction::none;
};

/// A register that is loaded from an input or stored to an output, and the element type in memory.
struct TilePort {
  std::uint16_t reg = 0;
  DType dtype = DType::f32;
  bool row = false;           ///< one element a row: the stride of the run's last axis is not read
  Join join = Join::none;     ///< outputs only
  RowReduction how = RowReduction::none;  ///< of a join

  bool each() const { return !row && join == Join::none; }  ///< one element each
};

/// Every register is defined exactly once, by one input or by one instruction, before it is read (the executor maps
/// registers to L1 memory and reuses what is dead, so a register costs nothing). A register's values are those of its
/// dtype: after each instruction they are rounded to it, so that fusing changes no bit. The dtype of an output port is
/// that of its register. One register may be stored more than once, and an input may be stored unchanged.
///
/// Rows. A run has a shape; its rows lie along the last axis, and all axes before it number them. A register holds either
/// one value an element or one value a row. Inputs with `row` hold one a row; so does the result of a reduction, and of a
/// function whose operands all do. A function that reads both kinds sees the row's value at each of its elements. Only
/// registers with one value an element may be reduced, in any order and number: a reduction may depend on others
/// (softmax: amax, then a sum of what was made with it). An output with `row` stores one element a row and must name
/// such a register; one without stores every element, a row's value repeated.
///
/// A reduction gives the bits of the kernel of its name over the last axis (kernels/cpu/reduce.hpp): 16 lanes, blocks of
/// 4,096, a fixed tree. Its dtype is that of its operand; of bf16 and f16 it accumulates in f32 and rounds once, or, if
/// `dtype` is f32, not at all. Rows of no elements give the neutral element.
///
/// Joins. An output with `join` holds its register, which must have one value an element of a floating type, joined by `how`:
/// with `columns` over all axes but the last (one element a column; of the output's strides only the last is read), with `all`
/// over all axes (one element; no stride is read), which needs a last axis whose length divides 4,096 and is a multiple of 16, or one row of at most 4,096.
/// The bits are those of the reduce kernel over the same axes. No instruction reads a join: it is there when the run is over.
/// What threads share is then which rows go to which of the 16 lanes, so that no sum depends on their number.
///
/// A program with a reduction, a join or a row output runs row by row, one thread a row: worth fusing where there are as many
/// rows as threads, or rows are short; a few rows of millions are better left to the reduce kernel. Values that are
/// needed again after a reduction are kept for one row in the nearest cache or made again, as the executor likes; the
/// group's memory traffic is its inputs (read again from cache while a row is at hand) and its outputs.
struct TileProgram {
  std::vector<TileInstruction> instructions;
  std::vector<TilePort> inputs;
  std::vector<TilePort> outputs;
  std::uint16_t registers = 0;  ///< registers are numbered 0 ... registers-1

  /// True if it must be run row by row: then no axis may be merged with the last one.
  bool by_rows() const {
    for (const TileInstruction& i : instructions)
      if (i.reduction != RowReduction::none) return true;
    for (const TilePort& p : inputs)
      if (p.row) return true;
    for (const TilePort& p : outputs)
      if (!p.each()) return true;
    return false;
  }
  bool joins() const {
    for (const TilePort& p : outputs)
      if (p.join != Join::none) return true;
    return false;
  }
};

/// The program as text: equal for equal programs, and for no others.
std::string key_of(const TileProgram& program);
/// Adds the bytes of x, which has no padding.
template <class T> void append_bytes(std::string& key, const T& x) { key.append(reinterpret_cast<const char*>(&x), sizeof x); }

}  // namespace adjoint::plan
