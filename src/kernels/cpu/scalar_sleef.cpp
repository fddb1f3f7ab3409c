// scalar_sleef.cpp: the functions that SLEEF computes, with their ranges completed where SLEEF's stop early.
// Not exp, log and the activations, which have their own polynomials: scalar_activations.cpp.
#include "kernels/cpu/simd_setup.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/scalar_sleef.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/logs-inl.hpp"
#include "kernels/cpu/scalar_loops-inl.hpp"
#include "kernels/cpu/sleef-inl.hpp"
#include "kernels/cpu/trig-inl.hpp"

#include <cmath>
#include <limits>

HWY_BEFORE_NAMESPACE();
namespace adjoint::cpu::HWY_NAMESPACE {
namespace {

constexpr double kLn2 = 0.693147180559945309417232121458;

/// wide where T is double, else narrow.
template <class D>
HWY_INLINE auto pick(D d, double wide, double narrow) {
  using T = hn::TFromD<D>;
  return hn::Set(d, static_cast<T>(sizeof(T) == 8 ? wide : narrow));
}

template <bool cosine> struct FarSine {
  template <class D, class M, class V>
  HWY_INLINE V operator()(D d, M beyond, V x, V near) const {
    if (HWY_LIKELY(hn::AllFalse(d, beyond))) return near;
    return hn::IfThenElse(beyond, cosine ? sleef::cos(x) : sleef::sin(x), near);
  }
};
template <bool cosine> struct SineOf {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    if constexpr (kIsF32<D>) return Sine<FarSine<cosine>, cosine>{}(d, x);
    else return cosine ? sleef::cos(x) : sleef::sin(x);
  }
};
// SLEEF's sinh and cosh overflow early: near the limit, e^|x| / 2 = (e^(|x|/2) / 2) * e^(|x|/2).
struct Sinh {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V half = hn::Set(d, hn::TFromD<D>(0.5)), ax = hn::Abs(x);
    const V e = sleef::exp(hn::Mul(ax, half));
    const V big = hn::CopySign(hn::Mul(hn::Mul(e, half), e), x);
    return hn::IfThenElse(hn::Gt(ax, pick(d, 700, 85)), big, sleef::sinh(x));
  }
};
struct Cosh {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V half = hn::Set(d, hn::TFromD<D>(0.5)), ax = hn::Abs(x);
    const V e = sleef::exp(hn::Mul(ax, half));
    return hn::IfThenElse(hn::Gt(ax, pick(d, 700, 85)), hn::Mul(hn::Mul(e, half), e), sleef::cosh(x));
  }
};
// SLEEF squares: beyond 1e18 (f64: 1e150) the function is log(2|x|) to the last bit.
struct Asinh {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V ax = hn::Abs(x);
    const V big = hn::CopySign(hn::Add(sleef::log(ax), hn::Set(d, static_cast<hn::TFromD<D>>(kLn2))), x);
    const V y = hn::IfThenElse(hn::Gt(ax, pick(d, 1e150, 1e18)), big, sleef::asinh(x));
    return hn::IfThenElse(hn::Lt(ax, pick(d, 1e-20, 1e-10)), x, y);
  }
};
struct Acosh {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V big = hn::Add(sleef::log(x), hn::Set(d, static_cast<hn::TFromD<D>>(kLn2)));
    return hn::IfThenElse(hn::Gt(x, pick(d, 1e150, 1e18)), big, sleef::acosh(x));
  }
};
// log(x / (1 - x)); around 1/2, where that is near log(1), log1p((2x - 1) / (1 - x)), whose numerator is exact.
struct Logit {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    using T = hn::TFromD<D>;
    const V one = hn::Set(d, 1), rest = hn::Sub(one, x);
    const V near = sleef::log1p(hn::Div(hn::Sub(hn::Add(x, x), one), rest));
    const V far = sleef::log(hn::Div(x, rest));
    const auto middle = hn::And(hn::Ge(x, hn::Set(d, T(0.25))), hn::Le(x, hn::Set(d, T(0.75))));
    return hn::IfThenElse(middle, near, far);
  }
};
// max + log1p(e^-|a-b|); where a == b the difference is 0 even at infinity.
struct LogAddExp {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V a, V b) const {
    const V gap = hn::IfThenZeroElse(hn::Eq(a, b), hn::Neg(hn::Abs(hn::Sub(a, b))));
    return hn::Add(max_or_second(a, b), Log1p{}(d, sleef::exp(gap)));
  }
};
struct Hypot {  // IEEE: an infinite operand gives infinity, even beside NaN
  template <class D, class V>
  HWY_INLINE V operator()(D d, V a, V b) const {
    const V inf = hn::Set(d, std::numeric_limits<hn::TFromD<D>>::infinity());
    const auto infinite = hn::Or(hn::Eq(hn::Abs(a), inf), hn::Eq(hn::Abs(b), inf));
    return hn::IfThenElse(infinite, inf, sleef::hypot(a, b));
  }
};

