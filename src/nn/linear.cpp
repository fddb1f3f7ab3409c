// linear.cpp: the fully connected layer on products. Not a kernel.
#include "adjoint/nn/linear.hpp"

#include <cmath>

#include "adjoint/ops.hpp"

namespace adjoint::nn {

Tensor Linear::operator()(const Arg& x) const {
  OpScope scope("Linear", x.loc);
  return bias ? adjoint::linear(x, weight, *bias) : adjoint::linear(x, weight);
}

Linear linear(std::int64_t in, std::int64_t out, const Key& key, LinearOptions o, Loc loc) {
  if (in < 0 || out < 0)
    throw Error({.op = "linear", .message = "a layer from " + std::to_string(in) + " to " + std::to_string(out) + " features",
                 .where = loc, .hint = "sizes are >= 0"});
  const double bound = in > 0 ? 1 / std::sqrt(static_cast<double>(in)) : 0;
  Linear layer{init_uniform(key.fold_in("weight"), {out, in}, -bound, bound, o.dtype, loc)};
  if (o.bias) layer.bias = init_uniform(key.fold_in("bias"), {out}, -bound, bound, o.dtype, loc);
  return layer;
}

}  // namespace adjoint::nn
