// norm.hpp: normalisation layers: weights, and running statistics as buffers. Not the operations: ops/norm.hpp.
#pragma once

#include <optional>

#include "adjoint/nn/context.hpp"
#include "adjoint/nn/init.hpp"

namespace adjoint::nn {

/// y = (x - mean) / sqrt(var + eps) weight + bias over the last axes, as many as weight has (one if there is none).
struct LayerNorm {
  std::optional<Tensor> weight = {}, bias = {};
  double eps = 1e-5;
  Tensor operator()(const Arg& x) const;  ///< layer_norm, of ops/norm.hpp
};
/// Settings of the factories of layers without running statistics.
struct NormLayerOptions {
  bool weight = true, bias = true;
  double eps = 1e-5;
  DType dtype = DType::f32;
};
/// Weight 1, bias 0.
LayerNorm layer_norm_layer(const Shape& shape, const NormLayerOptions& options = {}, Loc loc = Loc::current());

/// y = x / sqrt(mean x^2 + eps) weight over the last axes.
struct RMSNorm {
  std::optional<Tensor> weight = {};
  double eps = 1e-6;
  Tensor operator()(const Arg& x) const;  ///< rms_norm, of ops/norm.hpp
};
/// Weight 1.
RMSNorm rms_norm_layer(const Shape& shape, double eps = 1e-6, DType dtype = DType::f32, Loc loc = Loc::current());

/// Channels of [n, channels, ..] in equal groups.
struct GroupNorm {
  std::int64_t groups = 1;
  std::optional<Tensor> weight = {}, bias = {};
  double eps = 1e-5;
  Tensor operator()(const Arg& x) const;  ///< group_norm, of ops/norm.hpp
};
/// Weight 1, bias 0. The channels must be a multiple of the groups.
GroupNorm group_norm_layer(std::int64_t groups, std::int64_t channels, const NormLayerOptions& options = {}, Loc loc = Loc::current());

/// Each channel of each image by itself.
struct InstanceNorm {
  std::optional<Tensor> weight = {}, bias = {};
  double eps = 1e-5;
  Tensor operator()(const Arg& x) const;  ///< instance_norm, of ops/norm.hpp
};
/// Weight 1, bias 0.
InstanceNorm instance_norm_layer(std::int64_t channels, const NormLayerOptions& options = {}, Loc loc = Loc::current());

/// Channels of [n, channels, ..] over the batch. In training the new running statistics go into the context: after the step,
/// `context.apply(model)`.
struct BatchNorm {
  Buffer<Tensor> running_mean, running_var;
  std::optional<Tensor> weight = {}, bias = {};
  double momentum = 0.1, eps = 1e-5;
  Tensor operator()(const Arg& x, Context& context) const;  ///< batch_norm, of ops/norm.hpp, in training where the context says so
};
/// Settings of batch_norm_layer().
struct BatchNormLayerOptions {
  bool weight = true, bias = true;
  double momentum = 0.1, eps = 1e-5;
  DType dtype = DType::f32;
};
/// Weight 1, bias 0, running mean 0, running variance 1.
BatchNorm batch_norm_layer(std::int64_t channels, const BatchNormLayerOptions& options = {}, Loc loc = Loc::current());

}  // namespace adjoint::nn
