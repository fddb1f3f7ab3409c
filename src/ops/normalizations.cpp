// normalizations.cpp: layer, rms, group, instance and batch norm: axes, weights and running statistics around normalize.
// Not norms of weights: weight_norms.cpp.
#include "adjoint/ops/norm.hpp"

#include "ops/norm_ops.hpp"
#include "ops/shape_ops.hpp"

namespace adjoint {
namespace {

const Primitive& layer_norm_p = define({.name = "layer_norm", .traits = {.inlined = true}, .family = "D13"});
const Primitive& rms_norm_p = define({.name = "rms_norm", .traits = {.inlined = true}, .family = "D13"});
const Primitive& group_norm_p = define({.name = "group_norm", .traits = {.inlined = true}, .family = "D13"});
const Primitive& instance_norm_p = define({.name = "instance_norm", .traits = {.inlined = true}, .family = "D13"});
const Primitive& batch_norm_p = define({.name = "batch_norm", .traits = {.inlined = true}, .family = "D13"});

struct Checks {
  std::string_view op;
  Loc loc;
  const Tensor& x;
  [[noreturn]] void fail(std::string why, std::string hint) const {
    throw Error({.op = std::string(op), .message = std::move(why), .where = user_loc(loc), .operands = {describe(*x.node())}, .hint = std::move(hint)});
  }
  void floating() const {
    if (!is_floating(x.dtype())) fail("needs a floating element type, got " + to_string(x.type()), "cast the operand first: cast(x, DType::f32)");
  }
  void eps(double e) const {
    if (!(e >= 0)) fail("eps is " + std::to_string(e), "eps is >= 0");
  }
  void shape(const Tensor& t, const Shape& wanted, const char* what) const {
    if (t && !(t.shape() == wanted)) fail(std::string(what) + " is " + to_string(t.type()) + ", needs the shape " + to_string(wanted), "give one entry a normalised element or channel");
  }
};

Tensor affine(Tensor y, const Tensor& weight, const Tensor& bias) {
  if (weight) y = y * weight;
  return bias ? y + bias : y;
}

/// The last `count` axes, and their shape.
Ints trailing(const Checks& c, int count, Shape& shape) {
  if (count < 1 || count > c.x.rank())
    c.fail(std::to_string(count) + " normalised axes of " + to_string(c.x.type()), "give between 1 and the rank of the operand");
  Ints axes;
  for (int k = c.x.rank() - count; k < c.x.rank(); ++k) axes.push_back(k), shape.push_back(c.x.shape(k));
  return axes;
}

/// [channels] seen beside [n, channels, ..].
Tensor per_channel(const Tensor& t, int rank) {
  if (!t) return t;
  Shape s{t.shape(0)};
  while (s.rank() < rank - 1) s.push_back(1);
  return reshape(t, s);
}

Tensor grouped(const Checks& c, std::int64_t groups, const ChannelNormOptions& o) {
  c.floating();
  c.eps(o.eps);
  const Tensor& x = c.x;
  if (x.rank() < 2) c.fail("needs [n, channels, ..], got " + to_string(x.type()), "add the missing axes with unsqueeze");
  const auto channels = x.shape(1);
  if (groups < 1 || channels % groups != 0)
    c.fail(std::to_string(channels) + " channels do not divide into " + std::to_string(groups) + " groups", "the number of groups divides the channels");
  c.shape(o.weight, {channels}, "the weight");
  c.shape(o.bias, {channels}, "the bias");
  std::int64_t places = channels / groups;
  for (int k = 2; k < x.rank(); ++k) places *= x.shape(k);
  const Tensor y = normalize_node(reshape_node(x, {x.shape(0), groups, places}, c.loc), {2}, o.eps, c.loc);
  return affine(reshape_node(y, x.shape(), c.loc), per_channel(o.weight, x.rank()), per_channel(o.bias, x.rank()));
}

}  // namespace

Tensor layer_norm(const Arg& x, const LayerNormOptions& o) {
  OpScope scope("layer_norm", x.loc);
  const Tensor t = need(x, layer_norm_p);
  const Checks c{"layer_norm", x.loc, t};
  c.floating();
  c.eps(o.eps);
  Shape normalised;
  const Ints axes = trailing(c, o.axes, normalised);
  c.shape(o.weight, normalised, "the weight");
  c.shape(o.bias, normalised, "the bias");
  return affine(normalize_node(t, axes, o.eps, x.loc), o.weight, o.bias);
}

Tensor rms_norm(const Arg& x, const RmsNormOptions& o) {
  OpScope scope("rms_norm", x.loc);
  const Tensor t = need(x, rms_norm_p);
  const Checks c{"rms_norm", x.loc, t};
  c.floating();
  c.eps(o.eps);
  Shape normalised;
  const Ints axes = trailing(c, o.axes, normalised);
  c.shape(o.weight, normalised, "the weight");
  return affine(rms_normalize_node(t, axes, o.eps, x.loc), o.weight, {});
}

Tensor group_norm(const Arg& x, std::int64_t groups, const ChannelNormOptions& o) {
  OpScope scope("group_norm", x.loc);
  const Tensor t = need(x, group_norm_p);
  return grouped({"group_norm", x.loc, t}, groups, o);
}

Tensor instance_norm(const Arg& x, const ChannelNormOptions& o) {
  OpScope scope("instance_norm", x.loc);
  const Tensor t = need(x, instance_norm_p);
  return grouped({"instance_norm", x.loc, t}, t.rank() < 2 ? 1 : std::max<std::int64_t>(t.shape(1), 1), o);
}

BatchNormResult batch_norm(const Arg& x, const Tensor& running_mean, const Tensor& running_var, const BatchNormOptions& o) {
  OpScope scope("batch_norm", x.loc);
  const Tensor t = need(x, batch_norm_p);
  const Checks c{"batch_norm", x.loc, t};
  c.floating();
  c.eps(o.eps);
  if (t.rank() < 2) c.fail("needs [n, channels, ..], got " + to_string(t.type()), "add the missing axes with unsqueeze");
  if (!running_mean || !running_var) c.fail("the running statistics have no value", "start with zeros({channels}) and ones({channels})");
  const auto channels = t.shape(1);
  for (const auto* s : {&running_mean, &running_var, &o.weight, &o.bias})
    c.shape(*s, {channels}, s == &running_mean ? "running_mean" : s == &running_var ? "running_var" : s == &o.weight ? "the weight" : "the bias");
  const Tensor weight = per_channel(o.weight, t.rank()), bias = per_channel(o.bias, t.rank());
  if (!o.training) {
    Tensor scale = rsqrt(per_channel(running_var, t.rank()) + o.eps);
    if (weight) scale = weight * scale;
    const Tensor shift = per_channel(running_mean, t.rank()) * scale;
    return {t * scale + (bias ? bias - shift : -shift), running_mean, running_var};
  }
  Ints axes;
  std::int64_t n = 1;
  for (int k = 0; k < t.rank(); ++k)
    if (k != 1) axes.push_back(k), n *= t.shape(k);
  if (n < 2) c.fail("a batch of " + std::to_string(n) + " values a channel has no variance", "give at least two, or evaluate with training = false");
  const Tensor wide = cast_to(t, size_of(t.dtype()) == 2 ? DType::f32 : t.dtype(), x.loc);
  const Tensor y = affine(normalize_node(t, axes, o.eps, x.loc), weight, bias);
  const double count = static_cast<double>(n);
  const auto total = [&](const Tensor& v) {  // as normalize has it, so that each sum runs once and what it reads is not kept
    return reshape_node(stop_gradient(sum(v, axes, true)), {channels}, x.loc);
  };
  const Tensor mean = total(wide) / count;
  const Tensor var = total(square(centre_node(wide, axes, x.loc))) / (count - 1);
  const auto moved = [&](const Tensor& old, const Tensor& now) {
    return old + o.momentum * (cast_to(now, old.dtype(), x.loc) - old);
  };
  return {y, moved(running_mean, mean), moved(running_var, var)};
}

}  // namespace adjoint
