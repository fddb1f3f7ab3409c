// pool_options.hpp: the options of a pooling made complete and checked. Not public.
#pragma once

#include "adjoint/ops/pool.hpp"
#include "graph/primitive.hpp"
#include "ops/pool_ops.hpp"

namespace adjoint {

struct Windows {
  PoolAttrs attrs;
  Ints high;  ///< zeros needed after the end, so that every window lies inside
};
/// Windows over the last `axes` axes of t, or an Error of `prim`.
Windows pool_windows(const Primitive& prim, int axes, const Tensor& t, const Ints& size, const PoolOptions& options, Loc loc);

}  // namespace adjoint
