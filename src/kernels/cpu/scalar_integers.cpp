// scalar_integers.cpp: arithmetic and bit operations on integers and bool. Integers wrap; nothing is undefined.
// Not comparisons or selection: scalar_compare.cpp.
#include "kernels/cpu/simd_setup.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/scalar_integers.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/scalar_loops-inl.hpp"

#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

HWY_BEFORE_NAMESPACE();
namespace adjoint::cpu::HWY_NAMESPACE {
namespace {

/// The unsigned type in which T's arithmetic wraps (at least 32 bits, because smaller types promote to int).
template <class T>
using Wrap = std::make_unsigned_t<std::conditional_t<(sizeof(T) < 4), std::int32_t, T>>;
template <class T>
constexpr Wrap<T> wrap(T x) { return static_cast<Wrap<T>>(x); }

template <class T>
constexpr T power(T base, T exponent) {
  if constexpr (std::is_signed_v<T>) {
    if (exponent < 0) return base == 1 ? T(1) : base == -1 ? T(exponent % 2 ? -1 : 1) : T(0);
  }
  Wrap<T> result = 1, factor = wrap(base);
  for (auto e = static_cast<std::make_unsigned_t<T>>(exponent); e; e = static_cast<decltype(e)>(e >> 1)) {
    if (e & 1) result *= factor;
    factor *= factor;
  }
  return static_cast<T>(result);
}
template <class T>
constexpr T greatest_divisor(T x, T y) {
  Wrap<T> a = x < 0 ? Wrap<T>(0) - wrap(x) : wrap(x), b = y < 0 ? Wrap<T>(0) - wrap(y) : wrap(y);
  while (b) {
    const Wrap<T> r = a % b;
    a = b;
    b = r;
  }
  return static_cast<T>(a);
}
/// a % b with the sign of a; 0 for b = 0; the least integer by -1 gives 0.
template <class T>
constexpr T rest(T a, T b) {
  if (b == 0) return 0;
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return 0;
  }
  return static_cast<T>(a % b);
}
template <class T>
constexpr T quotient(T a, T b) {
  if (b == 0) return 0;
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return static_cast<T>(Wrap<T>(0) - wrap(a));
  }
  const T r = rest(a, b), q = static_cast<T>(a / b);
  return r != 0 && (r < 0) != (b < 0) ? static_cast<T>(q - 1) : q;
}

template <class T>
void arithmetic(KernelTable& t) {
  constexpr int kMask = static_cast<int>(sizeof(T)) * 8 - 1;
  using U = std::make_unsigned_t<T>;
  const auto one = [&](std::string_view name, auto f) { t.set(name, dtype_of<T>, &plain_loop1<T, T, decltype(f)>); };
  const auto two = [&](std::string_view name, auto f) { t.set(name, dtype_of<T>, &plain_loop2<T, T, decltype(f)>); };
  one("neg", [](T x) { return static_cast<T>(Wrap<T>(0) - wrap(x)); });
  one("abs", [](T x) { return x < 0 ? static_cast<T>(Wrap<T>(0) - wrap(x)) : x; });
  one("square", [](T x) { return static_cast<T>(wrap(x) * wrap(x)); });
  one("sign", [](T x) { return static_cast<T>((x > 0) - (x < 0)); });
  one("relu", [](T x) { return x > 0 ? x : T(0); });
  one("popcount", [](T x) { return static_cast<T>(std::popcount(static_cast<U>(x))); });
  two("add", [](T a, T b) { return static_cast<T>(wrap(a) + wrap(b)); });
  two("sub", [](T a, T b) { return static_cast<T>(wrap(a) - wrap(b)); });
  two("mul", [](T a, T b) { return static_cast<T>(wrap(a) * wrap(b)); });
  two("pow", [](T a, T b) { return power(a, b); });
  two("fmod", [](T a, T b) { return rest(a, b); });
  two("floor_divide", [](T a, T b) { return quotient(a, b); });
  two("remainder", [](T a, T b) {  // the sign of b
    const T r = rest(a, b);
    return r != 0 && (r < 0) != (b < 0) ? static_cast<T>(r + b) : r;
  });
  two("maximum", [](T a, T b) { return a > b ? a : b; });
  two("minimum", [](T a, T b) { return a < b ? a : b; });
  two("gcd", [](T a, T b) { return greatest_divisor(a, b); });
  // By any number of places: all bits leave, a sign stays. A negative number counts as a large one.
  two("shift_left", [](T a, T b) { return static_cast<std::uint64_t>(b) > kMask ? T(0) : static_cast<T>(wrap(a) << b); });
  two("shift_right", [](T a, T b) { return static_cast<T>(a >> (static_cast<std::uint64_t>(b) > kMask ? kMask : static_cast<int>(b))); });
}

template <class T>
void bits(KernelTable& t, DType d) {  // on bool's bytes these are the logical functions
  const auto two = [&](std::string_view name, auto f) { t.set(name, d, &plain_loop2<T, T, decltype(f)>); };
  two(d == DType::bool_ ? "logical_and" : "bitwise_and", [](T a, T b) { return static_cast<T>(a & b); });
  two(d == DType::bool_ ? "logical_or" : "bitwise_or", [](T a, T b) { return static_cast<T>(a | b); });
  two(d == DType::bool_ ? "logical_xor" : "bitwise_xor", [](T a, T b) { return static_cast<T>(a ^ b); });
  if (d == DType::bool_) {
    two("bitwise_and", [](T a, T b) { return static_cast<T>(a & b); });
    two("bitwise_or", [](T a, T b) { return static_cast<T>(a | b); });
    two("bitwise_xor", [](T a, T b) { return static_cast<T>(a ^ b); });
    const auto inverted = [](T x) { return static_cast<T>(x ^ 1); };
    t.set("logical_not", d, &plain_loop1<T, T, decltype(inverted)>);
    t.set("bitwise_not", d, &plain_loop1<T, T, decltype(inverted)>);
  } else {
    const auto inverted = [](T x) { return static_cast<T>(~x); };
    t.set("bitwise_not", d, &plain_loop1<T, T, decltype(inverted)>);
  }
}

}  // namespace

static void integers(KernelTable& t) {
  arithmetic<std::int64_t>(t);
  arithmetic<std::int32_t>(t);
  arithmetic<std::int8_t>(t);
  arithmetic<std::uint8_t>(t);
  bits<std::int64_t>(t, DType::i64);
  bits<std::int32_t>(t, DType::i32);
  bits<std::int8_t>(t, DType::i8);
  bits<std::uint8_t>(t, DType::u8);
  bits<Byte>(t, DType::bool_);
}

}  // namespace adjoint::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace adjoint::cpu {
HWY_EXPORT(integers);
void fill_integers(KernelTable& table) { HWY_DYNAMIC_DISPATCH(integers)(table); }
}  // namespace adjoint::cpu
#endif  // HWY_ONCE
