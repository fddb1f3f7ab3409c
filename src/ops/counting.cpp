// counting.cpp: one_hot, counts and searches: integer results without gradients. Not sorting.
#include <cmath>

#include "ops/counting_ops.hpp"
#include "ops/reduce_ops.hpp"

namespace adjoint {
namespace {

const Primitive& zero(std::string_view name) { return define({.name = name, .traits = {.inlined = true, .gradient = Gradient::zero}, .family = "D8"}); }
const Primitive &one_hot_p = zero("one_hot"), &bincount_p = zero("bincount"), &histogram_p = zero("histogram"), &bucketize_p = zero("bucketize");
const Primitive& unique_p = define({.name = "unique", .traits = {.inlined = true, .gradient = Gradient::refused}, .family = "D8"});

/// How many elements of a sorted vector lie below each value; the definition counts them all.
const Primitive& searchsorted_p = define({
    .name = "searchsorted",
    .traits = {.gradient = Gradient::zero},
    .infer = [](const Infer& i) -> Type {
      if (i.type(0).shape.rank() != 1 || i.type(0).dtype != i.type(1).dtype || i.type(0).dtype == DType::bool_)
        i.fail("needs a sorted vector and values of one type, got " + to_string(i.type(0)) + " and " + to_string(i.type(1)), "cast one of them");
      return {i.type(1).shape, DType::i64};
    },
    .decompose = [](const Node& n) {
      const Tensor sorted = share(n.in[0]), values = share(n.in[1]);
      const Tensor column = reshape_node(values, {values.numel(), 1}, n.loc);
      const Tensor below = n.attrs.as<Side>().right ? le(sorted, column) : lt(sorted, column);
      return reshape_node(sum_node(cast_to(below, DType::i64, n.loc), {1}, false, n.loc), values.shape(), n.loc);
    },
    .batch = [](const Batch& b) -> Tensor {
      if (b.all[0]) return {};  // a sorted vector for each example: by the definition
      const Tensor sorted = b.in(0);
      return apply(*b.node.prim, {&sorted, &b.all[1]}, b.node.attrs, b.node.loc);
    },
    .family = "D8",
});

/// The flat places of elements that are not zero, -1 for the rest; the definition counts what stands before each.
const Primitive& nonzero_p = define({
    .name = "nonzero",
    .traits = {.gradient = Gradient::zero},
    .infer = [](const Infer& i) -> Type {
      if (i.type(0).dtype != DType::bool_ || i.type(0).shape.rank() != 1) i.fail("needs a bool vector, got " + to_string(i.type(0)), "compare it with something and flatten it");
      return {{i.attrs.as<Places>().size}, DType::i64};
    },
    .decompose = [](const Node& n) {
      const Tensor mask = share(n.in[0]);
      const auto count = mask.numel(), size = n.attrs.as<Places>().size;
      const Tensor row = iota_node({count, count}, 0, DType::i64, n.loc), column = iota_node({count, count}, 1, DType::i64, n.loc);
      const Tensor all = broadcast_node(mask, {count, count}, n.loc);
      const Tensor before = sum_node(cast_to(logical_and(all, lt(column, row)), DType::i64, n.loc), {1}, false, n.loc);
      const Tensor slot = iota_node({size, count}, 0, DType::i64, n.loc), place = iota_node({size, count}, 1, DType::i64, n.loc);
      const Tensor mine = logical_and(eq(broadcast_node(before, {size, count}, n.loc), slot), broadcast_node(mask, {size, count}, n.loc));
      const Tensor found = sum_node(where(mine, place + scalar_i64(1), scalar_i64(0)), {1}, false, n.loc);
      return found - scalar_i64(1);
    },
    .family = "D8",
});

}  // namespace

Tensor one_hot(const Arg& idx, std::int64_t classes, DType dtype) {
  OpScope scope("one_hot", idx.loc);
  const Tensor t = need(idx, one_hot_p);
  need_indices(t, "one_hot", idx.loc);
  Shape column = t.shape();
  column.push_back(1);
  if (classes < 0) fail("one_hot", idx.loc, std::to_string(classes) + " classes", {&t}, "give the number of classes, at least 0");
  checked_product(t.numel(), classes, "one_hot", idx.loc);
  const Tensor hit = eq(Arg(reshape_node(t, column, idx.loc), idx.loc), Arg(iota_node({classes}, 0, t.dtype(), idx.loc), idx.loc));
  return cast_to(hit, dtype, idx.loc);
}

Tensor nonzero(const Arg& x, std::int64_t size) {
  OpScope scope("nonzero", x.loc);
  const Tensor t = need(x, nonzero_p);
  const Loc loc = x.loc;
  if (size < 0) fail("nonzero", loc, "a size of " + std::to_string(size), {&t}, "how many places the result holds, at least 0");
  if (t.rank() == 0) fail("nonzero", loc, "a scalar has no places", {&t}, "reshape it to [1] first");
  checked_product(size, t.rank(), "nonzero", loc);
  const Tensor mask = t.dtype() == DType::bool_ ? t : ne(Arg(t, loc), Arg(0.0, loc));
  const Tensor vector = reshape_node(mask, {t.numel()}, loc);
  const Tensor flat = apply(nonzero_p, {&vector}, Places{size}, loc);
  const Tensor absent = lt(flat, scalar_i64(0, loc));
  Tensors columns;
  std::int64_t stride = t.numel();
  for (int k = 0; k < t.rank(); ++k) {
    const auto s = std::max<std::int64_t>(1, t.shape(k));
    stride = std::max<std::int64_t>(1, stride / s);
    const Tensor at = remainder(floor_divide(flat, scalar_i64(stride, loc)), scalar_i64(s, loc));
    columns.push_back(reshape_node(where(absent, scalar_i64(-1, loc), at), {size, 1}, loc));
  }
  return concat_node(columns, 1, loc);
}

Tensor bincount(const Arg& x, std::int64_t size) {
  OpScope scope("bincount", x.loc);
  const Tensor t = need(x, bincount_p);
  need_indices(t, "bincount", x.loc);
  if (size < 0) fail("bincount", x.loc, "a size of " + std::to_string(size), {&t}, "one more than the largest number, at least 0");
  checked_elements({size}, "bincount", x.loc);
  const Tensor flat = reshape_node(t, {t.numel()}, x.loc);
  return scatter_add_node(literal({{size}, DType::i64}, 0, x.loc), flat, literal({{t.numel()}, DType::i64}, 1, x.loc), 0, x.loc);
}

Tensor histogram(const Arg& x, std::int64_t bins, double low, double high) {
  OpScope scope("histogram", x.loc);
  const Loc loc = x.loc;
  const Tensor t = floating(need(x, histogram_p), loc);
  if (bins < 1 || bins > (std::int64_t{1} << 40) || !(low < high) || std::isinf(low) || std::isinf(high))
    fail("histogram", loc, std::to_string(bins) + " bins between " + std::to_string(low) + " and " + std::to_string(high), {&t}, "at least one bin, and finite ends in order");
  const Tensor flat = reshape_node(t, {t.numel()}, loc);
  const Tensor inside = logical_and(ge(flat, low), le(flat, high));
  const Tensor part = floor((where(inside, flat, low) - low) * (static_cast<double>(bins) / (high - low)));
  const Tensor bin = cast_to(part, DType::i64, loc), last = scalar_i64(bins - 1, loc);
  // One more bin for what lies outside, cut off at the end.
  const Tensor at = where(inside, where(gt(bin, last), last, bin), scalar_i64(bins, loc));
  const Tensor counts = scatter_add_node(literal({{bins + 1}, DType::i64}, 0, loc), at, literal({{t.numel()}, DType::i64}, 1, loc), 0, loc);
  return slice_axis(counts, 0, 0, bins, 1, loc);
}

static Tensor searched(const Primitive& prim, const Arg& sorted, const Arg& values, bool right, Loc loc) {
  OpScope scope(prim.name.data(), loc);
  Tensor s = need(sorted, prim), v = need(values, prim);
  if (s.rank() != 1) fail(prim.name, loc, "the sorted operand must be a vector, got " + to_string(s.type()), {&s, &v}, "flatten it; searchsorted takes it first, bucketize second");
  const DType dtype = promote(s.dtype(), v.dtype());
  s = cast_to(s, dtype, loc), v = cast_to(v, dtype, loc);
  return apply(searchsorted_p, {&s, &v}, Side{right}, loc);
}
Tensor searchsorted(const Arg& sorted, const Arg& values, bool right) { return searched(searchsorted_p, sorted, values, right, sorted.loc); }
Tensor bucketize(const Arg& values, const Arg& boundaries, bool right) { return searched(bucketize_p, boundaries, values, right, values.loc); }

Tensor unique(const Arg& x) {
  const Tensor t = need(x, unique_p);
  fail("unique", x.loc, "the size of the result would depend on data, and a shape may not", {&t}, "sort the elements outside the graph, or use bincount with a size");
}

}  // namespace adjoint
