// common.cpp: promotion, broadcasting and the shape rules that many operations share. Not an operation.
#include "ops/common.hpp"

#include <algorithm>
#include <cmath>

#include "graph/number.hpp"
#include "ops/shape_ops.hpp"

namespace adjoint {

DType promote(DType a, DType b) {
  if (a == b) return a;
  if (is_floating(a) != is_floating(b)) return is_floating(a) ? a : b;
  if (a == DType::bool_) return b;
  if (b == DType::bool_) return a;
  if (is_floating(a)) {
    if (a == DType::f64 || b == DType::f64) return DType::f64;
    return DType::f32;  // f32 with a half, or bf16 with f16
  }
  if (a == DType::i64 || b == DType::i64) return DType::i64;
  return DType::i32;  // i32 with a byte, or i8 with u8
}

namespace {

[[noreturn]] void no_value(const Primitive& prim, Loc loc) {
  throw Error({.op = std::string(prim.name), .message = "an operand has no value", .where = user_loc(loc),
               .hint = "a default-constructed or moved-from Tensor was passed; give it a value first"});
}

[[noreturn]] void cannot_broadcast(const Primitive& prim, std::initializer_list<const Arg*> in, Loc loc) {
  std::string types, detail;
  std::vector<const Tensor*> tensors;
  for (auto* a : in)
    if (a->tensor) {
      if (!*a->tensor) no_value(prim, loc);
      tensors.push_back(a->tensor);
      types += (types.empty() ? "" : " with ") + to_string(a->tensor->type());
    }
  for (auto* s : tensors)
    for (auto* t : tensors)
      for (int i = 1; i <= std::min(s->rank(), t->rank()) && detail.empty(); ++i)
        if (const auto x = s->shape(-i), y = t->shape(-i); x != y && x != 1 && y != 1)
          detail = "axis " + std::to_string(s->rank() - i) + " is " + std::to_string(x) + " vs " + std::to_string(y);
  throw Error({.op = std::string(prim.name), .message = "cannot broadcast " + types + ": " + detail, .where = user_loc(loc),
               .operands = operand_lines(tensors),
               .hint = "shapes are aligned at the last axis; each pair of sizes must be equal, or one of them 1"});
}

}  // namespace

Tensors promote_and_broadcast(const Primitive& prim, std::initializer_list<const Arg*> in, Loc loc) {
  bool any_tensor = false;
  DType dtype = DType::f32;
  Shape shape;
  for (auto* a : in) {
    if (!a->tensor) continue;
    if (!*a->tensor) no_value(prim, loc);
    const Type& t = a->tensor->type();
    dtype = any_tensor ? promote(dtype, t.dtype) : t.dtype;
    any_tensor = true;
    while (shape.rank() < t.shape.rank()) shape.insert(0, 1);
    for (int i = 1; i <= t.shape.rank(); ++i) {
      auto& have = shape[static_cast<std::size_t>(shape.rank() - i)];
      const auto s = t.shape[static_cast<std::size_t>(t.shape.rank() - i)];
      if (have == 1) have = s;
      else if (s != 1 && s != have) cannot_broadcast(prim, in, loc);
    }
  }
  for (auto* a : in)
    if (!a->tensor && any_tensor && !is_floating(dtype) && (a->scalar || dtype == DType::bool_ || pinned(*a) != std::floor(pinned(*a))))
      dtype = DType::f32;
  Tensors out;
  out.reserve(in.size());
  for (auto* a : in) {
    if (!a->tensor) {
      out.push_back(number_as(*a, {shape, dtype}, loc));
      continue;
    }
    Tensor t = *a->tensor;
    if (t.dtype() != dtype) t = cast_to(t, dtype, loc);
    if (!(t.shape() == shape)) t = broadcast_node(t, shape, loc);
    out.push_back(std::move(t));
  }
  return out;
}

/// The operands as they are when all tensors have one type: the common case, without a vector. Numbers become literals.
static bool all_alike(std::initializer_list<const Arg*> in, const Tensor** out, Tensor* made, Loc loc) {
  const Type* type = nullptr;
  for (auto* a : in) {
    if (!a->tensor) continue;
    if (!*a->tensor) return false;
    const Type& t = a->tensor->type();
    if (type && type != &t && !(*type == t)) return false;
    type = &t;
  }
  if (!type || !is_floating(type->dtype)) return false;
  std::size_t k = 0;
  for (auto* a : in) {
    if (!a->tensor) made[k] = number_as(*a, *type, loc);
    out[k] = a->tensor ? a->tensor : &made[k];
    ++k;
  }
  return true;
}

Tensor apply_elementwise(const Primitive& prim, std::initializer_list<const Arg*> in, Loc loc, Attrs attrs) {
  const Tensor* operands[3];
  Tensor made[3];
  if (in.size() <= 3 && all_alike(in, operands, made, loc))
    return apply(prim, std::span<const Tensor* const>(operands, in.size()), std::move(attrs), loc);
  return apply(prim, promote_and_broadcast(prim, in, loc), std::move(attrs), loc);
}

Tensor need(const Arg& x, const Primitive& prim) {
  if (x.tensor && !*x.tensor) no_value(prim, x.loc);
  return x.value();
}

Tensor need_float(const Arg& x, const Primitive& prim) {
  const Tensor t = need(x, prim);
  return is_floating(t.dtype()) ? t : cast_to(t, DType::f32, x.loc);
}

Tensor apply_unary(const Primitive& prim, const Arg& x) {
  const Tensor t = need(x, prim);
  return apply(prim, {&t}, {}, x.loc);
}

Tensor apply_unary_float(const Primitive& prim, const Arg& x) {
  const Tensor t = need_float(x, prim);
  return apply(prim, {&t}, {}, x.loc);
}

Tensors promote_to_float(const Primitive& prim, std::initializer_list<const Arg*> in, Loc loc) {
  Tensors t = promote_and_broadcast(prim, in, loc);
  if (!is_floating(t[0].dtype()))
    for (auto& operand : t) operand = cast_to(operand, DType::f32, loc);
  return t;
}

Tensor apply_elementwise_float(const Primitive& prim, std::initializer_list<const Arg*> in, Loc loc) {
  return apply(prim, promote_to_float(prim, in, loc), {}, loc);
}

void check_setting(bool valid, const Primitive& prim, Loc loc, std::string message, std::string hint) {
  if (!valid)
    throw Error({.op = std::string(prim.name), .message = std::move(message), .where = user_loc(loc), .hint = std::move(hint)});
}

Primitive flat(std::string_view name, std::string_view family, Type (*infer)(const Infer&)) {
  return {.name = name, .traits = {.elementwise = true, .gradient = Gradient::zero}, .infer = infer, .family = family};
}
Primitive inlined(std::string_view name, std::string_view family, Gradient gradient) {
  return {.name = name, .traits = {.inlined = true, .gradient = gradient}, .family = family};
}

Type infer_same(const Infer& i) {
  for (std::size_t k = 1; k < i.in.size(); ++k)
    if (!(i.type(k) == i.type(0))) i.fail("operands differ: " + to_string(i.type(0)) + " and " + to_string(i.type(k)), "cast or broadcast_to one of them");
  return i.type(0);
}

Type infer_same_float(const Infer& i) {
  const Type t = infer_same(i);
  if (!is_floating(t.dtype))
    i.fail("needs a floating element type, got " + to_string(t), "cast the operand first: cast(x, DType::f32)");
  return t;
}

Type infer_number(const Infer& i) {
  const Type t = infer_same(i);
  if (t.dtype == DType::bool_)
    i.fail("has no meaning for " + to_string(t), "cast it first, as in cast(x, DType::i32), or use the logical operations");
  return t;
}

Type infer_integer(const Infer& i) {
  const Type t = infer_same(i);
  if (!is_integer(t.dtype)) i.fail("needs integers, got " + to_string(t), "cast the operand first: cast(x, DType::i64)");
  return t;
}

Type infer_bits(const Infer& i) {
  const Type t = infer_same(i);
  if (is_floating(t.dtype)) i.fail("needs integers or bool, got " + to_string(t), "cast the operand first: cast(x, DType::i64)");
  return t;
}

Type infer_bool(const Infer& i) { return {infer_same(i).shape, DType::bool_}; }

Tensor sum_to(const Tensor& ct, const Shape& small, Loc loc) {
  if (ct.shape() == small) return ct;
  Ints axes;
  const int lead = ct.rank() - small.rank();
  for (int i = 0; i < ct.rank(); ++i)
    if (i < lead || (small[static_cast<std::size_t>(i - lead)] == 1 && ct.shape(i) != 1)) axes.push_back(i);
  Tensor t = axes.empty() ? ct : sum_node(ct, axes, false, loc);
  return t.shape() == small ? t : reshape_node(t, small, loc);
}

}  // namespace adjoint
