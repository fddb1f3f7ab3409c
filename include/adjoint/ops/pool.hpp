// pool.hpp: pooling and resizing of images [n, channels, spatial..]; fewer leading axes are taken too. The number of
// spatial axes is in the name, or that of `size`. Not convolutions.
#pragma once

#include "adjoint/tensor.hpp"

namespace adjoint {

/// One entry a spatial axis; a single entry serves all; empty: the default.
struct PoolOptions {
  Ints stride = {};                ///< default: the window, so that windows do not overlap
  Ints padding = {};               ///< on both sides, at most half the window: absent for a maximum, zeros for a mean
  Ints dilation = {};              ///< of a maximum only
  bool ceil_mode = false;          ///< a last window that hangs over the end, if it starts inside
  bool count_include_pad = true;   ///< of a mean: padding counts in the divisor
};

/// The largest element of each window; a NaN in the window is the result.
///   gradient  dx = ct at the largest element, the first one in memory order where several are equal (jvp: its tangent)
Tensor max_pool1d(const Arg& x, const Ints& size, const PoolOptions& options = {});
/// The same for images.
Tensor max_pool2d(const Arg& x, const Ints& size, const PoolOptions& options = {});
/// The same for volumes.
Tensor max_pool3d(const Arg& x, const Ints& size, const PoolOptions& options = {});
/// The mean of each window.  gradient  dx = ct / count spread over the window
Tensor avg_pool1d(const Arg& x, const Ints& size, const PoolOptions& options = {});
/// The same for images.
Tensor avg_pool2d(const Arg& x, const Ints& size, const PoolOptions& options = {});
/// The same for volumes.
Tensor avg_pool3d(const Arg& x, const Ints& size, const PoolOptions& options = {});
/// Means over `size` windows an axis, window i from floor(i s / size) to ceil((i + 1) s / size).  gradient  as avg_pool
Tensor adaptive_avg_pool(const Arg& x, const Ints& size);

/// How a window becomes one number.
enum class Reduction : std::uint8_t { sum, mean, max, min, prod };
/// All spatial axes (those after the second) to one number.  gradient  that of the reduction
Tensor global_pool(const Arg& x, Reduction reduction = Reduction::mean);
/// A reduction over sliding windows of all axes of x: `size` has one entry an axis. Ties of max and min share the gradient
/// evenly, as in amax.  gradient  that of the reduction, added up over the windows
Tensor reduce_window(const Arg& x, const Ints& size, Reduction reduction, const Ints& stride = {}, const Ints& dilation = {});

/// Spatial axes resized: y[i] = x[floor(i s / size)].  gradient  dx = ct added where it was read
Tensor upsample_nearest(const Arg& x, const Ints& size);
/// Two spatial axes resized by linear interpolation. align_corners: the corners' centres meet, so i stands at
/// i (s - 1) / (size - 1); else at (i + 1/2) s / size - 1/2, clamped to the image.  gradient  the transposed weights
Tensor upsample_bilinear(const Arg& x, const Ints& size, bool align_corners = false);

}  // namespace adjoint
