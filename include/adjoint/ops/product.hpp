// product.hpp: products of vectors, matrices and batches of them. Each element is an fma chain over k in blocks
// of 1,024 joined by a fixed tree, so its bits depend on its two vectors alone. Not convolutions.
#pragma once

#include "adjoint/tensor.hpp"

namespace adjoint {

/// Matrix product as in numpy: [.., m, k] x [.., k, n] -> [.., m, n]; leading axes broadcast; a vector on the left is
/// a row, on the right a column, and its axis is dropped from the result. f16 and bf16 accumulate in f32.
///   gradient  dx = ct y^T, dy = x^T ct
Tensor matmul(const Arg& x, const Arg& y);

}  // namespace adjoint
