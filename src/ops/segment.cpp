// segment.cpp: reductions of the slices of axis 0 by a segment number each. Not sorted segments only: any order.
#include <limits>

#include "ops/reduce_ops.hpp"

namespace adjoint {
namespace {

const Primitive& named(std::string_view name) { return define({.name = name, .traits = {.inlined = true}, .family = "D5"}); }
const Primitive &sum_p = named("segment_sum"), &mean_p = named("segment_mean"), &max_p = named("segment_max"), &prod_p = named("segment_prod");

struct Segments {
  Tensor x, ids;
  Type result;
};
Segments checked(const Primitive& prim, const Arg& x, const Arg& ids, std::int64_t segments) {
  Segments s{need(x, prim), need(ids, prim), {}};
  need_indices(s.ids, prim.name, x.loc);
  if (s.x.rank() == 0 || s.ids.rank() != 1 || s.ids.shape(0) != s.x.shape(0))
    fail(prim.name, x.loc, "the segment numbers " + to_string(s.ids.type()) + " do not fit " + to_string(s.x.type()), {&s.x, &s.ids}, "one number a slice of axis 0");
  if (segments < 0) fail(prim.name, x.loc, std::to_string(segments) + " segments", {&s.x}, "one more than the largest segment number, at least 0");
  if (s.x.dtype() == DType::bool_) fail(prim.name, x.loc, "cannot reduce " + to_string(s.x.type()) + " arithmetically", {&s.x}, "cast it first");
  s.result = s.x.type();
  s.result.shape[0] = segments;
  checked_elements(s.result.shape, prim.name, x.loc);
  return s;
}
Tensor added(const Segments& s, const Tensor& x, Loc loc) {
  return scatter_add_node(literal({s.result.shape, x.dtype()}, 0, loc), s.ids, x, 0, loc);
}
/// [segments, n, ..]: x in the places of its segment, `otherwise` elsewhere; reads every id, so that a bad one is an Error.
Tensor by_segment(const Segments& s, double otherwise, Loc loc) {
  const auto n = s.x.shape(0), segments = s.result.shape[0];
  Shape full = s.x.shape(), column{1, n}, row{segments, 1};
  full.insert(0, segments);
  checked_elements(full, "segment", loc);
  for (int k = 1; k < s.x.rank(); ++k) column.push_back(1), row.push_back(1);
  const Tensor number = iota_node(row, 0, s.ids.dtype(), loc);
  const Tensor mine = eq(Arg(reshape_node(s.ids, column, loc), loc), Arg(number, loc));
  Shape one = s.x.shape();
  one.insert(0, 1);
  const Tensor x = broadcast_node(reshape_node(s.x, one, loc), full, loc);
  return where(broadcast_node(mine, full, loc), x, literal({full, s.x.dtype()}, otherwise, loc));
}
/// y, after a look at every id: adds zeros at them.
Tensor with_checked_ids(const Segments& s, const Tensor& y, Loc loc) {
  const Tensor zeros = literal({{s.ids.shape(0)}, DType::u8}, 0, loc);
  const Tensor none = scatter_add_node(literal({{s.result.shape[0]}, DType::u8}, 0, loc), s.ids, zeros, 0, loc);
  Shape rows{s.result.shape[0]};
  for (int k = 1; k < y.rank(); ++k) rows.push_back(1);
  const Tensor never = broadcast_node(reshape_node(gt(none, 0.0), rows, loc), y.shape(), loc);
  return where(never, literal(y.type(), 0, loc), y);
}

}  // namespace

Tensor segment_sum(const Arg& x, const Arg& ids, std::int64_t segments) {
  OpScope scope("segment_sum", x.loc);
  const Segments s = checked(sum_p, x, ids, segments);
  return added(s, s.x, x.loc);
}

Tensor segment_mean(const Arg& x, const Arg& ids, std::int64_t segments) {
  OpScope scope("segment_mean", x.loc);
  Segments s = checked(mean_p, x, ids, segments);
  s.x = floating(s.x, x.loc);
  Shape rows{s.x.shape(0)};
  const Tensor ones_of_x = literal({rows, s.x.dtype()}, 1, x.loc);
  Tensor count = scatter_add_node(literal({{segments}, s.x.dtype()}, 0, x.loc), s.ids, ones_of_x, 0, x.loc);
  count = where(gt(count, 0.0), count, 1.0);
  Shape column{segments};
  for (int k = 1; k < s.x.rank(); ++k) column.push_back(1);
  return added(s, s.x, x.loc) / broadcast_node(reshape_node(count, column, x.loc), s.result.shape, x.loc);
}

Tensor segment_max(const Arg& x, const Arg& ids, std::int64_t segments) {
  OpScope scope("segment_max", x.loc);
  const Segments s = checked(max_p, x, ids, segments);
  const double least = s.x.dtype() == DType::u8 ? 0 : s.x.dtype() == DType::i8 ? -128 : s.x.dtype() == DType::i32 ? -2147483648.0
                       : s.x.dtype() == DType::i64 ? -9223372036854775808.0 : -std::numeric_limits<double>::infinity();
  return with_checked_ids(s, amax_node(by_segment(s, least, x.loc), {1}, false, x.loc), x.loc);
}

Tensor segment_prod(const Arg& x, const Arg& ids, std::int64_t segments) {
  OpScope scope("segment_prod", x.loc);
  const Segments s = checked(prod_p, x, ids, segments);
  return with_checked_ids(s, prod_node(by_segment(s, 1, x.loc), {1}, false, x.loc), x.loc);
}

}  // namespace adjoint
