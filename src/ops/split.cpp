// split.cpp: cutting along an axis: split, chunk, unstack. All results are views. Not concat, the way back.
#include "ops/index_ops.hpp"

namespace adjoint {

static const Primitive& named(std::string_view name) { return define({.name = name, .traits = {.inlined = true}, .family = "D7"}); }
static const Primitive &split_p = named("split"), &chunk_p = named("chunk"), &unstack_p = named("unstack");

Tensors split(const Arg& x, const Ints& sizes, int axis) {
  OpScope scope("split", x.loc);
  const Tensor t = need(x, split_p);
  const int a = normal_axis(axis, t.rank(), "split", x.loc);
  std::int64_t total = 0;
  for (auto s : sizes) {
    if (s < 0) fail("split", x.loc, "a negative size in " + to_string(sizes), {&t}, "sizes are >= 0 and add up to the axis");
    if (__builtin_add_overflow(total, s, &total)) total = -1;
    if (total < 0) break;
  }
  if (total != t.shape(a))
    fail("split", x.loc, "sizes " + to_string(sizes) + " do not add up to axis " + std::to_string(a) + " of " + to_string(t.type()), {&t},
         "give a size for each part; chunk cuts into equal ones");
  Tensors parts;
  std::int64_t start = 0;
  for (auto s : sizes) {
    parts.push_back(slice_axis(t, a, start, s, 1, x.loc));
    start += s;
  }
  return parts;
}

/// A number of results that can be held.
static std::int64_t at_most(std::int64_t n, const Tensor& t, const char* op, Loc loc) {
  if (n > (1 << 20)) fail(op, loc, std::to_string(n) + " tensors of " + to_string(t.type()), {&t}, "at most 2^20; use slice or select for those that are needed");
  return n;
}

Tensors chunk(const Arg& x, std::int64_t count, int axis) {
  OpScope scope("chunk", x.loc);
  const Tensor t = need(x, chunk_p);
  const int a = normal_axis(axis, t.rank(), "chunk", x.loc);
  if (count < 1) fail("chunk", x.loc, "cannot cut into " + std::to_string(count) + " parts", {&t}, "at least 1");
  const auto size = t.shape(a), each = std::max<std::int64_t>(1, size / count + (size % count != 0));
  at_most(size / each, t, "chunk", x.loc);
  Tensors parts;
  for (std::int64_t start = 0; start < std::max<std::int64_t>(size, 1); start += each)
    parts.push_back(slice_axis(t, a, start, std::min(each, size - start), 1, x.loc));
  return parts;
}

Tensors unstack(const Arg& x, int axis) {
  OpScope scope("unstack", x.loc);
  const Tensor t = need(x, unstack_p);
  const int a = normal_axis(axis, t.rank(), "unstack", x.loc);
  const auto n = at_most(t.shape(a), t, "unstack", x.loc);
  Shape shape = t.shape();
  shape.erase(a);
  Tensors parts;
  for (std::int64_t i = 0; i < n; ++i) parts.push_back(reshape_node(slice_axis(t, a, i, 1, 1, x.loc), shape, x.loc));
  return parts;
}

}  // namespace adjoint
