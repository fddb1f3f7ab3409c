// dot.cpp: the batched product as a step: strides of views become transposes. Not the micro-kernels: gemm.cpp.
#include "kernels/cpu/gemm.hpp"
#include "plan/kernel.hpp"

namespace adjoint::cpu {
using plan::StepFn;
using plan::StepInfo;
using plan::View;

/// Calls gemm_batched for the innermost batch axis and loops over the outer ones.
template <class T> static const char* run(const View* in, const View* out) {
  const View &a = in[0], &b = in[1], &c = out[0];
  const auto r = static_cast<std::size_t>(c.rank);
  const auto M = c.shape[r - 2], N = c.shape[r - 1], K = a.shape[r - 1];
  const auto matrix = [&](const View& v, std::int64_t at) {
    return kernels::MatrixRef<T>{reinterpret_cast<T*>(v.data) + at, v.strides[r - 2], v.strides[r - 1]};
  };
  const auto input = [&](const View& v, std::int64_t at) {
    return kernels::MatrixRef<const T>{reinterpret_cast<const T*>(v.data) + at, v.strides[r - 2], v.strides[r - 1]};
  };
  if (r == 2) {
    kernels::gemm(M, N, K, input(a, 0), input(b, 0), matrix(c, 0));
    return nullptr;
  }
  std::int64_t outer = 1;
  for (std::size_t k = 0; k + 3 < r; ++k) outer *= c.shape[k];
  for (std::int64_t o = 0; o < outer; ++o) {
    std::int64_t at[3] = {0, 0, 0}, rest = o;
    for (std::size_t k = r - 3; k-- > 0;) {
      const auto i = rest % c.shape[k];
      rest /= c.shape[k];
      at[0] += i * a.strides[k], at[1] += i * b.strides[k], at[2] += i * c.strides[k];
    }
    kernels::gemm_batched<T>(c.shape[r - 3], M, N, K, input(a, at[0]), a.strides[r - 3], input(b, at[1]), b.strides[r - 3],
                             matrix(c, at[2]), c.strides[r - 3]);
  }
  return nullptr;
}

static const bool registered = plan::define_kernel({
    .op = "dot",
    .strided = true,
    .prepare = [](const StepInfo& info) -> StepFn {
      switch (info.out.dtype) {
        case DType::f32: return run<float>;
        case DType::f64: return run<double>;
        case DType::bf16: return run<bfloat16>;
        case DType::f16: return run<float16>;
        case DType::i64: return run<std::int64_t>;
        case DType::i32: return run<std::int32_t>;
        default: return {};
      }
    },
    .flops = [](const StepInfo& info) { return 2 * info.out.elements() * info.in[0].shape[static_cast<std::size_t>(info.in[0].rank - 1)]; },
});

}  // namespace adjoint::cpu
