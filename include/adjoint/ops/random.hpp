// random.hpp: random tensors and the operations that draw from them. Each takes a Key and is a function of it: the same key
// gives the same numbers on any number of threads, in any plan. Not a stream: see key.hpp.
// All are zero in the key; a distribution's parameter that is a Tensor refuses a gradient.
#pragma once

#include "adjoint/key.hpp"
#include "adjoint/tensor.hpp"

namespace adjoint {

/// 32 random bits an element, as i32: word i % 4 of block i / 4 of Philox4x32-10 under the key.
Tensor random_bits(const Key& key, const Shape& shape, Loc loc = Loc::current());

struct UniformOptions {
  double low = 0, high = 1;
  DType dtype = DType::f32;
};
/// Uniform in [low, high): low + (high - low) u, where u is a multiple of 2^-24 (f64: 2^-53, f16: 2^-11, bf16: 2^-8).
/// After rounding, `high` itself can occur where |low| is large against high - low.
Tensor uniform(const Key& key, const Shape& shape, UniformOptions options = {}, Loc loc = Loc::current());

}  // namespace adjoint
