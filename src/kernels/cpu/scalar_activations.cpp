// scalar_activations.cpp: exp and what is made of it: tanh, sigmoid, silu, softplus, erf and the gelus.
// Not a fast-math set: each holds its error bound over the whole range, down to subnormal results.
#include "kernels/cpu/simd_setup.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/scalar_activations.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/exp-inl.hpp"
#include "kernels/cpu/scalar_loops-inl.hpp"
#include "kernels/cpu/sleef-inl.hpp"

#include <limits>
#include <type_traits>

HWY_BEFORE_NAMESPACE();
namespace adjoint::cpu::HWY_NAMESPACE {
namespace {

template <class D>
constexpr bool kIsF32 = std::is_same_v<hn::TFromD<D>, float>;

/// c[0] + c[1] x + ...
template <class D, class V, std::size_t N>
HWY_INLINE V polynomial(D d, V x, const hn::TFromD<D> (&c)[N]) {
  V y = hn::Set(d, c[N - 1]);
  for (std::size_t i = N - 1; i-- > 0;) y = fma(y, x, hn::Set(d, c[i]));
  return y;
}

struct Expm1 {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return hn::IfThenElse(hn::Eq(x, hn::Zero(d)), x, expm1(d, x));  // -0 stays
  }
};

// tanh |x| = m / (m + 2) with m = e^(2|x|) - 1.
struct Tanh {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V limit = hn::Set(d, hn::TFromD<D>(kIsF32<D> ? 20 : 40)), ax = hn::Abs(x);
    const V m = expm1(d, min_or_second(limit, hn::Add(ax, ax)));
    return hn::CopySign(hn::Div(m, hn::Add(m, hn::Set(d, 2))), x);
  }
};

// With e = e^-|x|: 1 / (1 + e), or e / (1 + e) for negative x. Nothing overflows.
struct Sigmoid {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V one = hn::Set(d, 1), e = Exp{}(d, hn::Neg(hn::Abs(x)));
    return hn::Div(hn::IfThenElse(hn::Lt(x, hn::Zero(d)), e, one), hn::Add(one, e));
  }
};

/// x * sigmoid(u + low) where u has the sign of x. Where x is negative, the powers of two are applied last, so that a
/// result is subnormal only if it must be.
template <class D, class V>
HWY_INLINE V times_sigmoid(D d, V x, V u, V low) {
  using T = hn::TFromD<D>;
  const V one = hn::Set(d, 1), zero = hn::Zero(d);
  const auto negative = hn::Lt(x, zero);
  const V minus_low = hn::IfThenElse(negative, low, hn::Neg(low));
  const ExpParts<V> e = exp_parts(d, hn::Neg(hn::Abs(u)), minus_low);
  const V finite = max_or_second(hn::Set(d, ExpConstants<T>::kLowest), x);  // -inf * 0 is -0
  const V top = hn::IfThenElse(negative, fma(finite, e.m1, finite), x);
  const V y = hn::Div(top, hn::Add(one, e.value()));
  return hn::IfThenElse(negative, hn::Mul(hn::Mul(y, e.s1), e.s2), y);
}
struct Silu {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const { return times_sigmoid(d, x, x, hn::Zero(d)); }
};

// 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) = x sigmoid(2u). u is carried in two parts: an error of u is a
// relative error of the result times |u|, which is 40 in f32 and 350 in f64.
template <class T> struct GeluConstants;
template <> struct GeluConstants<float> {
  static constexpr float kA = 0x1.988454p+0f, kALow = -0x1.857936p-25f;    // 2 sqrt(2/pi)
  static constexpr float kB = 0x1.2444f2p-4f, kBLow = 0x1.49b16ap-29f;     // the same times 0.044715
  static constexpr float kLimit = 20;
};
template <> struct GeluConstants<double> {
  static constexpr double kA = 0x1.9884533d43651p+0, kALow = -0x1.cbc0d30ebfd15p-54;
  static constexpr double kB = 0x1.2444f2a4d8b4bp-4, kBLow = -0x1.6c843a29d1c70p-61;
  static constexpr double kLimit = 50;
};
struct GeluTanh {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    using C = GeluConstants<hn::TFromD<D>>;
    const V limit = hn::Set(d, C::kLimit);
    const V t = max_or_second(hn::Neg(limit), min_or_second(limit, x));
    const V square = hn::Mul(t, t), square_low = fma(t, t, hn::Neg(square));
    const V b = hn::Set(d, C::kB), a = hn::Set(d, C::kA);
    const V cubic = hn::Mul(b, square);
    V low = fma(b, square, hn::Neg(cubic));
    low = hn::Add(low, fma(b, square_low, hn::Mul(hn::Set(d, C::kBLow), square)));
    const V sum = hn::Add(a, cubic), back = hn::Sub(sum, a);  // sum of two with its error
    const V error = hn::Add(hn::Sub(a, hn::Sub(sum, back)), hn::Sub(cubic, back));
    low = hn::Add(hn::Add(low, error), hn::Set(d, C::kALow));
    const V u = hn::Mul(sum, t);
    const V u_low = fma(low, t, fma(sum, t, hn::Neg(u)));
    return times_sigmoid(d, x, u, u_low);
  }
};

