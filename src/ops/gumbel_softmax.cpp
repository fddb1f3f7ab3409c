// gumbel_softmax.cpp: a differentiable draw from a categorical distribution. Not categorical, which gives an index.
#include "adjoint/ops/random.hpp"
#include "adjoint/ops/softmax.hpp"
#include "ops/common.hpp"
#include "ops/softmax_ops.hpp"

namespace adjoint {

static const Primitive& gumbel_softmax_p = define({.name = "gumbel_softmax", .traits = {.inlined = true}, .family = "D14"});

Tensor gumbel_softmax(const Key& key, const Arg& logits, GumbelOptions o) {
  OpScope scope("gumbel_softmax", logits.loc);
  const Tensor x = need(logits, gumbel_softmax_p);
  const auto fail = [&](std::string why, std::string hint) {
    throw Error({.op = "gumbel_softmax", .message = std::move(why), .where = user_loc(logits.loc), .operands = {describe(*x.node())}, .hint = std::move(hint)});
  };
  if (!(o.temperature > 0)) fail("a temperature of " + std::to_string(o.temperature), "it is > 0");
  if (!is_floating(x.dtype())) fail("logits are floating, got " + to_string(x.type()), "cast them: cast(x, DType::f32)");
  const int axis = normal_axis(o.axis, x.rank(), "gumbel_softmax", logits.loc);
  const Tensor soft = softmax((x + gumbel(key, x.shape(), {.dtype = x.dtype()}, logits.loc)) / o.temperature, axis);
  if (!o.hard) return soft;
  const Tensor last = class_mask(argmax(soft, {axis}), {.classes = x.shape(axis)}, logits.loc);
  Ints order;  // the classes go back to their axis
  for (int k = 0; k < x.rank(); ++k) order.push_back(k < axis ? k : k == axis ? x.rank() - 1 : k - 1);
  return cast(permute(last, order), x.dtype()) + (soft - stop_gradient(soft));  // the value is exact: the difference is 0
}

}  // namespace adjoint
