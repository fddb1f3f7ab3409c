// random.cpp: fold_in, random_bits and random_uniform as steps of a plan. Element i depends on the key and on i alone, so
// threads share the work freely. Not the cipher: philox.cpp.
#include <algorithm>

#include "kernels/cpu/philox.hpp"
#include "plan/kernel.hpp"
#include "runtime/pool.hpp"

namespace adjoint::cpu {
using plan::StepFn;
using plan::StepInfo;
using plan::View;

static std::uint64_t key_of(const View& v) { return *reinterpret_cast<const std::uint64_t*>(v.data); }

static const bool fold_in_ = plan::define_kernel({
    .op = "fold_in",
    .prepare = [](const StepInfo&) -> StepFn {
      return [](const View* in, const View* out) -> const char* {
        *reinterpret_cast<std::uint64_t*>(out->data) = fold_in(key_of(in[0]), key_of(in[1]));
        return nullptr;
      };
    },
});

template <class T, void (*Draw)(std::uint64_t, std::uint64_t, std::int64_t, T*)>
static const char* draw(const View* in, const View* out) {
  constexpr std::int64_t kPart = 16384;  // elements a task; a multiple of the cipher's block
  const std::uint64_t key = key_of(in[0]);
  const std::int64_t n = out->elements();
  T* to = reinterpret_cast<T*>(out->data);
  runtime::parallel((n + kPart - 1) / kPart, [=](std::int64_t part) {
    const std::int64_t first = part * kPart;
    Draw(key, static_cast<std::uint64_t>(first), std::min(kPart, n - first), to + first);
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
