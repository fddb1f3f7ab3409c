// activations-inl.hpp: what is made of exp: tanh, sigmoid, silu, the gelus, erf and erfc, once for all executors.
// Not a table entry: scalar_activations.cpp (tiles) and micro_functions.cpp (emitted code).
#if defined(ADJOINT_ACTIVATIONS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ADJOINT_ACTIVATIONS_INL
#undef ADJOINT_ACTIVATIONS_INL
#else
#define ADJOINT_ACTIVATIONS_INL
#endif

#include <cstddef>
#include <type_traits>

#include "kernels/cpu/exp-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace adjoint::cpu::HWY_NAMESPACE {

template <class D>
constexpr bool kIsF32 = std::is_same_v<Lane<D>, float>;

/// c[0] + c[1] x + ...
template <class D, class V, std::size_t N>
HWY_INLINE V polynomial(D d, V x, const Lane<D> (&c)[N]) {
  V y = Set(d, c[N - 1]);
  for (std::size_t i = N - 1; i-- > 0;) y = fma(y, x, Set(d, c[i]));
  return y;
}

struct Expm1 {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return IfThenElse(Eq(x, Zero(d)), x, expm1(d, x));  // -0 stays
  }
};

// tanh(x) / x - 1 in x^2, over x^2, for |x| <= 1; error 4e-9.
constexpr float kTanh[] = {-0x1.55553ep-2f, 0x1.110c3cp-3f, -0x1.b96b2ap-5f, 0x1.603f12p-6f,
                           -0x1.05012ep-7f, 0x1.2f7e7cp-9f, -0x1.7c22ccp-12f};
struct Tanh {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V ax = Abs(x);
    if constexpr (kIsF32<D>) {  // the polynomial up to 1, beyond that 1 - 2 / (e^(2|x|) + 1)
      const V one = Set(d, 1), square = Mul(x, x);
      const V near = fma(Mul(ax, square), polynomial(d, square, kTanh), ax);
      const V e = Exp{}(d, min_or_second(Set(d, 20), Add(ax, ax)));
      const V far = Sub(one, Div(Set(d, 2), Add(e, one)));
      return CopySign(IfThenElse(Lt(ax, one), near, far), x);
    } else {  // m / (m + 2) with m = e^(2|x|) - 1
      const V m = expm1(d, min_or_second(Set(d, 40), Add(ax, ax)));
      return CopySign(Div(m, Add(m, Set(d, 2))), x);
    }
  }
};

// With e = e^-|x|: 1 / (1 + e), or e / (1 + e) for negative x. Nothing overflows. What was lost in 1 + e is made good.
struct Sigmoid {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V one = Set(d, 1), e = Exp{}(d, Neg(Abs(x)));
    const V sum = Add(one, e), lost = Add(Sub(one, sum), e);
    const V top = IfThenElse(Lt(x, Zero(d)), e, one), inverse = Div(one, sum), q = Mul(top, inverse);
    const V minus = Neg(q);
    return fma(fma(minus, lost, fma(minus, sum, top)), inverse, q);
  }
};

/// x * sigmoid(u + low) where u has the sign of x. Where x is negative, the powers of two are applied last, so that a
/// result is subnormal only if it must be.
template <class D, class V, class... Low>
HWY_INLINE V times_sigmoid(D d, V x, V u, Low... low) {
  using T = Lane<D>;
  const V one = Set(d, 1), zero = Zero(d);
  const auto negative = Lt(x, zero);
  const ExpParts<V> e = exp_parts(d, Neg(Abs(u)), IfThenElse(negative, low, Neg(low))...);
  const V finite = max_or_second(Set(d, ExpConstants<T>::kLowest), x);  // -inf * 0 is -0
  const V top = IfThenElse(negative, fma(finite, e.m1, finite), x);
  const V y = Div(top, Add(one, e.value()));
  return IfThenElse(negative, e.scale(y), y);
}
struct Silu {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const { return times_sigmoid(d, x, x); }
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
    using C = GeluConstants<Lane<D>>;
    const V limit = Set(d, C::kLimit);
    const V t = max_or_second(Neg(limit), min_or_second(limit, x));
    const V square = Mul(t, t), square_low = fma(t, t, Neg(square));
    const V b = Set(d, C::kB), a = Set(d, C::kA);
    const V cubic = Mul(b, square);
    V low = fma(b, square, Neg(cubic));
    low = Add(low, fma(b, square_low, Mul(Set(d, C::kBLow), square)));
    const V sum = Add(a, cubic), back = Sub(sum, a);  // sum of two with its error
    const V error = Add(Sub(a, Sub(sum, back)), Sub(cubic, back));
    low = Add(Add(low, error), Set(d, C::kALow));
    const V u = Mul(sum, t);
    const V u_low = fma(low, t, fma(sum, t, Neg(u)));
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
  const V two = Set(d, 2);
  const V q = Div(Sub(z, two), Add(z, two));
  return Div(polynomial(d, q, kErfcx), fma(two, z, Set(d, 1)));
}
/// erfc(z) for z >= 0, as a factor and the parts of an exponential (z^2 is carried in two parts).
template <class D, class V>
HWY_INLINE V erfc_positive(D d, V z) {
  z = min_or_second(Set(d, 10.5f), z);
  const V h = Neg(Mul(z, z)), low = Neg(fma(z, z, h));
  const ExpParts<V> e = exp_parts(d, h, low);
  const V r = erfcx(d, z);
  return e.scale(fma(r, e.m1, r));
}

