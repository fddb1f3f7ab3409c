// cross_entropy.cpp: softmax cross-entropy with integer targets, a row a node with a closed-form gradient. Not the loss
// against distributions: soft_cross_entropy.
#include "adjoint/ops/loss.hpp"

#include "ops/common.hpp"
#include "ops/loss_ops.hpp"
#include "ops/shape_ops.hpp"
#include "ops/softmax_ops.hpp"

namespace adjoint {
namespace {

struct RowLoss {
  bool ignoring = false;
  std::int64_t ignore = 0;
  double smoothing = 0;
};

// N.. rows, C classes. Operands: logits [N.., C], targets [N..], and weights [C] or nothing.
struct Terms {
  explicit Terms(const Node& n)
      : a(n.attrs.as<RowLoss>()), x(share(n.in[0])), last(x.rank() - 1), classes(static_cast<double>(x.shape(last))),
        s(shifted(x, last)), e(exp(s)), total(sum(e, {last}, true)),
        mask(class_mask(share(n.in[1]), {x.shape(last), a.ignoring, a.ignore}, n.loc)) {
    if (n.arity == 3) weight = broadcast_to(share(n.in[2]), x.shape());
  }
  const RowLoss& a;
  Tensor x;
  std::int64_t last;
  double classes;
  Tensor s, e, total, mask, weight = {};

  /// The target distribution times the weights of the classes, 0 in ignored rows.
  Tensor target() const {
    Tensor q = a.smoothing == 0 ? where(mask, 1.0, zeros_like(x))
                                : where(mask, 1 - a.smoothing + a.smoothing / classes, full_like(x, a.smoothing / classes));
    if (weight) q = q * weight;
    return a.ignoring && a.smoothing != 0 ? where(any_true(mask), q, 0.0) : q;
  }
  /// bool [N.., 1]: rows that are not ignored.
  Tensor any_true(const Tensor& m) const { return any(m, {last}, true); }
  bool plain() const { return a.smoothing == 0 && !weight; }
};

Tensor drop_last(const Tensor& t) {
  Shape s = t.shape();
  s.erase(s.rank() - 1);
  return reshape(t, s);
}
Tensor add_last(const Tensor& t) {
  Shape s = t.shape();
  s.push_back(1);
  return reshape(t, s);
}

Tensor row_losses(const Node& n) {
  const Terms t(n);
  const Tensor lse = log(t.total);
  Tensor loss;
  if (t.plain()) {
    loss = lse - sum(where(t.mask, t.s, 0.0), {t.last}, true);
    if (t.a.ignoring) loss = where(t.any_true(t.mask), loss, 0.0);
  } else if (t.a.smoothing == 0) {
    loss = sum(where(t.mask, (lse - t.s) * t.weight, 0.0), {t.last}, true);
  } else {
    loss = sum((lse - t.s) * t.target(), {t.last}, true);
  }
  return drop_last(loss);
}

const Primitive& cross_entropy_p = define({
    .name = "cross_entropy",
    .infer = [](const Infer& i) -> Type {
      const Type &x = i.type(0), &t = i.type(1);
      Shape rows = x.shape;
      rows.erase(rows.rank() - 1);
      if (!(rows == t.shape))
        i.fail("logits " + to_string(x) + " have rows " + to_string(rows) + ", the targets are " + to_string(t),
               "targets have the shape of the logits without the class axis");
      if (t.dtype != DType::i64 && t.dtype != DType::i32)
        i.fail("targets are classes of type i64 or i32, got " + to_string(t), "use soft_cross_entropy for distributions");
      if (i.in.size() == 3 && !(i.type(2) == Type{Shape{x.shape.back()}, x.dtype}))
        i.fail("weights are " + to_string(i.type(2)) + " for " + std::to_string(x.shape.back()) + " classes", "give one weight a class");
      return {rows, x.dtype};
    },
    .decompose = row_losses,
    .vjp = [](const Vjp& r) -> Tensors {
      const Terms t(r.node);
      const Tensor ct = add_last(r.ct);
      Tensors d(r.arity());
      if (r.wants(0)) {
        const Tensor y = t.e / t.total;
        if (t.plain() && !t.a.ignoring) d[0] = where(t.mask, y - 1.0, y) * ct;
        else if (t.plain()) d[0] = where(t.any_true(t.mask), where(t.mask, y - 1.0, y) * ct, 0.0);
        else {
          const Tensor q = t.target();
          d[0] = (y * sum(q, {t.last}, true) - q) * ct;
        }
      }
      if (r.arity() == 3 && r.wants(2)) {
        const Tensor each = log(t.total) - t.s;
        const double off = t.a.smoothing / t.classes;
        Tensor q = t.a.smoothing == 0 ? where(t.mask, each, 0.0) : where(t.mask, (1 - t.a.smoothing + off) * each, off * each);
        if (t.a.ignoring) q = where(t.any_true(t.mask), q, 0.0);
        Ints rows;
        for (int k = 0; k < t.last; ++k) rows.push_back(k);
        d[2] = rows.empty() ? q * ct : sum(q * ct, rows);
      }
      return d;
    },
    .family = "D15",
});

/// The axis moved to the end.
Tensor axis_last(const Tensor& t, int axis) {
  Ints order;
  for (int k = 0; k < t.rank(); ++k)
    if (k != axis) order.push_back(k);
  order.push_back(axis);
  return permute(t, order);
}

}  // namespace

Tensor cross_entropy(const Arg& logits, const Arg& targets, const CrossEntropyOptions& o) {
  OpScope scope("cross_entropy", logits.loc);
  Tensor x = need(logits, cross_entropy_p);
  const Tensor t = need(targets, cross_entropy_p);
  const auto fail = [&](std::string why, std::string hint) {
    throw Error({.op = "cross_entropy", .message = std::move(why), .where = user_loc(logits.loc), .operands = {describe(*x.node()), describe(*t.node())},
                 .hint = std::move(hint)});
  };
  if (!is_floating(x.dtype())) fail("logits are floating, got " + to_string(x.type()), "cast them, or swap the operands: logits come first");
  const int axis = normal_axis(o.axis, x.rank(), "cross_entropy", logits.loc);
  if (x.shape(axis) == 0) fail("no classes in " + to_string(x.type()), "the class axis has at least one entry");
  if (!(o.label_smoothing >= 0 && o.label_smoothing <= 1))
    fail("label_smoothing is " + std::to_string(o.label_smoothing), "it lies in [0, 1]");
  x = axis_last(x, axis);
  Tensors in{x, t};
  if (o.weight) in.push_back(cast(o.weight, x.dtype()));
  const Tensor rows = apply(cross_entropy_p, in, RowLoss{o.ignore_index.has_value(), o.ignore_index.value_or(0), o.label_smoothing}, logits.loc);
  if (o.reduction != LossReduction::mean || (!o.ignore_index && !o.weight)) return reduced_loss(rows, o.reduction);
  // The mean over the rows that count, each with the weight of its target.
  const Tensor mask = class_mask(t, {x.shape(-1), o.ignore_index.has_value(), o.ignore_index.value_or(0)}, logits.loc);
  const Tensor one = o.weight ? broadcast_to(in[2], x.shape()) : ones_like(x);
  const Tensor n = sum(where(mask, one, 0.0));
  return sum(rows) / where(gt(n, 0.0), n, 1.0);
}

}  // namespace adjoint
