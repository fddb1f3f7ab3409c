// reduce_ops.hpp: node makers of reductions, for other operations' rules. Not public.
#pragma once

#include "ops/index_ops.hpp"

namespace adjoint {

Tensor amax_node(const Tensor& x, const Ints& axes, bool keepdim, Loc loc);
Tensor prod_node(const Tensor& x, const Ints& axes, bool keepdim, Loc loc);
/// Reduced over axes with them kept at size 1 -> without them, where `keepdim` is false.
Tensor without_axes(const Tensor& kept, const Ints& axes, bool keepdim, Loc loc);
/// Number of elements along `axes`.
std::int64_t elements_along(const Tensor& x, const Ints& axes);
/// A floating operand; integers and bool become f32.
Tensor floating(const Tensor& x, Loc loc);
/// The operand of a reduction broadcast back over the reduced axes.
Tensor spread(const Tensor& reduced, const Shape& full, const Ints& axes, Loc loc);

}  // namespace adjoint
