// conv.hpp: convolution layers. Not the operations without parameters: those are in ops/conv.hpp.
#pragma once

#include <optional>

#include "adjoint/nn/init.hpp"
#include "adjoint/ops/conv.hpp"
#include "adjoint/tree.hpp"

namespace adjoint::nn {

/// A convolution over x [n, in, length]: weight [out, in / groups, taps], bias [out]. Settings as in ConvOptions.
struct Conv1d {
  Tensor weight;
  std::optional<Tensor> bias = {};
  Ints stride = {}, padding = {}, dilation = {};
  std::int64_t groups = 1;
  bool same = false;
  Tensor operator()(const Arg& x) const;  ///< conv1d(x, weight, bias), of ops/conv.hpp
};
/// A convolution over x [n, in, height, width]: weight [out, in / groups, taps, taps], bias [out].
struct Conv2d {
  Tensor weight;
  std::optional<Tensor> bias = {};
  Ints stride = {}, padding = {}, dilation = {};
  std::int64_t groups = 1;
  bool same = false;
  Tensor operator()(const Arg& x) const;  ///< conv2d(x, weight, bias), of ops/conv.hpp
};

/// Settings of conv1d() and conv2d(); those of the operation as in ConvOptions.
struct ConvLayerOptions {
  Ints stride = {}, padding = {}, dilation = {};
  std::int64_t groups = 1;
  bool same = false;
  bool bias = true;
  DType dtype = DType::f32;
};
/// Start values uniform in [-b, b) with b = 1 / sqrt(in / groups * taps), for weight and bias (as PyTorch draws them).
Conv1d conv1d(std::int64_t in, std::int64_t out, std::int64_t taps, const Key& key, const ConvLayerOptions& options = {}, Loc loc = Loc::current());
/// The same for images; `taps` has an entry a side, or one for both.
Conv2d conv2d(std::int64_t in, std::int64_t out, const Ints& taps, const Key& key, const ConvLayerOptions& options = {}, Loc loc = Loc::current());

/// The transpose of a convolution over x [n, in, height, width]: weight [in, out / groups, taps, taps], bias [out].
struct ConvTranspose2d {
  Tensor weight;
  std::optional<Tensor> bias = {};
  Ints stride = {}, padding = {}, dilation = {}, output_padding = {};
  std::int64_t groups = 1;
  Tensor operator()(const Arg& x) const;  ///< conv_transpose2d(x, weight, bias), of ops/conv.hpp
};
/// Settings of conv_transpose2d(); those of the operation as in ConvTransposeOptions.
struct ConvTransposeLayerOptions {
  Ints stride = {}, padding = {}, dilation = {}, output_padding = {};
  std::int64_t groups = 1;
  bool bias = true;
  DType dtype = DType::f32;
};
/// Start values uniform in [-b, b) with b = 1 / sqrt(out / groups * taps).
ConvTranspose2d conv_transpose2d(std::int64_t in, std::int64_t out, const Ints& taps, const Key& key, const ConvTransposeLayerOptions& options = {},
                                 Loc loc = Loc::current());

}  // namespace adjoint::nn
