// elementwise.hpp: operations that compute each element from the elements at the same place. Not reductions.
// Operands broadcast: shapes are aligned at the last axis, and each pair of sizes is equal or one of them is 1.
#pragma once

#include "adjoint/tensor.hpp"

namespace adjoint {

/// x + y.  gradient  dx = ct, dy = ct (summed over broadcast axes, as for every operation here)
Tensor add(const Arg& x, const Arg& y);
/// x - y.  gradient  dx = ct, dy = -ct
Tensor sub(const Arg& x, const Arg& y);
/// x * y.  gradient  dx = ct * y, dy = ct * x
Tensor mul(const Arg& x, const Arg& y);
/// x / y; integers are divided in f32.  gradient  dx = ct / y, dy = -ct * (x / y) / y
Tensor div(const Arg& x, const Arg& y);
/// -x.  gradient  dx = -ct
Tensor neg(const Arg& x);

Tensor operator+(const Arg& x, const Arg& y);
Tensor operator-(const Arg& x, const Arg& y);
Tensor operator*(const Arg& x, const Arg& y);
Tensor operator/(const Arg& x, const Arg& y);
Tensor operator-(const Arg& x);

/// e^x.  gradient  dx = ct * y
Tensor exp(const Arg& x);
/// Natural logarithm.  gradient  dx = ct / x
Tensor log(const Arg& x);
/// max(x, 0), NaN stays NaN.  gradient  dx = ct where x > 0, else 0 (0 at 0)
Tensor relu(const Arg& x);

/// bool: x > y; false where either is NaN. No gradient (zero).
Tensor gt(const Arg& x, const Arg& y);
/// x where condition (bool), else y.  gradient  dx = ct where condition, else 0; dy the opposite: a select, so that a
/// NaN of the branch not taken never leaks
Tensor where(const Arg& condition, const Arg& x, const Arg& y);

/// The same value in another element type.  gradient  dx = ct cast back; to and from integers and bool: none
Tensor cast(const Arg& x, DType dtype);
/// The value, through which no gradient passes.
Tensor stop_gradient(const Arg& x);

}  // namespace adjoint
