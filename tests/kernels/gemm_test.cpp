// gemm_test.cpp: every path of the products against their definition, bit for bit.
// Not a test of matmul's shapes or gradients: those belong to the operation.
#include "kernels/cpu/gemm.hpp"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "runtime/pool.hpp"
#include "support/gemm_reference.hpp"
#include "support/same_bits.hpp"

namespace adjoint::kernels {
namespace {

using test::same_bits;
using Index = std::int64_t;

enum class Layout { rows, columns, padded_rows, padded_columns, strided };

template <class T> T value_of(std::mt19937& rng) {
  const auto u = rng();
  if constexpr (std::is_integral_v<T>) return static_cast<T>((static_cast<std::uint64_t>(u) << 32) | rng());
  else return T(static_cast<float>(static_cast<std::int32_t>(u)) * 0x1p-31f);
}

/// A matrix in memory with a guard around it and between its elements; the guard must survive.
template <class T> struct Matrix {
  Matrix(Index rows_in, Index cols_in, Layout layout) : rows(rows_in), cols(cols_in) {
    switch (layout) {
      case Layout::rows: rs = cols, cs = 1; break;
      case Layout::columns: rs = 1, cs = rows; break;
      case Layout::padded_rows: rs = cols + 3, cs = 1; break;
      case Layout::padded_columns: rs = 1, cs = rows + 5; break;
      case Layout::strided: rs = 2 * cols * 3 + 1, cs = 3; break;
    }
    memory.assign(static_cast<std::size_t>(rows * rs + cols * cs + 2 * kGuard), guard());
  }
  static T guard() {
    if constexpr (std::is_integral_v<T>) return static_cast<T>(0x5A5A5A5A);
    else return T(-12345.0f);
  }
  T* data() { return memory.data() + kGuard; }
  T& at(Index i, Index j) { return data()[i * rs + j * cs]; }
  void fill(std::mt19937& rng) {
    for (Index i = 0; i < rows; ++i)
      for (Index j = 0; j < cols; ++j) at(i, j) = value_of<T>(rng);
  }
  MatrixRef<T> ref() { return {data(), rs, cs}; }
  MatrixRef<const T> cref() { return {data(), rs, cs}; }
  static constexpr Index kGuard = 64;
  Index rows, cols, rs = 0, cs = 0;
  std::vector<T> memory;
};

template <class T> ::testing::AssertionResult same_memory(const Matrix<T>& a, const Matrix<T>& b) {
  for (std::size_t i = 0; i < a.memory.size(); ++i)
    if (!same_bits(a.memory[i], b.memory[i]))
      return ::testing::AssertionFailure() << "element " << i << " of " << a.memory.size() << " differs: "
                                           << static_cast<float>(a.memory[i]) << " and " << static_cast<float>(b.memory[i]);
  return ::testing::AssertionSuccess();
}

template <class T> void check(Matrix<T>& a, Matrix<T>& b, Layout lc, const std::vector<int>& thread_counts) {
  Matrix<T> expected(a.rows, b.cols, lc);
  test::reference_gemm(a.rows, b.cols, a.cols, a.cref(), b.cref(), expected.ref());
  for (int n : thread_counts) {
    runtime::set_threads(n);
    Matrix<T> got(a.rows, b.cols, lc);
    gemm(a.rows, b.cols, a.cols, a.cref(), b.cref(), got.ref());
    ASSERT_TRUE(same_memory(got, expected)) << a.rows << " x " << b.cols << " x " << a.cols << ", " << n << " threads, strides "
                                            << a.rs << "," << a.cs << " " << b.rs << "," << b.cs << " " << got.rs << "," << got.cs;
  }
}

template <class T> void check_shape(Index M, Index N, Index K, Layout la, Layout lb, Layout lc, const std::vector<int>& threads) {
  std::mt19937 rng(static_cast<unsigned>(M * 7919 + N * 104729 + K));
  Matrix<T> a(M, K, la), b(K, N, lb);
  a.fill(rng);
  b.fill(rng);
  check(a, b, lc, threads);
}

class GemmTest : public ::testing::Test {
 protected:
  void TearDown() override {
    runtime::set_threads(before_);
    hwy::SetSupportedTargetsForTest(0);
  }
  int before_ = runtime::threads();
};

struct Shape {
  Index M, N, K;
};
const Shape kShapes[] = {{0, 3, 4},     {3, 0, 4},     {1, 1, 0},      {5, 9, 0},      {1, 1, 1},     {1, 17, 5},    {6, 16, 8},
                         {7, 16, 33},   {13, 8, 64},   {16, 64, 64},   {16, 10, 64},   {64, 64, 16},  {5, 33, 1},    {14, 32, 100},
                         {3, 7, 1023},  {2, 19, 1024}, {9, 5, 1025},   {4, 40, 2048},  {6, 6, 2049},  {25, 6, 3073}, {11, 21, 5000},
                         {97, 130, 70}, {130, 97, 513}, {200, 260, 40}, {1030, 35, 600}, {70, 1040, 530}, {40, 300, 2100}};

template <class T> class GemmTyped : public GemmTest {};
using Floats = ::testing::Types<float, double>;
TYPED_TEST_SUITE(GemmTyped, Floats);

TYPED_TEST(GemmTyped, ShapesMatchTheDefinition) {
  for (auto [M, N, K] : kShapes)
    ASSERT_NO_FATAL_FAILURE(check_shape<TypeParam>(M, N, K, Layout::rows, Layout::rows, Layout::rows, {1, 2, 7}));
}

TYPED_TEST(GemmTyped, EveryLayoutMatchesTheDefinition) {
  const Layout all[] = {Layout::rows, Layout::columns, Layout::padded_rows, Layout::padded_columns, Layout::strided};
  for (auto [M, N, K] : {Shape{7, 19, 37}, Shape{16, 32, 64}, Shape{23, 37, 1100}, Shape{130, 90, 140}})
    for (auto la : all)
      for (auto lb : all)
        for (auto lc : all) ASSERT_NO_FATAL_FAILURE(check_shape<TypeParam>(M, N, K, la, lb, lc, {2}));
}

TYPED_TEST(GemmTyped, SweepOfSmallSizes) {
  for (Index M : {1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 14, 15, 29})
    for (Index N : {1, 2, 4, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 49})
      for (Index K : {1, 3, 4, 5, 17, 64})
        for (auto layout : {Layout::rows, Layout::columns})
          ASSERT_NO_FATAL_FAILURE(check_shape<TypeParam>(M, N, K, layout, layout, Layout::padded_rows, {1}));
}

TYPED_TEST(GemmTyped, NarrowerCodeGivesTheSameBits) {  // one lane, and AVX2 where the processor has it
  const bool avx2 = (hwy::SupportedTargets() & HWY_AVX2) != 0;
  for (const bool one_lane : {true, false}) {
    if (!one_lane && !avx2) break;
    hwy::SetSupportedTargetsForTest(one_lane ? HWY_STATIC_TARGET : HWY_AVX2);
    for (auto [M, N, K] : {Shape{7, 19, 37}, Shape{16, 32, 64}, Shape{23, 37, 2100}, Shape{130, 95, 110}})
      for (auto layout : {Layout::rows, Layout::columns, Layout::strided})
        ASSERT_NO_FATAL_FAILURE(check_shape<TypeParam>(M, N, K, layout, layout, layout, {1, 2}));
  }
}

TYPED_TEST(GemmTyped, SpecialValuesFollowTheDefinition) {
  using T = TypeParam;
  constexpr T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  const T special[] = {inf, -inf, nan, T(0), -T(0), std::numeric_limits<T>::denorm_min(), -std::numeric_limits<T>::min(),
                       std::numeric_limits<T>::max(), T(1), T(-1)};
  std::mt19937 rng(5);
  for (auto [M, N, K] : {Shape{9, 20, 3}, Shape{40, 40, 30}, Shape{13, 17, 2500}, Shape{110, 110, 110}})
    for (unsigned rarity : {1u, 50u}) {
      Matrix<T> a(M, K, Layout::rows), b(K, N, Layout::columns);
      a.fill(rng);
      b.fill(rng);
      for (auto* m : {&a, &b})
        for (Index i = 0; i < m->rows; ++i)
          for (Index j = 0; j < m->cols; ++j)
            if (rng() % rarity == 0) m->at(i, j) = special[rng() % std::size(special)];
      ASSERT_NO_FATAL_FAILURE(check(a, b, Layout::rows, {1, 2}));
    }
}

TYPED_TEST(GemmTyped, NoResultIsMinusZero) {
  using T = TypeParam;
  for (Index K : {1, 2, 1500}) {
    Matrix<T> a(8, K, Layout::rows), b(K, 32, Layout::rows), c(8, 32, Layout::rows);
    for (Index k = 0; k < K; ++k) {
      for (Index i = 0; i < 8; ++i) a.at(i, k) = -std::numeric_limits<T>::denorm_min();
      for (Index j = 0; j < 32; ++j) b.at(k, j) = T(0.25);  // each term rounds to -0
    }
    gemm(8, 32, K, a.cref(), b.cref(), c.ref());
    for (Index i = 0; i < 8; ++i)
      for (Index j = 0; j < 32; ++j) {
        ASSERT_EQ(c.at(i, j), T(0));
        ASSERT_FALSE(std::signbit(c.at(i, j)));
      }
  }
}

template <class T> class GemmNarrow : public GemmTest {};
using Narrow = ::testing::Types<bfloat16, float16>;
TYPED_TEST_SUITE(GemmNarrow, Narrow);

TYPED_TEST(GemmNarrow, AccumulatesInF32AndRoundsOnce) {
  for (auto [M, N, K] : {Shape{0, 2, 3}, Shape{5, 9, 0}, Shape{7, 19, 37}, Shape{16, 32, 64}, Shape{23, 37, 2100}, Shape{130, 90, 140}})
    for (auto layout : {Layout::rows, Layout::columns, Layout::strided})
      ASSERT_NO_FATAL_FAILURE(check_shape<TypeParam>(M, N, K, layout, layout, layout, {1, 2}));
}

template <class T> class GemmInteger : public GemmTest {};
using Integers = ::testing::Types<std::int32_t, std::int64_t>;
TYPED_TEST_SUITE(GemmInteger, Integers);

TYPED_TEST(GemmInteger, WrapsAround) {
  for (auto [M, N, K] : {Shape{0, 2, 3}, Shape{5, 9, 0}, Shape{7, 19, 37}, Shape{3, 5, 1100}})
    for (auto layout : {Layout::rows, Layout::columns, Layout::strided})
      ASSERT_NO_FATAL_FAILURE(check_shape<TypeParam>(M, N, K, layout, layout, layout, {1}));
}

template <class T> class GemmBatched : public GemmTest {};
using Batched = ::testing::Types<float, double, bfloat16, float16, std::int32_t, std::int64_t>;
TYPED_TEST_SUITE(GemmBatched, Batched);

TYPED_TEST(GemmBatched, EachItemIsAProduct) {
  using T = TypeParam;
  struct Case {
    Index batch;
    Shape s;
    bool share_a, share_b;
  };
  for (const Case& t : {Case{0, {3, 4, 5}, false, false}, Case{3, {5, 9, 7}, false, false}, Case{4, {5, 9, 7}, true, false},
                        Case{4, {5, 9, 7}, false, true}, Case{5, {1, 20, 30}, false, true}, Case{2, {6, 16, 0}, false, false},
                        Case{9, {40, 30, 50}, false, false}, Case{3, {8, 4, 6}, true, true}}) {
    const auto [M, N, K] = t.s;
    std::mt19937 rng(11);
    Matrix<T> a(t.batch * M, K, Layout::rows), b(t.batch * K, N, Layout::rows);
    a.fill(rng);
    b.fill(rng);
    const Index sa = t.share_a ? 0 : M * K, sb = t.share_b ? 0 : K * N;
    for (int n : {1, 2, 7}) {
      runtime::set_threads(n);
      Matrix<T> got(t.batch * M, N, Layout::rows), expected(t.batch * M, N, Layout::rows);
      for (Index i = 0; i < t.batch; ++i)
        test::reference_gemm<T>(M, N, K, {a.data() + i * sa, K, 1}, {b.data() + i * sb, N, 1}, {expected.data() + i * M * N, N, 1});
      gemm_batched<T>(t.batch, M, N, K, a.cref(), sa, b.cref(), sb, got.ref(), M * N);
      ASSERT_TRUE(same_memory(got, expected)) << t.batch << " of " << M << " x " << N << " x " << K << ", " << n << " threads";
    }
  }
}

// A product's rows do not depend on how many rows there are.
TEST_F(GemmTest, ARowIsTheSameInAnyBatch) {
  std::mt19937 rng(3);
  Matrix<float> a(300, 1500, Layout::rows), b(1500, 70, Layout::columns), whole(300, 70, Layout::rows);
  a.fill(rng);
  b.fill(rng);
  gemm(300, 70, 1500, a.cref(), b.cref(), whole.ref());
  for (Index i : {0, 1, 13, 150, 299}) {
    Matrix<float> row(1, 70, Layout::rows);
    gemm(1, 70, 1500, {a.data() + i * a.rs, a.rs, 1}, b.cref(), row.ref());
    for (Index j = 0; j < 70; ++j) ASSERT_TRUE(same_bits(row.at(0, j), whole.at(i, j)));
  }
}

}  // namespace
}  // namespace adjoint::kernels
