// random_draws.cpp: permutation and poisson: draws that take a varying number of uniform numbers each.
// Not the uniform numbers: random.cpp.
#include <algorithm>
#include <cstdio>
#include <utility>

#include "kernels/cpu/philox.hpp"
#include "plan/kernel.hpp"
#include "runtime/pool.hpp"

namespace adjoint::cpu {
using plan::StepFn;
using plan::StepInfo;
using plan::View;

static const std::uint64_t* keys_of(const View& v) { return reinterpret_cast<const std::uint64_t*>(v.data); }

static void permute_row(std::uint64_t key, std::int64_t n, std::int64_t* p) {
  for (std::int64_t i = 0; i < n; ++i) p[i] = i;
  constexpr std::int64_t kPart = 512;
  double u[kPart];
  for (std::int64_t end = n; end > 0; end -= std::min(end, kPart)) {
    const std::int64_t first = end - std::min(end, kPart);
    random_uniform(key, static_cast<std::uint64_t>(first), end - first, u);
    for (std::int64_t i = end - 1; i >= std::max<std::int64_t>(first, 1); --i)
      std::swap(p[i], p[static_cast<std::int64_t>(u[i - first] * static_cast<double>(i + 1))]);
  }
}
static const char* permute(const View* in, const View* out) {
  const std::int64_t rows = in[0].elements(), n = rows ? out->elements() / rows : 0;
  runtime::parallel(rows, [=](std::int64_t r) { permute_row(keys_of(in[0])[r], n, reinterpret_cast<std::int64_t*>(out->data) + r * n); });
  return nullptr;
}

static double count(std::uint64_t key, double limit) {
  double product = 1, u[4];
  for (std::uint64_t n = 0;; n += 4) {
    random_uniform(key, n, 4, u);
    for (int j = 0; j < 4; ++j)
      if ((product *= u[j]) <= limit) return static_cast<double>(n) + j;
  }
}

static const char* poisson(const View* in, const View* out) {
  const auto* keys = keys_of(in[0]);
  const std::int64_t n = out->elements(), row = in[0].elements() ? n / in[0].elements() : 0;  // elements a key
  const auto* limit = reinterpret_cast<const double*>(in[1].data);
  auto* to = reinterpret_cast<float*>(out->data);
  constexpr double kLeast = 9e-305;  // a little below e^-700
  for (std::int64_t i = 0; i < n; ++i)
    if (!(limit[i] >= kLeast && limit[i] <= 1)) {
      thread_local char text[96];
      std::snprintf(text, sizeof text, "the rate of element %lld is not in [0, 700]", static_cast<long long>(i));
      return text;
    }
  constexpr std::int64_t kPart = 256;
  runtime::parallel((n + kPart - 1) / kPart, [=](std::int64_t part) {
    for (std::int64_t i = part * kPart; i < std::min(n, (part + 1) * kPart); ++i)
      to[i] = static_cast<float>(count(fold_in(keys[i / row], static_cast<std::uint64_t>(i % row)), limit[i]));
  });
  return nullptr;
}

static const bool permutation_ = plan::define_kernel({.op = "permutation", .prepare = [](const StepInfo&) -> StepFn { return permute; }, .checks = true});
static const bool poisson_ = plan::define_kernel({.op = "poisson", .prepare = [](const StepInfo&) -> StepFn { return poisson; }, .checks = true});

}  // namespace adjoint::cpu
