// scalar_kernels.hpp: the compiled scalar functions: one loop a function, a dtype and an instruction set.
// Not the list of names: that is plan/scalar_functions.hpp.
#pragma once

#include <cstddef>

#include "adjoint/dtype.hpp"

namespace adjoint::cpu {

/// dst[i] = f(a[i], b[i], c[i]) for i < n, where n is a multiple of kTilePad (16). Pointers past the arity are not
/// read; dst may be equal to an operand of the same element size, and otherwise overlaps none. bf16 and f16 stand as f32
/// and are rounded by the caller (round_to); every other dtype stands as in memory (bool: one byte, 0 or 1).
using ScalarKernel = void (*)(void* dst, const void* a, const void* b, const void* c, std::size_t n);

/// The kernel of function `op` (index of plan/scalar_functions.hpp) for operands of type `src`; nullptr if there is
/// none. For `cast`, use cast_kernel. bf16 and f16 give the f32 kernel. Chosen for this processor at the first call.
ScalarKernel scalar_kernel(int op, DType src);

/// Conversion between register forms: float -> integer truncates toward zero and saturates, NaN -> 0; integer -> integer
/// wraps; anything -> bool is (x != 0); float -> narrower float rounds once, to nearest even. The result is already
/// rounded to `to`.
ScalarKernel cast_kernel(DType from, DType to);

/// Rounds n f32 values in place to what bf16 (or f16) can hold: dst = a. nullptr for all other types.
ScalarKernel round_kernel(DType to);
/// Memory to register and back for bf16 and f16 (16-bit elements <-> f32). nullptr for all other types.
ScalarKernel widen_kernel(DType from);
ScalarKernel narrow_kernel(DType to);

}  // namespace adjoint::cpu
