// scalar_activations.cpp: the loops of exp, log and the activations, and what only tiles have: erfinv, and erf and gelu in
// f64. Not a fast-math set: each holds its error bound over the whole range, down to subnormal results.
#include "kernels/cpu/simd_setup.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/scalar_activations.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/activations-inl.hpp"
#include "kernels/cpu/logs-inl.hpp"
#include "kernels/cpu/scalar_loops-inl.hpp"
#include "kernels/cpu/sleef-inl.hpp"

#include <limits>
#include <type_traits>

HWY_BEFORE_NAMESPACE();
namespace adjoint::cpu::HWY_NAMESPACE {
namespace {

// The same through SLEEF's erfc; z = |x| / sqrt 2 is carried in two parts, the second by erfc's derivative.
struct GeluF64 {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V half = hn::Set(d, 0.5), c = hn::Set(d, 0x1.6a09e667f3bcdp-1);
    const V t = min_or_second(hn::Set(d, 40.0), hn::Abs(x));
    const V z = hn::Mul(t, c);
    const V z_low = fma(t, hn::Set(d, -0x1.bdd3413b26456p-55), fma(t, c, hn::Neg(z)));
    const V slope = hn::Mul(hn::Set(d, 0x1.20dd750429b6dp+0), Exp{}(d, hn::Neg(hn::Mul(z, z))));
    const V q = hn::Mul(half, fma(hn::Neg(slope), z_low, sleef::erfc(z)));  // Phi(-t)
    const V clamped = hn::CopySign(t, x);
    return hn::IfThenElse(hn::Le(x, hn::Zero(d)), hn::Mul(clamped, q), fma(hn::Neg(q), clamped, x));
  }
};

// ---- erfinv ----

// erfinv(x) / x with w = -log((1-x)(1+x)): in w - 2.5 for w < 5, in sqrt(w) - 3.25 up to sqrt(w) = 4.2 (the whole of
// f32), in sqrt(w) - 5.25 beyond. Relative errors 4e-8, 1.3e-7, 2.2e-7.
constexpr float kCentral[] = {0x1.805c5ep+0f,  0x1.f91e8ap-3f,   -0x1.11c6c6p-8f, -0x1.48656cp-10f, 0x1.ca08eap-13f,
                              -0x1.4d65eep-18f, -0x1.d2943ep-19f, 0x1.f57984p-22f, 0x1.9fc06cp-26f,  -0x1.2ff2fep-27f};
constexpr float kTail[] = {0x1.8abcc2p+1f,   0x1.015882p+0f,  0x1.60a2fp-8f,    -0x1.e78f4ep-9f, 0x1.3dd4dp-9f,
                           -0x1.da1a82p-10f, 0x1.21b478p-10f, -0x1.8b19f4p-13f, -0x1.e3fa08p-14f};
constexpr float kFarTail[] = {0x1.468eep+2f, 0x1.029c7p+0f, -0x1.27981ep-12f, -0x1.5fdcp-13f, 0x1.18f0dp-14f};

template <class D, class V, std::size_t N>
HWY_INLINE V widened(D d, V x, const float (&c)[N]) {
  V y = hn::Set(d, hn::TFromD<D>(c[N - 1]));
  for (std::size_t i = N - 1; i-- > 0;) y = fma(y, x, hn::Set(d, hn::TFromD<D>(c[i])));
  return y;
}
template <class D, class V>
HWY_INLINE V erfinv_estimate(D d, V x) {
  using T = hn::TFromD<D>;
  const V one = hn::Set(d, 1);
  const V w = hn::Neg(sleef::log(hn::Mul(hn::Sub(one, x), hn::Add(one, x))));
  const V s = sqrt(w);
  const V central = widened(d, hn::Sub(w, hn::Set(d, T(2.5))), kCentral);
  V tail = widened(d, hn::Sub(s, hn::Set(d, T(3.25))), kTail);
  if constexpr (!kIsF32<D>) {
    const V far = widened(d, hn::Sub(s, hn::Set(d, T(5.25))), kFarTail);
    tail = hn::IfThenElse(hn::Gt(s, hn::Set(d, T(4.2))), far, tail);
  }
  return hn::Mul(x, hn::IfThenElse(hn::Lt(w, hn::Set(d, 5)), central, tail));
}
struct Erfinv {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    using T = hn::TFromD<D>;
    const V one = hn::Set(d, 1), ax = hn::Abs(x);
    V y = hn::Abs(erfinv_estimate(d, x));
    if constexpr (!kIsF32<D>) {  // one step of Halley's method: the error is cubed, to the rounding of erf
      const V by_erf = hn::Sub(sleef::erf(y), ax), by_erfc = hn::Sub(hn::Sub(one, ax), sleef::erfc(y));
      const V f = hn::IfThenElse(hn::Lt(ax, hn::Set(d, T(0.5))), by_erf, by_erfc);
      const V slope = hn::Mul(hn::Set(d, T(0x1.20dd750429b6dp+0)), Exp{}(d, hn::Neg(hn::Mul(y, y))));
      const V u = hn::Div(f, slope);
      const V step = hn::Div(u, fma(u, y, one));
      // Near 0 the function is its derivative there: nothing underflows.
      y = hn::IfThenElse(hn::Lt(ax, hn::Set(d, T(1e-9))), hn::Mul(ax, hn::Set(d, T(0x1.c5bf891b4ef6ap-1))),
                         hn::Sub(y, step));
    }
    y = hn::IfThenElse(hn::Eq(ax, one), hn::Set(d, std::numeric_limits<T>::infinity()), y);
    return hn::CopySign(hn::IfThenElse(hn::Gt(ax, one), hn::Set(d, std::numeric_limits<T>::quiet_NaN()), y), x);
  }
};

}  // namespace

static void activations(KernelTable& t) {
  float1(t, "exp", Exp{});
  float1(t, "expm1", Expm1{});
  float1(t, "tanh", Tanh{});
  float1(t, "sigmoid", Sigmoid{});
  float1(t, "silu", Silu{});
  float1(t, "softplus", Softplus{});
  float1(t, "log_sigmoid", LogSigmoid{});
  float1(t, "gelu_tanh", GeluTanh{});
  float1(t, "log", Log{});
  float1(t, "log1p", Log1p{});
  float1(t, "erfinv", Erfinv{});
  set_f32(t, "erf", &vector_loop1<float, Erf>);
  set_f32(t, "erfc", &vector_loop1<float, Erfc>);
  set_f32(t, "gelu", &vector_loop1<float, GeluF32>);
  t.set("gelu", DType::f64, &vector_loop1<double, GeluF64>);
  const auto erf = [](auto, auto x) { return sleef::erf(x); };
  const auto erfc = [](auto, auto x) { return sleef::erfc(x); };
  t.set("erf", DType::f64, &vector_loop1<double, decltype(erf)>);
  t.set("erfc", DType::f64, &vector_loop1<double, decltype(erfc)>);
}

}  // namespace adjoint::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace adjoint::cpu {
HWY_EXPORT(activations);
void fill_activations(KernelTable& table) { HWY_DYNAMIC_DISPATCH(activations)(table); }
}  // namespace adjoint::cpu
#endif  // HWY_ONCE
