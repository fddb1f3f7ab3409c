// reduce_lanes.cpp: sums and the like over blocks in 16 lanes, and over columns.
// Not the tree that joins blocks: reduce.cpp.
#include "kernels/cpu/reduce_lanes.hpp"

#include "kernels/cpu/simd_setup.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/reduce_lanes.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/scalar_loops-inl.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>

HWY_BEFORE_NAMESPACE();
namespace adjoint::cpu::HWY_NAMESPACE {
namespace {

// ---- the operations, on vectors and on single integers ----

template <class T>
using Wrapped = std::make_unsigned_t<std::conditional_t<(sizeof(T) < 4), std::int32_t, T>>;

struct Sum {
  template <class T> static constexpr T neutral() { return T(0); }
  template <class V> HWY_INLINE V operator()(V a, V b) const { return hn::Add(a, b); }
  template <class T> static T integer(T a, T b) { return static_cast<T>(Wrapped<T>(a) + Wrapped<T>(b)); }
};
struct Prod {
  template <class T> static constexpr T neutral() { return T(1); }
  template <class V> HWY_INLINE V operator()(V a, V b) const { return hn::Mul(a, b); }
  template <class T> static T integer(T a, T b) { return static_cast<T>(Wrapped<T>(a) * Wrapped<T>(b)); }
};
struct Amax {  // NaN wins, -0 is below +0, as in maximum
  template <class T> static constexpr T neutral() {
    return std::is_floating_point_v<T> ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::min();
  }
  template <class V> HWY_INLINE V operator()(V a, V b) const {
    const V m = hn::IfThenElse(hn::Eq(a, b), hn::And(a, b), max_or_second(a, b));
    return hn::IfThenElse(hn::IsNaN(a), a, m);
  }
  template <class T> static T integer(T a, T b) { return a > b ? a : b; }
};
struct Amin {
  template <class T> static constexpr T neutral() {
    return std::is_floating_point_v<T> ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
  }
  template <class V> HWY_INLINE V operator()(V a, V b) const {
    const V m = hn::IfThenElse(hn::Eq(a, b), hn::Or(a, b), min_or_second(a, b));
    return hn::IfThenElse(hn::IsNaN(a), a, m);
  }
  template <class T> static T integer(T a, T b) { return a < b ? a : b; }
};
struct Any {
  template <class T> static constexpr T neutral() { return T(0); }
  template <class T> static T integer(T a, T b) { return static_cast<T>(a | b); }
};
struct All {
  template <class T> static constexpr T neutral() { return T(1); }
  template <class T> static T integer(T a, T b) { return static_cast<T>(a & b); }
};

// ---- floats: the lanes are vectors ----

template <class T, class Op>
struct FloatLanes {
  static constexpr std::size_t kWidth = HWY_MIN(HWY_LANES(T), kReduceLanes);  // of a vector
  static constexpr std::size_t kVectors = kReduceLanes / kWidth;              // to a group of 16
  using D = hn::CappedTag<T, kWidth>;
  using V = hn::Vec<D>;

