// reduce.hpp: operations that combine elements along axes. Sums run in a fixed order that depends on sizes alone:
// 16 lanes, blocks of 4,096, a fixed tree. Not scans.
#pragma once

#include "adjoint/tensor.hpp"

namespace adjoint {

/// Sum over `axes` (all of them when empty).  gradient  dx = ct broadcast back.  error  |e| <= eps log2(n) sum |x|
Tensor sum(const Arg& x, const Ints& axes = {}, bool keepdim = false);
/// Arithmetic mean over `axes`.  gradient  dx = ct / n broadcast back
Tensor mean(const Arg& x, const Ints& axes = {}, bool keepdim = false);

}  // namespace adjoint
