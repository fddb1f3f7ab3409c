// conv_ops.hpp: the settings and node makers of the three convolutions, which are closed under differentiation: each
// one's gradients are the other two. Not public: users call include/adjoint/ops/conv.hpp.
#pragma once

#include "ops/fail.hpp"
#include "ops/shape_ops.hpp"

namespace adjoint {

/// One entry a spatial axis. `size` holds the spatial sizes of the result. Output pixel p and tap k meet input pixel
/// p * stride + k * dilation - low; where there is none, the tap is absent.
struct ConvAttrs {
  Ints stride, dilation, low, size;
  std::int64_t groups = 1;
};

/// x [n, groups c, in..], w [groups o, c, taps..] -> y [n, groups o, size..]
Tensor conv_node(const Tensor& x, const Tensor& w, const ConvAttrs& a, Loc loc);
/// dy, w -> dx [n, groups c, size..]; the transposed convolution.
Tensor conv_input_grad_node(const Tensor& dy, const Tensor& w, const ConvAttrs& a, Loc loc);
/// x, dy -> dw [groups o, c, size..]
Tensor conv_weight_grad_node(const Tensor& x, const Tensor& dy, const ConvAttrs& a, Loc loc);

}  // namespace adjoint
