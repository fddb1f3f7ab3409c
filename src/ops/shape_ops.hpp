// shape_ops.hpp: node makers of the shape and cast primitives, for other operations' rules.
// Not public: users call the functions of include/adjoint/ops.hpp.
#pragma once

#include "ops/common.hpp"

namespace adjoint {

struct ToShape { Shape shape; };
struct Permutation { Ints axes; };
struct ToDType { DType dtype; };
struct Slices { Ints start, size, step; };  // one entry an axis; step may be negative
struct Embedding { Ints start, step; Shape shape; };  // where element 0 goes, how far apart, into zeros of what shape
struct Axes { Ints axes; bool keepdim = false; };  // axes ascending, non-negative

Tensor cast_to(const Tensor& x, DType dtype, Loc loc);
Tensor broadcast_node(const Tensor& x, const Shape& shape, Loc loc);
Tensor reshape_node(const Tensor& x, const Shape& shape, Loc loc);
Tensor permute_node(const Tensor& x, const Ints& axes, Loc loc);
/// A reduced result with its axes put back at size 1.
Tensor keep_axes(const Tensor& reduced, const Shape& full, const Ints& axes, Loc loc);
/// The shape rule of reductions with attributes Axes; refuses bool.
Type infer_reduced(const Infer&);
/// User's axes (negative allowed, all when empty) ascending and non-negative, or an Error.
Ints normal_axes(const Ints& axes, const Tensor& x, std::string_view op, Loc loc);
Tensor sum_node(const Tensor& x, const Ints& axes, bool keepdim, Loc loc);

}  // namespace adjoint
