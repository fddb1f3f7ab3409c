// losses.cpp: losses between values of one shape: squares, absolutes, logarithms, margins. Not those over classes:
// class_losses.cpp and cross_entropy.cpp.
#include <numbers>

#include "graph/number.hpp"
#include "ops/common.hpp"
#include "ops/loss_ops.hpp"
#include "ops/shape_ops.hpp"

namespace adjoint {
namespace {

const Primitive& named(std::string_view name) { return define({.name = name, .traits = {.inlined = true}, .family = "D15"}); }
const Primitive &mse_p = named("mse"), &l1_p = named("l1"), &smooth_l1_p = named("smooth_l1"), &huber_p = named("huber");
const Primitive &bce_with_logits_p = named("bce_with_logits"), &kl_div_p = named("kl_div"), &hinge_p = named("hinge");
const Primitive &cosine_similarity_p = named("cosine_similarity");

/// Prediction and target in one floating type; unlike an addition, a loss does not broadcast.
std::pair<Tensor, Tensor> pair_of(const Primitive& prim, const Arg& x, const Arg& t) {
  Tensor a = need(x, prim), b = need(t, prim);
  const auto fail = [&](std::string why, std::string hint) {
    const Tensor* operands[] = {&a, &b};
    throw Error({.op = std::string(prim.name), .message = std::move(why), .where = user_loc(x.loc), .operands = operand_lines(operands), .hint = std::move(hint)});
  };
  if (!is_floating(a.dtype())) fail("predictions are floating, got " + to_string(a.type()), "cast them, or swap the operands: predictions come first");
  if (!t.tensor) return {a, number_as(t, a.type(), x.loc)};
  if (!(a.shape() == b.shape()))
    fail("predictions are " + to_string(a.type()) + ", targets " + to_string(b.type()), "a loss does not broadcast; reshape or broadcast_to one of them");
  return {a, cast_to(b, a.dtype(), x.loc)};
}

void need_positive(const Primitive& prim, double value, const char* name, Loc loc) {
  if (!(value > 0))
    throw Error({.op = std::string(prim.name), .message = std::string(name) + " is " + std::to_string(value), .where = user_loc(loc), .hint = "it must be > 0"});
}

/// log cosh d and -(t log p + (1 - t) log(1 - p)) have closed forms that hold where their definitions overflow or divide by 0.
const Primitive& log_cosh_p = define({
    .name = "log_cosh",
    .infer = infer_same_float,
    .decompose = [](const Node& n) {
      const Tensor d = share(n.in[0]), a = abs(d), small = lt(a, 1.0);
      const Tensor near = 0.5 * log1p(square(sinh(where(small, d, 0.0))));
      return where(small, near, a + (log1p(exp(-2.0 * a)) - std::numbers::ln2));
    },
    .vjp = [](const Vjp& r) -> Tensors { return {r.ct * tanh(r.in(0))}; },
    .jvp = [](const Jvp& r) { return r.dot[0] * tanh(r.in(0)); },
    .family = "D15",
});

Tensor bce_slope(const Tensor& p, const Tensor& t) { return (p - t) / maximum(p * (1.0 - p), 1e-12); }
Tensor log_at_least(const Tensor& log_p) { return maximum(log_p, -100.0); }
Tensor bce_in_target(const Tensor& p) { return log_at_least(log1p(-p)) - log_at_least(log(p)); }
const Primitive& bce_p = define({
    .name = "bce",
    .infer = infer_same_float,
    .decompose = [](const Node& n) {
      const Tensor p = share(n.in[0]), t = share(n.in[1]);
      return -(t * log_at_least(log(p)) + (1.0 - t) * log_at_least(log1p(-p)));
    },
    .vjp = [](const Vjp& r) -> Tensors {
      return {r.wants(0) ? r.ct * bce_slope(r.in(0), r.in(1)) : Tensor(), r.wants(1) ? r.ct * bce_in_target(r.in(0)) : Tensor()};
    },
    .jvp = [](const Jvp& r) {
      const Tensor by_p = r.dot[0] ? r.dot[0] * bce_slope(r.in(0), r.in(1)) : Tensor();
      if (!r.dot[1]) return by_p;
      const Tensor by_t = r.dot[1] * bce_in_target(r.in(0));
      return by_p ? by_p + by_t : by_t;
    },
    .family = "D15",
});

}  // namespace

Tensor reduced_loss(const Tensor& rows, LossReduction reduction) {
  if (reduction == LossReduction::none) return rows;
  const Tensor total = sum(rows);
  return reduction == LossReduction::sum || rows.numel() == 0 ? total : total / static_cast<double>(rows.numel());
}

Tensor mse(const Arg& x, const Arg& t, LossOptions o) {
  OpScope scope("mse", x.loc);
  const auto [a, b] = pair_of(mse_p, x, t);
  return reduced_loss(square(a - b), o.reduction);
}

Tensor l1(const Arg& x, const Arg& t, LossOptions o) {
  OpScope scope("l1", x.loc);
  const auto [a, b] = pair_of(l1_p, x, t);
  return reduced_loss(abs(a - b), o.reduction);
}

/// d^2 / 2 up to the knee, then a line: both branches have the same slope there.
static Tensor square_then_line(const Tensor& d, double knee) {
  const Tensor a = abs(d);
  return where(lt(a, knee), 0.5 * square(d), knee * (a - 0.5 * knee));
}

Tensor smooth_l1(const Arg& x, const Arg& t, SmoothL1Options o) {
  OpScope scope("smooth_l1", x.loc);
  need_positive(smooth_l1_p, o.beta, "beta", x.loc);
  const auto [a, b] = pair_of(smooth_l1_p, x, t);
  return reduced_loss(square_then_line(a - b, o.beta) / o.beta, o.reduction);
}

Tensor huber(const Arg& x, const Arg& t, HuberOptions o) {
  OpScope scope("huber", x.loc);
  need_positive(huber_p, o.delta, "delta", x.loc);
  const auto [a, b] = pair_of(huber_p, x, t);
  return reduced_loss(square_then_line(a - b, o.delta), o.reduction);
}

Tensor log_cosh(const Arg& x, const Arg& t, LossOptions o) {
  OpScope scope("log_cosh", x.loc);
  const auto [a, b] = pair_of(log_cosh_p, x, t);
  const Tensor d = a - b;
  return reduced_loss(apply(log_cosh_p, {&d}, {}, x.loc), o.reduction);
}

Tensor bce(const Arg& p, const Arg& t, LossOptions o) {
  OpScope scope("bce", p.loc);
  const auto [a, b] = pair_of(bce_p, p, t);
  return reduced_loss(apply(bce_p, {&a, &b}, {}, p.loc), o.reduction);
}

Tensor bce_with_logits(const Arg& logits, const Arg& t, BceWithLogitsOptions o) {
  OpScope scope("bce_with_logits", logits.loc);
  const auto [x, target] = pair_of(bce_with_logits_p, logits, t);
  const Tensor positive = target * softplus(-x);
  return reduced_loss((o.positive_weight == 1 ? positive : o.positive_weight * positive) + (1.0 - target) * softplus(x), o.reduction);
}

Tensor kl_div(const Arg& log_probabilities, const Arg& t, KlOptions o) {
  OpScope scope("kl_div", log_probabilities.loc);
  const auto [x, target] = pair_of(kl_div_p, log_probabilities, t);
  Tensor each;
  if (o.log_target) each = exp(target) * (target - x);
  else {
    const Tensor some = gt(target, 0.0);
    each = where(some, target * (log(where(some, target, 1.0)) - x), 0.0);
  }
  if (o.reduction == LossReduction::none) return each;
  const Tensor total = sum(each);
  const bool batch = o.reduction == LossReduction::mean && x.rank() > 0 && x.shape(0) > 0;
  return batch ? total / static_cast<double>(x.shape(0)) : total;
}

Tensor hinge(const Arg& x, const Arg& t, LossOptions o) {
  OpScope scope("hinge", x.loc);
  const auto [a, b] = pair_of(hinge_p, x, t);
  return reduced_loss(relu(1.0 - b * a), o.reduction);
}

Tensor cosine_similarity(const Arg& x, const Arg& y, int axis, double eps) {
  OpScope scope("cosine_similarity", x.loc);
  const auto [a, b] = pair_of(cosine_similarity_p, x, y);
  const Ints over{normal_axis(axis, a.rank(), "cosine_similarity", x.loc)};
  check_setting(eps >= 0, cosine_similarity_p, x.loc, "eps is " + std::to_string(eps), "eps is >= 0");
  return sum(a * b, over) * rsqrt(maximum(sum(square(a), over) * sum(square(b), over), eps * eps));
}

}  // namespace adjoint
