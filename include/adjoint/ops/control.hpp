// control.hpp: operations that leave a value as it is and change what happens to its gradient, or mark it for others to see.
// All are views: they cost nothing when run. Not rules of the user's own: custom.hpp.
#pragma once

#include <functional>
#include <string>

#include "adjoint/tensor.hpp"

namespace adjoint {

/// The value of `value` with the gradient of `surrogate`, as in straight_through(round(x), x). One type.
///   gradient  dvalue = none, dsurrogate = ct
Tensor straight_through(const Arg& value, const Arg& surrogate);
/// x, whose gradient is multiplied by `factor`, a number that may change each step.  gradient  dx = factor ct
Tensor scale_gradient(const Arg& x, double factor);
/// x, whose gradient is turned around (domain-adversarial training).  gradient  dx = -factor ct
Tensor reverse_gradient(const Arg& x, double factor = 1);
/// x, whose gradient is clamped element by element. Not linear in the cotangent; the forward mode lets tangents pass.
///   gradient  dx = clamp(ct, -limit, limit)
Tensor clip_gradient(const Arg& x, double limit);
/// x under a name, which messages, prints and plans show.  gradient  dx = ct
Tensor name_value(const Arg& x, std::string name);
/// x as a value of its own, which no rewriting looks through.  gradient  dx = ct
Tensor identity_barrier(const Arg& x);
/// region(in), marked as one region: with Memory's save-all and layers a plan computes what lies between `in` and the result again for
/// the backward pass instead of keeping it; the other strategies choose for themselves. What the region reads beyond `in` and leaves counts as
/// part of it: pass it in `in`. No bit changes.  gradient  that of the region
Tensor checkpoint(const std::function<Tensor(const Tensors&)>& region, const Tensors& in, Loc loc = Loc::current());

}  // namespace adjoint
