// avg_pool.cpp: means and other reductions over windows: sliding windows as views, then a reduction. Not max_pool,
// which picks one element at ties.
#include "adjoint/ops/pool.hpp"
#include "ops/pool_options.hpp"
#include "ops/reduce_ops.hpp"

namespace adjoint {
namespace {

const Primitive& named(std::string_view name) { return define({.name = name, .traits = {.inlined = true}, .family = "D12"}); }
const Primitive &avg1_p = named("avg_pool1d"), &avg2_p = named("avg_pool2d"), &avg3_p = named("avg_pool3d");
const Primitive &adaptive_p = named("adaptive_avg_pool"), &global_p = named("global_pool"), &window_p = named("reduce_window");

/// Elements that count along one axis in each window: those inside the image, or inside image and padding.
std::vector<double> counts(const PoolAttrs& a, std::size_t k, std::int64_t in, bool with_padding) {
  std::vector<double> n;
  const std::int64_t begin = with_padding ? -a.low[k] : 0, end = with_padding ? in + a.low[k] : in;
  for (std::int64_t p = 0; p < a.out[k]; ++p) {
    const std::int64_t at = p * a.stride[k] - a.low[k];
    n.push_back(static_cast<double>(std::min(at + a.size[k], end) - std::max(at, begin)));
  }
  return n;
}
/// 1 / (number of elements) of each window, [out..], as a constant of dtype f64.
Tensor reciprocals(const std::vector<std::vector<double>>& n, const Ints& size, const Shape& out, Loc loc) {
  checked_list(checked_elements(out, "avg_pool", loc), "avg_pool", loc);
  std::vector<double> values(1, 1.0);
  for (std::size_t k = 0; k < n.size(); ++k) {
    const auto& axis = n[k];  // empty: every window of this axis is whole
    std::vector<double> next;
    for (double v : values)
      for (std::int64_t p = 0; p < out[k]; ++p) next.push_back(v * (axis.empty() ? static_cast<double>(size[k]) : axis[static_cast<std::size_t>(p)]));
    values = std::move(next);
  }
  for (double& v : values) v = 1 / v;
  return copy_bytes(values.data(), {out, DType::f64}, loc);
}

Tensor avg_pool(const Primitive& prim, int axes, const Arg& x, const Ints& size, const PoolOptions& options) {
  OpScope scope(prim.name.data(), x.loc);
  Tensor t = floating(need(x, prim), x.loc);
  if (!options.dilation.empty()) fail(prim.name, x.loc, "a mean has no dilation", {&t}, "leave it out, or use reduce_window");
  const Windows w = pool_windows(prim, axes, t, size, options, x.loc);
  const PoolAttrs& a = w.attrs;
  Embedding e{{}, {}, t.shape()};
  Ints over;
  std::vector<std::vector<double>> n;
  bool uniform = true;
  for (int k = 0; k < t.rank(); ++k) {
    const int axis = k - (t.rank() - axes);
    e.step.push_back(1);
    e.start.push_back(axis < 0 ? 0 : a.low[static_cast<std::size_t>(axis)]);
    if (axis < 0) continue;
    const auto i = static_cast<std::size_t>(axis);
    e.shape[static_cast<std::size_t>(k)] += a.low[i] + w.high[i];
    over.push_back(k);
    n.emplace_back();
    if (w.high[i] > 0) checked_list(a.out[i], prim.name, x.loc), n.back() = counts(a, i, t.shape(k), options.count_include_pad);
    for (double c : n.back()) uniform &= c == static_cast<double>(a.size[i]);
  }
  checked_elements(e.shape, prim.name, x.loc);
  if (!(e.shape == t.shape())) t = embed_node(t, e, x.loc);
  const Tensor view = windows(Arg(t, x.loc), over, a.size, {.stride = a.stride});
  Ints inner;
  for (int k = 0; k < axes; ++k) inner.push_back(t.rank() + k);
  const Tensor total = sum_node(view, inner, false, x.loc);
  if (uniform) return div(Arg(total, x.loc), Arg(static_cast<double>(a.size.numel()), x.loc));
  const Tensor by = cast_to(reciprocals(n, a.size, a.out, x.loc), t.dtype(), x.loc);
  return mul(Arg(total, x.loc), Arg(by, x.loc));
}

Tensor reduced(const Tensor& t, const Ints& axes, Reduction r, Loc loc) {
  const Arg x(t, loc);
  switch (r) {
    case Reduction::sum: return sum(x, axes);
    case Reduction::mean: return mean(x, axes);
    case Reduction::max: return amax(x, axes);
    case Reduction::min: return amin(x, axes);
    case Reduction::prod: return prod(x, axes);
  }
  fail("reduce_window", loc, "an unknown reduction", {}, "sum, mean, max, min or prod");
}

/// Means along one axis by a matrix of weights: windows of sizes that differ.
Tensor averaged(const Tensor& t, int axis, std::int64_t out, Loc loc) {
  const auto in = t.shape(axis);
  std::vector<double> w(static_cast<std::size_t>(checked_list(checked_product(in, out, "adaptive_avg_pool", loc), "adaptive_avg_pool", loc)), 0.0);
  for (std::int64_t i = 0; i < out; ++i) {
    const std::int64_t from = i * in / out, to = ((i + 1) * in + out - 1) / out;
    for (std::int64_t k = from; k < to; ++k) w[static_cast<std::size_t>(k * out + i)] = 1.0 / static_cast<double>(to - from);
  }
  const Tensor weights = cast_to(copy_bytes(w.data(), {{in, out}, DType::f64}, loc), t.dtype(), loc);
  const Tensor last = move_axis(t, axis, t.rank() - 1, loc);
  return move_axis(matmul(Arg(last, loc), Arg(weights, loc)), t.rank() - 1, axis, loc);
}

}  // namespace

Tensor avg_pool1d(const Arg& x, const Ints& size, const PoolOptions& o) { return avg_pool(avg1_p, 1, x, size, o); }
Tensor avg_pool2d(const Arg& x, const Ints& size, const PoolOptions& o) { return avg_pool(avg2_p, 2, x, size, o); }
Tensor avg_pool3d(const Arg& x, const Ints& size, const PoolOptions& o) { return avg_pool(avg3_p, 3, x, size, o); }

Tensor adaptive_avg_pool(const Arg& x, const Ints& size) {
  OpScope scope("adaptive_avg_pool", x.loc);
  Tensor t = floating(need(x, adaptive_p), x.loc);
  if (size.empty() || size.rank() > t.rank())
    fail("adaptive_avg_pool", x.loc, "sizes " + to_string(size) + " do not fit " + to_string(t.type()), {&t}, "one size a spatial axis; spatial axes are the last ones");
  for (int k = 0; k < size.rank(); ++k) {
    const int axis = t.rank() - size.rank() + k;
    const auto out = size[static_cast<std::size_t>(k)], in = t.shape(axis);
    if (out < 1 || in < 1) fail("adaptive_avg_pool", x.loc, "cannot make " + std::to_string(out) + " windows of axis " + std::to_string(axis) + " of " + to_string(t.type()), {&t}, "sizes are at least 1");
    if (in % out != 0) {
      t = averaged(t, axis, out, x.loc);
      continue;
    }
    std::int64_t before = 1, after = 1;
    for (int d = 0; d < axis; ++d) before *= t.shape(d);
    for (int d = axis + 1; d < t.rank(); ++d) after *= t.shape(d);
    Shape result = t.shape();
    result[static_cast<std::size_t>(axis)] = out;
    t = reshape_node(mean(Arg(reshape_node(t, {before, out, in / out, after}, x.loc), x.loc), {2}), result, x.loc);
  }
  return t;
}

Tensor global_pool(const Arg& x, Reduction reduction) {
  OpScope scope("global_pool", x.loc);
  const Tensor t = need(x, global_p);
  if (t.rank() < 3) fail("global_pool", x.loc, "needs spatial axes, got " + to_string(t.type()), {&t}, "the layout is [n, channels, spatial..]");
  Ints axes;
  for (int k = 2; k < t.rank(); ++k) axes.push_back(k);
  return reduced(t, axes, reduction, x.loc);
}

Tensor reduce_window(const Arg& x, const Ints& size, Reduction reduction, const Ints& stride, const Ints& dilation) {
  OpScope scope("reduce_window", x.loc);
  const Tensor t = need(x, window_p);
  const auto fits = [&](const Ints& given, bool optional) { return given.rank() == t.rank() || (optional && given.empty()); };
  if (!fits(size, false) || !fits(stride, true) || !fits(dilation, true))
    fail("reduce_window", x.loc, "size " + to_string(size) + ", stride " + to_string(stride) + " and dilation " + to_string(dilation) + " do not fit " + to_string(t.type()), {&t},
         "one entry an axis");
  Ints axes, width, step, apart, inner;
  for (std::size_t k = 0; k < size.size(); ++k) {
    if (size[k] == 1 && (stride.empty() || stride[k] == 1)) continue;
    axes.push_back(static_cast<std::int64_t>(k));
    width.push_back(size[k]);
    step.push_back(stride.empty() ? 1 : stride[k]);
    apart.push_back(dilation.empty() ? 1 : dilation[k]);
  }
  if (axes.empty()) return t;
  if (t.rank() + axes.rank() > kMaxRank) fail("reduce_window", x.loc, "windows over " + std::to_string(axes.rank()) + " axes of " + to_string(t.type()) + " need more than 8 axes", {&t}, "join leading axes with reshape first");
  const Tensor view = windows(Arg(t, x.loc), axes, width, {.stride = step, .dilation = apart});
  for (int k = 0; k < axes.rank(); ++k) inner.push_back(t.rank() + k);
  return reduced(view, inner, reduction, x.loc);
}

}  // namespace adjoint
