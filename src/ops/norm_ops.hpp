// norm_ops.hpp: node makers of the normalisations, for the public functions. Not public.
#pragma once

#include "ops/common.hpp"

namespace adjoint {

struct Normalized { Ints axes; double eps = 0; };  // axes ascending, non-negative
/// (x - mean) / sqrt(var + eps) over the axes; x floating, halves in f32.
Tensor normalize_node(const Tensor& x, const Ints& axes, double eps, Loc loc);
/// x / sqrt(mean x^2 + eps)
Tensor rms_normalize_node(const Tensor& x, const Ints& axes, double eps, Loc loc);
/// x - mean x
Tensor centre_node(const Tensor& x, const Ints& axes, Loc loc);

}  // namespace adjoint
