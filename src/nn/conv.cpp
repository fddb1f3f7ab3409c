// conv.cpp: convolution layers on the operations. Not a kernel.
#include "adjoint/nn/conv.hpp"

#include <cmath>

namespace adjoint::nn {
namespace {

ConvOptions options_of(const ConvSettings& s) {
  return {.stride = s.stride, .padding = s.padding, .dilation = s.dilation, .groups = s.groups, .same = s.same};
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

ConvSettings settings_of(const ConvLayerOptions& o) {
  return {.stride = o.stride, .padding = o.padding, .dilation = o.dilation, .groups = o.groups, .same = o.same};
}

}  // namespace

Tensor Conv1d::operator()(const Arg& x) const {
  const OpScope scope("Conv1d", x.loc);
  return bias ? adjoint::conv1d(x, weight, *bias, options_of(settings)) : adjoint::conv1d(x, weight, options_of(settings));
}
Tensor Conv2d::operator()(const Arg& x) const {
  const OpScope scope("Conv2d", x.loc);
  return bias ? adjoint::conv2d(x, weight, *bias, options_of(settings)) : adjoint::conv2d(x, weight, options_of(settings));
}
Tensor ConvTranspose2d::operator()(const Arg& x) const {
  const OpScope scope("ConvTranspose2d", x.loc);
  const ConvTransposeOptions o{.stride = settings.stride, .padding = settings.padding, .dilation = settings.dilation,
                               .output_padding = settings.output_padding, .groups = settings.groups};
  return bias ? adjoint::conv_transpose2d(x, weight, *bias, o) : adjoint::conv_transpose2d(x, weight, o);
}

Conv1d conv1d(std::int64_t in, std::int64_t out, std::int64_t taps, const Key& key, const ConvLayerOptions& o, Loc loc) {
  auto [weight, bias] = parameters("conv1d", in, out, {out, o.groups > 0 ? in / o.groups : 0}, {taps}, o.groups, o.bias, o.dtype, key, loc);
  return {weight, bias, settings_of(o)};
}
Conv2d conv2d(std::int64_t in, std::int64_t out, const Ints& taps, const Key& key, const ConvLayerOptions& o, Loc loc) {
  const Ints two = taps.rank() == 1 ? Ints{taps[0], taps[0]} : taps;
  if (two.rank() != 2)
    throw Error({.op = "conv2d", .message = "a window of " + to_string(taps), .where = loc, .hint = "give one size, or height and width"});
  auto [weight, bias] = parameters("conv2d", in, out, {out, o.groups > 0 ? in / o.groups : 0}, two, o.groups, o.bias, o.dtype, key, loc);
  return {weight, bias, settings_of(o)};
}
ConvTranspose2d conv_transpose2d(std::int64_t in, std::int64_t out, const Ints& taps, const Key& key, const ConvTransposeLayerOptions& o, Loc loc) {
  const Ints two = taps.rank() == 1 ? Ints{taps[0], taps[0]} : taps;
  if (two.rank() != 2)
    throw Error({.op = "conv_transpose2d", .message = "a window of " + to_string(taps), .where = loc, .hint = "give one size, or height and width"});
  auto [weight, bias] = parameters("conv_transpose2d", in, out, {in, o.groups > 0 ? out / o.groups : 0}, two, o.groups, o.bias, o.dtype, key, loc);
  return {weight, bias, {.stride = o.stride, .padding = o.padding, .dilation = o.dilation, .output_padding = o.output_padding, .groups = o.groups}};
}

}  // namespace adjoint::nn
