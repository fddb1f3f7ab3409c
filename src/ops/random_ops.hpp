// random_ops.hpp: node makers of the random primitives, for other operations of this room. Not public.
#pragma once

#include "adjoint/key.hpp"
#include "ops/common.hpp"

namespace adjoint {

struct Drawn { Shape shape; DType dtype; };
/// Uniform in [0, 1) on the grid of the type.
Tensor unit_uniform(const Key& key, const Shape& shape, DType dtype, Loc loc);
/// Uniform in the open interval (-1, 1), on midpoints of a grid: never 0, never an end. f32 and f64 only.
Tensor open_uniform(const Key& key, const Shape& shape, DType dtype, Loc loc);
/// A shape that a tensor can have, or an Error.
void check_drawn(const char* op, const Shape& shape, Loc loc);
/// An Error unless the type is floating.
void need_floating(const char* op, DType dtype, Loc loc);

}  // namespace adjoint
