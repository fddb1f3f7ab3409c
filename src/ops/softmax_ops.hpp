// softmax_ops.hpp: what the softmax family and the losses on it share. Not public.
#pragma once

#include "graph/node.hpp"

namespace adjoint {

struct SoftmaxAxis { std::int64_t axis = 0; };
/// x - max x along the axis; the maximum is a constant, since the shift cancels.
Tensor shifted(const Tensor& x, std::int64_t axis);

/// bool [targets.., classes]: where class c is the target. A target outside [0, classes) is an Error when computed, unless
/// it is `ignore` and `ignoring` is set: then its row is all false.
struct Classes {
  std::int64_t classes = 0;
  bool ignoring = false;
  std::int64_t ignore = 0;
};
Tensor class_mask(const Tensor& targets, const Classes& classes, Loc loc);

}  // namespace adjoint
