// scalar_arithmetic.cpp: the loops of arithmetic-inl.hpp, the remainders, and the predicates.
// Not functions that need a polynomial: those are scalar_activations.cpp and scalar_sleef.cpp.
#include "kernels/cpu/simd_setup.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/scalar_arithmetic.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/arithmetic-inl.hpp"
#include "kernels/cpu/scalar_loops-inl.hpp"

#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

HWY_BEFORE_NAMESPACE();
namespace adjoint::cpu::HWY_NAMESPACE {
namespace {

constexpr bool kCheap = true;

void fill_unary(KernelTable& t) {
  float1<kCheap>(t, "neg", Negate{});
  float1<kCheap>(t, "abs", Absolute{});
  float1<kCheap>(t, "square", Square{});
  float1<kCheap>(t, "sqrt", SquareRoot{});
  float1<kCheap>(t, "reciprocal", Reciprocal{});
  float1<kCheap>(t, "rsqrt", ReciprocalRoot{});
  float1<kCheap>(t, "floor", Floor{});
  float1<kCheap>(t, "ceil", Ceil{});
  float1<kCheap>(t, "trunc", Trunc{});
  float1<kCheap>(t, "round", RoundEven{});
  float1<kCheap>(t, "relu", Relu{});
  float1<kCheap>(t, "sign", Sign{});
}

void fill_binary(KernelTable& t) {
  float2<kCheap>(t, "add", Add2{});
  float2<kCheap>(t, "sub", Subtract{});
  float2<kCheap>(t, "mul", Multiply{});
  float2<kCheap>(t, "div", Divide{});
  float2<kCheap>(t, "maximum", Maximum{});
  float2<kCheap>(t, "minimum", Minimum{});
  float2<kCheap>(t, "copysign", Copysign{});
  float3<kCheap>(t, "fma", Fma{});
  float3<kCheap>(t, "clamp", Clamp{});
}

// The C library's fmod is exact, hence the same everywhere.

struct Remainder {  // the sign of b, as in Python
  template <class T>
  T operator()(T a, T b) const {
    const T r = std::fmod(a, b);
    if (r == 0) return std::copysign(T(0), b);
    return std::signbit(r) != std::signbit(b) && !std::isinf(b) ? r + b : std::signbit(r) != std::signbit(b) ? b : r;
  }
};
struct FloorDivide {  // the integer q with a = q*b + remainder(a, b)
  template <class T>
  T operator()(T a, T b) const {
    if (b == 0 || std::isnan(a) || std::isnan(b) || std::isinf(a)) return a / b;
    T r = std::fmod(a, b), q = (a - r) / b;
    if (r != 0 && std::signbit(r) != std::signbit(b)) q -= 1;
    if (q == 0) return std::copysign(T(0), a / b);
    return std::nearbyint(q);  // a - r is a multiple of b up to its rounding
  }
};
struct NextAfter {
  template <class T>
  T operator()(T a, T b) const {
    using I = std::conditional_t<sizeof(T) == 8, std::int64_t, std::int32_t>;
    if (std::isnan(a) || std::isnan(b)) return a + b;
    if (a == b) return b;
    if (a == 0) return std::copysign(std::numeric_limits<T>::denorm_min(), b);
    const I i = std::bit_cast<I>(a);
    return std::bit_cast<T>(static_cast<I>((a < b) == (a > 0) ? i + 1 : i - 1));
  }
};

template <class F>
void element2(KernelTable& t, std::string_view name, F) {
  set_f32(t, name, &plain_loop2<float, float, F>);
  t.set(name, DType::f64, &plain_loop2<double, double, F>);
}

template <class T>
void fill_predicates(KernelTable& t, DType dt) {
  constexpr T inf = std::numeric_limits<T>::infinity();
  const auto set = [&](std::string_view name, auto f) { t.set(name, dt, &plain_loop1<T, Byte, decltype(f)>); };
  set("isnan", [](T x) { return static_cast<Byte>(x != x); });
  set("isinf", [](T x) { return static_cast<Byte>(std::fabs(x) == inf); });
  set("isfinite", [](T x) { return static_cast<Byte>(std::fabs(x) < inf); });
}

}  // namespace

static void arithmetic(KernelTable& t) {
  fill_unary(t);
  fill_binary(t);
  element2(t, "fmod", [](auto a, auto b) { return std::fmod(a, b); });
  element2(t, "remainder", Remainder{});
  element2(t, "floor_divide", FloorDivide{});
  t.set("nextafter", DType::f32, &plain_loop2<float, float, NextAfter>);
  t.set("nextafter", DType::f64, &plain_loop2<double, double, NextAfter>);
  for (const DType d : {DType::f32, DType::bf16, DType::f16}) fill_predicates<float>(t, d);
  fill_predicates<double>(t, DType::f64);
}

}  // namespace adjoint::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace adjoint::cpu {
HWY_EXPORT(arithmetic);
void fill_arithmetic(KernelTable& table) { HWY_DYNAMIC_DISPATCH(arithmetic)(table); }
}  // namespace adjoint::cpu
#endif  // HWY_ONCE
