// scalar_functions.hpp: the scalar functions that tiles can compute, by name: arity and types, as data.
// Not their mathematics: that stands in src/kernels/cpu, and derivatives stand in src/ops.
#pragma once

#include <cstdint>
#include <string_view>

#include "adjoint/dtype.hpp"

namespace adjoint::plan {

/// Which element types the operands may have (one bit a DType, see dtype_bit).
using DTypeSet = std::uint16_t;
constexpr DTypeSet dtype_bit(DType d) { return static_cast<DTypeSet>(1u << static_cast<int>(d)); }
inline constexpr DTypeSet kFloats = 0x00F, kIntegers = 0x0F0, kBool = 0x100, kAnyType = 0x1FF;

/// What the result's type is, given the operands' type (`src`).
enum class ResultType : std::uint8_t {
  same,       ///< as the operands
  boolean,    ///< bool, whatever the operands are
  converted,  ///< cast: as the instruction says
};

/// `where` takes a bool first and then two operands of type src; every other function takes `arity` operands of type src.
struct ScalarFunction {
  std::string_view name;
  std::uint8_t arity;
  ResultType result;
  DTypeSet types;
};

/// Number of functions; their indices are 0 ... count-1, fixed within one build.
int scalar_function_count();
const ScalarFunction& scalar_function(int index);
/// The index of a name, or -1. Logarithmic time.
int find_scalar_function(std::string_view name);

}  // namespace adjoint::plan
