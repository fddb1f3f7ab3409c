// common.hpp: what the files of operations share: promotion, broadcasting, shape rules, checks.
// Not an operation, and not public.
#pragma once

#include <initializer_list>
#include <string>

#include "adjoint/ops.hpp"
#include "graph/node.hpp"
#include "graph/primitive.hpp"

namespace adjoint {

/// The element type of the result of mixing a and b: floating wins over integer wins over bool, wider wins;
/// bf16 with f16 gives f32.
DType promote(DType a, DType b);
/// Operands of an elementwise operation brought to one element type and one shape: numbers take the type of
/// the tensors, cast and broadcast_to nodes are made where needed. Throws when shapes do not broadcast.
Tensors promote_and_broadcast(const Primitive&, std::initializer_list<const Arg*> in, Loc loc);
/// apply() after promote_and_broadcast(): what every elementwise operation of several operands is.
Tensor apply_elementwise(const Primitive&, std::initializer_list<const Arg*> in, Loc loc, Attrs attrs = {});
/// A unary operation on a floating tensor; an integer or bool operand is cast to f32 first.
Tensor apply_unary_float(const Primitive&, const Arg& x);
/// The operand as a Tensor, or an Error for `prim` if it has no value.
Tensor need(const Arg& x, const Primitive& prim);

// Shape rules. Operands of elementwise operations already have one shape and one element type.
Type infer_same(const Infer&);        ///< result as operand 0; all operands must agree
Type infer_same_float(const Infer&);  ///< likewise, and floating
Type infer_bool(const Infer&);        ///< bool of the operands' shape

/// Sums ct over the axes by which `small` was broadcast; the adjoint of broadcasting.
Tensor sum_to(const Tensor& ct, const Shape& small, Loc loc);

}  // namespace adjoint