// erf(x) / x - 1 in x^2, |x| < 0.85; error 7e-9.
constexpr float kErf[] = {0x1.06eba8p-3f, -0x1.812726p-2f, 0x1.ce257ep-4f,
                          -0x1.b737eap-6f, 0x1.4b862ep-8f, -0x1.4d29a4p-11f};
struct Erf {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V ax = Abs(x);
    const V near = fma(x, polynomial(d, Mul(x, x), kErf), x);
    const V far = CopySign(Sub(Set(d, 1), erfc_positive(d, ax)), x);
    return IfThenElse(Lt(ax, Set(d, 0.85f)), near, far);
  }
};
struct Erfc {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V y = erfc_positive(d, Abs(x));
    return IfThenElse(Lt(x, Zero(d)), Sub(Set(d, 2), y), y);
  }
};

// x Phi(x): for negative x with t = |x| it is x * e^(-t^2/2) * T(t), for positive x it is x - x Phi(-x). With a = 2 sqrt(2),
// (1 + t a/2) T(t) is a polynomial in (t - a) / (t + a) for the float a, so that t is not rounded on the way; relative error 1.1e-8.
constexpr float kGeluA = 0x1.6a09e6p+1f;
constexpr float kGeluTail[] = {0x1.46e80ep-1f,  -0x1.7bf5fcp-5f,  -0x1.540842p-4f,  0x1.4ffafp-4f,
                               -0x1.bc0b66p-6f, -0x1.078664p-8f,  0x1.1b028cp-8f,   0x1.4bb5a8p-11f,
                               -0x1.48b3e8p-11f, -0x1.74e838p-13f, 0x1.06ee2p-16f};
// Near 0, Phi(x) = 1/2 + x P(x^2); relative error of P 3e-8.
constexpr float kGeluNear[] = {0x1.988454p-2f, -0x1.1058c4p-4f, 0x1.46f1a6p-7f, -0x1.3a04d6p-10f, 0x1.094958p-13f, -0x1.ad8014p-17f};
struct GeluF32 {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V half = Set(d, 0.5f);
    const V t = min_or_second(Set(d, 14.8f), Abs(x));
    const V square = Mul(t, t), square_low = fma(t, t, Neg(square));
    const ExpParts<V> e = exp_parts(d, Neg(Mul(half, square)), Neg(Mul(half, square_low)));
    const V a = Set(d, kGeluA);
    const V r = Div(polynomial(d, Div(Sub(t, a), Add(t, a)), kGeluTail), fma(Set(d, kGeluA / 2), t, Set(d, 1)));
    const V tail = fma(r, e.m1, r);
    const V clamped = CopySign(t, x);
    const V left = e.scale(Mul(clamped, tail));
    const V right = fma(Neg(e.scale(tail)), clamped, x);
    const V near = Mul(x, fma(x, polynomial(d, square, kGeluNear), half));
    return IfThenElse(Lt(t, Set(d, 0.6f)), near, IfThenElse(Le(x, Zero(d)), left, right));
  }
};

}  // namespace adjoint::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard of the chosen set
