// batching.hpp: what the batching rules of operations share. Not a rule of any one of them, and not the transform:
// src/transform/vmap.cpp.
#pragma once

#include "ops/shape_ops.hpp"

namespace adjoint {

/// The shape with one more axis in front.
Shape in_front(std::int64_t size, const Shape& shape, Loc loc = Loc::current());
/// Axes of one example, counted with the axis of the examples in front.
Ints one_up(Ints axes);
/// Operand i of all examples, also where it is the same for each: repeated, as a view.
Tensor every(const Batch& b, std::size_t i);
/// [examples, a, ..] -> [examples a, ..]
Tensor folded(const Tensor& t, Loc loc);

/// The rule of operations that keep leading axes apart: the same settings, on all examples at once. Of every elementwise one too.
Tensor batch_same(const Batch& b);
/// The rule of reductions with attributes Axes.
Tensor batch_reduced(const Batch& b);

}  // namespace adjoint