// ---- f32: e^(z^2) erfc(z) for z in [0, 10.5] ----

// (1 + 2z) e^(z^2) erfc(z) in q = (z - 2) / (z + 2); relative error 1.6e-8.
constexpr float kErfcx[] = {0x1.46e80ep+0f,   -0x1.7bf5fep-4f, -0x1.54080cp-3f,  0x1.4ffb18p-3f,
                            -0x1.bc10f8p-5f,  -0x1.079b3ap-7f, 0x1.1b36c2p-7f,   0x1.4db532p-10f,
                            -0x1.49a9eap-10f, -0x1.7cdeb4p-12f, 0x1.e473bap-16f};
template <class D, class V>
HWY_INLINE V erfcx(D d, V z) {
  const V two = hn::Set(d, 2);
  const V q = hn::Div(hn::Sub(z, two), hn::Add(z, two));
  return hn::Div(polynomial(d, q, kErfcx), fma(two, z, hn::Set(d, 1)));
}
/// erfc(z) for z >= 0, as a factor and the parts of an exponential (z^2 is carried in two parts).
template <class D, class V>
HWY_INLINE V erfc_positive(D d, V z) {
  z = min_or_second(hn::Set(d, 10.5f), z);
  const V h = hn::Neg(hn::Mul(z, z)), low = hn::Neg(fma(z, z, h));
  const ExpParts<V> e = exp_parts(d, h, low);
  const V r = erfcx(d, z);
  return hn::Mul(hn::Mul(fma(r, e.m1, r), e.s1), e.s2);
}

// erf(x) / x - 1 in x^2, |x| < 0.85; error 7e-9.
constexpr float kErf[] = {0x1.06eba8p-3f, -0x1.812726p-2f, 0x1.ce257ep-4f,
                          -0x1.b737eap-6f, 0x1.4b862ep-8f, -0x1.4d29a4p-11f};
struct Erf {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V ax = hn::Abs(x);
    const V near = fma(x, polynomial(d, hn::Mul(x, x), kErf), x);
    const V far = hn::CopySign(hn::Sub(hn::Set(d, 1), erfc_positive(d, ax)), x);
    return hn::IfThenElse(hn::Lt(ax, hn::Set(d, 0.85f)), near, far);
  }
};
struct Erfc {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V y = erfc_positive(d, hn::Abs(x));
    return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Sub(hn::Set(d, 2), y), y);
  }
};

// x Phi(x): for negative x with t = |x| it is x * e^(-t^2/2) * erfcx(t/sqrt 2) / 2, for positive x it is
// x - x Phi(-x).
struct GeluF32 {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V half = hn::Set(d, 0.5f);
    const V t = min_or_second(hn::Set(d, 14.8f), hn::Abs(x));
    const V square = hn::Mul(t, t), square_low = fma(t, t, hn::Neg(square));
    const ExpParts<V> e = exp_parts(d, hn::Neg(hn::Mul(half, square)), hn::Neg(hn::Mul(half, square_low)));
    const V r = hn::Mul(half, erfcx(d, hn::Mul(t, hn::Set(d, 0x1.6a09e6p-1f))));
    const V tail = fma(r, e.m1, r);
    const V clamped = hn::CopySign(t, x);
    const V left = hn::Mul(hn::Mul(hn::Mul(clamped, tail), e.s1), e.s2);
    const V right = fma(hn::Neg(hn::Mul(hn::Mul(tail, e.s1), e.s2)), clamped, x);
    return hn::IfThenElse(hn::Le(x, hn::Zero(d)), left, right);
  }
};
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

// ---- softplus and log_sigmoid ----

template <class D, class V>
HWY_INLINE V log1p_exp_minus_abs(D d, V x) {
  using T = hn::TFromD<D>;
  const V e = Exp{}(d, hn::Neg(hn::Abs(x)));
  return hn::IfThenElse(hn::Lt(e, hn::Set(d, T(sizeof(T) == 8 ? 1e-20 : 1e-10))), e, sleef::log1p(e));
}
struct Softplus {  // log(1 + e^x)
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return hn::Add(max_or_second(hn::Zero(d), x), log1p_exp_minus_abs(d, x));
  }
};
struct LogSigmoid {  // -softplus(-x)
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return hn::Sub(min_or_second(hn::Zero(d), x), log1p_exp_minus_abs(d, x));
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
