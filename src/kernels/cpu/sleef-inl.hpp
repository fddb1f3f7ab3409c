// sleef-inl.hpp: SLEEF's deterministic vector functions (the finz forms, fused multiply-add, same bits in every width)
// as overloads on Highway vectors. Not where their ranges are extended: scalar_sleef.cpp.
#if defined(ADJOINT_SLEEF_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ADJOINT_SLEEF_INL
#undef ADJOINT_SLEEF_INL
#else
#define ADJOINT_SLEEF_INL
#endif

#include <hwy/highway.h>

// Declared here because <sleef.h> declares only what the file as a whole is compiled for. The portable build takes
// the scalar finz form where the processor has fma, and SLEEF's plain C form (other bits) where it has not.
#if HWY_TARGET == HWY_AVX3
#define ADJOINT_SLEEF_F(name, ulp) Sleef_finz_##name##f16_##ulp##avx512f
#define ADJOINT_SLEEF_D(name, ulp) Sleef_finz_##name##d8_##ulp##avx512f
#define ADJOINT_SLEEF_VF __m512
#define ADJOINT_SLEEF_VD __m512d
#elif HWY_TARGET == HWY_AVX2
#define ADJOINT_SLEEF_F(name, ulp) Sleef_finz_##name##f8_##ulp##avx2
#define ADJOINT_SLEEF_D(name, ulp) Sleef_finz_##name##d4_##ulp##avx2
#define ADJOINT_SLEEF_VF __m256
#define ADJOINT_SLEEF_VD __m256d
#else
#define ADJOINT_SLEEF_PORTABLE 1
#endif

