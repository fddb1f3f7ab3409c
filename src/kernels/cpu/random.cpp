// random.cpp: fold_in, random_bits and random_uniform as steps of a plan. Element i of a key depends on the key and on i alone, so
// threads share the work freely. Not the cipher: philox.cpp.
#include <algorithm>

#include "kernels/cpu/philox.hpp"
#include "plan/kernel.hpp"
#include "runtime/pool.hpp"

namespace adjoint::cpu {
using plan::StepFn;
using plan::StepInfo;
using plan::View;

static const bool fold_in_ = plan::define_kernel({
    .op = "fold_in",
    .prepare = [](const StepInfo&) -> StepFn {
      return [](const View* in, const View* out) -> const char* {
        const auto *key = reinterpret_cast<const std::uint64_t*>(in[0].data), *data = reinterpret_cast<const std::uint64_t*>(in[1].data);
        for (std::int64_t i = 0; i < out->elements(); ++i) reinterpret_cast<std::uint64_t*>(out->data)[i] = fold_in(key[i], data[i]);
        return nullptr;
      };
    },
});

template <class T, void (*Draw)(std::uint64_t, std::uint64_t, std::int64_t, T*)>
static const char* draw(const View* in, const View* out) {
  constexpr std::int64_t kPart = 16384;  // elements a task; a multiple of the cipher's block
  const auto* keys = reinterpret_cast<const std::uint64_t*>(in[0].data);
  const std::int64_t rows = in[0].elements(), n = rows ? out->elements() / rows : 0, parts = (n + kPart - 1) / kPart;  // n numbers a key
  T* to = reinterpret_cast<T*>(out->data);
  runtime::parallel(rows * parts, [=](std::int64_t task) {
    const std::int64_t row = task / parts, first = task % parts * kPart;
    Draw(keys[row], static_cast<std::uint64_t>(first), std::min(kPart, n - first), to + row * n + first);
  });
  return nullptr;
}

static const bool random_bits_ = plan::define_kernel({
    .op = "random_bits",
    .prepare = [](const StepInfo&) -> StepFn { return draw<std::uint32_t, random_bits>; },
});
static const bool random_uniform_ = plan::define_kernel({
    .op = "random_uniform",
    .prepare = [](const StepInfo& info) -> StepFn {
      if (info.out.dtype == DType::f64) return draw<double, random_uniform>;
      return draw<float, random_uniform>;
    },
});

}  // namespace adjoint::cpu
