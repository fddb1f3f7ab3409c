// pad.cpp: more elements at the ends of axes: constants, reflections, the edge, the other end; and roll, rot90.
// Not embed, the primitive behind zeros.
#include <cmath>

#include "ops/index_ops.hpp"

namespace adjoint {
namespace {

const Primitive& named(std::string_view name) { return define({.name = name, .traits = {.inlined = true}, .family = "D7"}); }
const Primitive &constant_p = named("pad_constant"), &reflect_p = named("pad_reflect"), &replicate_p = named("pad_replicate");
const Primitive &circular_p = named("pad_circular"), &roll_p = named("roll"), &rot90_p = named("rot90");

/// The padded shape, or an Error.
Shape padded(const Tensor& t, const Ints& low, const Ints& high, const char* op, Loc loc) {
  if (low.rank() != t.rank() || high.rank() != t.rank())
    fail(op, loc, "padding " + to_string(low) + " and " + to_string(high) + " does not fit " + to_string(t.type()), {&t}, "one entry an axis, before and after");
  Shape shape = t.shape();
  for (std::size_t k = 0; k < shape.size(); ++k) {
    if (low[k] < 0 || high[k] < 0) fail(op, loc, "negative padding in " + to_string(low) + " and " + to_string(high), {&t}, "use slice to cut");
    if (__builtin_add_overflow(shape[k], low[k], &shape[k]) || __builtin_add_overflow(shape[k], high[k], &shape[k])) fail(op, loc, "too much padding", {&t}, "sizes multiply to at most 2^58");
  }
  checked_elements(shape, op, loc);
  return shape;
}

/// Pads each axis by reading element source(i) for the place i in [-low, size + high).
template <class Source>
Tensor pad_by_index(const Primitive& prim, const Arg& x, const Ints& low, const Ints& high, std::int64_t (*most)(std::int64_t size), Source source) {
  OpScope scope(prim.name.data(), x.loc);
  Tensor t = need(x, prim);
  padded(t, low, high, prim.name.data(), x.loc);
  for (std::size_t k = 0; k < low.size(); ++k) {
    const auto size = t.shape()[k];
    if (low[k] == 0 && high[k] == 0) continue;
    if (std::max(low[k], high[k]) > most(size))
      fail(prim.name, x.loc, "padding " + std::to_string(low[k]) + " and " + std::to_string(high[k]) + " of axis " + std::to_string(k) + " of " + to_string(t.type()) +
                                 ": at most " + std::to_string(std::max<std::int64_t>(0, most(size))) + " elements",
           {&t});
    checked_list(size + low[k] + high[k], prim.name, x.loc);
    std::vector<std::int64_t> from;
    for (std::int64_t i = -low[k]; i < size + high[k]; ++i) from.push_back(source(i, size));
    const auto n = static_cast<std::int64_t>(from.size());
    t = take_node(t, constant_indices(from, {n}, x.loc), static_cast<std::int64_t>(k), x.loc);
  }
  return t;
}

}  // namespace

/// False for an integer type or bool that has no such number.
static bool holds(DType dtype, double value) {
  if (is_floating(dtype)) return true;
  const bool positive = dtype == DType::u8 || dtype == DType::bool_;
  const double end = dtype == DType::bool_ ? 2 : std::ldexp(1, static_cast<int>(size_of(dtype)) * 8 - !positive);
  return value == std::floor(value) && value >= (positive ? 0 : -end) && value < end;
}

Tensor pad_constant(const Arg& x, const Ints& low, const Ints& high, double value) {
  OpScope scope("pad_constant", x.loc);
  const Tensor t = need(x, constant_p);
  Embedding e{low, {}, padded(t, low, high, "pad_constant", x.loc)};
  for (int k = 0; k < t.rank(); ++k) e.step.push_back(1);
  if (e.shape == t.shape()) return t;
  if (!holds(t.dtype(), value))
    fail("pad_constant", x.loc, to_string(t.type()) + " cannot hold " + std::to_string(value), {&t}, "cast it to a floating type first");
  const Tensor y = embed_node(t, e, x.loc);
  if (value == 0) return y;
  const Tensor inside = embed_node(literal({t.shape(), DType::bool_}, 1, x.loc), e, x.loc);
  return where(Arg(inside, x.loc), Arg(y, x.loc), Arg(literal({e.shape, t.dtype()}, value, x.loc), x.loc));
}

Tensor pad_reflect(const Arg& x, const Ints& low, const Ints& high) {
  return pad_by_index(reflect_p, x, low, high, [](std::int64_t size) { return size - 1; },
                      [](std::int64_t i, std::int64_t size) { return i < 0 ? -i : i < size ? i : 2 * (size - 1) - i; });
}
Tensor pad_replicate(const Arg& x, const Ints& low, const Ints& high) {
  return pad_by_index(replicate_p, x, low, high, [](std::int64_t size) { return size > 0 ? INT64_MAX : 0; },
                      [](std::int64_t i, std::int64_t size) { return std::clamp<std::int64_t>(i, 0, size - 1); });
}
Tensor pad_circular(const Arg& x, const Ints& low, const Ints& high) {
  return pad_by_index(circular_p, x, low, high, [](std::int64_t size) { return size; },
                      [](std::int64_t i, std::int64_t size) { return (i + size) % size; });
}

Tensor roll(const Arg& x, const Ints& shifts, const Ints& axes) {
  OpScope scope("roll", x.loc);
  Tensor t = need(x, roll_p);
  if (shifts.rank() != axes.rank()) fail("roll", x.loc, "shifts " + to_string(shifts) + " and axes " + to_string(axes) + " differ in number", {&t}, "one shift an axis");
  for (std::size_t k = 0; k < axes.size(); ++k) {
    const int a = normal_axis(axes[k], t.rank(), "roll", x.loc);
    const auto size = t.shape(a);
    if (size == 0) continue;
    const auto shift = (shifts[k] % size + size) % size;
    if (shift == 0) continue;
    t = concat_node({slice_axis(t, a, size - shift, shift, 1, x.loc), slice_axis(t, a, 0, size - shift, 1, x.loc)}, a, x.loc);
  }
  return t;
}

Tensor rot90(const Arg& x, int times, int axis0, int axis1) {
  OpScope scope("rot90", x.loc);
  const Tensor t = need(x, rot90_p);
  const int a = normal_axis(axis0, t.rank(), "rot90", x.loc), b = normal_axis(axis1, t.rank(), "rot90", x.loc);
  if (a == b) fail("rot90", x.loc, "both axes are " + std::to_string(a), {&t}, "name two different axes");
  Ints swapped;
  for (int k = 0; k < t.rank(); ++k) swapped.push_back(k == a ? b : k == b ? a : k);
  switch ((times % 4 + 4) % 4) {
    case 1: return permute_node(flip_axis(t, b, x.loc), swapped, x.loc);
    case 2: return flip_axis(flip_axis(t, a, x.loc), b, x.loc);
    case 3: return flip_axis(permute_node(t, swapped, x.loc), b, x.loc);
    default: return t;
  }
}

}  // namespace adjoint
