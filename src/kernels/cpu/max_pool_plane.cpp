// max_pool_plane.cpp: windows of an image in f32, a row of windows at a time, with the place of the best element beside
// its value in a vector. Not other types: max_pool.cpp.
#include "kernels/cpu/simd_setup.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/max_pool_plane.cpp"
#include <hwy/foreach_target.h>

#include <hwy/highway.h>

#include <algorithm>
#include <limits>

#include "kernels/cpu/max_pool.hpp"

HWY_BEFORE_NAMESPACE();
namespace adjoint::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using F = hn::ScalableTag<float>;
using I = hn::RebindToSigned<F>;
using VF = hn::Vec<F>;

/// True where v, which stands behind `best`, takes its place.
HWY_INLINE hn::Mask<F> wins(VF v, VF best) { return hn::Or(hn::Gt(v, best), hn::AndNot(hn::IsNaN(best), hn::IsNaN(v))); }
HWY_INLINE bool wins(float v, float best) { return v > best || (v != v && best == best); }

/// Windows of 2 by 2 side by side, as many as lanes: a and b are the two rows of elements; the first stands at `place`.
HWY_INLINE hn::Vec<I> places_of_two(const float* a, const float* b, std::int32_t width, std::int32_t place) {
  const F f;
  const I i;
  const auto one = hn::Set(i, 1), none = hn::Zero(i), below = hn::Set(i, width), steps = hn::Add(hn::Iota(i, 0), hn::Iota(i, 0));
  VF p, q, r, s;
  hn::LoadInterleaved2(f, a, p, q);
  hn::LoadInterleaved2(f, b, r, s);
  const auto right = wins(q, p), right_below = wins(s, r);
  const VF u = hn::IfThenElse(right, q, p), v = hn::IfThenElse(right_below, s, r);
  const auto up = hn::IfThenElse(hn::RebindMask(i, right), one, none);
  const auto down = hn::Add(below, hn::IfThenElse(hn::RebindMask(i, right_below), one, none));
  return hn::Add(hn::Add(hn::Set(i, place), steps), hn::IfThenElse(hn::RebindMask(i, wins(v, u)), down, up));
}

/// A row of n such windows. What is left over runs as a vector too: comparisons of random values are bad branches.
void row_of_two(const float* a, const float* b, std::int32_t width, std::int32_t place, std::int64_t n, std::int32_t* idx) {
  const I i;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(i));
  const auto at = [&](std::int64_t j) { return place + static_cast<std::int32_t>(2 * j); };
  std::int64_t j = 0;
  for (; j + lanes <= n; j += lanes) hn::StoreU(places_of_two(a + 2 * j, b + 2 * j, width, at(j)), i, idx + j);
  if (j == n) return;
  if (n >= lanes) {
    j = n - lanes;
    hn::StoreU(places_of_two(a + 2 * j, b + 2 * j, width, at(j)), i, idx + j);
    return;
  }
  float upper[2 * hn::MaxLanes(F())] = {}, lower[2 * hn::MaxLanes(F())] = {};
  std::int32_t found[hn::MaxLanes(I())];
  std::copy_n(a, 2 * n, upper);
  std::copy_n(b, 2 * n, lower);
  hn::StoreU(places_of_two(upper, lower, width, place), i, found);
  std::copy_n(found, n, idx);
}

constexpr std::int64_t kChunk = 256;  // windows of a row whose values wait in memory of the stack

