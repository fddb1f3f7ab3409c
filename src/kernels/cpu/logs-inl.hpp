// logs-inl.hpp: log and log1p in f32 and f64 by polynomials of our own, and softplus and log_sigmoid, once for all
// executors. Not a table entry: scalar_activations.cpp (tiles) and micro_functions.cpp (emitted code).
#if defined(ADJOINT_LOGS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ADJOINT_LOGS_INL
#undef ADJOINT_LOGS_INL
#else
#define ADJOINT_LOGS_INL
#endif

#include <cstdint>
#include <limits>

#include "kernels/cpu/activations-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace adjoint::cpu::HWY_NAMESPACE {

// Names without a namespace are those of the machine that computes, as in exp-inl.hpp.

template <class T> struct LogConstants;
template <> struct LogConstants<float> {
  using U = std::uint32_t;
  static constexpr int kMantissa = 23;
  static constexpr U kOne = 0x3F800000u, kRoot = 0x3F3504F3u, kFraction = 0x007FFFFFu, kMagic = 0x4B000000u;  // kRoot: sqrt(1/2)
  static constexpr float kMagicAndBias = 0x1p23f + 127, kScale = 0x1p25f, kScaled = 25, kTiny = 1e-10f;
  // (log(1+f) - f + f^2/2) / f^3 for sqrt(1/2) <= 1+f < sqrt(2); relative error of the logarithm 6e-9.
  static constexpr float kP[] = {0x1.55554ap-2f, -0x1.00022p-2f,  0x1.99a596p-3f, -0x1.54788ap-3f,
                                 0x1.226e48p-3f, -0x1.0ce082p-3f, 0x1.07d102p-3f, -0x1.41ee16p-4f};
};
template <> struct LogConstants<double> {
  using U = std::uint64_t;
  static constexpr int kMantissa = 52;
  static constexpr U kOne = 0x3FF0000000000000u, kRoot = 0x3FE6A09E667F3BCDu, kFraction = 0x000FFFFFFFFFFFFFu,
                     kMagic = 0x4330000000000000u;
  static constexpr double kMagicAndBias = 0x1p52 + 1023, kScale = 0x1p54, kScaled = 54, kTiny = 1e-20;
  // (2 atanh(s) / s - 2) / s^2 in s^2, for s = f / (2 + f); relative error of the logarithm 1.3e-18.
  static constexpr double kP[] = {0x1.5555555555592p-1, 0x1.999999997fdb7p-2, 0x1.24924941f1295p-2, 0x1.c71c52095ab92p-3,
                                  0x1.74663ee8bd0b4p-3, 0x1.39a1bab2daef7p-3, 0x1.2f0563967ebap-3};
};

/// x = 2^k (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2), of a positive normal x.
template <class V, class W>
struct LogParts {
  V f, k;
  W biased;  ///< k + bias, as an integer
};
template <class D, class V>
HWY_INLINE auto log_parts(D d, V x) {
  using C = LogConstants<Lane<D>>;
  const auto du = retag<typename C::U>(d);
  const auto shifted = Add(BitCast(du, x), Set(du, C::kOne - C::kRoot));
  const auto biased = ShiftRight<C::kMantissa>(shifted);
  const V m = BitCast(d, Add(And(shifted, Set(du, C::kFraction)), Set(du, C::kRoot)));
  const V k = Sub(BitCast(d, Or(biased, Set(du, C::kMagic))), Set(d, C::kMagicAndBias));
  return LogParts<V, decltype(biased)>{Sub(m, Set(d, 1)), k, biased};
}

/// k log 2 + log(1 + f).
template <class D, class V>
HWY_INLINE V log_of_parts(D d, V f, V k) {
  using T = Lane<D>;
  using C = LogConstants<T>;
  const V high = Set(d, ExpConstants<T>::kLn2Hi), low = Set(d, ExpConstants<T>::kLn2Lo);  // k * high is exact
  if constexpr (kIsF32<D>) {
    const V r = Mul(Mul(f, f), fma(f, polynomial(d, f, C::kP), Set(d, -0.5f)));
    return fma(k, high, Add(f, fma(k, low, r)));
  } else {
    const V s = Div(f, Add(f, Set(d, 2))), z = Mul(s, s), half = Mul(Mul(f, f), Set(d, 0.5));
    const V r = fma(s, fma(z, polynomial(d, z, C::kP), half), Mul(k, low));
    return fma(k, high, Sub(f, Sub(half, r)));
  }
}

struct Log {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    using T = Lane<D>;
    using C = LogConstants<T>;
    using L = std::numeric_limits<T>;
    const auto small = Lt(x, Set(d, L::min()));  // subnormals are scaled
    const auto p = log_parts(d, IfThenElse(small, Mul(x, Set(d, C::kScale)), x));
    const V y = log_of_parts(d, p.f, Sub(p.k, IfThenElseZero(small, Set(d, C::kScaled))));
    const V at_zero = IfThenElse(Lt(x, Zero(d)), Set(d, L::quiet_NaN()), Set(d, -L::infinity()));
    const V finite = IfThenElse(Le(x, Zero(d)), at_zero, y);
    return IfThenElse(Lt(x, Set(d, L::infinity())), finite, x);  // infinity and NaN stay
  }
};

// 1 + x is rounded; what was lost is added to f, in its scale.
struct Log1p {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    using T = Lane<D>;
    using C = LogConstants<T>;
    using L = std::numeric_limits<T>;
    const auto du = retag<typename C::U>(d);
    const V one = Set(d, 1), large = max_or_second(one, x), little = min_or_second(one, x);
    const V u = Add(large, little), lost = Sub(little, Sub(u, large));
    const auto p = log_parts(d, u);
    constexpr typename C::U kTwice = 2 * (C::kOne >> C::kMantissa) + 1;
    const V scale = BitCast(d, ShiftLeft<C::kMantissa>(Sub(Set(du, kTwice), p.biased)));  // 2^(1-k), and 0 for the largest k
    const V y = log_of_parts(d, fma(Mul(lost, Set(d, T(0.5))), scale, p.f), p.k);
    const V at_one = IfThenElse(Lt(x, Set(d, -1)), Set(d, L::quiet_NaN()), Set(d, -L::infinity()));
    const V finite = IfThenElse(Le(x, Set(d, -1)), at_one, IfThenElse(Lt(Abs(x), Set(d, C::kTiny)), x, y));  // -0 stays
    return IfThenElse(Lt(x, Set(d, L::infinity())), finite, x);
  }
};

struct Softplus {  // log(1 + e^x)
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const { return Add(max_or_second(Zero(d), x), Log1p{}(d, Exp{}(d, Neg(Abs(x))))); }
};
struct LogSigmoid {  // -softplus(-x)
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const { return Sub(min_or_second(Zero(d), x), Log1p{}(d, Exp{}(d, Neg(Abs(x))))); }
};

}  // namespace adjoint::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard of the chosen set
