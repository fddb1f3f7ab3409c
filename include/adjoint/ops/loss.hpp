// loss.hpp: losses. Each takes predictions first and targets second and reduces to a scalar unless told otherwise.
// Not metrics, but for accuracy. Targets have no gradient unless a line says so.
#pragma once

#include <cstdint>
#include <optional>

#include "adjoint/tensor.hpp"

namespace adjoint {

/// What becomes of the losses of the rows or elements: their mean, their sum, or all of them.
enum class LossReduction : std::uint8_t { mean, sum, none };

/// Settings of cross_entropy().
struct CrossEntropyOptions {
  int axis = -1;                                   ///< of the classes
  LossReduction reduction = LossReduction::mean;
  double label_smoothing = 0;                      ///< e: the target distribution is (1 - e) one-hot + e / C
  std::optional<std::int64_t> ignore_index = {};   ///< rows with this target give 0 and do not count in the mean
  Tensor weight = {};                              ///< [C]: a factor a class; the mean divides by the sum of the targets' weights
};
/// Softmax cross-entropy of logits against integer targets (i64 or i32, the shape of logits without the class axis):
/// log sum exp(x) - x[target]. The mean over no rows at all is 0. A target that is no class is an Error when computed.
///   gradient  dx = ct (softmax(x) - onehot) a row
Tensor cross_entropy(const Arg& logits, const Arg& targets, const CrossEntropyOptions& options = {});

/// Settings of soft_cross_entropy().
struct DistributionOptions {
  int axis = -1;
  LossReduction reduction = LossReduction::mean;
};
/// Cross-entropy of logits against distributions of their shape: sum q (log sum exp(x) - x) a row; the mean is over rows.
///   gradient  dx = ct (softmax(x) sum q - q), dq = ct (log sum exp(x) - x)
Tensor soft_cross_entropy(const Arg& logits, const Arg& q, DistributionOptions options = {});

/// Settings of fused_linear_cross_entropy().
struct LinearCrossEntropyOptions {
  Tensor bias = {};                                ///< [classes]
  LossReduction reduction = LossReduction::mean;
  double label_smoothing = 0;
  std::int64_t chunk = 1024;                       ///< rows whose logits exist at once
};
/// cross_entropy(x weight^T + bias, targets) for x [rows, features] and weight [classes, features], `chunk` rows after
/// another, so that the logits of all rows never stand side by side.  gradient  that of its definition
Tensor fused_linear_cross_entropy(const Arg& x, const Arg& weight, const Arg& targets, const LinearCrossEntropyOptions& options = {});

/// Settings of nll(), as those of cross_entropy().
struct NllOptions {
  int axis = -1;
  LossReduction reduction = LossReduction::mean;
  std::optional<std::int64_t> ignore_index = {};
  Tensor weight = {};
};
/// -p[target] of log-probabilities; targets and options as in cross_entropy.  gradient  dp = -ct at the target
Tensor nll(const Arg& log_probabilities, const Arg& targets, const NllOptions& options = {});

/// Settings of the losses that have no others.
struct LossOptions {
  LossReduction reduction = LossReduction::mean;
};
/// -(t log p + (1 - t) log(1 - p)) for probabilities p in [0, 1], each logarithm at least -100.
///   gradient  dp = ct (p - t) / max(p (1 - p), 1e-12); dt = ct (log(1 - p) - log p)
Tensor bce(const Arg& p, const Arg& t, LossOptions options = {});

/// Settings of bce_with_logits().
struct BceWithLogitsOptions {
  LossReduction reduction = LossReduction::mean;
  double positive_weight = 1;  ///< factor on the first term
};
/// w t softplus(-x) + (1 - t) softplus(x): bce of sigmoid(x), accurate for every finite x.
///   gradient  dx = ct ((1 - t) sigmoid(x) - w t sigmoid(-x))
Tensor bce_with_logits(const Arg& logits, const Arg& t, BceWithLogitsOptions options = {});

/// (x - t)^2.  gradient  dx = 2 ct (x - t), dt the opposite
Tensor mse(const Arg& x, const Arg& t, LossOptions options = {});
/// |x - t|.  gradient  dx = ct sign(x - t), 0 at 0
Tensor l1(const Arg& x, const Arg& t, LossOptions options = {});

/// Settings of smooth_l1().
struct SmoothL1Options {
  LossReduction reduction = LossReduction::mean;
  double beta = 1;  ///< > 0: where the square ends
};
/// d^2 / (2 beta) where |d| < beta, else |d| - beta / 2, with d = x - t.  gradient  dx = ct clamp(d / beta, -1, 1)
Tensor smooth_l1(const Arg& x, const Arg& t, SmoothL1Options options = {});

/// Settings of huber().
struct HuberOptions {
  LossReduction reduction = LossReduction::mean;
  double delta = 1;  ///< > 0: where the square ends
};
/// d^2 / 2 where |d| < delta, else delta (|d| - delta / 2).  gradient  dx = ct clamp(d, -delta, delta)
Tensor huber(const Arg& x, const Arg& t, HuberOptions options = {});
/// log cosh(x - t), accurate for small and large differences.  gradient  dx = ct tanh(x - t)
Tensor log_cosh(const Arg& x, const Arg& t, LossOptions options = {});

/// Settings of kl_div().
struct KlOptions {
  LossReduction reduction = LossReduction::mean;  ///< the mean is over the first axis (the batch), as the divergence wants
  bool log_target = false;                        ///< t holds log-probabilities
};
/// sum t (log t - x) for log-probabilities x and probabilities t; a term with t = 0 is 0.
///   gradient  dx = -ct t, dt = ct (log t + 1 - x)
Tensor kl_div(const Arg& log_probabilities, const Arg& t, KlOptions options = {});
/// max(0, 1 - t x) for labels t of -1 and 1.  gradient  dx = -ct t where t x < 1, else 0
Tensor hinge(const Arg& x, const Arg& t, LossOptions options = {});

/// sum x y / sqrt(max(|x|^2 |y|^2, eps^2)) along `axis`.  gradient  by its definition
Tensor cosine_similarity(const Arg& x, const Arg& y, int axis = -1, double eps = 1e-8);

/// Share of rows whose largest logit is the target. No gradient (zero).
Tensor accuracy(const Arg& logits, const Arg& targets, int axis = -1);
/// e^loss of a mean cross-entropy. A metric: its gradient is refused, differentiate the loss.
Tensor perplexity(const Arg& loss);

}  // namespace adjoint
