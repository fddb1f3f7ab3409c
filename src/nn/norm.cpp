// norm.cpp: normalisation layers on the operations. Not their formulas.
#include "adjoint/nn/norm.hpp"

#include "adjoint/ops/norm.hpp"

namespace adjoint::nn {
namespace {

Tensor value(const std::optional<Tensor>& t) { return t ? *t : Tensor(); }
std::optional<Tensor> filled(bool wanted, double with, const Shape& shape, DType dtype, Loc loc) {
  return wanted ? std::optional(init_constant(with, shape, dtype, loc)) : std::nullopt;
}
int axes_of(const std::optional<Tensor>& weight) { return weight ? std::max(weight->rank(), 1) : 1; }

}  // namespace

Tensor LayerNorm::operator()(const Arg& x) const {
  const OpScope scope("LayerNorm", x.loc);
  return layer_norm(x, {.weight = value(weight), .bias = value(bias), .axes = axes_of(weight ? weight : bias), .eps = eps});
}
LayerNorm layer_norm_layer(const Shape& shape, const NormLayerOptions& o, Loc loc) {
  return {filled(o.weight, 1, shape, o.dtype, loc), filled(o.bias, 0, shape, o.dtype, loc), o.eps};
}

Tensor RMSNorm::operator()(const Arg& x) const {
  const OpScope scope("RMSNorm", x.loc);
  return rms_norm(x, {.weight = value(weight), .axes = axes_of(weight), .eps = eps});
}
RMSNorm rms_norm_layer(const Shape& shape, double eps, DType dtype, Loc loc) { return {filled(true, 1, shape, dtype, loc), eps}; }

Tensor GroupNorm::operator()(const Arg& x) const {
  const OpScope scope("GroupNorm", x.loc);
  return group_norm(x, groups, {.weight = value(weight), .bias = value(bias), .eps = eps});
}
GroupNorm group_norm_layer(std::int64_t groups, std::int64_t channels, const NormLayerOptions& o, Loc loc) {
  return {groups, filled(o.weight, 1, {channels}, o.dtype, loc), filled(o.bias, 0, {channels}, o.dtype, loc), o.eps};
}

Tensor InstanceNorm::operator()(const Arg& x) const {
  const OpScope scope("InstanceNorm", x.loc);
  return instance_norm(x, {.weight = value(weight), .bias = value(bias), .eps = eps});
}
InstanceNorm instance_norm_layer(std::int64_t channels, const NormLayerOptions& o, Loc loc) {
  return {filled(o.weight, 1, {channels}, o.dtype, loc), filled(o.bias, 0, {channels}, o.dtype, loc), o.eps};
}

Tensor BatchNorm::operator()(const Arg& x, Context& context) const {
  const OpScope scope("BatchNorm", x.loc);
  const auto r = batch_norm(x, context.current(running_mean), context.current(running_var),
                            {.weight = value(weight), .bias = value(bias), .training = context.training, .momentum = momentum, .eps = eps});
  if (context.training) {
    context.update(running_mean, r.running_mean);
    context.update(running_var, r.running_var);
  }
  return r.y;
}
BatchNorm batch_norm_layer(std::int64_t channels, const BatchNormLayerOptions& o, Loc loc) {
  return {{zeros({channels}, o.dtype, loc).detach(loc)}, {ones({channels}, o.dtype, loc).detach(loc)},
          filled(o.weight, 1, {channels}, o.dtype, loc), filled(o.bias, 0, {channels}, o.dtype, loc), o.momentum, o.eps};
}

}  // namespace adjoint::nn
