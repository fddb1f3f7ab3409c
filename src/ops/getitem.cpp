// getitem.cpp: x[...] with numbers, ranges, new axes, an ellipsis and a tensor; and several tensors together: index.
// Not assignment: slice_scatter and scatter_add make a new value.
#include "ops/index_ops.hpp"

namespace adjoint {
namespace {

const Primitive& getitem_p = define({.name = "getitem", .traits = {.inlined = true}, .family = "D8"});
const Primitive& index_p = define({.name = "index", .traits = {.inlined = true}, .family = "D8"});

/// The ellipsis spelled out, or appended, as whole ranges.
std::vector<Index> completed(const Tensor& t, const std::vector<Index>& at, Loc loc) {
  int named = 0, dots = 0;
  for (const auto& i : at) {
    named += i.kind == Index::Kind::number || i.kind == Index::Kind::range || i.kind == Index::Kind::tensor;
    dots += i.kind == Index::Kind::ellipsis;
  }
  if (dots > 1) fail("getitem", loc, "more than one ellipsis", {&t}, "one stands for all axes not named");
  if (named > t.rank()) fail("getitem", loc, std::to_string(named) + " indices for " + to_string(t.type()), {&t}, "at most one an axis");
  std::vector<Index> full;
  const auto rest = [&] {
    for (int k = named; k < t.rank(); ++k) full.push_back(Range{});
  };
  for (const auto& i : at) {
    if (i.kind == Index::Kind::ellipsis) rest();
    else full.push_back(i);
  }
  if (dots == 0) rest();
  return full;
}

Tensor cut(const Tensor& t, int axis, const Range& r, Loc loc) {
  const auto size = t.shape(axis), step = r.step;
  if (step == 0 || step == INT64_MIN) fail("getitem", loc, "a step of " + std::to_string(step), {&t}, "a step is positive or negative");
  const auto place = [&](std::int64_t i, std::int64_t low, std::int64_t high) { return std::clamp(i < 0 ? i + size : i, low, high); };
  if (step > 0) {
    const auto from = place(r.start.value_or(0), 0, size), to = place(r.stop.value_or(size), 0, size);
    return slice_axis(t, axis, from, to > from ? (to - from - 1) / step + 1 : 0, step, loc);
  }
  const auto from = place(r.start.value_or(size - 1), -1, size - 1);
  const auto to = r.stop ? place(*r.stop, -1, size - 1) : -1;
  return slice_axis(t, axis, from, from > to ? (from - to - 1) / -step + 1 : 0, step, loc);
}

}  // namespace

Tensor getitem(const Arg& x, const std::vector<Index>& at) {
  OpScope scope("getitem", x.loc);
  Tensor t = need(x, getitem_p);
  int axis = 0;
  bool picked = false;
  for (const auto& i : completed(t, at, x.loc)) {
    switch (i.kind) {
      case Index::Kind::number: t = select(Arg(t, x.loc), axis, i.number); break;
      case Index::Kind::range: t = cut(t, axis++, i.range, x.loc); break;
      case Index::Kind::new_axis: t = unsqueeze(Arg(t, x.loc), axis++); break;
      case Index::Kind::ellipsis: break;
      case Index::Kind::tensor: {
        const Tensor idx = need(Arg(i.tensor, x.loc), getitem_p);
        if (idx.dtype() == DType::bool_)
          fail("getitem", x.loc, "a mask as an index: the size of the result would depend on data", {&t, &idx}, "use where, or nonzero with a size");
        need_indices(idx, "getitem", x.loc);
        if (picked) fail("getitem", x.loc, "more than one tensor as an index", {&t, &idx}, "use index(x, {i, j}), which indexes leading axes together");
        picked = true;
        t = take_node(t, idx, axis, x.loc);
        axis += idx.rank();
      }
    }
  }
  return t;
}

Tensor index(const Arg& x, const Tensors& indices) {
  OpScope scope("index", x.loc);
  const Tensor t = need(x, index_p);
  const Loc loc = x.loc;
  const auto n = static_cast<int>(indices.size());
  if (n < 1 || n > t.rank()) fail("index", loc, std::to_string(n) + " index tensors for " + to_string(t.type()), {&t}, "one for each leading axis");
  // One flat index over the leading axes; each part is checked against its own axis by a take of zeros from it.
  std::int64_t rows = 1;
  for (int k = 0; k < n; ++k) rows *= t.shape(k);
  Tensor flat;
  std::int64_t stride = rows;
  for (int k = 0; k < n; ++k) {
    const Tensor given = need(Arg(indices[static_cast<std::size_t>(k)], loc), index_p);
    need_indices(given, "index", loc);
    stride = t.shape(k) ? stride / t.shape(k) : 0;
    const Tensor places = mul(Arg(iota_node({t.shape(k)}, 0, DType::i64, loc), loc), Arg(scalar_i64(stride, loc), loc));
    const Tensor part = take_node(places, given, 0, loc);
    flat = flat ? add(Arg(flat, loc), Arg(part, loc)) : part;
  }
  Shape merged{rows};
  for (int k = n; k < t.rank(); ++k) merged.push_back(t.shape(k));
  return take_node(reshape_node(t, merged, loc), flat, 0, loc);
}

}  // namespace adjoint
