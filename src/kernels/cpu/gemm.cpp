// gemm.cpp: the products: choice of path (small, packed, widened, integer), for one matrix and for a batch.
// Not the inner loops: those are gemm_tile-inl.hpp and gemm_engine-inl.hpp.
#include "kernels/cpu/gemm.hpp"

#include "kernels/cpu/simd_setup.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/gemm.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/gemm_engine-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace adjoint::kernels::HWY_NAMESPACE {

template <class T> struct StoreMatrix {
  MatrixRef<T> c;
  T* direct(std::int64_t i, std::int64_t j, std::int64_t& ld) const {
    ld = c.row_stride;
    return c.col_stride == 1 ? c.data + i * c.row_stride + j : nullptr;
  }
  void operator()(std::int64_t i, int rows, std::int64_t j, int cols, const T* tile, std::int64_t ld) const {
    for (int r = 0; r < rows; ++r)
      for (int x = 0; x < cols; ++x)
        c.data[(i + r) * c.row_stride + (j + x) * c.col_stride] = tile[r * ld + x];
  }
};

// pack_panel for memory that may be far: vectors along k, far apart, are no stream for the processor, so the lines of the next steps are
// asked for.
template <int W, class T> void pack_ahead(const T* from, std::int64_t lane, std::int64_t step, std::int64_t n, int rows, T* dst) {
  constexpr std::int64_t line = 64 / static_cast<std::int64_t>(sizeof(T)), some = 4 * line;
  if (step != 1 || lane == 1) return pack_panel<W>(from, lane, step, n, rows, dst);
  for (std::int64_t i = 0; i < n; i += some, from += some) {
    for (int x = 0; x < rows; ++x)
      for (std::int64_t l = some; l < 2 * some; l += line) __builtin_prefetch(from + x * lane + l, 0, 2);
    pack_panel<W>(from, lane, 1, std::min(some, n - i), rows, dst + i * W);
  }
}

// Panels of columns of B.
template <class T> struct PackColumns {
  MatrixRef<const T> b;
  static constexpr std::int64_t line = 64 / static_cast<std::int64_t>(sizeof(T));

  const T* at(std::int64_t k, std::int64_t j) const { return b.data + k * b.row_stride + j * b.col_stride; }
  void operator()(std::int64_t j, int cols, std::int64_t k, std::int64_t n, T* dst) const {
    pack_ahead<kCols<T>>(at(k, j), b.col_stride, b.row_stride, n, cols, dst);
  }
  // Its lines follow one another in rows or in columns; of other layouts each element would be a line.
  Ahead ahead(std::int64_t j, std::int64_t cols, std::int64_t k, std::int64_t n) const {
    constexpr auto size = static_cast<std::int64_t>(sizeof(T));
    if (b.col_stride == 1) return {at(k, j), b.row_stride * size, n, 64, (cols + line - 1) / line};
    if (b.row_stride == 1) return {at(k, j), 64, (n + line - 1) / line, b.col_stride * size, cols};
    return {};
  }
};

template <class T>
void packed(std::int64_t M, std::int64_t N, std::int64_t K, MatrixRef<const T> a, MatrixRef<const T> b, MatrixRef<T> c,
            std::int64_t parts) {
  const auto pack_a = [a](std::int64_t i, int rows, std::int64_t k, std::int64_t n, T* dst) HWY_ATTR {
    pack_ahead<kRows>(a.data + i * a.row_stride + k * a.col_stride, a.row_stride, a.col_stride, n, rows, dst);
  };
  product<T>(M, N, PlainBlocks{K}, pack_a, PackColumns<T>{b}, StoreMatrix<T>{c}, parts,
             {strip_for(a.row_stride, a.col_stride), strip_for(b.col_stride, b.row_stride)});
}

template <int V, class T>
HWY_INLINE void small_column(std::int64_t M, std::int64_t K, const MatrixRef<const T>& a, RowVectors<T> b, int w, T* c,
                             std::int64_t ldc) {
  constexpr int W = V * kLanes<T>;
  const EvenSplit rows = split_into(M, kRows);
  for (std::int64_t p = 0; p < rows.count; ++p) {
    const std::int64_t i = rows.begin(p);
    const int r = rows.length(p);
    alignas(64) T t[kRows * W];
    T* to = w == W ? c + i * ldc : t;
    const std::int64_t ld = w == W ? ldc : W;
    with_rows<kRows>(r, [&](auto R) HWY_ATTR {
      run_tile<R, V, T>(StridedRows<T>{a.data + i * a.row_stride, a.row_stride, a.col_stride}, b, K, to, ld);
    });
    if (w != W)
      for (int y = 0; y < r; ++y)
        for (int x = 0; x < w; ++x) c[(i + y) * ldc + x] = t[y * W + x];
  }
}

