// loss.hpp: losses. Each takes predictions first and targets second and reduces to a scalar unless told otherwise.
// Not metrics, but for accuracy. Targets have no gradient unless a line says so.
#pragma once

#include <cstdint>
#include <optional>

#include "adjoint/tensor.hpp"

namespace adjoint {

enum class LossReduction : std::uint8_t { mean, sum, none };

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

}  // namespace adjoint