/// Offers element x[place + j * stride] of `size` to window j, for j in [from, to).
void offer(const float* x, std::int64_t size, std::int64_t stride, std::int64_t place, std::int64_t from, std::int64_t to, float* best, std::int32_t* idx) {
  const F f;
  const I i;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(f));
  std::int64_t j = from;
  const auto take = [&](VF v) {
    const auto places = hn::Add(hn::Set(i, static_cast<std::int32_t>(place + j * stride)), hn::Mul(hn::Iota(i, 0), hn::Set(i, static_cast<std::int32_t>(stride))));
    const auto old = hn::LoadU(i, idx + j);
    const VF b = hn::LoadU(f, best + j);
    const auto better = hn::Or(wins(v, b), hn::RebindMask(f, hn::Lt(old, hn::Zero(i))));
    hn::StoreU(hn::IfThenElse(better, v, b), f, best + j);
    hn::StoreU(hn::IfThenElse(hn::RebindMask(i, better), places, old), i, idx + j);
  };
  // A vector of a stride of 2 reads one element more than it needs.
  const auto fits = [&](std::int64_t at) { return stride == 1 || (stride == 2 && place + 2 * (at + lanes) <= size); };
  const auto step = [&](std::int64_t at) {
    j = at;
    if (stride == 1) return take(hn::LoadU(f, x + (place + at)));
    VF even, odd;
    hn::LoadInterleaved2(f, x + (place + 2 * at), even, odd);
    take(even);
  };
  while (j + lanes <= to && fits(j)) step(j), j += lanes;
  if (j < to && to - from >= lanes && fits(to - lanes)) step(to - lanes), j = to;  // offered twice, an element wins once
  for (; j < to; ++j) {
    const float v = x[place + j * stride];
    const bool better = idx[j] < 0 || wins(v, best[j]);
    best[j] = better ? v : best[j];
    idx[j] = better ? static_cast<std::int32_t>(place + j * stride) : idx[j];
  }
}

/// Windows [from, to) of one row, in any geometry.
void row_of_windows(const PoolGeometry& g, const PoolTaps& depth, const PoolTaps& height, const float* x, std::int64_t from, std::int64_t to, std::int32_t* idx) {
  float best[kChunk];
  std::fill_n(best, to - from, -std::numeric_limits<float>::infinity());
  std::fill_n(idx + from, to - from, -1);
  const std::int64_t stride = g.stride[2];
  for (std::int64_t a = depth.first; a < depth.end; ++a)
    for (std::int64_t b = height.first; b < height.end; ++b) {
      const std::int64_t row = ((depth.at + a * g.dilation[0]) * g.in[1] + height.at + b * g.dilation[1]) * g.in[2];
      for (std::int64_t c = 0; c < g.size[2]; ++c) {
        const std::int64_t shift = c * g.dilation[2] - g.low[2];  // window j meets column j * stride + shift
        const std::int64_t first = shift < 0 ? (-shift + stride - 1) / stride : 0, last = shift < g.in[2] ? (g.in[2] - 1 - shift) / stride + 1 : 0;
        const std::int64_t begin = std::max(from, first), end = std::min(to, last);
        const std::int64_t place = row + shift + from * stride;  // of window `from`; it may lie outside the row
        if (begin < end) offer(x, g.plane, stride, place, begin - from, end - from, best, idx + from);
      }
    }
}

}  // namespace

static void plane(const PoolGeometry& g, const float* x, std::int32_t* idx) {
  const PoolSizes two{1, 2, 2}, one{1, 1, 1}, none{0, 0, 0};
  const bool usual = g.size == two && g.stride[1] == 2 && g.stride[2] == 2 && g.dilation == one && g.low == none && g.in[0] == 1 && g.out[1] * 2 <= g.in[1] &&
                     g.out[2] * 2 <= g.in[2];
  for (std::int64_t z = 0; z < g.out[0]; ++z)
    for (std::int64_t y = 0; y < g.out[1]; ++y, idx += g.out[2]) {
      if (usual) {
        const float* row = x + 2 * y * g.in[2];
        row_of_two(row, row + g.in[2], static_cast<std::int32_t>(g.in[2]), static_cast<std::int32_t>(2 * y * g.in[2]), g.out[2], idx);
        continue;
      }
      const PoolTaps depth = pool_taps(g, 0, z), height = pool_taps(g, 1, y);
      for (std::int64_t from = 0; from < g.out[2]; from += kChunk)
        row_of_windows(g, depth, height, x, from, std::min(g.out[2], from + kChunk), idx);
    }
}

}  // namespace adjoint::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace adjoint::cpu {

HWY_EXPORT(plane);
void max_pool_plane(const PoolGeometry& g, const float* x, std::int32_t* idx) { HWY_DYNAMIC_DISPATCH(plane)(g, x, idx); }

}  // namespace adjoint::cpu
#endif