HWY_BEFORE_NAMESPACE();
namespace adjoint::cpu::HWY_NAMESPACE {
namespace sleef {
namespace hn = hwy::HWY_NAMESPACE;

#ifdef ADJOINT_SLEEF_PORTABLE

inline bool has_fma() {
#if HWY_ARCH_X86
  static const bool fma = __builtin_cpu_supports("fma") && __builtin_cpu_supports("avx2");
  return fma;
#else
  return true;
#endif
}
template <class V, class F>
HWY_INLINE V each(V a, F f) {  // one lane after the other
  using T = hn::TFromV<V>;
  const hn::DFromV<V> d;
  alignas(64) T x[HWY_MAX_BYTES / sizeof(T)];
  hn::Store(a, d, x);
  for (std::size_t i = 0; i < hn::Lanes(d); ++i) x[i] = f(x[i]);
  return hn::Load(d, x);
}
template <class V, class F>
HWY_INLINE V each(V a, V b, F f) {
  using T = hn::TFromV<V>;
  const hn::DFromV<V> d;
  alignas(64) T x[HWY_MAX_BYTES / sizeof(T)], y[HWY_MAX_BYTES / sizeof(T)];
  hn::Store(a, d, x);
  hn::Store(b, d, y);
  for (std::size_t i = 0; i < hn::Lanes(d); ++i) x[i] = f(x[i], y[i]);
  return hn::Load(d, x);
}
#define ADJOINT_SLEEF1(name, ulp)                                                                \
  extern "C" float Sleef_finz_##name##f1_##ulp##purecfma(float);                                 \
  extern "C" double Sleef_finz_##name##d1_##ulp##purecfma(double);                               \
  extern "C" float Sleef_cinz_##name##f1_##ulp##purec(float);                                    \
  extern "C" double Sleef_cinz_##name##d1_##ulp##purec(double);                                  \
  inline float name(float x) {                                                                   \
    return has_fma() ? Sleef_finz_##name##f1_##ulp##purecfma(x) : Sleef_cinz_##name##f1_##ulp##purec(x); \
  }                                                                                              \
  inline double name(double x) {                                                                 \
    return has_fma() ? Sleef_finz_##name##d1_##ulp##purecfma(x) : Sleef_cinz_##name##d1_##ulp##purec(x); \
  }                                                                                              \
  template <class V>                                                                             \
  HWY_INLINE V name(V x) { return each(x, [](auto e) { return name(e); }); }
#define ADJOINT_SLEEF2(name, ulp)                                                                \
  extern "C" float Sleef_finz_##name##f1_##ulp##purecfma(float, float);                          \
  extern "C" double Sleef_finz_##name##d1_##ulp##purecfma(double, double);                       \
  extern "C" float Sleef_cinz_##name##f1_##ulp##purec(float, float);                             \
  extern "C" double Sleef_cinz_##name##d1_##ulp##purec(double, double);                          \
  inline float name(float x, float y) {                                                          \
    return has_fma() ? Sleef_finz_##name##f1_##ulp##purecfma(x, y)                               \
                     : Sleef_cinz_##name##f1_##ulp##purec(x, y);                                 \
  }                                                                                              \
  inline double name(double x, double y) {                                                       \
    return has_fma() ? Sleef_finz_##name##d1_##ulp##purecfma(x, y)                               \
                     : Sleef_cinz_##name##d1_##ulp##purec(x, y);                                 \
  }                                                                                              \
  template <class V>                                                                             \
  HWY_INLINE V name(V x, V y) { return each(x, y, [](auto e, auto f) { return name(e, f); }); }

#else

using VF = hn::Vec<hn::ScalableTag<float>>;
using VD = hn::Vec<hn::ScalableTag<double>>;
#define ADJOINT_SLEEF1(name, ulp)                                           \
  extern "C" ADJOINT_SLEEF_VF ADJOINT_SLEEF_F(name, ulp)(ADJOINT_SLEEF_VF); \
  extern "C" ADJOINT_SLEEF_VD ADJOINT_SLEEF_D(name, ulp)(ADJOINT_SLEEF_VD); \
  HWY_INLINE VF name(VF x) { return VF{ADJOINT_SLEEF_F(name, ulp)(x.raw)}; } \
  HWY_INLINE VD name(VD x) { return VD{ADJOINT_SLEEF_D(name, ulp)(x.raw)}; }
#define ADJOINT_SLEEF2(name, ulp)                                                             \
  extern "C" ADJOINT_SLEEF_VF ADJOINT_SLEEF_F(name, ulp)(ADJOINT_SLEEF_VF, ADJOINT_SLEEF_VF); \
  extern "C" ADJOINT_SLEEF_VD ADJOINT_SLEEF_D(name, ulp)(ADJOINT_SLEEF_VD, ADJOINT_SLEEF_VD); \
  HWY_INLINE VF name(VF x, VF y) { return VF{ADJOINT_SLEEF_F(name, ulp)(x.raw, y.raw)}; }     \
  HWY_INLINE VD name(VD x, VD y) { return VD{ADJOINT_SLEEF_D(name, ulp)(x.raw, y.raw)}; }

#endif

ADJOINT_SLEEF1(exp, u10)
ADJOINT_SLEEF1(exp2, u10)
ADJOINT_SLEEF1(expm1, u10)
ADJOINT_SLEEF1(log, u10)
ADJOINT_SLEEF1(log2, u10)
ADJOINT_SLEEF1(log10, u10)
ADJOINT_SLEEF1(log1p, u10)
ADJOINT_SLEEF1(sin, u10)
ADJOINT_SLEEF1(cos, u10)
ADJOINT_SLEEF1(tan, u10)
ADJOINT_SLEEF1(asin, u10)
ADJOINT_SLEEF1(acos, u10)
ADJOINT_SLEEF1(atan, u10)
ADJOINT_SLEEF1(sinh, u10)
ADJOINT_SLEEF1(cosh, u10)
ADJOINT_SLEEF1(asinh, u10)
ADJOINT_SLEEF1(acosh, u10)
ADJOINT_SLEEF1(atanh, u10)
ADJOINT_SLEEF1(cbrt, u10)
ADJOINT_SLEEF1(lgamma, u10)
ADJOINT_SLEEF1(erf, u10)
ADJOINT_SLEEF1(erfc, u15)
ADJOINT_SLEEF2(pow, u10)
ADJOINT_SLEEF2(atan2, u10)
ADJOINT_SLEEF2(hypot, u05)

#undef ADJOINT_SLEEF1
#undef ADJOINT_SLEEF2
#undef ADJOINT_SLEEF_F
#undef ADJOINT_SLEEF_D
#undef ADJOINT_SLEEF_VF
#undef ADJOINT_SLEEF_VD
#undef ADJOINT_SLEEF_PORTABLE

}  // namespace sleef
}  // namespace adjoint::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard of the chosen set
