// gemm_tile-inl.hpp: the register tile: R rows by V vectors of fma chains over a run of K, for one instruction set.
// Included once for each target by gemm.cpp and conv.cpp. Not where operands are packed or results are joined.
#if defined(ADJOINT_GEMM_TILE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ADJOINT_GEMM_TILE_INL
#undef ADJOINT_GEMM_TILE_INL
#else
#define ADJOINT_GEMM_TILE_INL
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace adjoint::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T> using Tag = hn::ScalableTag<T>;
template <class T> using Vec = hn::Vec<Tag<T>>;
template <class T> inline constexpr int kLanes = static_cast<int>(HWY_LANES(T));

// Accumulators must fit the register file beside V vectors of B and one of A: 12 of 16 on AVX2, 28 of 32 on AVX-512.
inline constexpr int kVecs = 2;
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
inline constexpr int kRows = 14;
#elif HWY_TARGET == HWY_AVX2
inline constexpr int kRows = 6;
#else
inline constexpr int kRows = 4;
#endif
template <class T> inline constexpr int kCols = kVecs * kLanes<T>;
// Half a vector, where that is a vector too and few columns are common.
template <class T> inline constexpr int kHalf = kLanes<T> >= 8 ? kLanes<T> / 2 : kLanes<T>;

#if HWY_TARGET == HWY_SCALAR
// Highway's one-lane MulAdd rounds twice.
template <class T> HWY_INLINE hn::Vec1<T> fma(hn::Vec1<T> a, hn::Vec1<T> b, hn::Vec1<T> c) {
  return hn::Vec1<T>(std::fma(a.raw, b.raw, c.raw));
}
#else
template <class V> HWY_INLINE V fma(V a, V b, V c) { return hn::MulAdd(a, b, c); }
#endif

// Readers of operand A: one scalar for each row of the tile and each k.
template <class T> struct StridedRows {  // element (r, k) at p + r * row + k * step
  const T* HWY_RESTRICT p;
  std::int64_t row, step;
  HWY_INLINE T at(int r) const { return p[r * row]; }
  HWY_INLINE void next() { p += step; }
};
template <class T, int R> struct PackedRows {  // a panel [k][R]; many of them pass, from beyond L2, so lines are asked for in time
  const T* HWY_RESTRICT p;
  HWY_INLINE T at(int r) const { return p[r]; }
  HWY_INLINE void next() {
    __builtin_prefetch(p + 40 * R);
    p += R;
  }
};
template <class T, int R> struct OffsetRows {  // element (r, k) at base + row[r] + offset[k]
  const T* HWY_RESTRICT base;
  const std::int64_t* HWY_RESTRICT row;
  const std::int64_t* HWY_RESTRICT offset;
  HWY_INLINE T at(int r) const { return base[*offset + row[r]]; }
  HWY_INLINE void next() { ++offset; }
};

// Readers of operand B: V vectors for each k.
template <class T> struct RowVectors {  // contiguous columns, rows `step` apart
  const T* HWY_RESTRICT p;
  std::int64_t step;
  HWY_INLINE Vec<T> at(int v) const { return hn::LoadU(Tag<T>(), p + v * kLanes<T>); }
  HWY_INLINE void next() { p += step; }
};
template <class T, int V> struct OffsetVectors {  // vector v at base[v] + offset[k]
  const T* HWY_RESTRICT base[V];
  const std::int64_t* HWY_RESTRICT offset;
  HWY_INLINE Vec<T> at(int v) const { return hn::LoadU(Tag<T>(), base[v] + *offset); }
  HWY_INLINE void next() { ++offset; }
};

// Cache lines that are wanted in L2 soon: `runs` runs of `length` lines, lines `step` bytes apart, runs `jump` bytes apart. A tile asks
// for one line with each step of its chain, so that who packs them next finds them near.
struct Ahead {
  const char *at = nullptr, *run = nullptr;
  std::int64_t step = 0, length = 0, jump = 0, runs = 0, left = INT64_MAX;
  Ahead() = default;
  Ahead(const void* from, std::int64_t line_step, std::int64_t lines_a_run, std::int64_t run_jump, std::int64_t run_count)
      : at(static_cast<const char*>(from)), run(at), step(line_step), length(lines_a_run), jump(run_jump), runs(run_count), left(lines_a_run) {}
  std::int64_t lines() const { return runs * length; }
  HWY_INLINE void ask(std::int64_t i) const { __builtin_prefetch(at + i * step, 0, 2); }
  // The first n of the lines that are left of this run have been asked for; after the last run the last line is asked for again.
  HWY_INLINE void took(std::int64_t n) {
    at += n * step;
    if ((left -= n) > 0) return;
    if (--runs > 0) run += jump, at = run, left = length;
    else at -= step, step = 0, left = INT64_MAX;
  }
};
struct NothingAhead {
  static constexpr std::int64_t left = INT64_MAX;
  HWY_INLINE void ask(std::int64_t) const {}
  HWY_INLINE void took(std::int64_t) const {}
};

