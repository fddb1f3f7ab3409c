// scalar_compare.cpp: comparisons (IEEE: every one with NaN is false, but ne), where, and clamp on integers.
// Not the bit operations: scalar_integers.cpp.
#include "kernels/cpu/simd_setup.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/scalar_compare.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/scalar_loops-inl.hpp"

#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace adjoint::cpu::HWY_NAMESPACE {
namespace {

template <class T>
void where_loop(void* dst, const void* condition, const void* a, const void* b, std::size_t n) {
  const Byte* c = static_cast<const Byte*>(condition);
  const T *x = static_cast<const T*>(a), *z = static_cast<const T*>(b);
  T* y = static_cast<T*>(dst);
#pragma GCC ivdep
  for (std::size_t i = 0; i < n; ++i) {
    const T yes = x[i], no = z[i];
    y[i] = c[i] ? yes : no;
  }
}

template <class T>
void compare(KernelTable& t, DType d) {
  const auto two = [&](std::string_view name, auto f) { t.set(name, d, &plain_loop2<T, Byte, decltype(f)>); };
  two("eq", [](T a, T b) { return static_cast<Byte>(a == b); });
  two("ne", [](T a, T b) { return static_cast<Byte>(a != b); });
  two("lt", [](T a, T b) { return static_cast<Byte>(a < b); });
  two("le", [](T a, T b) { return static_cast<Byte>(a <= b); });
  two("gt", [](T a, T b) { return static_cast<Byte>(a > b); });
  two("ge", [](T a, T b) { return static_cast<Byte>(a >= b); });
}
template <class T>
void clamp(KernelTable& t) {
  const auto f = [](T x, T lo, T hi) {
    const T y = x < lo ? lo : x;
    return y > hi ? hi : y;
  };
  t.set("clamp", dtype_of<T>, &plain_loop3<T, decltype(f)>);
}

}  // namespace

static void comparisons(KernelTable& t) {
  compare<double>(t, DType::f64);
  for (const DType d : {DType::f32, DType::bf16, DType::f16}) compare<float>(t, d);
  compare<std::int64_t>(t, DType::i64);
  compare<std::int32_t>(t, DType::i32);
  compare<std::int8_t>(t, DType::i8);
  compare<std::uint8_t>(t, DType::u8);
  compare<Byte>(t, DType::bool_);
  clamp<std::int64_t>(t);
  clamp<std::int32_t>(t);
  clamp<std::int8_t>(t);
  clamp<std::uint8_t>(t);
  // Selection moves bits, so that the element's size is all that matters.
  t.set("where", DType::f64, &where_loop<std::int64_t>);
  t.set("where", DType::i64, &where_loop<std::int64_t>);
  for (const DType d : {DType::f32, DType::bf16, DType::f16, DType::i32}) t.set("where", d, &where_loop<std::int32_t>);
  for (const DType d : {DType::i8, DType::u8, DType::bool_}) t.set("where", d, &where_loop<Byte>);
}

}  // namespace adjoint::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace adjoint::cpu {
HWY_EXPORT(comparisons);
void fill_compare(KernelTable& table) { HWY_DYNAMIC_DISPATCH(comparisons)(table); }
}  // namespace adjoint::cpu
#endif  // HWY_ONCE
