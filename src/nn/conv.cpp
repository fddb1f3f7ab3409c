// conv.cpp: convolution layers on the operations. Not a kernel.
#include "adjoint/nn/conv.hpp"

#include <cmath>

namespace adjoint::nn {
namespace {

template <class Layer> ConvOptions options_of(const Layer& l) {
  return {.stride = l.stride, .padding = l.padding, .dilation = l.dilation, .groups = l.groups, .same = l.same};
}

struct Parameters {
  Tensor weight;
  std::optional<Tensor> bias;
};

/// Weight [rows, columns / groups, taps..] and bias [out]; `fan` is that of an output element.
Parameters parameters(const char* op, std::int64_t in, std::int64_t out, Shape weight, const Ints& taps, std::int64_t groups, bool bias, DType dtype,
                      const Key& key, Loc loc) {
  if (in < 1 || out < 1 || groups < 1 || in % groups != 0 || out % groups != 0)
    throw Error({.op = op, .message = "a layer from " + std::to_string(in) + " to " + std::to_string(out) + " channels in " + std::to_string(groups) + " groups",
                 .where = loc, .hint = "channels are >= 1, and the groups divide both"});
  for (auto t : taps) {
    if (t < 1) throw Error({.op = op, .message = "a window of " + to_string(taps), .where = loc, .hint = "every size is >= 1"});
    weight.push_back(t);
  }
  const double bound = 1 / std::sqrt(fan_of(weight, Fan::in, loc));
  Parameters p{init_uniform(key.fold_in("weight"), weight, -bound, bound, dtype, loc), {}};
  if (bias) p.bias = init_uniform(key.fold_in("bias"), {out}, -bound, bound, dtype, loc);
  return p;
}

}  // namespace

Tensor Conv1d::operator()(const Arg& x) const {
  const OpScope scope("Conv1d", x.loc);
  return bias ? adjoint::conv1d(x, weight, *bias, options_of(*this)) : adjoint::conv1d(x, weight, options_of(*this));
}
Tensor Conv2d::operator()(const Arg& x) const {
  const OpScope scope("Conv2d", x.loc);
  return bias ? adjoint::conv2d(x, weight, *bias, options_of(*this)) : adjoint::conv2d(x, weight, options_of(*this));
}
Tensor ConvTranspose2d::operator()(const Arg& x) const {
  const OpScope scope("ConvTranspose2d", x.loc);
  const ConvTransposeOptions o{.stride = stride, .padding = padding, .dilation = dilation,
                               .output_padding = output_padding, .groups = groups};
  return bias ? adjoint::conv_transpose2d(x, weight, *bias, o) : adjoint::conv_transpose2d(x, weight, o);
}

Conv1d conv1d(std::int64_t in, std::int64_t out, std::int64_t taps, const Key& key, const ConvLayerOptions& o, Loc loc) {
  auto [weight, bias] = parameters("conv1d", in, out, {out, o.groups > 0 ? in / o.groups : 0}, {taps}, o.groups, o.bias, o.dtype, key, loc);
  return {weight, bias, o.stride, o.padding, o.dilation, o.groups, o.same};
}
Conv2d conv2d(std::int64_t in, std::int64_t out, const Ints& taps, const Key& key, const ConvLayerOptions& o, Loc loc) {
  const Ints two = taps.rank() == 1 ? Ints{taps[0], taps[0]} : taps;
  if (two.rank() != 2)
    throw Error({.op = "conv2d", .message = "a window of " + to_string(taps), .where = loc, .hint = "give one size, or height and width"});
  auto [weight, bias] = parameters("conv2d", in, out, {out, o.groups > 0 ? in / o.groups : 0}, two, o.groups, o.bias, o.dtype, key, loc);
  return {weight, bias, o.stride, o.padding, o.dilation, o.groups, o.same};
}
ConvTranspose2d conv_transpose2d(std::int64_t in, std::int64_t out, const Ints& taps, const Key& key, const ConvTransposeLayerOptions& o, Loc loc) {
  const Ints two = taps.rank() == 1 ? Ints{taps[0], taps[0]} : taps;
  if (two.rank() != 2)
    throw Error({.op = "conv_transpose2d", .message = "a window of " + to_string(taps), .where = loc, .hint = "give one size, or height and width"});
  auto [weight, bias] = parameters("conv_transpose2d", in, out, {in, o.groups > 0 ? out / o.groups : 0}, two, o.groups, o.bias, o.dtype, key, loc);
  return {weight, bias, o.stride, o.padding, o.dilation, o.output_padding, o.groups};
}

}  // namespace adjoint::nn