// One block of K, C with unit column stride: A is read in place, and B too where its rows are contiguous and do not fall
// on the same cache sets again and again.
template <class T>
void small(std::int64_t M, std::int64_t N, std::int64_t K, MatrixRef<const T> a, MatrixRef<const T> b, MatrixRef<T> c) {
  constexpr int C = kCols<T>, L = kLanes<T>;
  const bool in_place = b.col_stride == 1 && (M <= 4 * kRows || b.row_stride * static_cast<std::int64_t>(sizeof(T)) % 1024 != 0);
  for (std::int64_t j = 0; j < N; j += C) {
    const int w = static_cast<int>(std::min<std::int64_t>(C, N - j));
    RowVectors<T> rows{b.data + j, b.row_stride};
    if (!in_place || (w != C && w != L)) {
      T* panel = scratch<T>(Slot::small_b, K * C);
      pack_panel<C>(b.data + j * b.col_stride, b.col_stride, b.row_stride, K, w, panel);
      rows = {panel, C};
    }
    if (w > L) small_column<2>(M, K, a, rows, w, c.data + j, c.row_stride);
    else small_column<1>(M, K, a, rows, w, c.data + j, c.row_stride);
  }
}

// The same for B whose columns are contiguous (x W^T): the rows of A are turned into vectors and B's columns are read in place
// as scalars, so that the smaller operand is packed and few columns waste no lanes.
template <int V, class T>
void small_turned_rows(std::int64_t N, std::int64_t K, const MatrixRef<const T>& a, int w, const MatrixRef<const T>& b, T* c, std::int64_t ldc) {
  constexpr int W = V * kLanes<T>, R = V == 1 && kRows < 12 ? 2 * kRows : kRows;  // one vector needs more rows to hide fma's latency
  T* panel = scratch<T>(Slot::small_b, K * W);
  pack_panel<W>(a.data, a.row_stride, a.col_stride, K, w, panel);
  const EvenSplit columns = split_into(N, R);
  for (std::int64_t p = 0; p < columns.count; ++p) {
    const std::int64_t j = columns.begin(p);
    const int r = columns.length(p);
    alignas(64) T t[R * W];
    with_rows<R>(r, [&](auto rows) HWY_ATTR {
      run_tile<rows, V, T>(StridedRows<T>{b.data + j * b.col_stride, b.col_stride, b.row_stride}, RowVectors<T>{panel, W}, K, t, W);
    });
    pack_transposed(t, W, w, r, ldc, c + j);
  }
}
template <class T>
void small_turned(std::int64_t M, std::int64_t N, std::int64_t K, MatrixRef<const T> a, MatrixRef<const T> b, MatrixRef<T> c) {
  for (std::int64_t i = 0; i < M; i += kCols<T>) {
    const int w = static_cast<int>(std::min<std::int64_t>(kCols<T>, M - i));
    const MatrixRef<const T> rows{a.data + i * a.row_stride, a.row_stride, a.col_stride};
    if (w > kLanes<T>) small_turned_rows<2>(N, K, rows, w, b, c.data + i * c.row_stride, c.row_stride);
    else small_turned_rows<1>(N, K, rows, w, b, c.data + i * c.row_stride, c.row_stride);
  }
}
// Vectors multiplied and elements packed, for each k; columns a power of two apart would share cache sets.
template <class T> bool pays_turned(std::int64_t M, std::int64_t N, const MatrixRef<const T>& b) {
  if (b.row_stride != 1 || b.col_stride == 1 || b.col_stride * static_cast<std::int64_t>(sizeof(T)) % 1024 == 0) return false;
  const auto vectors = [](std::int64_t n) { return (n + kLanes<T> - 1) / kLanes<T>; };
  return 4 * N * vectors(M) + 3 * M < 4 * M * vectors(N) + 3 * N;
}

