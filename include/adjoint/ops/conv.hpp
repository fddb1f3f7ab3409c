// conv.hpp: convolutions (cross-correlations, as everywhere in this field) in 1 to 3 spatial axes, transposed, grouped,
// dilated, causal. Not layers with weights of their own: those are nn/conv.hpp. Layout: images [n, channels, spatial..],
// weights [out, in / groups, taps..]; one image without its batch axis is taken too. Each output element is one fma chain
// over (taps, input channel) in the blocks of matmul.
#pragma once

#include "adjoint/tensor.hpp"

namespace adjoint {

/// One entry a spatial axis; a single entry serves all axes; empty: the default. Padding is zeros.
struct ConvOptions {
  Ints stride = {};           ///< step between windows; default 1
  Ints padding = {};          ///< zeros before the first element, and after the last; default 0
  Ints padding_end = {};      ///< zeros after the last element where they differ from `padding`
  Ints dilation = {};         ///< distance between taps; default 1
  std::int64_t groups = 1;    ///< channel groups that do not see each other
  bool same = false;          ///< pad so that an axis of size s gives ceil(s / stride); excludes padding
};

/// y[n, o, p] = sum over c and taps k of x[n, c, p stride + k dilation - padding] w[o, c, k]  (+ bias[o]).
///   gradient  dx = conv_transpose of ct by w, dw = correlation of x with ct, dbias = ct summed over n and p
///   throws    shapes that do not fit, a window that is larger than the padded input
Tensor conv1d(const Arg& x, const Arg& w, const ConvOptions& options = {});
/// The same with a bias [out].
Tensor conv1d(const Arg& x, const Arg& w, const Arg& bias, const ConvOptions& options = {});
/// The same for images: x [n, c, h, w], w [o, c / groups, kh, kw].
Tensor conv2d(const Arg& x, const Arg& w, const ConvOptions& options = {});
/// The same with a bias [out].
Tensor conv2d(const Arg& x, const Arg& w, const Arg& bias, const ConvOptions& options = {});
/// The same for volumes: x [n, c, d, h, w].
Tensor conv3d(const Arg& x, const Arg& w, const ConvOptions& options = {});
/// The same with a bias [out].
Tensor conv3d(const Arg& x, const Arg& w, const Arg& bias, const ConvOptions& options = {});

/// Every channel has its own filters: w [channels * m, 1, taps..], groups = channels.  gradient  as conv2d
Tensor depthwise_conv(const Arg& x, const Arg& w, ConvOptions options = {});
/// A convolution in the given number of channel groups, 1 to 3 spatial axes by the rank of w.  gradient  as conv2d
Tensor grouped_conv(const Arg& x, const Arg& w, std::int64_t groups, ConvOptions options = {});
/// A convolution with the given distance between taps.  gradient  as conv2d
Tensor dilated_conv(const Arg& x, const Arg& w, const Ints& dilation, ConvOptions options = {});
/// conv1d whose output p sees inputs up to p only: all padding, (taps - 1) dilation, stands in front.  gradient  as conv1d
Tensor causal_conv1d(const Arg& x, const Arg& w, ConvOptions options = {});

/// Settings of the transposed convolutions; entries as in ConvOptions.
struct ConvTransposeOptions {
  Ints stride = {}, padding = {}, padding_end = {}, dilation = {};  ///< those of the convolution that this transposes
  Ints output_padding = {};   ///< added to the result's size at its end; less than stride or dilation
  std::int64_t groups = 1;
};
/// The transpose of a convolution in its input: x [n, in, ..], w [in, out / groups, taps..],
/// size = (s - 1) stride - padding - padding_end + (taps - 1) dilation + 1 + output_padding.
///   gradient  dx = conv of ct by w, dw = correlation of ct with x, dbias = ct summed
Tensor conv_transpose1d(const Arg& x, const Arg& w, const ConvTransposeOptions& options = {});
/// The same with a bias [out].
Tensor conv_transpose1d(const Arg& x, const Arg& w, const Arg& bias, const ConvTransposeOptions& options = {});
/// The same for images.
Tensor conv_transpose2d(const Arg& x, const Arg& w, const ConvTransposeOptions& options = {});
/// The same with a bias [out].
Tensor conv_transpose2d(const Arg& x, const Arg& w, const Arg& bias, const ConvTransposeOptions& options = {});
/// The same for volumes.
Tensor conv_transpose3d(const Arg& x, const Arg& w, const ConvTransposeOptions& options = {});
/// The same with a bias [out].
Tensor conv_transpose3d(const Arg& x, const Arg& w, const Arg& bias, const ConvTransposeOptions& options = {});

/// The windows of [n, channels, spatial..] as columns: [n, channels * taps, windows], taps row-major within a channel.
///   gradient  dx = col2im(ct)
Tensor im2col(const Arg& x, const Ints& size, const ConvOptions& options = {});
/// Adds columns back at the places that im2col read: [n, channels, image..].  gradient  dx = im2col(ct)
Tensor col2im(const Arg& columns, const Ints& image, const Ints& size, const ConvOptions& options = {});

}  // namespace adjoint
