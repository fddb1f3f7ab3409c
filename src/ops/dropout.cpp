// dropout.cpp: dropping elements, channels or examples at random. The mask is a function of the key: a plan keeps it or
// counts it again, with the same bits. Not a layer: nn/dropout.hpp.
#include <cmath>

#include "adjoint/ops/random.hpp"
#include "ops/random_ops.hpp"

namespace adjoint {
namespace {

const Primitive& named(std::string_view name) { return define({.name = name, .traits = {.inlined = true}, .family = "D18"}); }
const Primitive &dropout_p = named("dropout"), &dropout1d_p = named("dropout1d"), &dropout2d_p = named("dropout2d");
const Primitive &dropout3d_p = named("dropout3d"), &alpha_dropout_p = named("alpha_dropout"), &drop_path_p = named("drop_path");

Tensor checked(const Primitive& prim, const Arg& x, double p) {
  const Tensor t = need(x, prim);
  const auto fail = [&](std::string why, std::string hint) {
    throw Error({.op = std::string(prim.name), .message = std::move(why), .where = user_loc(x.loc), .operands = {describe(*t.node())}, .hint = std::move(hint)});
  };
  if (!(p >= 0 && p <= 1)) fail("a probability of " + std::to_string(p), "it lies in [0, 1]");
  if (!is_floating(t.dtype())) fail("needs a floating element type, got " + to_string(t.type()), "cast the operand first: cast(x, DType::f32)");
  return t;
}

/// bool of `shape`, broadcast to x: true where kept.
Tensor kept(const Key& key, const Tensor& x, const Shape& shape, double p, Loc loc) {
  return broadcast_to(ge(unit_uniform(key, shape, DType::f32, loc), p), x.shape());
}

Tensor drop(const Primitive& prim, const Key& key, const Arg& x, double p, int axes_drawn) {
  OpScope scope(prim.name.data(), x.loc);
  const Tensor t = checked(prim, x, p);
  Shape shape = t.shape();
  for (int k = axes_drawn; axes_drawn >= 0 && k < t.rank(); ++k) shape[static_cast<std::size_t>(k)] = 1;
  if (p == 0) return t;
  const Tensor mask = p == 1 ? zeros(t.shape(), DType::bool_, x.loc) : kept(key, t, shape, p, x.loc);
  return where(mask, p == 1 ? t : t * (1 / (1 - p)), 0.0);
}

Tensor drop_channels(const Primitive& prim, const Key& key, const Arg& x, double p, int spatial) {
  const Tensor t = checked(prim, x, p);
  if (t.rank() != spatial + 2)
    throw Error({.op = std::string(prim.name), .message = "needs [n, channels] and " + std::to_string(spatial) + " spatial axes, got " + to_string(t.type()),
                 .where = user_loc(x.loc), .operands = {describe(*t.node())}, .hint = "use dropout to drop single elements"});
  return drop(prim, key, x, p, 2);
}

}  // namespace

Tensor dropout(const Key& key, const Arg& x, double p) { return drop(dropout_p, key, x, p, -1); }
Tensor dropout1d(const Key& key, const Arg& x, double p) { return drop_channels(dropout1d_p, key, x, p, 1); }
Tensor dropout2d(const Key& key, const Arg& x, double p) { return drop_channels(dropout2d_p, key, x, p, 2); }
Tensor dropout3d(const Key& key, const Arg& x, double p) { return drop_channels(dropout3d_p, key, x, p, 3); }
Tensor drop_path(const Key& key, const Arg& x, double p) { return drop(drop_path_p, key, x, p, 1); }

Tensor alpha_dropout(const Key& key, const Arg& x, double p) {
  OpScope scope("alpha_dropout", x.loc);
  const Tensor t = checked(alpha_dropout_p, x, p);
  constexpr double kDropped = -1.7580993408473766;  // the limit of selu at -infinity
  if (p == 0) return t;
  if (p == 1) return where(zeros(t.shape(), DType::bool_, x.loc), t, 0.0);
  const double a = 1 / std::sqrt((1 - p) * (1 + p * kDropped * kDropped)), b = -a * p * kDropped;
  return a * where(kept(key, t, t.shape(), p, x.loc), t, kDropped) + b;
}

}  // namespace adjoint
