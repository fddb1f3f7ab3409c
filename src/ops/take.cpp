// take.cpp: elements chosen by an index tensor along one axis, and the transpose, scatter_add; the public functions on
// the two. Not one index an element: that is take_along.cpp.
#include "ops/batching.hpp"
#include "ops/index_ops.hpp"

namespace adjoint {

static bool indexable(DType d) { return d == DType::i64 || d == DType::i32; }

/// The shape of x with `axis` replaced by the axes of idx.
static Shape taken(const Infer& i, const Shape& x, const Shape& idx, std::int64_t axis) {
  if (x.rank() - 1 + idx.rank() > kMaxRank)
    i.fail("the result would have " + std::to_string(x.rank() - 1 + idx.rank()) + " axes", "a tensor has at most 8; flatten the index first");
  Shape out;
  for (int k = 0; k < axis; ++k) out.push_back(x[static_cast<std::size_t>(k)]);
  for (auto d : idx) out.push_back(d);
  for (int k = static_cast<int>(axis) + 1; k < x.rank(); ++k) out.push_back(x[static_cast<std::size_t>(k)]);
  return out;
}

static Tensor batch_take(const Batch& b) {
  const Loc loc = b.node.loc;
  const auto axis = static_cast<int>(b.attrs<OneAxis>().axis);
  if (!b.all[1]) return take_node(b.all[0], b.in(1), axis + 1, loc);
  if (!b.all[0]) return move_axis(take_node(b.in(0), b.all[1], axis, loc), axis, 0, loc);
  // Indices into elements of one's own: element by element along the last axis, so that each index is checked against its own example.
  const Tensor x = move_axis(b.all[0], axis + 1, b.all[0].rank() - 1, loc);
  const auto count = b.node.in[1]->type.shape.numel();
  Shape each = x.shape(), alone{b.size};
  each[each.size() - 1] = count;
  while (alone.rank() + 1 < x.rank()) alone.push_back(1);
  alone.push_back(count);
  const Tensor y = take_along_node(x, broadcast_node(reshape_node(b.all[1], alone, loc), each, loc), loc);
  return reshape_node(move_axis(y, y.rank() - 1, axis + 1, loc), in_front(b.size, b.node.type.shape), loc);
}

/// With an index for each example, the examples stand one after another along the axis; sums keep the order of their own j.
static Tensor batch_scatter_add(const Batch& b) {
  const Loc loc = b.node.loc;
  const auto axis = static_cast<int>(b.attrs<OneAxis>().axis);
  if (!b.all[1]) return scatter_add_node(every(b, 0), b.in(1), every(b, 2), axis + 1, loc);
  const auto n = b.node.in[0]->type.shape[static_cast<std::size_t>(axis)];
  const Tensor idx = cast_to(b.all[1], DType::i64, loc), size = scalar_i64(n, loc);
  Shape column{b.size};
  while (column.rank() < idx.rank()) column.push_back(1);
  const Tensor start = iota_node(column, 0, DType::i64, loc) * size;
  const Tensor place = where(logical_and(ge(idx, 0.0), lt(idx, size)), idx + start, -1.0);  // a bad index stays one
  const Tensor apart = move_axis(every(b, 0), 0, axis, loc);
  Shape joined = apart.shape();
  joined[static_cast<std::size_t>(axis)] = b.size * n;
  joined.erase(axis + 1);
  const Tensor y = scatter_add_node(reshape_node(apart, joined, loc), place, move_axis(every(b, 2), 0, axis, loc), axis, loc);
  return move_axis(reshape_node(y, apart.shape(), loc), axis, 0, loc);
}

static const Primitive& take_p = define({
    .name = "take",
    .infer = [](const Infer& i) -> Type {
      if (!indexable(i.type(1).dtype)) i.fail("an index must be i64 or i32, got " + to_string(i.type(1)), "cast it: cast(idx, DType::i64)");
      const Shape out = taken(i, i.type(0).shape, i.type(1).shape, i.attrs.as<OneAxis>().axis);
      return {out, i.type(0).dtype};
    },
    .vjp = [](const Vjp& r) -> Tensors {
      const Tensor zero = literal(r.node.in[0]->type, 0, r.node.loc);
      return {scatter_add_node(zero, r.in(1), r.ct, r.attrs<OneAxis>().axis, r.node.loc), Tensor()};
    },
    .jvp = [](const Jvp& r) { return take_node(r.dot[0], r.in(1), r.attrs<OneAxis>().axis, r.node.loc); },
    .batch = batch_take,
    .family = "D8",
});

static const Primitive& scatter_add_p = define({
    .name = "scatter_add",
    .infer = [](const Infer& i) -> Type {
      const Type &base = i.type(0), &idx = i.type(1), &src = i.type(2);
      if (!indexable(idx.dtype)) i.fail("an index must be i64 or i32, got " + to_string(idx), "cast it: cast(idx, DType::i64)");
      if (src.dtype != base.dtype || base.dtype == DType::bool_)
        i.fail("cannot add " + to_string(src) + " into " + to_string(base), "cast both to one type that has addition");
      const Shape expected = taken(i, base.shape, idx.shape, i.attrs.as<OneAxis>().axis);
      if (!(src.shape == expected))
        i.fail("the source has shape " + to_string(src.shape) + ", expected " + to_string(expected),
               "it has the shape of the base, with the axes of the index in the place of the axis");
      return base;
    },
    .vjp = [](const Vjp& r) -> Tensors {
      return {r.ct, Tensor(), r.wants(2) ? take_node(r.ct, r.in(1), r.attrs<OneAxis>().axis, r.node.loc) : Tensor()};
    },
    .jvp = [](const Jvp& r) {
      if (!r.dot[2]) return r.dot[0];
      const Tensor base = r.dot[0] ? r.dot[0] : literal(r.node.type, 0, r.node.loc);
      return scatter_add_node(base, r.in(1), r.dot[2], r.attrs<OneAxis>().axis, r.node.loc);
    },
    .batch = batch_scatter_add,
    .family = "D8",
});

Tensor take_node(const Tensor& x, const Tensor& idx, std::int64_t axis, Loc loc) { return apply(take_p, {&x, &idx}, OneAxis{axis}, loc); }
Tensor scatter_add_node(const Tensor& base, const Tensor& idx, const Tensor& src, std::int64_t axis, Loc loc) {
  return apply(scatter_add_p, {&base, &idx, &src}, OneAxis{axis}, loc);
}

Tensor constant_indices(const std::vector<std::int64_t>& values, const Shape& shape, Loc loc) {
  return copy_bytes(values.data(), {shape, DType::i64}, loc);
}

void need_indices(const Tensor& idx, std::string_view op, Loc loc) {
  if (!indexable(idx.dtype())) fail(op, loc, "an index must be i64 or i32, got " + to_string(idx.type()), {&idx}, "cast it: cast(idx, DType::i64)");
}

Tensor take(const Arg& x, const Arg& idx, int axis) {
  const Tensor t = need(x, take_p), j = need(idx, take_p);
  return take_node(t, j, normal_axis(axis, t.rank(), "take", x.loc), x.loc);
}

Tensor scatter_add(const Arg& base, const Arg& idx, const Arg& src, int axis) {
  const Tensor b = need(base, scatter_add_p), j = need(idx, scatter_add_p), s = need(src, scatter_add_p);
  return scatter_add_node(b, j, s, normal_axis(axis, b.rank(), "scatter_add", base.loc), base.loc);
}

static const Primitive& index_select_p = define({.name = "index_select", .traits = {.inlined = true}, .family = "D8"});
static const Primitive& index_add_p = define({.name = "index_add", .traits = {.inlined = true}, .family = "D8"});
static const Primitive& embedding_p = define({.name = "embedding", .traits = {.inlined = true}, .family = "D8"});

static void need_vector(const Tensor& idx, std::string_view op, Loc loc) {
  need_indices(idx, op, loc);
  if (idx.rank() != 1) fail(op, loc, "the index must have one axis, got " + to_string(idx.type()), {&idx}, "flatten it, or use take");
}

Tensor index_select(const Arg& x, int axis, const Arg& idx) {
  OpScope scope("index_select", x.loc);
  const Tensor t = need(x, index_select_p), j = need(idx, index_select_p);
  need_vector(j, "index_select", x.loc);
  return take_node(t, j, normal_axis(axis, t.rank(), "index_select", x.loc), x.loc);
}

Tensor index_add(const Arg& x, int axis, const Arg& idx, const Arg& src) {
  OpScope scope("index_add", x.loc);
  const Tensor t = need(x, index_add_p), j = need(idx, index_add_p), s = need(src, index_add_p);
  need_vector(j, "index_add", x.loc);
  return scatter_add_node(t, j, s, normal_axis(axis, t.rank(), "index_add", x.loc), x.loc);
}

Tensor embedding(const Arg& table, const Arg& idx) {
  OpScope scope("embedding", table.loc);
  const Tensor t = need(table, embedding_p), j = need(idx, embedding_p);
  if (t.rank() != 2)
    fail("embedding", table.loc, "the table must be [rows, features], got " + to_string(t.type()), {&t}, "one row an index value");
  need_indices(j, "embedding", table.loc);
  return take_node(t, j, 0, table.loc);
}

}  // namespace adjoint