  /// The first lane of a vector after joining l with l + width/2, ..., l + 1.
  template <class W>
  static HWY_INLINE T join_vector(W v) {
#if HWY_TARGET != HWY_SCALAR
    constexpr std::size_t n = hn::MaxLanes(hn::DFromV<W>{});
    if constexpr (n * sizeof(T) > 16) {
      const hn::Half<hn::DFromV<W>> half;
      return join_vector(Op{}(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
    } else if constexpr (n == 4) {
      v = Op{}(v, hn::Shuffle1032(v));
      return hn::GetLane(Op{}(v, hn::Shuffle2301(v)));
    } else if constexpr (n == 2) {
      return hn::GetLane(Op{}(v, hn::Shuffle01(v)));
    }
#endif
    return hn::GetLane(v);
  }
  static HWY_INLINE T join(V (&lane)[kVectors]) {
    for (std::size_t half = kVectors / 2; half > 0; half /= 2)
      for (std::size_t v = 0; v < half; ++v) lane[v] = Op{}(lane[v], lane[v + half]);
    return join_vector(lane[0]);
  }

  /// M blocks side by side, so that no chain waits for itself.
  template <int M>
  static HWY_INLINE void blocks(const T* const* x, std::int64_t n, T* out) {
    const D d;
    V lane[M][kVectors];
    for (auto& l : lane)
      for (auto& v : l) v = hn::Set(d, Op::template neutral<T>());
    std::int64_t i = 0;
    for (; i + kReduceLanes <= n; i += kReduceLanes)
      for (int m = 0; m < M; ++m)
        for (std::size_t v = 0; v < kVectors; ++v)
          lane[m][v] = Op{}(lane[m][v], hn::LoadU(d, x[m] + i + static_cast<std::int64_t>(v * kWidth)));
    if (i < n) {  // absent elements are neutral, which changes no lane
      const V absent = hn::Set(d, Op::template neutral<T>());
      for (std::size_t v = 0; v < kVectors; ++v) {
        const std::int64_t left = n - i - static_cast<std::int64_t>(v * kWidth);
        if (left <= 0) break;
        const auto mask = hn::FirstN(d, static_cast<std::size_t>(left));
        for (int m = 0; m < M; ++m) {
          const V x_v = hn::MaskedLoad(mask, d, x[m] + i + static_cast<std::int64_t>(v * kWidth));
          lane[m][v] = Op{}(lane[m][v], hn::IfThenElse(mask, x_v, absent));
        }
      }
    }
    for (int m = 0; m < M; ++m) out[m] = join(lane[m]);
  }
  static void block(const T* x, std::int64_t n, T* out) { blocks<1>(&x, n, out); }
  static void block4(const T* const* x, std::int64_t n, T* out) { blocks<4>(x, n, out); }

  /// Four blocks in pieces; pieces are far apart, so lines of later ones are asked for.
  static void pieces4(const T* const* x, const Piece* piece, std::int64_t count, T* out) {
    constexpr int M = 4;
    const D d;
    V lane[M][kVectors];
    for (auto& l : lane)
      for (auto& v : l) v = hn::Set(d, Op::template neutral<T>());
    const std::int64_t ahead = std::max<std::int64_t>(1, 512 / piece[0].length);
    for (std::int64_t p = 0; p < count; ++p) {
      const T *x0 = x[0] + piece[p].offset, *x1 = x[1] + piece[p].offset, *x2 = x[2] + piece[p].offset, *x3 = x[3] + piece[p].offset;
      const T* const from[M] = {x0, x1, x2, x3};
      const std::int64_t later = piece[std::min(p + ahead, count - 1)].offset - piece[p].offset;
      for (std::int64_t i = 0; i < piece[p].length; i += kReduceLanes)
        for (int m = 0; m < M; ++m) {
          __builtin_prefetch(from[m] + later + i);
          for (std::size_t v = 0; v < kVectors; ++v) lane[m][v] = Op{}(lane[m][v], hn::LoadU(d, from[m] + i + static_cast<std::int64_t>(v * kWidth)));
        }
    }
    for (int m = 0; m < M; ++m) out[m] = join(lane[m]);
  }

  /// f(d, i) for whole vectors of columns, then for single ones.
  template <class F>
  static HWY_INLINE void columns(std::int64_t w, F f) {
    constexpr auto kStep = static_cast<std::int64_t>(kWidth);
    std::int64_t c = 0;
    for (; c + kStep <= w; c += kStep) f(D{}, c);
    for (; c < w; ++c) f(hn::CappedTag<T, 1>{}, c);
  }
  static void first(T* lane, const T* x, std::int64_t w) {
    columns(w, [&](auto d, std::int64_t c) {
      hn::StoreU(Op{}(hn::Set(d, Op::template neutral<T>()), hn::LoadU(d, x + c)), d, lane + c);
    });
  }
  static void next(T* lane, const T* x, std::int64_t w) {
    columns(w, [&](auto d, std::int64_t c) {
      hn::StoreU(Op{}(hn::LoadU(d, lane + c), hn::LoadU(d, x + c)), d, lane + c);
    });
  }
  static void next4(T* lane, const T* const* x, std::int64_t w) {
    const T *x0 = x[0], *x1 = x[1], *x2 = x[2], *x3 = x[3];
    columns(w, [&](auto d, std::int64_t c) {
      auto v = Op{}(Op{}(hn::LoadU(d, lane + c), hn::LoadU(d, x0 + c)), hn::LoadU(d, x1 + c));
      v = Op{}(Op{}(v, hn::LoadU(d, x2 + c)), hn::LoadU(d, x3 + c));
      hn::StoreU(v, d, lane + c);
    });
  }
};

// ---- integers: any order gives the same ----

template <class T, class Op>
struct IntegerLanes {
  static void block(const T* x, std::int64_t n, T* out) {
    T y = Op::template neutral<T>();
    for (std::int64_t i = 0; i < n; ++i) y = Op::integer(y, x[i]);
    *out = y;
  }
  static void block4(const T* const* x, std::int64_t n, T* out) {
    for (int m = 0; m < 4; ++m) block(x[m], n, out + m);
  }
  static void pieces4(const T* const* x, const Piece* piece, std::int64_t count, T* out) {
    for (int m = 0; m < 4; ++m) {
      out[m] = Op::template neutral<T>();
      for (std::int64_t p = 0; p < count; ++p)
        for (std::int64_t i = 0; i < piece[p].length; ++i) out[m] = Op::integer(out[m], x[m][piece[p].offset + i]);
    }
  }
  static void first(T* lane, const T* x, std::int64_t w) { std::copy_n(x, w, lane); }
  static void next(T* lane, const T* x, std::int64_t w) {
#pragma GCC ivdep
    for (std::int64_t c = 0; c < w; ++c) lane[c] = Op::integer(lane[c], x[c]);
  }
  static void next4(T* lane, const T* const* x, std::int64_t w) {
    for (int m = 0; m < 4; ++m) next(lane, x[m], w);
  }
};

template <class T, class Op>
constexpr LaneKernels<T> kernels_of() {
  using L = typename std::conditional_t<std::is_floating_point_v<T>, FloatLanes<T, Op>, IntegerLanes<T, Op>>;
  return {Op::template neutral<T>(), &L::block, &L::block4, &L::pieces4, &L::first, &L::next, &L::next4};
}
template <class T>
const LaneKernels<T>* select(ReduceOp op) {
  static constexpr LaneKernels<T> kFour[] = {kernels_of<T, Sum>(), kernels_of<T, Prod>(), kernels_of<T, Amax>(),
                                             kernels_of<T, Amin>()};
  if constexpr (std::is_same_v<T, std::uint8_t>) {
    static constexpr LaneKernels<T> kTwo[] = {kernels_of<T, Any>(), kernels_of<T, All>()};
    if (op == ReduceOp::any) return &kTwo[0];
    if (op == ReduceOp::all) return &kTwo[1];
  }
  return &kFour[static_cast<int>(op)];
}

}  // namespace

static const LaneKernels<float>* f32_lanes(ReduceOp op) { return select<float>(op); }
static const LaneKernels<double>* f64_lanes(ReduceOp op) { return select<double>(op); }
static const LaneKernels<std::int64_t>* i64_lanes(ReduceOp op) { return select<std::int64_t>(op); }
static const LaneKernels<std::int32_t>* i32_lanes(ReduceOp op) { return select<std::int32_t>(op); }
static const LaneKernels<std::int8_t>* i8_lanes(ReduceOp op) { return select<std::int8_t>(op); }
static const LaneKernels<std::uint8_t>* u8_lanes(ReduceOp op) { return select<std::uint8_t>(op); }

}  // namespace adjoint::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace adjoint::cpu {
HWY_EXPORT(f32_lanes);
HWY_EXPORT(f64_lanes);
HWY_EXPORT(i64_lanes);
HWY_EXPORT(i32_lanes);
HWY_EXPORT(i8_lanes);
HWY_EXPORT(u8_lanes);
template <> const LaneKernels<float>& lane_kernels(ReduceOp op) { return *HWY_DYNAMIC_DISPATCH(f32_lanes)(op); }
template <> const LaneKernels<double>& lane_kernels(ReduceOp op) { return *HWY_DYNAMIC_DISPATCH(f64_lanes)(op); }
template <> const LaneKernels<std::int64_t>& lane_kernels(ReduceOp op) { return *HWY_DYNAMIC_DISPATCH(i64_lanes)(op); }
template <> const LaneKernels<std::int32_t>& lane_kernels(ReduceOp op) { return *HWY_DYNAMIC_DISPATCH(i32_lanes)(op); }
template <> const LaneKernels<std::int8_t>& lane_kernels(ReduceOp op) { return *HWY_DYNAMIC_DISPATCH(i8_lanes)(op); }
template <> const LaneKernels<std::uint8_t>& lane_kernels(ReduceOp op) { return *HWY_DYNAMIC_DISPATCH(u8_lanes)(op); }
}  // namespace adjoint::cpu
#endif  // HWY_ONCE
