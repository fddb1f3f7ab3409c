// arithmetic-inl.hpp: the floating-point functions that are exact or rounded once, once for all executors.
// Not a table entry: scalar_arithmetic.cpp (tiles) and micro_functions.cpp (emitted code).
#if defined(ADJOINT_ARITHMETIC_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ADJOINT_ARITHMETIC_INL
#undef ADJOINT_ARITHMETIC_INL
#else
#define ADJOINT_ARITHMETIC_INL
#endif

#include "kernels/cpu/scalar_loops-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace adjoint::cpu::HWY_NAMESPACE {

// Names without a namespace are those of the machine that computes, as in exp-inl.hpp.

struct Negate {
  template <class D, class V> HWY_INLINE V operator()(D, V x) const { return Neg(x); }
};
struct Absolute {
  template <class D, class V> HWY_INLINE V operator()(D, V x) const { return Abs(x); }
};
struct Square {
  template <class D, class V> HWY_INLINE V operator()(D, V x) const { return Mul(x, x); }
};
struct SquareRoot {
  template <class D, class V> HWY_INLINE V operator()(D, V x) const { return sqrt(x); }
};
struct Reciprocal {
  template <class D, class V> HWY_INLINE V operator()(D d, V x) const { return Div(Set(d, 1), x); }
};
struct ReciprocalRoot {
  template <class D, class V> HWY_INLINE V operator()(D d, V x) const { return Div(Set(d, 1), sqrt(x)); }
};
struct Floor {
  template <class D, class V> HWY_INLINE V operator()(D, V x) const { return floor(x); }
};
struct Ceil {
  template <class D, class V> HWY_INLINE V operator()(D, V x) const { return ceil(x); }
};
struct Trunc {
  template <class D, class V> HWY_INLINE V operator()(D, V x) const { return trunc(x); }
};
struct RoundEven {
  template <class D, class V> HWY_INLINE V operator()(D, V x) const { return round_even(x); }
};
struct Relu {  // x where it is positive or NaN, else +0
  template <class D, class V> HWY_INLINE V operator()(D d, V x) const { return IfThenZeroElse(Le(x, Zero(d)), x); }
};
struct Sign {  // -1 or 1; zeros and NaN stay what they are
  template <class D, class V> HWY_INLINE V operator()(D d, V x) const {
    return IfThenElse(Gt(Abs(x), Zero(d)), CopySign(Set(d, 1), x), x);
  }
};

struct Add2 {
  template <class D, class V> HWY_INLINE V operator()(D, V a, V b) const { return Add(a, b); }
};
struct Subtract {
  template <class D, class V> HWY_INLINE V operator()(D, V a, V b) const { return Sub(a, b); }
};
struct Multiply {
  template <class D, class V> HWY_INLINE V operator()(D, V a, V b) const { return Mul(a, b); }
};
struct Divide {
  template <class D, class V> HWY_INLINE V operator()(D, V a, V b) const { return Div(a, b); }
};
struct Copysign {  // the sign of a NaN is not defined by the mathematics: it counts as +
  template <class D, class V> HWY_INLINE V operator()(D, V a, V b) const { return CopySign(a, IfThenZeroElse(IsNaN(b), b)); }
};

// IEEE 754-2019 maximum and minimum: NaN wins, and -0 is below +0. Equal operands have equal bits but for the sign of
// zeros, so the bitwise and/or of both is the operand, or the right zero.
struct Maximum {
  template <class D, class V> HWY_INLINE V operator()(D, V a, V b) const {
    const V m = IfThenElse(Eq(a, b), And(a, b), max_or_second(a, b));
    return IfThenElse(IsNaN(a), a, m);
  }
};
struct Minimum {
  template <class D, class V> HWY_INLINE V operator()(D, V a, V b) const {
    const V m = IfThenElse(Eq(a, b), Or(a, b), min_or_second(a, b));
    return IfThenElse(IsNaN(a), a, m);
  }
};

struct Fma {
  template <class D, class V> HWY_INLINE V operator()(D, V a, V b, V c) const { return fma(a, b, c); }
};
struct Clamp {  // a NaN x stays; a NaN bound does not bound; lo > hi gives hi
  template <class D, class V> HWY_INLINE V operator()(D, V x, V lo, V hi) const {
    const V y = IfThenElse(Lt(x, lo), lo, x);
    return IfThenElse(Gt(y, hi), hi, y);
  }
};

}  // namespace adjoint::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard of the chosen set
