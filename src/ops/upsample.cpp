// upsample.cpp: spatial axes resized, by the nearest element or linearly between two. Not transposed convolutions.
#include <cmath>

#include "adjoint/ops/pool.hpp"
#include "ops/reduce_ops.hpp"

namespace adjoint {
namespace {

const Primitive& nearest_p = define({.name = "upsample_nearest", .traits = {.inlined = true}, .family = "D12"});
const Primitive& bilinear_p = define({.name = "upsample_bilinear", .traits = {.inlined = true}, .family = "D12"});

void check(const char* op, const Tensor& t, const Ints& size, Loc loc) {
  if (size.empty() || size.rank() > t.rank())
    fail(op, loc, "sizes " + to_string(size) + " do not fit " + to_string(t.type()), {&t}, "one size a spatial axis; spatial axes are the last ones");
  Shape result = t.shape();
  for (int k = 0; k < size.rank(); ++k) {
    const int axis = t.rank() - size.rank() + k;
    const auto s = size[static_cast<std::size_t>(k)];
    if (s < 1 || t.shape(axis) < 1) fail(op, loc, "cannot resize axis " + std::to_string(axis) + " of " + to_string(t.type()) + " to " + std::to_string(s), {&t}, "sizes are at least 1");
    checked_list(t.shape(axis), op, loc);
    result[static_cast<std::size_t>(axis)] = checked_list(s, op, loc);
  }
  checked_elements(result, op, loc);
}

/// Both neighbours of each new element along an axis, weighed.
Tensor interpolated(const Tensor& t, int axis, std::int64_t out, bool align_corners, Loc loc) {
  const auto in = t.shape(axis);
  if (in == out) return t;
  std::vector<std::int64_t> low, high;
  std::vector<double> weight;
  for (std::int64_t i = 0; i < out; ++i) {
    const double n = static_cast<double>(in), m = static_cast<double>(out), at = static_cast<double>(i);
    double from = 0;
    if (align_corners) from = out > 1 ? at * (n - 1) / (m - 1) : 0;
    else from = std::max(0.0, (at + 0.5) * n / m - 0.5);
    const auto k = std::min(static_cast<std::int64_t>(from), in - 1);
    low.push_back(k);
    high.push_back(std::min(k + 1, in - 1));
    weight.push_back(from - static_cast<double>(k));
  }
  Shape along;
  for (int k = 0; k < t.rank(); ++k) along.push_back(k == axis ? out : 1);
  const Tensor w = cast_to(copy_bytes(weight.data(), {along, DType::f64}, loc), t.dtype(), loc);
  const Tensor a = take_node(t, constant_indices(low, {out}, loc), axis, loc), b = take_node(t, constant_indices(high, {out}, loc), axis, loc);
  return a + (b - a) * w;
}

}  // namespace

Tensor upsample_nearest(const Arg& x, const Ints& size) {
  OpScope scope("upsample_nearest", x.loc);
  Tensor t = need(x, nearest_p);
  check("upsample_nearest", t, size, x.loc);
  for (int k = 0; k < size.rank(); ++k) {
    const int axis = t.rank() - size.rank() + k;
    const auto in = t.shape(axis), out = size[static_cast<std::size_t>(k)];
    if (in == out) continue;
    if (out % in == 0) {
      t = repeat_interleave(Arg(t, x.loc), out / in, axis);
      continue;
    }
    std::vector<std::int64_t> from;
    for (std::int64_t i = 0; i < out; ++i) from.push_back(i * in / out);
    t = take_node(t, constant_indices(from, {out}, x.loc), axis, x.loc);
  }
  return t;
}

Tensor upsample_bilinear(const Arg& x, const Ints& size, bool align_corners) {
  OpScope scope("upsample_bilinear", x.loc);
  Tensor t = floating(need(x, bilinear_p), x.loc);
  if (size.rank() != 2) fail("upsample_bilinear", x.loc, "needs two sizes, got " + to_string(size), {&t}, "height and width");
  check("upsample_bilinear", t, size, x.loc);
  for (int k = 0; k < 2; ++k) t = interpolated(t, t.rank() - 2 + k, size[static_cast<std::size_t>(k)], align_corners, x.loc);
  return t;
}

}  // namespace adjoint
