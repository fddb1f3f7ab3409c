// take_along.cpp: one index an element along an axis, and the transpose. Not one index a slice: that is take.cpp.
#include "ops/batching.hpp"
#include "ops/index_ops.hpp"

namespace adjoint {

static void check_rows(const Infer& i, const Type& rows, const Type& idx) {
  if (idx.dtype != DType::i64 && idx.dtype != DType::i32) i.fail("an index must be i64 or i32, got " + to_string(idx), "cast it: cast(idx, DType::i64)");
  bool fits = rows.shape.rank() == idx.shape.rank() && rows.shape.rank() > 0;
  for (std::size_t k = 0; fits && k + 1 < rows.shape.size(); ++k) fits = rows.shape[k] == idx.shape[k];
  if (!fits) i.fail("the index " + to_string(idx) + " does not fit " + to_string(rows), "all axes but the last are equal");
}

static const Primitive& take_along_p = define({
    .name = "take_along",
    .infer = [](const Infer& i) -> Type {
      check_rows(i, i.type(0), i.type(1));
      return {i.type(1).shape, i.type(0).dtype};
    },
    .vjp = [](const Vjp& r) -> Tensors {
      return {put_along_node(r.in(1), r.ct, r.node.in[0]->type.shape.back(), r.node.loc), Tensor()};
    },
    .jvp = [](const Jvp& r) { return take_along_node(r.dot[0], r.in(1), r.node.loc); },
    .batch = batch_same,
    .family = "D8",
});

static const Primitive& put_along_p = define({
    .name = "put_along",
    .infer = [](const Infer& i) -> Type {
      check_rows(i, i.type(1), i.type(0));
      if (!(i.type(0).shape == i.type(1).shape) || i.type(1).dtype == DType::bool_)
        i.fail("cannot add " + to_string(i.type(1)) + " at " + to_string(i.type(0)), "cast both to one type that has addition");
      Type out = i.type(1);
      out.shape[out.shape.size() - 1] = i.attrs.as<RowSize>().size;
      return out;
    },
    .vjp = [](const Vjp& r) -> Tensors { return {Tensor(), take_along_node(r.ct, r.in(0), r.node.loc)}; },
    .jvp = [](const Jvp& r) { return put_along_node(r.in(0), r.dot[1], r.attrs<RowSize>().size, r.node.loc); },
    .batch = batch_same,
    .family = "D8",
});

Tensor take_along_node(const Tensor& x, const Tensor& idx, Loc loc) { return apply(take_along_p, {&x, &idx}, {}, loc); }
Tensor put_along_node(const Tensor& idx, const Tensor& src, std::int64_t size, Loc loc) {
  return apply(put_along_p, {&idx, &src}, RowSize{size}, loc);
}

static const Primitive& take_along_axis_p = define({.name = "take_along_axis", .traits = {.inlined = true}, .family = "D8"});
static const Primitive& gather_p = define({.name = "gather", .traits = {.inlined = true}, .family = "D8"});

/// Both operands with `axis` last, the result with it put back.
static Tensor along(const Tensor& x, const Tensor& idx, int axis, Loc loc) {
  const int last = x.rank() - 1;
  return move_axis(take_along_node(move_axis(x, axis, last, loc), move_axis(idx, axis, last, loc), loc), last, axis, loc);
}

Tensor take_along_axis(const Arg& x, const Arg& idx, int axis) {
  OpScope scope("take_along_axis", x.loc);
  Tensor t = need(x, take_along_axis_p), j = need(idx, take_along_axis_p);
  need_indices(j, "take_along_axis", x.loc);
  const int a = normal_axis(axis, t.rank(), "take_along_axis", x.loc);
  Shape of_x = t.shape(), of_idx = j.shape();
  bool fits = j.rank() == t.rank();
  for (int k = 0; fits && k < t.rank(); ++k) {
    if (k == a) continue;
    auto &p = of_x[static_cast<std::size_t>(k)], &q = of_idx[static_cast<std::size_t>(k)];
    fits = p == q || p == 1 || q == 1;
    if (p == 1) p = q;
    else q = p;
  }
  if (!fits)
    fail("take_along_axis", x.loc, "the index " + to_string(j.type()) + " does not fit " + to_string(t.type()) + " along axis " + std::to_string(a),
         {&t, &j}, "it has the same rank, and sizes that broadcast on all other axes");
  return along(broadcast_node(t, of_x, x.loc), broadcast_node(j, of_idx, x.loc), a, x.loc);
}

Tensor gather(const Arg& x, int axis, const Arg& idx) {
  OpScope scope("gather", x.loc);
  Tensor t = need(x, gather_p), j = need(idx, gather_p);
  need_indices(j, "gather", x.loc);
  const int a = normal_axis(axis, t.rank(), "gather", x.loc);
  bool fits = j.rank() == t.rank();
  for (int k = 0; fits && k < t.rank(); ++k) fits = k == a || j.shape(k) <= t.shape(k);
  if (!fits)
    fail("gather", x.loc, "the index " + to_string(j.type()) + " does not fit " + to_string(t.type()) + " along axis " + std::to_string(a), {&t, &j},
         "it has the same rank, and no axis but that one is longer");
  for (int k = 0; k < t.rank(); ++k)
    if (k != a && j.shape(k) < t.shape(k)) t = slice_axis(t, k, 0, j.shape(k), 1, x.loc);
  return along(t, j, a, x.loc);
}

}  // namespace adjoint
