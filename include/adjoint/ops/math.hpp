// math.hpp: functions of analysis, element by element: powers, exponentials, angles, the error function.
// Not arithmetic (elementwise.hpp, which states what holds for all of them), not activations (activations.hpp).
// Integers and bools are cast to f32 first. y stands for the result.
#pragma once

#include "adjoint/tensor.hpp"

namespace adjoint {

// ---- powers --------------------------------------------------------------------------------------------------------

/// x^2, of integers too.  gradient  dx = 2 ct x
Tensor square(const Arg& x);
/// Square root.  gradient  dx = ct / (2 y), infinite at 0
Tensor sqrt(const Arg& x);
/// 1 / sqrt(x).  gradient  dx = -ct y^3 / 2
Tensor rsqrt(const Arg& x);
/// Cube root, of negative numbers too.  gradient  dx = ct / (3 y^2), infinite at 0
Tensor cbrt(const Arg& x);
/// 1 / x.  gradient  dx = -ct y^2
Tensor reciprocal(const Arg& x);
/// x^y, of integers too (modulo the type).
///   gradient  dx = ct y x^(y-1) (0 for y = 0), dy = ct x^y log x; at x = 0 dy is 0 for y >= 0 and -infinity for y < 0;
///             for x < 0 dx holds at integer y, and dy is NaN
Tensor pow(const Arg& x, const Arg& y);
/// sqrt(x^2 + y^2) without overflow.  gradient  dx = ct x / h, dy = ct y / h (0 at the origin)
Tensor hypot(const Arg& x, const Arg& y);

// ---- exponentials and logarithms -------------------------------------------------------------------------------------

/// e^x.  gradient  dx = ct y
Tensor exp(const Arg& x);
/// 2^x.  gradient  dx = ct y ln 2
Tensor exp2(const Arg& x);
/// e^x - 1, exact near 0.  gradient  dx = ct e^x
Tensor expm1(const Arg& x);
/// Natural logarithm.  gradient  dx = ct / x
Tensor log(const Arg& x);
/// Logarithm to base 2.  gradient  dx = ct / (x ln 2)
Tensor log2(const Arg& x);
/// Logarithm to base 10.  gradient  dx = ct / (x ln 10)
Tensor log10(const Arg& x);
/// log(1 + x), exact near 0.  gradient  dx = ct / (1 + x)
Tensor log1p(const Arg& x);
/// log(e^x + e^y) without overflow.  gradient  dx = ct sigmoid(x - y), dy = ct sigmoid(y - x)
Tensor logaddexp(const Arg& x, const Arg& y);
/// log2(2^x + 2^y) without overflow.  gradient  dx = ct 2^x / (2^x + 2^y), dy likewise
Tensor logaddexp2(const Arg& x, const Arg& y);
/// x log y, and 0 where x is 0 and y is <= 0 or infinite.  gradient  dx = ct log y, dy = ct x / y; both 0 there
Tensor xlogy(const Arg& x, const Arg& y);
/// x log(1 + y), and 0 where x is 0 and y is <= -1 or infinite.  gradient  dx = ct log(1 + y), dy = ct x / (1 + y)
Tensor xlog1py(const Arg& x, const Arg& y);

// ---- trigonometric -------------------------------------------------------------------------------------------------

/// gradient  dx = ct cos x
Tensor sin(const Arg& x);
/// gradient  dx = -ct sin x
Tensor cos(const Arg& x);
/// gradient  dx = ct (1 + y^2)
Tensor tan(const Arg& x);
/// gradient  dx = ct / sqrt((1 - x)(1 + x))
Tensor asin(const Arg& x);
/// gradient  dx = -ct / sqrt((1 - x)(1 + x))
Tensor acos(const Arg& x);
/// gradient  dx = ct / (1 + x^2)
Tensor atan(const Arg& x);
/// The angle of the point (x, y), in (-pi, pi].  gradient  dy = ct x / (x^2 + y^2), dx = -ct y / (x^2 + y^2); 0 at the origin
Tensor atan2(const Arg& y, const Arg& x);
/// sin(pi x) / (pi x), and 1 at 0.  gradient  dx = ct (cos(pi x) - y) / x, 0 at 0; digits are kept near 0 at every order
Tensor sinc(const Arg& x);

// ---- hyperbolic ----------------------------------------------------------------------------------------------------

/// gradient  dx = ct cosh x
Tensor sinh(const Arg& x);
/// gradient  dx = ct sinh x
Tensor cosh(const Arg& x);
/// gradient  dx = ct (1 - y)(1 + y): of the result alone, so it has the result's absolute, not relative, digits at large |x|
Tensor tanh(const Arg& x);
/// gradient  dx = ct / sqrt(1 + x^2)
Tensor asinh(const Arg& x);
/// gradient  dx = ct / sqrt((x - 1)(x + 1))
Tensor acosh(const Arg& x);
/// gradient  dx = ct / ((1 - x)(1 + x))
Tensor atanh(const Arg& x);

// ---- the logistic and error functions --------------------------------------------------------------------------------

/// 1 / (1 + e^-x).  gradient  dx = ct y (1 - y): of the result alone, with its absolute digits at large x
Tensor sigmoid(const Arg& x);
/// log(x / (1 - x)).  gradient  dx = ct / (x (1 - x))
Tensor logit(const Arg& x);
/// gradient  dx = ct 2 / sqrt(pi) e^(-x^2)
Tensor erf(const Arg& x);
/// 1 - erf(x), exact at large x.  gradient  dx = -ct 2 / sqrt(pi) e^(-x^2)
Tensor erfc(const Arg& x);
/// The x with erf(x) given, in (-1, 1).  gradient  dx = ct sqrt(pi) / 2 e^(y^2)
Tensor erfinv(const Arg& x);

}  // namespace adjoint
