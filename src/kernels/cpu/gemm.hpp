// gemm.hpp: matrix products on raw strided operands, with bits that depend on the operands' values alone.
// Not a BLAS: no alpha, no beta, no accumulation into C; an accumulated product is another node.
#pragma once

#include <cstdint>

#include "adjoint/dtype.hpp"

namespace adjoint::kernels {

/// A matrix at `data`: element (i, j) is data[i * row_stride + j * col_stride]. A transpose is exchanged strides.
template <class T> struct MatrixRef {
  T* data;
  std::int64_t row_stride, col_stride;
};

/// The K index is cut into blocks of this many elements; each is one fma chain.
inline constexpr std::int64_t kProductBlock = 1024;

/// C[M,N] = A[M,K] B[K,N]. Any strides, C's elements distinct and apart from A and B. K = 0 writes zeros.
///   bits     c = tree(blocks) + (+0): a block is the chain acc = fma(a[k], b[k], acc) from +0, k ascending over 1,024
///            elements; block results join by the binary-counter tree, incomplete subtrees folded from the right.
///            Equal for every number of threads, instruction set, stride and neighbouring row or column.
///   dtypes   f32 and f64 in their own type; bf16 and f16 accumulate in f32 and round once; integers wrap.
///   threads  runtime::parallel above a fixed amount of work; no allocation once the scratch memory has grown
void gemm(std::int64_t M, std::int64_t N, std::int64_t K, MatrixRef<const float> a, MatrixRef<const float> b,
          MatrixRef<float> c);
void gemm(std::int64_t M, std::int64_t N, std::int64_t K, MatrixRef<const double> a, MatrixRef<const double> b,
          MatrixRef<double> c);
void gemm(std::int64_t M, std::int64_t N, std::int64_t K, MatrixRef<const bfloat16> a, MatrixRef<const bfloat16> b,
          MatrixRef<bfloat16> c);
void gemm(std::int64_t M, std::int64_t N, std::int64_t K, MatrixRef<const float16> a, MatrixRef<const float16> b,
          MatrixRef<float16> c);
void gemm(std::int64_t M, std::int64_t N, std::int64_t K, MatrixRef<const std::int64_t> a,
          MatrixRef<const std::int64_t> b, MatrixRef<std::int64_t> c);
void gemm(std::int64_t M, std::int64_t N, std::int64_t K, MatrixRef<const std::int32_t> a,
          MatrixRef<const std::int32_t> b, MatrixRef<std::int32_t> c);

/// `batch` products, operand i at data + i * stride; a stride of 0 repeats an input. Bits as gemm.
template <class T>
void gemm_batched(std::int64_t batch, std::int64_t M, std::int64_t N, std::int64_t K, MatrixRef<const T> a,
                  std::int64_t a_batch_stride, MatrixRef<const T> b, std::int64_t b_batch_stride, MatrixRef<T> c,
                  std::int64_t c_batch_stride);
#define ADJOINT_GEMM_BATCHED(T)                                                                                    \
  extern template void gemm_batched<T>(std::int64_t, std::int64_t, std::int64_t, std::int64_t, MatrixRef<const T>, \
                                       std::int64_t, MatrixRef<const T>, std::int64_t, MatrixRef<T>, std::int64_t)
ADJOINT_GEMM_BATCHED(float);
ADJOINT_GEMM_BATCHED(double);
ADJOINT_GEMM_BATCHED(bfloat16);
ADJOINT_GEMM_BATCHED(float16);
ADJOINT_GEMM_BATCHED(std::int64_t);
ADJOINT_GEMM_BATCHED(std::int32_t);
#undef ADJOINT_GEMM_BATCHED

}  // namespace adjoint::kernels