// to[v] + r * ld = the chain over n steps, begun at +0, plus +0. (A zero's sign never reaches a result, because every
// result ends with + (+0); so a block's may be cleared early, and one form of the tile serves all.)
template <int R, int V, class T, class A, class B, class H>
HWY_INLINE void run_tile(A a, B b, std::int64_t n, T* const (&to)[V], std::int64_t ld, H&& ahead) {
  const Tag<T> d;
  Vec<T> acc[R][V];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) acc[r][v] = hn::Zero(d);
  while (n > 0) {
    const std::int64_t some = std::min<std::int64_t>(n, ahead.left);
    for (std::int64_t k = 0; k < some; ++k) {
      ahead.ask(k);
      Vec<T> bv[V];
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) bv[v] = b.at(v);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const Vec<T> ar = hn::Set(d, a.at(r));
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) acc[r][v] = fma(ar, bv[v], acc[r][v]);
      }
      a.next();
      b.next();
    }
    ahead.took(some);
    n -= some;
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) hn::StoreU(hn::Add(acc[r][v], hn::Zero(d)), d, to[v] + r * ld);
}
template <int R, int V, class T, class A, class B>
HWY_INLINE void run_tile(A a, B b, std::int64_t n, T* const (&to)[V], std::int64_t ld) {
  run_tile<R, V, T>(a, b, n, to, ld, NothingAhead());
}
// The same to vectors that stand side by side.
template <int R, int V, class T, class A, class B, class H = NothingAhead>
HWY_INLINE void run_tile(A a, B b, std::int64_t n, T* to, std::int64_t ld, H&& ahead = {}) {
  T* side[V];
  for (int v = 0; v < V; ++v) side[v] = to + v * kLanes<T>;
  run_tile<R, V, T>(a, b, n, side, ld, ahead);
}

// ---- chains in stretches: where the operands of consecutive k's do not follow one another ----

// n steps of a chain: rows read from position a on, vectors from b on.
struct Stretch {
  std::int64_t a, b, n;
};

// Rows anywhere, each with the same stretches behind it.
template <class T, int R> struct PixelRows {
  const T* p[R];
  HWY_INLINE explicit PixelRows(const T* const* rows) {
    for (int r = 0; r < R; ++r) p[r] = rows[r];
  }
  HWY_INLINE T at(int r, std::int64_t k) const { return p[r][k]; }
};
// Rows that stand side by side.
template <class T> struct SideRows {
  const T* p;
  HWY_INLINE T at(int r, std::int64_t k) const { return p[k + r]; }
};

// to[r] = the chain over all stretches, plus +0, W columns wide; a stretch moves on by a_step in the rows and by W in b.
// W is a number of whole vectors or a part of one: few columns waste fewer lanes then.
template <int R, int W, class T, class Rows>
HWY_INLINE void run_stretches(const Rows& rows, const T* HWY_RESTRICT b, std::int64_t a_step, const Stretch* s, std::int64_t count, T* const* to) {
  constexpr int L = std::min(W, kLanes<T>), V = W / L;
  const hn::FixedTag<T, L> d;
  hn::Vec<hn::FixedTag<T, L>> acc[R][V];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) acc[r][v] = hn::Zero(d);
  for (; count > 0; --count, ++s) {
    const T* HWY_RESTRICT bp = b + s->b;
    std::int64_t k = s->a;
    for (std::int64_t n = s->n; n > 0; --n, k += a_step, bp += W) {
      hn::Vec<hn::FixedTag<T, L>> bv[V];
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) bv[v] = hn::LoadU(d, bp + v * L);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const auto ar = hn::Set(d, rows.at(r, k));
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) acc[r][v] = fma(ar, bv[v], acc[r][v]);
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) hn::StoreU(hn::Add(acc[r][v], hn::Zero(d)), d, to[r] + v * L);
}

// Calls f(integral_constant<int, rows>) for rows in [1, R]: the step from a number to a compiled tile.
template <int R, class F> HWY_INLINE void with_rows(int rows, const F& f) {
  if constexpr (R > 1) {
    if (rows < R) return with_rows<R - 1>(rows, f);
  }
  f(std::integral_constant<int, R>());
}

}  // namespace adjoint::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