// The same, shared between threads along the longer side.
template <class T>
void small_parts(std::int64_t M, std::int64_t N, std::int64_t K, MatrixRef<const T> a, MatrixRef<const T> b, MatrixRef<T> c,
                 std::int64_t parts) {
  constexpr std::int64_t C = kCols<T>;
  runtime::parallel(parts, [&](std::int64_t p) {
    if (M >= N) {
      const std::int64_t i = M * p / parts, rows = M * (p + 1) / parts - i;
      if (rows > 0) small<T>(rows, N, K, {a.data + i * a.row_stride, a.row_stride, a.col_stride}, b, {c.data + i * c.row_stride, c.row_stride, 1});
    } else {
      const std::int64_t panels = (N + C - 1) / C, j = panels * p / parts * C, end = std::min(N, panels * (p + 1) / parts * C);
      if (end > j) small<T>(M, end - j, K, a, {b.data + j * b.col_stride, b.row_stride, b.col_stride}, {c.data + j, c.row_stride, 1});
    }
  });
}

// In multiply-adds: from kThreadWork on a product is shared between threads; from kPackWork on A is worth packing.
inline constexpr double kThreadWork = 1 << 20, kPackWork = 1 << 22;

template <class T>
void gemm_impl(std::int64_t M, std::int64_t N, std::int64_t K, MatrixRef<const T> a, MatrixRef<const T> b, MatrixRef<T> c) {
  if (c.col_stride != 1 && c.row_stride == 1) {  // C is stored by columns: C^T = B^T A^T
    gemm_impl<T>(N, M, K, {b.data, b.col_stride, b.row_stride}, {a.data, a.col_stride, a.row_stride}, {c.data, c.col_stride, 1});
    return;
  }
  const double work = static_cast<double>(M) * static_cast<double>(N) * static_cast<double>(K);
  const std::int64_t parts = work < kThreadWork ? 1 : runtime::threads();
  if ((work < kPackWork || N <= 2 * kCols<T>) && K <= kProductBlock && c.col_stride == 1) {
    if (parts == 1) return pays_turned(M, N, b) ? small_turned<T>(M, N, K, a, b, c) : small<T>(M, N, K, a, b, c);
    return small_parts<T>(M, N, K, a, b, c, parts);
  }
  packed<T>(M, N, K, a, b, c, parts);
}

void gemm_f32(std::int64_t M, std::int64_t N, std::int64_t K, MatrixRef<const float> a, MatrixRef<const float> b,
              MatrixRef<float> c) {
  gemm_impl<float>(M, N, K, a, b, c);
}
void gemm_f64(std::int64_t M, std::int64_t N, std::int64_t K, MatrixRef<const double> a, MatrixRef<const double> b,
              MatrixRef<double> c) {
  gemm_impl<double>(M, N, K, a, b, c);
}

}  // namespace adjoint::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace adjoint::kernels {
HWY_EXPORT(gemm_f32);
HWY_EXPORT(gemm_f64);

namespace {

// A 16-bit operand as f32, stored along whichever direction it is stored now.
template <class H> MatrixRef<const float> widen(std::int64_t rows, std::int64_t cols, MatrixRef<const H> m, float* to) {
  const bool by_columns = m.row_stride == 1 && m.col_stride != 1;
  const std::int64_t outer = by_columns ? cols : rows, inner = by_columns ? rows : cols;
  const std::int64_t os = by_columns ? m.col_stride : m.row_stride, is = by_columns ? m.row_stride : m.col_stride;
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t i = 0; i < inner; ++i) to[o * inner + i] = static_cast<float>(m.data[o * os + i * is]);
  return by_columns ? MatrixRef<const float>{to, 1, inner} : MatrixRef<const float>{to, inner, 1};
}

template <class H>
void gemm_widened(std::int64_t M, std::int64_t N, std::int64_t K, MatrixRef<const H> a, MatrixRef<const H> b,
                  MatrixRef<H> c) {
  float* memory = scratch<float>(Slot::widened, M * K + K * N + M * N);
  float* out = memory + M * K + K * N;
  gemm(M, N, K, widen(M, K, a, memory), widen(K, N, b, memory + M * K), {out, N, 1});
  for (std::int64_t i = 0; i < M; ++i)
    for (std::int64_t j = 0; j < N; ++j) c.data[i * c.row_stride + j * c.col_stride] = H(out[i * N + j]);
}

// Wrap-around arithmetic: unsigned, so that overflow is defined.
template <class I>
void gemm_integer(std::int64_t M, std::int64_t N, std::int64_t K, MatrixRef<const I> a, MatrixRef<const I> b,
                  MatrixRef<I> c) {
  using U = std::make_unsigned_t<I>;
  for (std::int64_t i = 0; i < M; ++i) {
    I* row = c.data + i * c.row_stride;
    for (std::int64_t j = 0; j < N; ++j) row[j * c.col_stride] = 0;
    for (std::int64_t k = 0; k < K; ++k) {
      const U x = static_cast<U>(a.data[i * a.row_stride + k * a.col_stride]);
      const I* br = b.data + k * b.row_stride;
      for (std::int64_t j = 0; j < N; ++j)
        row[j * c.col_stride] = static_cast<I>(static_cast<U>(row[j * c.col_stride]) + x * static_cast<U>(br[j * b.col_stride]));
    }
  }
}

}  // namespace

