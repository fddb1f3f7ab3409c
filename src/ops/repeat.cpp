// repeat.cpp: copies side by side: tile, repeat, repeat_interleave, meshgrid, and kron. All are broadcasts between
// reshapes. Not broadcast_to, which copies nothing.
#include "ops/index_ops.hpp"

namespace adjoint {

static const Primitive& named(std::string_view name) { return define({.name = name, .traits = {.inlined = true}, .family = "D7"}); }
static const Primitive &tile_p = named("tile"), &repeat_p = named("repeat"), &interleave_p = named("repeat_interleave");
static const Primitive &kron_p = named("kron"), &meshgrid_p = named("meshgrid");

/// Copies of t along its axes, one axis at a time; t has as many axes as times.
static Tensor tiled(Tensor t, const Ints& times, const char* op, Loc loc) {
  Shape result;
  for (std::size_t k = 0; k < times.size(); ++k) {
    if (times[k] < 0) fail(op, loc, "a negative number of copies in " + to_string(times), {&t}, "0 or more on every axis");
    result.push_back(checked_product(t.shape()[k], times[k], op, loc));
  }
  checked_elements(result, op, loc);
  for (std::size_t k = 0; k < times.size(); ++k) {
    if (times[k] == 1) continue;
    // [before, size, after] -> [before, copies, size, after]: three axes at most besides the new one.
    const Shape now = t.shape();
    std::int64_t before = 1, after = 1;
    for (std::size_t d = 0; d < now.size(); ++d) (d < k ? before : after) *= now[d];
    Shape to = now;
    to[k] *= times[k];
    t = reshape_node(broadcast_node(reshape_node(t, {before, 1, after}, loc), {before, times[k], after}, loc), to, loc);
  }
  return t;
}

Tensor tile(const Arg& x, const Ints& times) {
  OpScope scope("tile", x.loc);
  Tensor t = need(x, tile_p);
  Ints full = times;
  Shape shape = t.shape();
  while (full.rank() < shape.rank()) full.insert(0, 1);
  while (shape.rank() < full.rank()) shape.insert(0, 1);
  return tiled(reshape_node(t, shape, x.loc), full, "tile", x.loc);
}

Tensor repeat(const Arg& x, const Ints& times) {
  OpScope scope("repeat", x.loc);
  const Tensor t = need(x, repeat_p);
  if (times.rank() < t.rank())
    fail("repeat", x.loc, "copies " + to_string(times) + " name fewer axes than " + to_string(t.type()) + " has", {&t}, "one entry an axis, or use tile");
  Shape shape = t.shape();
  while (shape.rank() < times.rank()) shape.insert(0, 1);
  return tiled(reshape_node(t, shape, x.loc), times, "repeat", x.loc);
}

Tensor repeat_interleave(const Arg& x, std::int64_t times, int axis) {
  OpScope scope("repeat_interleave", x.loc);
  const Tensor t = need(x, interleave_p);
  const int a = normal_axis(axis, t.rank(), "repeat_interleave", x.loc);
  if (times < 0) fail("repeat_interleave", x.loc, "a negative number of copies: " + std::to_string(times), {&t}, "0 or more");
  Shape result = t.shape();
  result[static_cast<std::size_t>(a)] = checked_product(t.shape(a), times, "repeat_interleave", x.loc);
  checked_elements(result, "repeat_interleave", x.loc);
  std::int64_t before = 1, after = 1;
  for (int d = 0; d < t.rank(); ++d) (d <= a ? before : after) *= t.shape(d);
  return reshape_node(broadcast_node(reshape_node(t, {before, 1, after}, x.loc), {before, times, after}, x.loc), result, x.loc);
}

Tensor kron(const Arg& x, const Arg& y) {
  OpScope scope("kron", x.loc);
  Tensor a = need(x, kron_p), b = need(y, kron_p);
  const int rank = std::max(a.rank(), b.rank());
  if (rank > kMaxRank / 2)
    fail("kron", x.loc, "needs at most " + std::to_string(kMaxRank / 2) + " axes, got " + to_string(a.type()) + " and " + to_string(b.type()), {&a, &b}, "join axes with reshape first");
  Shape of_a, of_b, result;  // a's sizes stand in the even places, b's in the odd ones
  for (int k = 0; k < rank; ++k) {
    const int i = k - (rank - a.rank()), j = k - (rank - b.rank());
    const auto p = i < 0 ? 1 : a.shape(i), q = j < 0 ? 1 : b.shape(j);
    of_a.push_back(p), of_a.push_back(1);
    of_b.push_back(1), of_b.push_back(q);
    result.push_back(checked_product(p, q, "kron", x.loc));
  }
  checked_elements(result, "kron", x.loc);
  a = reshape_node(a, of_a, x.loc), b = reshape_node(b, of_b, x.loc);
  return reshape_node(mul(Arg(a, x.loc), Arg(b, x.loc)), result, x.loc);
}

Tensors meshgrid(const Tensors& vectors, Loc loc) {
  OpScope scope(meshgrid_p.name.data(), loc);
  if (vectors.size() > static_cast<std::size_t>(kMaxRank))
    fail("meshgrid", loc, std::to_string(vectors.size()) + " vectors span more than " + std::to_string(kMaxRank) + " axes", {}, "a tensor has at most that many axes");
  Shape grid;
  for (const auto& v : vectors) {
    if (!v) fail("meshgrid", loc, "an operand has no value", {}, "a default-constructed or moved-from Tensor was passed; give it a value first");
    if (v.rank() != 1) fail("meshgrid", loc, "needs vectors, got " + to_string(v.type()), {&v}, "flatten it first");
    grid.push_back(v.shape(0));
  }
  checked_elements(grid, "meshgrid", loc);
  Tensors out;
  for (std::size_t k = 0; k < vectors.size(); ++k) {
    Shape own;
    for (std::size_t d = 0; d < grid.size(); ++d) own.push_back(d == k ? grid[d] : 1);
    out.push_back(broadcast_node(reshape_node(vectors[k], own, loc), grid, loc));
  }
  return out;
}

}  // namespace adjoint