/// a * 2^b. Exact for whole b but for the one rounding of a subnormal result: 2^trunc(b) is applied last.
template <class T>
void ldexp_loop(void* dst, const void* pa, const void* pb, const void*, std::size_t n) {
  const hn::ScalableTag<T> d;
  const T *a = static_cast<const T*>(pa), *b = static_cast<const T*>(pb);
  T* y = static_cast<T*>(dst);
  alignas(64) T whole[HWY_MAX_BYTES / sizeof(T)];
  for (std::size_t i = 0; i < n; i += hn::Lanes(d)) {
    const auto vb = hn::LoadU(d, b + i), va = hn::LoadU(d, a + i);
    const auto t = min_or_second(hn::Set(d, T(5000)), max_or_second(hn::Set(d, T(-5000)), trunc(vb)));
    const auto fraction = hn::IfThenZeroElse(hn::Eq(trunc(vb), vb), hn::Sub(vb, trunc(vb)));
    hn::Store(t, d, whole);
    hn::StoreU(hn::Mul(va, sleef::exp2(fraction)), d, y + i);
    for (std::size_t j = 0; j < hn::Lanes(d); ++j)
      if (!std::isnan(whole[j])) y[i + j] = std::ldexp(y[i + j], static_cast<int>(whole[j]));
  }
}

}  // namespace

static void sleef_functions(KernelTable& t) {
  float1(t, "exp2", [](auto, auto x) { return sleef::exp2(x); });
  float1(t, "log2", [](auto, auto x) { return sleef::log2(x); });
  float1(t, "log10", [](auto, auto x) { return sleef::log10(x); });
  float1(t, "sin", SineOf<false>{});
  float1(t, "cos", SineOf<true>{});
  float1(t, "tan", [](auto, auto x) { return sleef::tan(x); });
  float1(t, "asin", [](auto, auto x) { return sleef::asin(x); });
  float1(t, "acos", [](auto, auto x) { return sleef::acos(x); });
  float1(t, "atan", [](auto, auto x) { return sleef::atan(x); });
  float1(t, "sinh", Sinh{});
  float1(t, "cosh", Cosh{});
  float1(t, "asinh", Asinh{});
  float1(t, "acosh", Acosh{});
  float1(t, "atanh", [](auto, auto x) { return sleef::atanh(x); });
  float1(t, "cbrt", [](auto, auto x) { return sleef::cbrt(x); });
  float1(t, "lgamma", [](auto, auto x) { return sleef::lgamma(x); });
  float1(t, "logit", Logit{});
  float2(t, "pow", [](auto, auto a, auto b) { return sleef::pow(a, b); });
  float2(t, "atan2", [](auto, auto a, auto b) { return sleef::atan2(a, b); });
  float2(t, "hypot", Hypot{});
  float2(t, "logaddexp", LogAddExp{});
  set_f32(t, "ldexp", &ldexp_loop<float>);
  t.set("ldexp", DType::f64, &ldexp_loop<double>);
}

}  // namespace adjoint::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace adjoint::cpu {
HWY_EXPORT(sleef_functions);
void fill_sleef(KernelTable& table) { HWY_DYNAMIC_DISPATCH(sleef_functions)(table); }
}  // namespace adjoint::cpu
#endif  // HWY_ONCE
