// trig-inl.hpp: sin and cos of f32 by one reduction and two polynomials up to 2^18, once for all executors.
// Not beyond that, nor for infinities and NaN: who instantiates them says what computes those (SLEEF).
#if defined(ADJOINT_TRIG_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ADJOINT_TRIG_INL
#undef ADJOINT_TRIG_INL
#else
#define ADJOINT_TRIG_INL
#endif

#include <cstdint>

#include "kernels/cpu/activations-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace adjoint::cpu::HWY_NAMESPACE {

// (sin(r) / r - 1) / r^2 and (cos(r) - 1 + r^2 / 2) / r^4 in r^2 for |r| < 0.81; errors 3e-9 and 1e-9 of the result.
constexpr float kSin[] = {-0x1.555556p-3f, 0x1.11122ap-7f, -0x1.a131a2p-13f, 0x1.b609dp-19f};
constexpr float kCos[] = {0x1.555554p-5f, -0x1.6c1248p-10f, 0x1.9b917ap-16f};
// pi/2 in three parts, negated. k times the first is subtracted without an error: all are multiples of 2^-23.
constexpr float kQuarter1 = -0x1.921fb6p+0f, kQuarter2 = 0x1.777a5cp-25f, kQuarter3 = 0x1.ee59dap-50f;
constexpr float kTrigLimit = 0x1p18f;

/// sin(x + quarters pi/2). Far{}(d, beyond, x, near) is near, and where `beyond` holds something else.
template <class Far, unsigned quarters>
struct Sine {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    using U = std::uint32_t;
    const auto du = retag<U>(d);
    const V one = Set(d, 1), zero = Zero(d), magic = Set(d, 0x1.8p23f);
    const V shifted = fma(x, Set(d, 0x1.45f306p-1f), magic), k = Sub(shifted, magic);
    const V r = fma(k, Set(d, kQuarter1), x);
    const V p = Mul(k, Set(d, kQuarter2)), p_low = fma(k, Set(d, kQuarter2), Neg(p));
    const V hi = Add(r, p), back = Sub(hi, r);  // sum of two with its error
    const V error = Add(Sub(r, Sub(hi, back)), Sub(p, back));
    const V low = fma(k, Set(d, kQuarter3), Add(error, p_low));
    const V square = Mul(hi, hi), h = Mul(Set(d, 0.5f), square);
    const V sine = Add(hi, fma(Mul(hi, square), polynomial(d, square, kSin), fma(Neg(h), low, low)));
    const V w = Sub(one, h);
    const V cosine = Add(w, Add(Sub(Sub(one, w), h), fma(Mul(square, square), polynomial(d, square, kCos), Neg(Mul(hi, low)))));
    auto n = BitCast(du, shifted);  // k in its last bits
    if constexpr (quarters != 0) n = Add(n, Set(du, U{quarters}));
    const auto odd = Lt(BitCast(d, Or(ShiftLeft<31>(n), BitCast(du, one))), zero);
    const auto sign = ShiftLeft<30>(And(n, Set(du, U{2})));
    V y = BitCast(d, Xor(BitCast(du, IfThenElse(odd, cosine, sine)), sign));
    if constexpr (quarters == 0) y = IfThenElse(Eq(x, zero), x, y);  // -0 stays
    return Far{}(d, Not(Le(Abs(x), Set(d, kTrigLimit))), x, y);
  }
};

}  // namespace adjoint::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard of the chosen set
