// conv.hpp: convolutions and their two gradients on contiguous tensors, 1 to 3 spatial axes by one code.
// Not an operation: shapes were checked where the graph was built, and biases are additions of their own.
#pragma once

#include <array>
#include <cstdint>

#include "adjoint/dtype.hpp"

namespace adjoint::kernels {

/// x [batch, in_channels, in...], w [out_channels, in_channels / groups, kernel...], y [batch, out_channels, out...], all
/// row-major; the first `spatial` entries of each array count. Output pixel p and tap k meet input pixel
/// p * stride + k * dilation - pad_lo; where there is none, the tap is absent. pad_lo < 0 crops. `out` may end anywhere,
/// so the padding at the end need not equal pad_lo. groups divides both channel counts; stride and dilation >= 1.
struct ConvGeometry {
  std::int64_t batch = 1, in_channels = 1, out_channels = 1, groups = 1;
  int spatial = 2;
  std::array<std::int64_t, 3> in{1, 1, 1}, kernel{1, 1, 1}, out{1, 1, 1}, stride{1, 1, 1}, dilation{1, 1, 1}, pad_lo{0, 0, 0};
};

/// y = conv(x, w). T is float, double, bfloat16 or float16 (these two widen to f32 and round once).
///   bits   each element is the product element of gemm.hpp over k = (taps row-major, input channel): an absent tap keeps
///          its place in the index and adds nothing, so a NaN or Inf weight under padding does not spread
template <class T> void conv_forward(const ConvGeometry& geometry, const T* x, const T* w, T* y);
/// dx from dy: k = (taps row-major, output channel); taps that meet no output pixel keep their place and add nothing.
template <class T> void conv_input_grad(const ConvGeometry& geometry, const T* dy, const T* w, T* dx);
/// dw from x and dy: k = (image, output pixel row-major); pixels whose tap is absent keep their place and add nothing.
template <class T> void conv_weight_grad(const ConvGeometry& geometry, const T* x, const T* dy, T* dw);

#define ADJOINT_CONV(T)                                                                 \
  extern template void conv_forward<T>(const ConvGeometry&, const T*, const T*, T*);    \
  extern template void conv_input_grad<T>(const ConvGeometry&, const T*, const T*, T*); \
  extern template void conv_weight_grad<T>(const ConvGeometry&, const T*, const T*, T*)
ADJOINT_CONV(float);
ADJOINT_CONV(double);
ADJOINT_CONV(bfloat16);
ADJOINT_CONV(float16);
#undef ADJOINT_CONV

}  // namespace adjoint::kernels
