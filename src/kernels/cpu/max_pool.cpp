// max_pool.cpp: the place of the largest element of each window. Not its value: take_along reads that.
#include <algorithm>
#include <array>

#include "kernels/cpu/dispatch.hpp"
#include "ops/pool_ops.hpp"
#include "plan/kernel.hpp"
#include "runtime/pool.hpp"

namespace adjoint::cpu {
namespace {

using plan::StepFn;
using plan::StepInfo;
using plan::View;
using Sizes = std::array<std::int64_t, 3>;  // depth, height, width; absent axes have size 1 and stand in front

struct Geometry {
  Sizes in{1, 1, 1}, size{1, 1, 1}, stride{1, 1, 1}, dilation{1, 1, 1}, low{0, 0, 0}, out{1, 1, 1};
  std::int64_t planes = 1, plane = 1, windows = 1;
};
Geometry geometry_of(const PoolAttrs& a, const View& x) {
  Geometry g;
  const auto axes = a.size.size(), lead = static_cast<std::size_t>(x.rank) - axes;
  for (std::size_t k = 0; k < axes; ++k) {
    const auto to = 3 - axes + k;
    g.in[to] = x.shape[lead + k];
    g.size[to] = a.size[k];
    g.stride[to] = a.stride[k];
    g.dilation[to] = a.dilation[k];
    g.low[to] = a.low[k];
    g.out[to] = a.out[k];
  }
  for (std::size_t k = 0; k < lead; ++k) g.planes *= x.shape[k];
  for (int k = 0; k < 3; ++k) g.plane *= g.in[static_cast<std::size_t>(k)], g.windows *= g.out[static_cast<std::size_t>(k)];
  return g;
}

template <class T> struct Best {
  using A = Accumulator<T>;
  A value;
  std::int32_t at;
  void offer(T element, std::int32_t place) {
    const A v = static_cast<A>(element);
    if (v > value || (v != v && value == value)) value = v, at = place;
  }
};

/// Windows of 2 by 2 that do not overlap and need no padding: the usual ones, in a row of independent comparisons.
template <class T> void two_by_two(const Geometry& g, const T* x, std::int32_t* idx) {
  using A = Accumulator<T>;
  const std::int64_t width = g.in[2];
  for (std::int64_t i = 0; i < g.out[1]; ++i, idx += g.out[2]) {
    const T *a = x + 2 * i * width, *b = a + width;
    const auto first = static_cast<std::int32_t>(2 * i * width), below = static_cast<std::int32_t>(width);
    for (std::int64_t j = 0; j < g.out[2]; ++j) {
      const A p = static_cast<A>(a[2 * j]), q = static_cast<A>(a[2 * j + 1]), r = static_cast<A>(b[2 * j]), s = static_cast<A>(b[2 * j + 1]);
      // !(p >= q) holds for a larger q and for a NaN; a NaN in front stays in front.
      const bool upper = !(p >= q) && p == p, lower = !(r >= s) && r == r;
      const A u = upper ? q : p, v = lower ? s : r;
      const bool down = !(u >= v) && u == u;
      idx[j] = first + static_cast<std::int32_t>(2 * j) + (down ? below + (lower ? 1 : 0) : (upper ? 1 : 0));
    }
  }
}

template <class T> void any_windows(const Geometry& g, const T* x, std::int32_t* idx) {
  const auto range = [&](int axis, std::int64_t p) {  // first and end tap inside the image
    const auto k = static_cast<std::size_t>(axis);
    const std::int64_t at = p * g.stride[k] - g.low[k], d = g.dilation[k];
    return std::array<std::int64_t, 3>{at, at < 0 ? (-at + d - 1) / d : 0, std::min(g.size[k], at < g.in[k] ? (g.in[k] - at - 1) / d + 1 : 0)};
  };
  for (std::int64_t z = 0; z < g.out[0]; ++z) {
    const auto depth = range(0, z);
    for (std::int64_t i = 0; i < g.out[1]; ++i) {
      const auto height = range(1, i);
      for (std::int64_t j = 0; j < g.out[2]; ++j) {
        const auto width = range(2, j);
        const auto start = ((depth[0] + depth[1] * g.dilation[0]) * g.in[1] + height[0] + height[1] * g.dilation[1]) * g.in[2] + width[0] + width[1] * g.dilation[2];
        Best<T> best{static_cast<Accumulator<T>>(x[start]), static_cast<std::int32_t>(start)};
        for (auto a = depth[1]; a < depth[2]; ++a)
          for (auto b = height[1]; b < height[2]; ++b) {
            const std::int64_t row = ((depth[0] + a * g.dilation[0]) * g.in[1] + height[0] + b * g.dilation[1]) * g.in[2] + width[0];
            for (auto c = width[1]; c < width[2]; ++c) best.offer(x[row + c * g.dilation[2]], static_cast<std::int32_t>(row + c * g.dilation[2]));
          }
        *idx++ = best.at;
      }
    }
  }
}

template <class T> StepFn indexer(const StepInfo& info) {
  const Geometry g = geometry_of(info.attrs.as<PoolAttrs>(), info.in[0]);
  const Sizes two{1, 2, 2}, one{1, 1, 1}, none{0, 0, 0};
  const bool usual = g.size == two && g.stride == two && g.dilation == one && g.low == none && g.out[1] * 2 <= g.in[1] && g.out[2] * 2 <= g.in[2] && g.in[0] == 1;
  return [g, usual](const View* in, const View* out) -> const char* {
    const T* x = reinterpret_cast<const T*>(in[0].data);
    auto* idx = reinterpret_cast<std::int32_t*>(out[0].data);
    const std::int64_t step = std::max<std::int64_t>(1, (1 << 15) / std::max<std::int64_t>(1, g.plane));
    const std::int64_t parts = (g.planes + step - 1) / step;
    if (parts == 0 || g.windows == 0) return nullptr;
    runtime::parallel(parts, [&](std::int64_t p) {
      for (std::int64_t n = p * step; n < std::min(g.planes, (p + 1) * step); ++n)
        usual ? two_by_two(g, x + n * g.plane, idx + n * g.windows) : any_windows(g, x + n * g.plane, idx + n * g.windows);
    });
    return nullptr;
  };
}

const bool registered = plan::define_kernel({
    .op = "max_pool_index",
    .prepare = [](const StepInfo& info) -> StepFn {
      if (info.in[0].dtype == DType::bool_) return {};
      return by_type(info.in[0].dtype, [&](auto t) { return indexer<typename decltype(t)::type>(info); });
    },
});

}  // namespace
}  // namespace adjoint::cpu
