// loss_ops.hpp: what the losses share. Not public.
#pragma once

#include "adjoint/ops/loss.hpp"

namespace adjoint {

/// Row losses reduced as asked; the mean of nothing is 0.
Tensor reduced_loss(const Tensor& rows, LossReduction reduction);

}  // namespace adjoint
