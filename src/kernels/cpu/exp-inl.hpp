// exp-inl.hpp: e^x in f32 and f64 by one polynomial, in the parts that the activations are made of.
// Not a table entry: scalar_activations.cpp. Names without a namespace are those of the machine that computes (Highway's
// vectors, or the recorder of micro.hpp): argument-dependent lookup finds them.
#if defined(ADJOINT_EXP_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ADJOINT_EXP_INL
#undef ADJOINT_EXP_INL
#else
#define ADJOINT_EXP_INL
#endif

#include <cstdint>

#include "kernels/cpu/scalar_loops-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace adjoint::cpu::HWY_NAMESPACE {

template <class T>
struct ExpConstants;
template <>
struct ExpConstants<float> {
  // Beyond the bounds e^x is infinite, and |x| e^x is 0.
  using U = std::uint32_t;
  static constexpr float kLog2e = 0x1.715476p+0f, kLn2Hi = 0x1.62e4p-1f, kLn2Lo = 0x1.7f7d1cp-20f;
  static constexpr float kMagic = 0x1.8p23f, kLowest = -110.0f, kHighest = 89.0f;
  static constexpr int kMantissa = 23;
  static constexpr U kMagicBits = 0x4B400000u, kBias = 127;
  // (e^r - 1 - r) / r^2 on |r| <= ln(2)/2: minimax, relative error of e^r 3e-9.
  static constexpr float kQ[] = {0.5f, 0x1.55548ep-3f, 0x1.5554d8p-5f, 0x1.123becp-7f, 0x1.6d5f42p-10f};
};
template <>
struct ExpConstants<double> {
  using U = std::uint64_t;
  static constexpr double kLog2e = 0x1.71547652b82fep+0, kLn2Hi = 0x1.62e42fefap-1, kLn2Lo = 0x1.cf79abc9e3b3ap-40;
  static constexpr double kMagic = 0x1.8p52, kLowest = -760.0, kHighest = 709.9;
  static constexpr int kMantissa = 52;
  static constexpr U kMagicBits = 0x4338000000000000u, kBias = 1023;
  // The same with relative error 6e-20.
  static constexpr double kQ[] = {0x1.0000000000000p-1,  0x1.555555555555cp-3,  0x1.5555555555559p-5,
                                  0x1.111111110e9d4p-7,  0x1.6c16c16c148b7p-10, 0x1.a01a01b45a2e4p-13,
                                  0x1.a01a01afced88p-16, 0x1.71ddee363f083p-19, 0x1.27e4c72008c34p-22,
                                  0x1.af6eee4066944p-26, 0x1.1f936d6a0293ap-29};
};

// 2^k as two factors, so that neither leaves the normal range. The recorder has one operation instead where there is one.
template <class V> HWY_INLINE V times_power(V v, V s1, V s2, V) { return Mul(Mul(v, s1), s2); }
template <class V> HWY_INLINE V one_plus_times_power(V m1, V s1, V s2, V) { return Mul(fma(m1, s1, s1), s2); }

/// e^x = (1 + m1) * 2^k with |m1| < 0.42 and 2^k = s1 * s2.
template <class V>
struct ExpParts {
  V m1, s1, s2, k;
  HWY_INLINE V value() const { return one_plus_times_power(m1, s1, s2, k); }
  /// v * 2^k, rounded once if v is not very small.
  HWY_INLINE V scale(V v) const { return times_power(v, s1, s2, k); }
};

/// The parts of e^(x + low), where |low| is at most a few ULP of x. A NaN x gives a NaN m1.
template <class D, class V, class... Low>
HWY_INLINE ExpParts<V> exp_parts(D d, V x, Low... low) {
  using T = Lane<D>;
  using C = ExpConstants<T>;
  using U = typename C::U;
  const auto du = retag<U>(d);
  x = min_or_second(Set(d, C::kHighest), x);  // in this order both keep a NaN x
  x = max_or_second(Set(d, C::kLowest), x);
  const V shifted = fma(x, Set(d, C::kLog2e), Set(d, C::kMagic));
  const V k = Sub(shifted, Set(d, C::kMagic));
  V r = fma(k, Set(d, -C::kLn2Hi), x);  // exact
  r = fma(k, Set(d, -C::kLn2Lo), r);
  ((r = Add(r, low)), ...);
  constexpr int kTerms = static_cast<int>(sizeof(C::kQ) / sizeof(T));
  V q = Set(d, C::kQ[kTerms - 1]);
  for (int i = kTerms - 2; i >= 0; --i) q = fma(q, r, Set(d, C::kQ[i]));
  const V m1 = fma(Mul(r, r), q, r);
  constexpr U kOffset = 2048;  // makes k positive, so that halving it needs no sign
  const auto whole = Sub(BitCast(du, shifted), Set(du, static_cast<U>(C::kMagicBits - kOffset)));
  const auto half = ShiftRight<1>(whole);
  const auto bias = Set(du, static_cast<U>(C::kBias - kOffset / 2));
  const auto exponent = [&](auto e) { return BitCast(d, ShiftLeft<C::kMantissa>(Add(e, bias))); };
  return {m1, exponent(half), exponent(Sub(whole, half)), k};
}

struct Exp {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const { return exp_parts(d, x).value(); }
};

/// e^x - 1 with a small relative error near 0: 2^k * m1 + (2^k - 1) in one rounding (halves of it, doubled, so that
/// k = 128 or 1024 does not overflow early).
template <class D, class V>
HWY_INLINE V expm1(D d, V x) {
  using T = Lane<D>;
  const V half = Set(d, T(0.5));
  const ExpParts<V> e = exp_parts(d, x);
  const V s = e.scale(half);
  const V y = fma(s, e.m1, Sub(s, half));
  return Add(y, y);
}

}  // namespace adjoint::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard of the chosen set
