// search.cpp: searchsorted by bisection, and nonzero by one pass over a mask. Not sorting.
#include <algorithm>

#include "kernels/cpu/dispatch.hpp"
#include "ops/counting_ops.hpp"
#include "plan/kernel.hpp"
#include "runtime/pool.hpp"

namespace adjoint::cpu {
namespace {

using plan::StepFn;
using plan::StepInfo;
using plan::View;

/// The number of elements below v, or not above it. A NaN lies behind everything: no element is below it, as in the
/// definition that counts comparisons.
template <class T> std::int64_t below(const T* sorted, std::int64_t n, T given, bool right) {
  using A = Accumulator<T>;
  const A v = static_cast<A>(given);
  std::int64_t first = 0, count = n;
  while (count > 0) {
    const std::int64_t half = count / 2;
    const A middle = static_cast<A>(sorted[first + half]);
    if (right ? middle <= v : middle < v) first += half + 1, count -= half + 1;
    else count = half;
  }
  return first;
}

const bool search_registered = plan::define_kernel({
    .op = "searchsorted",
    .prepare = [](const StepInfo& info) -> StepFn {
      const bool right = info.attrs.as<Side>().right;
      return by_type(info.in[0].dtype, [&](auto tag) -> StepFn {
        using T = typename decltype(tag)::type;
        return [right](const View* in, const View* out) -> const char* {
          const T *sorted = reinterpret_cast<const T*>(in[0].data), *values = reinterpret_cast<const T*>(in[1].data);
          auto* y = reinterpret_cast<std::int64_t*>(out[0].data);
          const std::int64_t n = in[0].shape[0], count = out[0].elements(), step = 4096;
          if (count > 0)
            runtime::parallel((count + step - 1) / step, [&](std::int64_t p) {
              for (std::int64_t i = p * step; i < std::min(count, (p + 1) * step); ++i) y[i] = below(sorted, n, values[i], right);
            });
          return nullptr;
        };
      });
    },
});

const bool nonzero_registered = plan::define_kernel({
    .op = "nonzero",
    .prepare = [](const StepInfo&) -> StepFn {
      return [](const View* in, const View* out) -> const char* {
        const auto* mask = reinterpret_cast<const std::uint8_t*>(in[0].data);
        auto* y = reinterpret_cast<std::int64_t*>(out[0].data);
        const std::int64_t n = in[0].elements(), size = out[0].elements();
        std::int64_t found = 0;
        for (std::int64_t i = 0; i < n && found < size; ++i)
          if (mask[i]) y[found++] = i;
        std::fill(y + found, y + size, std::int64_t{-1});
        return nullptr;
      };
    },
});

}  // namespace
}  // namespace adjoint::cpu
