// scalar_loops-inl.hpp: the loops around a scalar function, and the few vector operations that Highway does not define
// alike for all instruction sets. Compiled once a set. Not where any function of the table stands.
#if defined(ADJOINT_SCALAR_LOOPS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ADJOINT_SCALAR_LOOPS_INL
#undef ADJOINT_SCALAR_LOOPS_INL
#else
#define ADJOINT_SCALAR_LOOPS_INL
#endif

#include <hwy/highway.h>

#include <cmath>
#include <cstddef>
#include <string_view>

#include "kernels/cpu/scalar_table.hpp"
#include "kernels/cpu/tiles.hpp"

HWY_BEFORE_NAMESPACE();
namespace adjoint::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// A function is a captureless lambda (d, x...) on Highway vectors, or (x...) on single elements.

/// Vectors of one turn of a loop: all of a group of 16 elements where the function is a few instructions, so that the
/// loop's own cost does not show; else one.
template <class T, bool kCheap>
constexpr std::size_t kTurn = kCheap ? static_cast<std::size_t>(kTilePad) / HWY_MIN(HWY_LANES(T), kTilePad) : 1;

template <class T, class F, bool kCheap = false>
void vector_loop1(void* dst, const void* a, const void*, const void*, std::size_t n) {
  const hn::ScalableTag<T> d;
  const T* x = static_cast<const T*>(a);
  T* y = static_cast<T*>(dst);
  for (std::size_t i = 0; i < n;)
    for (std::size_t turn = 0; turn < kTurn<T, kCheap>; ++turn, i += hn::Lanes(d))
      hn::StoreU(F{}(d, hn::LoadU(d, x + i)), d, y + i);
}
template <class T, class F, bool kCheap = false>
void vector_loop2(void* dst, const void* a, const void* b, const void*, std::size_t n) {
  const hn::ScalableTag<T> d;
  const T *x = static_cast<const T*>(a), *z = static_cast<const T*>(b);
  T* y = static_cast<T*>(dst);
  for (std::size_t i = 0; i < n;)
    for (std::size_t turn = 0; turn < kTurn<T, kCheap>; ++turn, i += hn::Lanes(d))
      hn::StoreU(F{}(d, hn::LoadU(d, x + i), hn::LoadU(d, z + i)), d, y + i);
}
template <class T, class F, bool kCheap = false>
void vector_loop3(void* dst, const void* a, const void* b, const void* c, std::size_t n) {
  const hn::ScalableTag<T> d;
  const T *x = static_cast<const T*>(a), *z = static_cast<const T*>(b), *w = static_cast<const T*>(c);
  T* y = static_cast<T*>(dst);
  for (std::size_t i = 0; i < n;)
    for (std::size_t turn = 0; turn < kTurn<T, kCheap>; ++turn, i += hn::Lanes(d))
      hn::StoreU(F{}(d, hn::LoadU(d, x + i), hn::LoadU(d, z + i), hn::LoadU(d, w + i)), d, y + i);
}

// Loops over single elements, which the compiler turns into vectors where it can. The pragma states what the
// contract of ScalarKernel does: dst is an operand or overlaps none.
template <class T, class R, class F>
void plain_loop1(void* dst, const void* a, const void*, const void*, std::size_t n) {
  const T* x = static_cast<const T*>(a);
  R* y = static_cast<R*>(dst);
#pragma GCC ivdep
  for (std::size_t i = 0; i < n; ++i) y[i] = F{}(x[i]);
}
template <class T, class R, class F>
void plain_loop2(void* dst, const void* a, const void* b, const void*, std::size_t n) {
  const T *x = static_cast<const T*>(a), *z = static_cast<const T*>(b);
  R* y = static_cast<R*>(dst);
#pragma GCC ivdep
  for (std::size_t i = 0; i < n; ++i) y[i] = F{}(x[i], z[i]);
}
template <class T, class F>
void plain_loop3(void* dst, const void* a, const void* b, const void* c, std::size_t n) {
  const T *x = static_cast<const T*>(a), *z = static_cast<const T*>(b), *w = static_cast<const T*>(c);
  T* y = static_cast<T*>(dst);
#pragma GCC ivdep
  for (std::size_t i = 0; i < n; ++i) y[i] = F{}(x[i], z[i], w[i]);
}

/// The element type that stands for bool: one byte, 0 or 1.
using Byte = std::uint8_t;

/// Enters the f32 kernel for f32 and for the two formats whose registers are f32.
inline void set_f32(KernelTable& t, std::string_view name, ScalarKernel k) {
  t.set(name, DType::f32, k);
  t.set(name, DType::bf16, k);
  t.set(name, DType::f16, k);
}
template <bool kCheap = false, class F>
void float1(KernelTable& t, std::string_view name, F) {
  set_f32(t, name, &vector_loop1<float, F, kCheap>);
  t.set(name, DType::f64, &vector_loop1<double, F, kCheap>);
}
template <bool kCheap = false, class F>
void float2(KernelTable& t, std::string_view name, F) {
  set_f32(t, name, &vector_loop2<float, F, kCheap>);
  t.set(name, DType::f64, &vector_loop2<double, F, kCheap>);
}
template <bool kCheap = false, class F>
void float3(KernelTable& t, std::string_view name, F) {
  set_f32(t, name, &vector_loop3<float, F, kCheap>);
  t.set(name, DType::f64, &vector_loop3<double, F, kCheap>);
}

// ---- vector operations, the same on every set ----

template <class D> using Lane = typename D::T;
/// The tag of vectors with as many lanes of another type.
template <class U, class D> HWY_INLINE typename D::template Rebind<U> retag(D) { return {}; }

/// a*b + c with one rounding.
template <class V>
HWY_INLINE V fma(V a, V b, V c) {
#if HWY_TARGET == HWY_SCALAR
  return V(std::fma(a.raw, b.raw, c.raw));
#else
  return hn::MulAdd(a, b, c);
#endif
}

/// a < b ? a : b, so that b is the result where either is NaN. (Highway leaves NaN to the set; x86 does this.)
template <class V>
HWY_INLINE V min_or_second(V a, V b) {
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
  return hn::Min(a, b);
#else
  return hn::IfThenElse(hn::Lt(a, b), a, b);
#endif
}
/// a > b ? a : b, so that b is the result where either is NaN.
template <class V>
HWY_INLINE V max_or_second(V a, V b) {
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
  return hn::Max(a, b);
#else
  return hn::IfThenElse(hn::Gt(a, b), a, b);
#endif
}

#if HWY_TARGET == HWY_SCALAR
template <class V> HWY_INLINE V round_even(V x) { return V(std::nearbyint(x.raw)); }
template <class V> HWY_INLINE V floor(V x) { return V(std::floor(x.raw)); }
template <class V> HWY_INLINE V ceil(V x) { return V(std::ceil(x.raw)); }
template <class V> HWY_INLINE V trunc(V x) { return V(std::trunc(x.raw)); }
template <class V> HWY_INLINE V sqrt(V x) { return V(std::sqrt(x.raw)); }
#else
template <class V> HWY_INLINE V round_even(V x) { return hn::Round(x); }
template <class V> HWY_INLINE V floor(V x) { return hn::Floor(x); }
template <class V> HWY_INLINE V ceil(V x) { return hn::Ceil(x); }
template <class V> HWY_INLINE V trunc(V x) { return hn::Trunc(x); }
template <class V> HWY_INLINE V sqrt(V x) { return hn::Sqrt(x); }
#endif

}  // namespace adjoint::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard of the chosen set
