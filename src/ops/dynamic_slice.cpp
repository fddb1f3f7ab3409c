// dynamic_slice.cpp: slices whose place is data, and slices written into a copy. Not slice, whose place is known.
#include "ops/index_ops.hpp"

namespace adjoint {
namespace {

const Primitive& slice_p = define({.name = "dynamic_slice", .traits = {.inlined = true}, .family = "D8"});
const Primitive& update_p = define({.name = "dynamic_update_slice", .traits = {.inlined = true}, .family = "D8"});
const Primitive& scatter_p = define({.name = "slice_scatter", .traits = {.inlined = true}, .family = "D8"});

/// The indices start + [0, size) along one axis, with start moved so that they lie inside.
Tensor places(const Tensor& starts, int axis, std::int64_t whole, std::int64_t size, Loc loc) {
  const Tensor one = reshape_node(slice_axis(starts, 0, axis, 1, 1, loc), {}, loc);
  const Tensor low = where(gt(Arg(one, loc), Arg(scalar_i64(0, loc), loc)), one, scalar_i64(0, loc));
  const Tensor most = scalar_i64(whole - size, loc);
  const Tensor start = where(gt(Arg(low, loc), Arg(most, loc)), most, low);
  return add(Arg(start, loc), Arg(iota_node({size}, 0, DType::i64, loc), loc));
}
Tensor checked_starts(const Primitive& prim, const Tensor& x, const Arg& starts, const Shape& sizes, Loc loc) {
  const Tensor s = need(starts, prim);
  need_indices(s, prim.name, loc);
  if (s.rank() != 1 || s.shape(0) != x.rank() || sizes.rank() != x.rank())
    fail(prim.name, loc, "starts " + to_string(s.type()) + " and sizes " + to_string(sizes) + " do not fit " + to_string(x.type()), {&x, &s}, "one entry an axis");
  for (int k = 0; k < x.rank(); ++k)
    if (sizes[static_cast<std::size_t>(k)] < 0 || sizes[static_cast<std::size_t>(k)] > x.shape(k))
      fail(prim.name, loc, "a slice of " + to_string(sizes) + " does not lie in " + to_string(x.type()), {&x}, "sizes are between 0 and those of the operand");
  return cast_to(s, DType::i64, loc);
}

}  // namespace

Tensor dynamic_slice(const Arg& x, const Arg& starts, const Shape& sizes) {
  OpScope scope("dynamic_slice", x.loc);
  Tensor t = need(x, slice_p);
  const Tensor s = checked_starts(slice_p, t, starts, sizes, x.loc);
  for (int k = 0; k < t.rank(); ++k) {
    const auto size = sizes[static_cast<std::size_t>(k)];
    if (size != t.shape(k)) t = take_node(t, places(s, k, t.shape(k), size, x.loc), k, x.loc);
  }
  return t;
}

Tensor dynamic_update_slice(const Arg& x, const Arg& update, const Arg& starts) {
  OpScope scope("dynamic_update_slice", x.loc);
  const Tensor t = need(x, update_p), u = need(update, update_p);
  if (u.dtype() != t.dtype() || t.dtype() == DType::bool_)
    fail("dynamic_update_slice", x.loc, "cannot write " + to_string(u.type()) + " into " + to_string(t.type()), {&t, &u}, "cast both to one type other than bool");
  const Tensor s = checked_starts(update_p, t, starts, u.shape(), x.loc);
  Tensor placed = u, inside = literal({u.shape(), DType::u8}, 1, x.loc);
  for (int k = 0; k < t.rank(); ++k) {
    if (u.shape(k) == t.shape(k)) continue;
    const Tensor at = places(s, k, t.shape(k), u.shape(k), x.loc);
    Shape wide = placed.shape();
    wide[static_cast<std::size_t>(k)] = t.shape(k);
    placed = scatter_add_node(literal({wide, t.dtype()}, 0, x.loc), at, placed, k, x.loc);
    inside = scatter_add_node(literal({wide, DType::u8}, 0, x.loc), at, inside, k, x.loc);
  }
  return where(cast_to(inside, DType::bool_, x.loc), placed, t);
}

Tensor slice_scatter(const Arg& x, const Arg& src, int axis, const Range& range) {
  OpScope scope("slice_scatter", x.loc);
  const Tensor t = need(x, scatter_p), s = need(src, scatter_p);
  const int a = normal_axis(axis, t.rank(), "slice_scatter", x.loc);
  const auto size = t.shape(a);
  if (range.step < 1) fail("slice_scatter", x.loc, "a step of " + std::to_string(range.step), {&t}, "at least 1");
  const auto place = [&](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + size : i, 0, size); };
  const auto from = place(range.start.value_or(0)), to = place(range.stop.value_or(size));
  Shape expected = t.shape();
  expected[static_cast<std::size_t>(a)] = to > from ? (to - from - 1) / range.step + 1 : 0;
  if (!(s.shape() == expected) || s.dtype() != t.dtype())
    fail("slice_scatter", x.loc, "the source is " + to_string(s.type()) + ", expected " + to_string(Type{expected, t.dtype()}), {&t, &s}, "the source has the shape of the slice and the type of x");
  Embedding e{{}, {}, t.shape()};
  for (int k = 0; k < t.rank(); ++k) e.start.push_back(k == a ? from : 0), e.step.push_back(k == a ? range.step : 1);
  const Tensor inside = embed_node(literal({expected, DType::bool_}, 1, x.loc), e, x.loc);
  return where(inside, embed_node(s, e, x.loc), t);
}

}  // namespace adjoint
