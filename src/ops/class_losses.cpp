// class_losses.cpp: losses over classes beside cross_entropy: against distributions, of log-probabilities, with the last
// linear layer in chunks; accuracy and perplexity. Not the losses between values: losses.cpp.
#include "ops/common.hpp"
#include "ops/loss_ops.hpp"
#include "ops/shape_ops.hpp"
#include "ops/softmax_ops.hpp"

namespace adjoint {
namespace {

const Primitive& linear_p = define({.name = "fused_linear_cross_entropy", .traits = {.inlined = true}, .family = "D15"});
const Primitive& nll_p = define({.name = "nll", .traits = {.inlined = true}, .family = "D15"});
const Primitive& accuracy_p = define({.name = "accuracy", .traits = {.inlined = true, .gradient = Gradient::zero}, .family = "D15"});

const Primitive& perplexity_p = define({
    .name = "perplexity",
    .traits = {.gradient = Gradient::refused},
    .infer = infer_same_float,
    .decompose = [](const Node& n) { return exp(share(n.in[0])); },
    .family = "D15",
});

/// A row's loss against a distribution; the classes stand last and are kept at size 1.
const Primitive& soft_cross_entropy_p = define({
    .name = "soft_cross_entropy",
    .infer = [](const Infer& i) -> Type {
      Type out = infer_same_float(i);
      out.shape[out.shape.size() - 1] = 1;
      return out;
    },
    .decompose = [](const Node& n) {
      const Tensor x = share(n.in[0]), q = share(n.in[1]);
      const std::int64_t last = x.rank() - 1;
      const Tensor s = shifted(x, last);
      return sum(where(ne(q, 0.0), q * (log(sum(exp(s), {last}, true)) - s), 0.0), {last}, true);
    },
    .vjp = [](const Vjp& r) -> Tensors {
      const Tensor x = r.in(0), q = r.in(1);
      const std::int64_t last = x.rank() - 1;
      const Tensor s = shifted(x, last), e = exp(s), total = sum(e, {last}, true);
      return {r.wants(0) ? (e / total * sum(q, {last}, true) - q) * r.ct : Tensor(), r.wants(1) ? (log(total) - s) * r.ct : Tensor()};
    },
    .family = "D15",
});

[[noreturn]] void fail(const Primitive& prim, Loc loc, std::string why, std::initializer_list<const Tensor*> in, std::string hint) {
  throw Error({.op = std::string(prim.name), .message = std::move(why), .where = user_loc(loc),
               .operands = operand_lines(std::span(in.begin(), in.size())), .hint = std::move(hint)});
}

Tensor axis_last(const Tensor& t, int axis, Loc loc) {
  Ints order;
  for (int k = 0; k < t.rank(); ++k)
    if (k != axis) order.push_back(k);
  order.push_back(axis);
  return permute_node(t, order, loc);
}

}  // namespace

Tensor soft_cross_entropy(const Arg& logits, const Arg& q, DistributionOptions o) {
  OpScope scope("soft_cross_entropy", logits.loc);
  Tensor x = need(logits, soft_cross_entropy_p), target = need(q, soft_cross_entropy_p);
  if (!is_floating(x.dtype()) || !(x.shape() == target.shape()))
    fail(soft_cross_entropy_p, logits.loc, "needs floating logits and distributions of one shape, got " + to_string(x.type()) + " and " + to_string(target.type()),
         {&x, &target}, "use cross_entropy for integer targets");
  const int axis = normal_axis(o.axis, x.rank(), "soft_cross_entropy", logits.loc);
  if (x.shape(axis) == 0) fail(soft_cross_entropy_p, logits.loc, "no classes in " + to_string(x.type()), {&x}, "the class axis has at least one entry");
  x = axis_last(x, axis, logits.loc);
  target = axis_last(cast_to(target, x.dtype(), logits.loc), axis, logits.loc);
  const Tensor rows = apply(soft_cross_entropy_p, {&x, &target}, {}, logits.loc);
  Shape dropped = rows.shape();
  dropped.erase(dropped.rank() - 1);
  return reduced_loss(reshape_node(rows, dropped, logits.loc), o.reduction);
}

Tensor fused_linear_cross_entropy(const Arg& x, const Arg& weight, const Arg& targets, const LinearCrossEntropyOptions& o) {
  OpScope scope("fused_linear_cross_entropy", x.loc);
  const Tensor a = need(x, linear_p), w = need(weight, linear_p), t = need(targets, linear_p);
  if (a.rank() != 2 || w.rank() != 2 || t.rank() != 1 || a.shape(1) != w.shape(1) || t.shape(0) != a.shape(0))
    fail(linear_p, x.loc, "needs x [rows, features], weight [classes, features] and targets [rows], got " + to_string(a.type()) + ", " + to_string(w.type()) + " and " + to_string(t.type()),
         {&a, &w, &t}, "flatten the batch axes of x and of the targets first");
  if (o.chunk < 1) fail(linear_p, x.loc, "a chunk of " + std::to_string(o.chunk) + " rows", {}, "give 1 or more");
  if (a.shape(0) / o.chunk > (1 << 16))  // each is a part of the graph
    fail(linear_p, x.loc, std::to_string(a.shape(0)) + " rows in chunks of " + std::to_string(o.chunk), {&a}, "give a chunk of which there are at most 65,536");
  const auto rows = a.shape(0);
  const Tensor across = transpose(w);
  Tensors parts;
  Tensor total;
  for (std::int64_t first = 0; first < rows || first == 0; first += o.chunk) {
    const auto last = std::min(rows, first + o.chunk);
    Tensor logits = matmul(slice(a, {first}, {last}), across);
    if (o.bias) logits = logits + o.bias;
    const bool none = o.reduction == LossReduction::none;
    const Tensor loss = cross_entropy(logits, slice(t, {first}, {last}),
                                      {.reduction = none ? LossReduction::none : LossReduction::sum, .label_smoothing = o.label_smoothing});
    if (none) parts.push_back(loss);
    else total = total ? total + loss : loss;
  }
  if (o.reduction == LossReduction::none) return parts.size() == 1 ? parts[0] : concat(parts, 0);
  return o.reduction == LossReduction::sum || rows == 0 ? total : total / static_cast<double>(rows);
}

Tensor nll(const Arg& log_probabilities, const Arg& targets, const NllOptions& o) {
  OpScope scope("nll", log_probabilities.loc);
  const Loc loc = log_probabilities.loc;
  Tensor p = need(log_probabilities, nll_p);
  const Tensor t = need(targets, nll_p);
  if (!is_floating(p.dtype())) fail(nll_p, loc, "log-probabilities are floating, got " + to_string(p.type()), {&p, &t}, "they come first, the targets second");
  const int axis = normal_axis(o.axis, p.rank(), "nll", loc);
  p = axis_last(p, axis, loc);
  Shape rows = p.shape();
  rows.erase(rows.rank() - 1);
  if (!(rows == t.shape())) fail(nll_p, loc, "log-probabilities " + to_string(p.type()) + " have rows " + to_string(rows) + ", the targets are " + to_string(t.type()), {&p, &t}, "targets have the shape without the class axis");
  if (o.weight && !(o.weight.shape() == Shape{p.shape(-1)})) fail(nll_p, loc, "weights are " + to_string(o.weight.type()) + " for " + std::to_string(p.shape(-1)) + " classes", {&p}, "give one weight a class");
  const std::int64_t last = p.rank() - 1;
  const Tensor mask = class_mask(t, {p.shape(-1), o.ignore_index.has_value(), o.ignore_index.value_or(0)}, loc);
  const Tensor weight = o.weight ? broadcast_to(cast(o.weight, p.dtype()), p.shape()) : Tensor();
  const Tensor each = sum(where(mask, weight ? -p * weight : -p, 0.0), {last});
  if (o.reduction != LossReduction::mean || (!o.ignore_index && !o.weight)) return reduced_loss(each, o.reduction);
  const Tensor n = sum(where(mask, weight ? weight : ones_like(p), 0.0));
  return sum(each) / where(gt(n, 0.0), n, 1.0);
}

Tensor accuracy(const Arg& logits, const Arg& targets, int axis) {
  OpScope scope("accuracy", logits.loc);
  const Tensor x = need(logits, accuracy_p), t = need(targets, accuracy_p);
  const Tensor best = argmax(x, {normal_axis(axis, x.rank(), "accuracy", logits.loc)});
  if (!(best.shape() == t.shape()))
    fail(accuracy_p, logits.loc, "logits " + to_string(x.type()) + " have rows " + to_string(best.shape()) + ", the targets are " + to_string(t.type()), {&x, &t},
         "targets have the shape of the logits without the class axis");
  return mean(cast(eq(best, cast(t, DType::i64)), DType::f32));
}

Tensor perplexity(const Arg& loss) { return apply_unary_float(perplexity_p, loss); }

}  // namespace adjoint
