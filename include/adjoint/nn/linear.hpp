// linear.hpp: the fully connected layer. Not the operation without parameters: that is linear() of ops/product.hpp.
#pragma once

#include <optional>

#include "adjoint/nn/init.hpp"
#include "adjoint/tree.hpp"

namespace adjoint::nn {

/// y = x weight^T + bias for x of shape [.., in]: weight [out, in], bias [out].
struct Linear {
  Tensor weight;
  std::optional<Tensor> bias = {};
  Tensor operator()(const Arg& x) const;  ///< linear(x, weight, bias), of ops/product.hpp
};
/// Settings of linear().
struct LinearOptions {
  bool bias = true;
  DType dtype = DType::f32;
};
/// Start values uniform in [-b, b) with b = 1 / sqrt(in), for weight and bias (as PyTorch draws them).
Linear linear(std::int64_t in, std::int64_t out, const Key& key, LinearOptions options = {}, Loc loc = Loc::current());

}  // namespace adjoint::nn
