// pool_ops.hpp: the settings of windows over the last axes, for the pooling operations and their kernel. Not public.
#pragma once

#include "adjoint/shape.hpp"

namespace adjoint {

/// Windows over the last size.rank() axes, one entry an axis: window p, tap k reads p * stride + k * dilation - low, if
/// that exists. `out` is the number of windows.
struct PoolAttrs {
  Ints size, stride, dilation, low, out;
};

}  // namespace adjoint
