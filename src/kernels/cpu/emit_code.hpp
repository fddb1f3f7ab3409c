// emit_code.hpp: machine code for a recorded program. Not where that code is kept and called: emit.hpp.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/cpu/emit_program.hpp"

namespace adjoint::cpu {

/// How the code walks: `rows` times a row of `columns`. Every port is either contiguous along the row or read or written
/// once a row, as the program says.
struct EmitLayout {
  std::vector<DType> ports;    ///< inputs, then outputs: element types in memory
  bool many_rows = false;
  bool blocks = false;         ///< rows have more than 4,096 elements, and something is reduced
  bool non_temporal = false;   ///< stores pass by the caches: outputs must be aligned to 64 bytes
  std::vector<int> ahead;      ///< ports that lie beyond the second cache: asked for before they are read or written
};

/// Words of the argument array: rows, columns, then the address of each port and of each kept array, then each port's
/// distance between rows in bytes. The code overwrites rows and addresses.
inline constexpr int kArgRows = 0, kArgColumns = 1, kArgAddresses = 2;

/// The bytes of a function void(std::int64_t* arguments); position-independent. Empty where something cannot be encoded.
std::vector<std::uint8_t> emit_code(const EmitProgram& program, const EmitLayout& layout);

}  // namespace adjoint::cpu
