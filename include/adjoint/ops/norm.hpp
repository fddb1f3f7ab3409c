// norm.hpp: normalisations: of values over chosen axes, and of weights. Variances are computed in two passes (mean, then
// squares of differences), halves in f32. Where the variance and eps are both 0, the result and its gradient are 0.
// Not layers: those hold weights and running statistics, in nn/norm.hpp.
#pragma once

#include "adjoint/tensor.hpp"

namespace adjoint {

/// Settings of layer_norm().
struct LayerNormOptions {
  Tensor weight = {}, bias = {};  ///< of the shape of the normalised axes; empty: 1 and 0
  int axes = 1;                   ///< how many trailing axes are normalised together
  double eps = 1e-5;
};
/// y = (x - mean) / sqrt(var + eps) weight + bias over the last axes; var divides by n.
///   gradient  with g = ct weight and x' = (x - mean) / sqrt(var + eps): dx = (g - mean g - x' mean(g x')) / sqrt(var + eps),
///             dweight = sum(ct x'), dbias = sum(ct)
Tensor layer_norm(const Arg& x, const LayerNormOptions& options = {});

/// Settings of rms_norm().
struct RmsNormOptions {
  Tensor weight = {};
  int axes = 1;
  double eps = 1e-6;
};
/// y = x / sqrt(mean x^2 + eps) weight over the last axes.
///   gradient  with g = ct weight and r = 1 / sqrt(mean x^2 + eps): dx = r (g - x r mean(g x r))
Tensor rms_norm(const Arg& x, const RmsNormOptions& options = {});

/// Settings of group_norm() and instance_norm().
struct ChannelNormOptions {
  Tensor weight = {}, bias = {};  ///< [channels]
  double eps = 1e-5;
};
/// x [n, channels, ..]: the channels in `groups` equal groups, each normalised together with all places of its image.
///   gradient  as layer_norm, over the group
Tensor group_norm(const Arg& x, std::int64_t groups, const ChannelNormOptions& options = {});
/// group_norm with one channel a group.  gradient  as layer_norm, over the channel
Tensor instance_norm(const Arg& x, const ChannelNormOptions& options = {});

/// Settings of batch_norm().
struct BatchNormOptions {
  Tensor weight = {}, bias = {};  ///< [channels]
  bool training = true;
  double momentum = 0.1;          ///< share of the batch in the new running statistics
  double eps = 1e-5;
};
/// Results of batch_norm(): the value, and the statistics to keep.
struct BatchNormResult {
  Tensor y, running_mean, running_var;
};
/// x [n, channels, ..] normalised a channel. Training: over the batch and all places, and the new running statistics are
/// (1 - momentum) old + momentum of the batch (its variance divided by n - 1), through which no gradient passes. Else:
/// with the running statistics, which are returned as they are.
///   gradient  training: as layer_norm, over the batch; else dx = ct weight / sqrt(running_var + eps)
BatchNormResult batch_norm(const Arg& x, const Tensor& running_mean, const Tensor& running_var, const BatchNormOptions& options = {});

/// Settings of local_response_norm().
struct LocalResponseOptions {
  double alpha = 1e-4, beta = 0.75, k = 1;
};
/// x [n, channels, ..]: x / (k + alpha / size sum of x^2 over the `size` channels around)^beta.  gradient  by its definition
Tensor local_response_norm(const Arg& x, std::int64_t size, const LocalResponseOptions& options = {});

/// g v / |v|, where |v| is the norm over all axes but `axis`, and g has that axis's size. 0 where |v| is 0.
///   gradient  by its definition
Tensor weight_norm(const Arg& v, const Arg& g, int axis = 0);

/// Results of spectral_norm().
struct SpectralNormResult {
  Tensor weight;  ///< w / sigma
  Tensor u;       ///< the new estimate of the left singular vector, a constant
};
/// w divided by its largest singular value, estimated by power iteration from u [rows]; w's axes past the first are one.
///   gradient  dw = (ct - sum(ct w) / sigma u v^T) / sigma with u, v constant
SpectralNormResult spectral_norm(const Arg& w, const Tensor& u, int iterations = 1, double eps = 1e-12);

/// x / max(|x|, eps) along `axis`.  gradient  by its definition
Tensor l2_normalize(const Arg& x, int axis = -1, double eps = 1e-12);

}  // namespace adjoint