void gemm(std::int64_t M, std::int64_t N, std::int64_t K, MatrixRef<const float> a, MatrixRef<const float> b,
          MatrixRef<float> c) {
  if (M > 0 && N > 0) HWY_DYNAMIC_DISPATCH(gemm_f32)(M, N, K, a, b, c);
}
void gemm(std::int64_t M, std::int64_t N, std::int64_t K, MatrixRef<const double> a, MatrixRef<const double> b,
          MatrixRef<double> c) {
  if (M > 0 && N > 0) HWY_DYNAMIC_DISPATCH(gemm_f64)(M, N, K, a, b, c);
}
void gemm(std::int64_t M, std::int64_t N, std::int64_t K, MatrixRef<const bfloat16> a, MatrixRef<const bfloat16> b,
          MatrixRef<bfloat16> c) {
  gemm_widened(M, N, K, a, b, c);
}
void gemm(std::int64_t M, std::int64_t N, std::int64_t K, MatrixRef<const float16> a, MatrixRef<const float16> b,
          MatrixRef<float16> c) {
  gemm_widened(M, N, K, a, b, c);
}
void gemm(std::int64_t M, std::int64_t N, std::int64_t K, MatrixRef<const std::int64_t> a,
          MatrixRef<const std::int64_t> b, MatrixRef<std::int64_t> c) {
  gemm_integer(M, N, K, a, b, c);
}
void gemm(std::int64_t M, std::int64_t N, std::int64_t K, MatrixRef<const std::int32_t> a,
          MatrixRef<const std::int32_t> b, MatrixRef<std::int32_t> c) {
  gemm_integer(M, N, K, a, b, c);
}

template <class T>
void gemm_batched(std::int64_t batch, std::int64_t M, std::int64_t N, std::int64_t K, MatrixRef<const T> a,
                  std::int64_t a_batch_stride, MatrixRef<const T> b, std::int64_t b_batch_stride, MatrixRef<T> c,
                  std::int64_t c_batch_stride) {
  if (batch <= 0 || M <= 0 || N <= 0) return;
  // One B for all and rows that follow one another: a single taller product.
  if (b_batch_stride == 0 && (M == 1 || (a_batch_stride == M * a.row_stride && c_batch_stride == M * c.row_stride))) {
    if (M == 1) a.row_stride = a_batch_stride, c.row_stride = c_batch_stride;
    return gemm(batch * M, N, K, a, b, c);
  }
  const auto one = [&](std::int64_t i) {
    gemm(M, N, K, MatrixRef<const T>{a.data + i * a_batch_stride, a.row_stride, a.col_stride},
         MatrixRef<const T>{b.data + i * b_batch_stride, b.row_stride, b.col_stride},
         MatrixRef<T>{c.data + i * c_batch_stride, c.row_stride, c.col_stride});
  };
  // Few large products are shared inside, many or small ones between the threads; tiny work stays here.
  const double work = static_cast<double>(M) * static_cast<double>(N) * static_cast<double>(K);
  const bool many = batch >= 4 * runtime::threads() || work < 1 << 20;
  if (many && work * static_cast<double>(batch) >= 1 << 18) return runtime::parallel(batch, one);
  for (std::int64_t i = 0; i < batch; ++i) one(i);
}

#define ADJOINT_GEMM_BATCHED(T)                                                                             \
  template void gemm_batched<T>(std::int64_t, std::int64_t, std::int64_t, std::int64_t, MatrixRef<const T>, \
                                std::int64_t, MatrixRef<const T>, std::int64_t, MatrixRef<T>, std::int64_t)
ADJOINT_GEMM_BATCHED(float);
ADJOINT_GEMM_BATCHED(double);
ADJOINT_GEMM_BATCHED(bfloat16);
ADJOINT_GEMM_BATCHED(float16);
ADJOINT_GEMM_BATCHED(std::int64_t);
ADJOINT_GEMM_BATCHED(std::int32_t);
#undef ADJOINT_GEMM_BATCHED

}  // namespace adjoint::kernels
#endif
