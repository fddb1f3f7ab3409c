// max_pool.cpp: the place of the largest element of each window, as a step. Not its value: take_along reads that.
#include "kernels/cpu/max_pool.hpp"

#include <algorithm>

#include "kernels/cpu/dispatch.hpp"
#include "ops/pool_ops.hpp"
#include "plan/kernel.hpp"
#include "runtime/pool.hpp"

namespace adjoint::cpu {
namespace {

using plan::StepFn;
using plan::StepInfo;
using plan::View;

PoolGeometry geometry_of(const PoolAttrs& a, const View& x) {
  PoolGeometry g;
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
  for (std::size_t k = 0; k < 3; ++k) g.plane *= g.in[k], g.windows *= g.out[k];
  return g;
}

/// One window after another, in any type.
template <class T> void plane_of(const PoolGeometry& g, const T* x, std::int32_t* idx) {
  using A = Accumulator<T>;
  for (std::int64_t z = 0; z < g.out[0]; ++z) {
    const PoolTaps depth = pool_taps(g, 0, z);
    for (std::int64_t i = 0; i < g.out[1]; ++i) {
      const PoolTaps height = pool_taps(g, 1, i);
      for (std::int64_t j = 0; j < g.out[2]; ++j) {
        const PoolTaps width = pool_taps(g, 2, j);
        std::int64_t at = -1;
        A best{};
        for (auto a = depth.first; a < depth.end; ++a)
          for (auto b = height.first; b < height.end; ++b) {
            const std::int64_t row = ((depth.at + a * g.dilation[0]) * g.in[1] + height.at + b * g.dilation[1]) * g.in[2] + width.at;
            for (auto c = width.first; c < width.end; ++c) {
              const A v = static_cast<A>(x[row + c * g.dilation[2]]);
              const bool wins = (at < 0) | (v > best) | ((v != v) & (best == best));
              best = wins ? v : best;
              at = wins ? row + c * g.dilation[2] : at;
            }
          }
        *idx++ = static_cast<std::int32_t>(at);
      }
    }
  }
}
void plane_of(const PoolGeometry& g, const float* x, std::int32_t* idx) { max_pool_plane(g, x, idx); }

template <class T> StepFn indexer(const StepInfo& info) {
  return [g = geometry_of(info.attrs.as<PoolAttrs>(), info.in[0])](const View* in, const View* out) -> const char* {
    const T* x = reinterpret_cast<const T*>(in[0].data);
    auto* idx = reinterpret_cast<std::int32_t*>(out[0].data);
    const std::int64_t step = std::max<std::int64_t>(1, (1 << 15) / std::max<std::int64_t>(1, g.plane));
    const std::int64_t parts = (g.planes + step - 1) / step;
    if (parts == 0 || g.windows == 0) return nullptr;
    runtime::parallel(parts, [&](std::int64_t p) {
      for (std::int64_t n = p * step; n < std::min(g.planes, (p + 1) * step); ++n) plane_of(g, x + n * g.plane, idx + n * g.windows);
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
