// views.cpp: reshape, slice and permute under the names and in the forms that people reach for. Not the primitives
// themselves.
#include "ops/batching.hpp"
#include "ops/index_ops.hpp"

namespace adjoint {
namespace {

const Primitive& named(std::string_view name) { return define({.name = name, .traits = {.inlined = true}, .family = "D7"}); }
const Primitive &view_p = named("view"), &flatten_p = named("flatten"), &unflatten_p = named("unflatten"), &squeeze_p = named("squeeze");
const Primitive &unsqueeze_p = named("unsqueeze"), &moveaxis_p = named("moveaxis"), &select_p = named("select"), &narrow_p = named("narrow");
const Primitive& flip_p = named("flip");
const Primitive& shape_of_p = define({.name = "shape_of", .traits = {.inlined = true, .gradient = Gradient::zero}, .family = "D7"});
const Primitive& numel_p = define({.name = "numel", .traits = {.inlined = true, .gradient = Gradient::zero}, .family = "D7"});

/// A copy in row-major order, which the plan may not turn back into a view of its operand.
const Primitive& contiguous_p = define({
    .name = "contiguous",
    .infer = infer_same,
    .decompose = [](const Node& n) { return share(n.in[0]); },
    .vjp = [](const Vjp& r) -> Tensors { return {r.ct}; },
    .jvp = [](const Jvp& r) { return r.dot[0]; },
    .batch = batch_same,
    .family = "D7",
});

}  // namespace

Tensor view(const Arg& x, const Shape& shape) {
  OpScope scope("view", x.loc);
  const Tensor t = need(x, view_p);
  return reshape(Arg(t, x.loc), shape);
}

Tensor flatten(const Arg& x, int first, int last) {
  OpScope scope("flatten", x.loc);
  const Tensor t = need(x, flatten_p);
  if (t.rank() == 0) return reshape_node(t, {1}, x.loc);
  const int a = normal_axis(first, t.rank(), "flatten", x.loc), b = normal_axis(last, t.rank(), "flatten", x.loc);
  if (a > b)
    fail("flatten", x.loc, "the first axis " + std::to_string(first) + " lies behind the last " + std::to_string(last) + " of " + to_string(t.type()), {&t}, "axes first to last are joined, in this order");
  Shape shape;
  for (int k = 0; k < t.rank(); ++k) {
    if (k <= a || k > b) shape.push_back(t.shape(k));
    else shape[static_cast<std::size_t>(a)] *= t.shape(k);
  }
  return reshape_node(t, shape, x.loc);
}

Tensor unflatten(const Arg& x, int axis, const Shape& sizes) {
  OpScope scope("unflatten", x.loc);
  const Tensor t = need(x, unflatten_p);
  const int a = normal_axis(axis, t.rank(), "unflatten", x.loc);
  std::int64_t known = 1;
  int unknown = 0;
  for (auto s : sizes) {
    unknown += s == -1;
    if (s < -1) fail("unflatten", x.loc, "a negative size in " + to_string(sizes), {&t}, "sizes are >= 0; one may be -1 and is inferred");
    if (s >= 0) known = checked_product(known, s, "unflatten", x.loc);
  }
  const auto size = t.shape(a);
  if (unknown > 1 || (unknown == 0 && known != size) || (unknown == 1 && (known == 0 || size % known != 0)))
    fail("unflatten", x.loc, "axis " + std::to_string(a) + " of " + to_string(t.type()) + " does not split into " + to_string(sizes), {&t},
         "the sizes multiply to that of the axis; at most one is -1");
  Shape shape;
  for (int k = 0; k < t.rank(); ++k) {
    if (k != a) shape.push_back(t.shape(k));
    else
      for (auto s : sizes) shape.push_back(s == -1 ? size / known : s);
  }
  return reshape_node(t, shape, x.loc);
}

Tensor squeeze(const Arg& x, const Ints& axes) {
  OpScope scope("squeeze", x.loc);
  const Tensor t = need(x, squeeze_p);
  const Ints named_axes = axes.empty() ? Ints() : normal_axes(axes, t, "squeeze", x.loc);
  for (auto a : named_axes)
    if (t.shape(static_cast<int>(a)) != 1)
      fail("squeeze", x.loc, "axis " + std::to_string(a) + " of " + to_string(t.type()) + " has size " + std::to_string(t.shape(static_cast<int>(a))), {&t},
           "only axes of size 1 can be dropped");
  Shape shape;
  for (int k = 0; k < t.rank(); ++k) {
    const bool drop = axes.empty() ? t.shape(k) == 1 : std::ranges::find(named_axes, std::int64_t{k}) != named_axes.end();
    if (!drop) shape.push_back(t.shape(k));
  }
  return reshape_node(t, shape, x.loc);
}

Tensor unsqueeze(const Arg& x, int axis) {
  OpScope scope("unsqueeze", x.loc);
  const Tensor t = need(x, unsqueeze_p);
  Shape shape = t.shape();
  shape.insert(normal_axis(axis, t.rank() + 1, "unsqueeze", x.loc), 1);
  return reshape_node(t, shape, x.loc);
}

Tensor moveaxis(const Arg& x, const Ints& from, const Ints& to) {
  OpScope scope("moveaxis", x.loc);
  const Tensor t = need(x, moveaxis_p);
  if (from.rank() != to.rank())
    fail("moveaxis", x.loc, "axes " + to_string(from) + " and places " + to_string(to) + " differ in number", {&t}, "one place an axis");
  int at[kMaxRank];
  std::fill_n(at, kMaxRank, -1);
  unsigned moved = 0;
  for (std::size_t k = 0; k < from.size(); ++k) {
    const int a = normal_axis(from[k], t.rank(), "moveaxis", x.loc), b = normal_axis(to[k], t.rank(), "moveaxis", x.loc);
    if (moved >> a & 1 || at[b] >= 0) fail("moveaxis", x.loc, "an axis or a place is named twice in " + to_string(from) + " to " + to_string(to), {&t}, "name each axis and each place once");
    moved |= 1u << a;
    at[b] = a;
  }
  Ints order;
  for (int b = 0, next = 0; b < t.rank(); ++b) {
    while (at[b] < 0 && moved >> next & 1) ++next;
    order.push_back(at[b] >= 0 ? at[b] : next++);
  }
  return permute_node(t, order, x.loc);
}

Tensor select(const Arg& x, int axis, std::int64_t index) {
  OpScope scope("select", x.loc);
  const Tensor t = need(x, select_p);
  const int a = normal_axis(axis, t.rank(), "select", x.loc);
  const auto size = t.shape(a);
  if (index < -size || index >= size)
    fail("select", x.loc, "index " + std::to_string(index) + " is outside axis " + std::to_string(a) + " of " + to_string(t.type()), {&t},
         size == 0 ? "the axis is empty" : "indices run from " + std::to_string(-size) + " to " + std::to_string(size - 1));
  Shape shape = t.shape();
  shape.erase(a);
  return reshape_node(slice_axis(t, a, index < 0 ? index + size : index, 1, 1, x.loc), shape, x.loc);
}

Tensor narrow(const Arg& x, int axis, std::int64_t start, std::int64_t size) {
  OpScope scope("narrow", x.loc);
  const Tensor t = need(x, narrow_p);
  const int a = normal_axis(axis, t.rank(), "narrow", x.loc);
  const auto whole = t.shape(a), from = start < 0 ? start + whole : start;
  if (size < 0 || from < 0 || from > whole || size > whole - from)
    fail("narrow", x.loc,
         std::to_string(size) + " elements from " + std::to_string(start) + " do not lie in axis " + std::to_string(a) + " of " + to_string(t.type()), {&t}, "start and start + size lie in [0, " + std::to_string(whole) + "]");
  return slice_axis(t, a, from, size, 1, x.loc);
}

Tensor flip(const Arg& x, const Ints& axes) {
  OpScope scope("flip", x.loc);
  const Tensor t = need(x, flip_p);
  Tensor y = t;
  for (auto a : normal_axes(axes, t, "flip", x.loc)) y = flip_axis(y, static_cast<int>(a), x.loc);
  return y;
}

Tensor contiguous(const Arg& x) {
  const Tensor t = need(x, contiguous_p);
  return apply(contiguous_p, {&t}, {}, x.loc);
}

Tensor shape_of(const Arg& x) {
  const Tensor t = need(x, shape_of_p);
  return copy_bytes(t.shape().begin(), {{t.rank()}, DType::i64}, x.loc);
}
Tensor numel(const Arg& x) { return scalar_i64(need(x, numel_p).numel(), x.loc); }

}  // namespace adjoint
