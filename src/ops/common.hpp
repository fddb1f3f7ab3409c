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
/// A unary operation on the operand as it is.
Tensor apply_unary(const Primitive&, const Arg& x);
/// apply_elementwise() on floating operands: integers and bools are cast to f32 first.
Tensor apply_elementwise_float(const Primitive&, std::initializer_list<const Arg*> in, Loc loc);
/// promote_and_broadcast(), and then integers and bools cast to f32.
Tensors promote_to_float(const Primitive&, std::initializer_list<const Arg*> in, Loc loc);
/// The operand as a Tensor, or an Error for `prim` if it has no value.
Tensor need(const Arg& x, const Primitive& prim);
/// need(), and integers and bools cast to f32.
Tensor need_float(const Arg& x, const Primitive& prim);
/// Throws unless `valid`: a setting of `prim` is out of its range.
void check_setting(bool valid, const Primitive& prim, Loc loc, std::string message, std::string hint);

// Shape rules. Operands of elementwise operations already have one shape and one element type.
Type infer_same(const Infer&);        ///< result as operand 0; all operands must agree
Type infer_same_float(const Infer&);  ///< likewise, and floating
Type infer_number(const Infer&);      ///< likewise, and not bool
Type infer_integer(const Infer&);     ///< likewise, and an integer
Type infer_bits(const Infer&);        ///< likewise, and an integer or bool
Type infer_bool(const Infer&);        ///< bool of the operands' shape

/// The slope of a unary function: f'(x), or a divisor d with f'(x) = 1 / d, given x and y = f(x).
using Slope = Tensor (*)(const Tensor& x, const Tensor& y);

/// The record of a unary elementwise function whose derivative is `slope`. One slope serves both modes.
template <Slope slope>
Primitive unary(std::string_view name, std::string_view family = "D1", Type (*infer)(const Infer&) = infer_same_float) {
  return {.name = name,
          .traits = {.elementwise = true},
          .infer = infer,
          .vjp = [](const Vjp& r) -> Tensors { return {r.ct * slope(r.in(0), r.out())}; },
          .jvp = [](const Jvp& r) { return r.dot[0] * slope(r.in(0), r.out()); },
          .family = family};
}
/// Likewise, where the derivative is 1 / `divisor`: one rounding less than a product with its reciprocal.
template <Slope divisor>
Primitive unary_over(std::string_view name, std::string_view family = "D1") {
  return {.name = name,
          .traits = {.elementwise = true},
          .infer = infer_same_float,
          .vjp = [](const Vjp& r) -> Tensors { return {r.ct / divisor(r.in(0), r.out())}; },
          .jvp = [](const Jvp& r) { return r.dot[0] / divisor(r.in(0), r.out()); },
          .family = family};
}
/// The record of an elementwise operation whose derivative is a declared zero.
Primitive flat(std::string_view name, std::string_view family, Type (*infer)(const Infer&));
/// The record of a named function of other operations, which makes no node of its own.
Primitive inlined(std::string_view name, std::string_view family, Gradient gradient = Gradient::smooth);

/// Sums ct over the axes by which `small` was broadcast; the adjoint of broadcasting.
Tensor sum_to(const Tensor& ct, const Shape& small, Loc loc);

}  // namespace adjoint
