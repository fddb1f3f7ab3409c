// elementwise.hpp: arithmetic, comparison, logic, selection and bits, each element from those at the same place.
// Not functions of analysis (math.hpp), not activations (activations.hpp), not reductions (reduce.hpp).
//
// Of all elementwise operations, here and in those headers:
//   shapes   operands broadcast: aligned at the last axis, each pair of sizes equal or one of them 1; a gradient is
//            summed back over the axes by which its operand was broadcast
//   dtypes   mixed operands meet in one type (floating over integer over bool, wider over narrower; bf16 with f16: f32);
//            a number takes the type of the tensors; f16 and bf16 compute in f32 and round once
//   ties     derivatives at ties, bounds and corners: docs/conventions.md
//   throws   Error at the caller's line if shapes do not broadcast, or an operand has no value or a type without meaning
#pragma once

#include <optional>

#include "adjoint/tensor.hpp"

namespace adjoint {

// ---- arithmetic ----------------------------------------------------------------------------------------------------

/// x + y.  gradient  dx = ct, dy = ct
Tensor add(const Arg& x, const Arg& y);
/// x - y.  gradient  dx = ct, dy = -ct
Tensor sub(const Arg& x, const Arg& y);
/// x * y.  gradient  dx = ct * y, dy = ct * x
Tensor mul(const Arg& x, const Arg& y);
/// x / y; integers are divided in f32.  gradient  dx = ct / y, dy = -ct * (x / y) / y
Tensor div(const Arg& x, const Arg& y);
/// -x.  gradient  dx = -ct
Tensor neg(const Arg& x);

/// add(x, y), at the line of the right operand.
Tensor operator+(const Arg& x, const Arg& y);
/// sub(x, y)
Tensor operator-(const Arg& x, const Arg& y);
/// mul(x, y)
Tensor operator*(const Arg& x, const Arg& y);
/// div(x, y)
Tensor operator/(const Arg& x, const Arg& y);
/// neg(x)
Tensor operator-(const Arg& x);

/// x * y + z, rounded once.  gradient  dx = ct * y, dy = ct * x, dz = ct
Tensor fma(const Arg& x, const Arg& y, const Arg& z);
/// start + weight * (end - start), exact at weights 0 and 1.
///   gradient  d start = ct * (1 - weight), d end = ct * weight, d weight = ct * (end - start)
Tensor lerp(const Arg& start, const Arg& end, const Arg& weight);
/// x + value * a * b.  gradient  dx = ct, da = ct * value * b, db = ct * value * a
Tensor addcmul(const Arg& x, const Arg& a, const Arg& b, double value = 1);
/// x + value * a / b.  gradient  dx = ct, da = ct * value / b, db = -ct * value * a / b^2
Tensor addcdiv(const Arg& x, const Arg& a, const Arg& b, double value = 1);
/// (x - y)^2.  gradient  dx = 2 ct (x - y), dy = -dx
Tensor squared_difference(const Arg& x, const Arg& y);

/// The larger one; NaN if either is.  gradient  to the larger; half each at a tie
Tensor maximum(const Arg& x, const Arg& y);
/// The smaller one; NaN if either is.  gradient  to the smaller; half each at a tie
Tensor minimum(const Arg& x, const Arg& y);
/// min(max(x, low), high), where a NaN bound does not bound.  gradient  to the operand that the value came from; at a bound to x
///   throws  Error if both bounds are numbers and low > high
Tensor clamp(const Arg& x, const Arg& low, const Arg& high);

// ---- magnitude and rounding ----------------------------------------------------------------------------------------

/// |x|.  gradient  dx = ct * sign(x) (0 at 0)
Tensor abs(const Arg& x);
/// -1, 0 or 1; NaN stays NaN. No gradient (zero).
Tensor sign(const Arg& x);
/// |x| with the sign of y; |x| where y is NaN, whatever sign its bits have.  gradient  dx = ct, or -ct where the sign changed (0 at 0); dy none
Tensor copysign(const Arg& x, const Arg& y);
/// x * 2^n.  gradient  dx = ct * 2^n, dn = ct * y * ln 2
Tensor ldexp(const Arg& x, const Arg& n);
/// The next number after x in the direction of y; f32 and f64. Its gradient is refused.
Tensor nextafter(const Arg& x, const Arg& y);
/// Largest integer <= x. No gradient (zero).
Tensor floor(const Arg& x);
/// Smallest integer >= x. No gradient (zero).
Tensor ceil(const Arg& x);
/// Nearest integer, halves to even. No gradient (zero).
Tensor round(const Arg& x);
/// The integer part, towards 0. No gradient (zero).
Tensor trunc(const Arg& x);
/// floor(x / y); integers by 0 give 0. No gradient (zero).
Tensor floor_divide(const Arg& x, const Arg& y);
/// x - y trunc(x / y), with the sign of x; integers by 0 give 0.  gradient  dx = ct, dy = -ct * trunc(x / y)
Tensor fmod(const Arg& x, const Arg& y);
/// x - y floor(x / y), with the sign of y; integers by 0 give 0.  gradient  dx = ct, dy = -ct * floor(x / y)
Tensor remainder(const Arg& x, const Arg& y);

// ---- comparison and logic: bool results, no gradient (zero) ----------------------------------------------------------

/// x == y; false where either is NaN.
Tensor eq(const Arg& x, const Arg& y);
/// x != y; true where either is NaN.
Tensor ne(const Arg& x, const Arg& y);
/// x < y; false where either is NaN, as in all that follow.
Tensor lt(const Arg& x, const Arg& y);
/// x <= y
Tensor le(const Arg& x, const Arg& y);
/// x > y
Tensor gt(const Arg& x, const Arg& y);
/// x >= y
Tensor ge(const Arg& x, const Arg& y);

/// How near two values are taken as equal: |x - y| <= absolute + relative * |y|.
struct Tolerance {
  double relative = 1e-5;
  double absolute = 1e-8;
  bool equal_nan = false;  ///< two NaNs are close
};
/// Element by element: within the tolerance, or equal (infinities too).  throws  Error for a negative tolerance
Tensor isclose(const Arg& x, const Arg& y, Tolerance tolerance = {});
/// All elements are close: a bool scalar.
Tensor allclose(const Arg& x, const Arg& y, Tolerance tolerance = {});

/// Both are true; anything but 0 counts as true, NaN included.
Tensor logical_and(const Arg& x, const Arg& y);
/// At least one is true.
Tensor logical_or(const Arg& x, const Arg& y);
/// Exactly one is true.
Tensor logical_xor(const Arg& x, const Arg& y);
/// It is 0 or false.
Tensor logical_not(const Arg& x);
/// It is NaN.
Tensor isnan(const Arg& x);
/// It is +infinity or -infinity.
Tensor isinf(const Arg& x);
/// It is neither infinite nor NaN.
Tensor isfinite(const Arg& x);

// ---- selection -----------------------------------------------------------------------------------------------------

/// x where condition (bool), else y.  gradient  dx = ct where condition, else 0; dy the opposite: a select, so that a
/// NaN of the branch not taken does not pass. (If that branch is itself a function with an infinite slope there, its own
/// rule multiplies the 0 by it: select its operand first, as in where(c, x, log(where(c, 1, x))).)
Tensor where(const Arg& condition, const Arg& x, const Arg& y);
/// cases[which], element by element; `which` is integer or bool, and an index outside counts as the nearest one inside.
///   gradient  to the case that was selected
///   throws    Error if there are no cases, or `which` is floating
Tensor select_n(const Arg& which, const Tensors& cases);
/// x, with `value` where mask (bool).  gradient  dx = ct where not mask; d value = ct where mask
Tensor masked_fill(const Arg& x, const Arg& mask, const Arg& value);

/// What stands for NaN and the infinities; the largest finite numbers of the type if not given.
struct NanToNum {
  double nan = 0;
  std::optional<double> positive_infinity = {}, negative_infinity = {};
};
/// x, with NaN and the infinities replaced.  gradient  dx = ct where x is finite, else 0
Tensor nan_to_num(const Arg& x, NanToNum with = {});

// ---- bits of integers: no gradient (zero) ----------------------------------------------------------------------------

Tensor bitwise_not(const Arg& x);                  ///< every bit flipped; of bool: not
Tensor bitwise_and(const Arg& x, const Arg& y);    ///< integers or bool
Tensor bitwise_or(const Arg& x, const Arg& y);     ///< integers or bool
Tensor bitwise_xor(const Arg& x, const Arg& y);    ///< integers or bool
Tensor shift_left(const Arg& x, const Arg& n);     ///< x * 2^n modulo the type; 0 if n is not in [0, bits)
Tensor shift_right(const Arg& x, const Arg& n);    ///< floor(x / 2^n); all sign if n is not in [0, bits)
Tensor popcount(const Arg& x);                     ///< number of bits that are 1
Tensor gcd(const Arg& x, const Arg& y);            ///< greatest common divisor, not negative

// ---- element types -------------------------------------------------------------------------------------------------

/// The same value in another element type.  gradient  dx = ct cast back; to and from integers and bool: none
Tensor cast(const Arg& x, DType dtype);
/// The bytes of each element read as another element type of the same size: the bits of a f32 as i32, and back without loss. No gradient (zero).
///   throws  Error if the sizes differ, and for other types read as bool, whose bytes are 0 or 1
Tensor bitcast(const Arg& x, DType dtype);
/// The value, through which no gradient passes.
Tensor stop_gradient(const Arg& x);

}  // namespace adjoint
