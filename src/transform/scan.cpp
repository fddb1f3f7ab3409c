// scan.cpp: the loop as an operation: its shape rule, its definition (the loop written out), tangents and batching, both of which
// are loops again. Not its gradient, which chooses what to remember: scan_vjp.cpp. Not its kernel: src/runtime/loop.cpp.
#include "transform/scan.hpp"

#include "adjoint/grad.hpp"
#include "adjoint/vmap.hpp"
#include "ops/batching.hpp"
#include "ops/index_ops.hpp"

namespace adjoint {
namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

Type infer(const Infer& i) {
  const auto& s = i.attrs.as<Scan>();
  const auto& inputs = s.body->inputs;
  if (i.in.size() != inputs.size()) i.fail("a loop over " + std::to_string(inputs.size()) + " inputs was given " + std::to_string(i.in.size()), "fault of the rule that made it");
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    Type expected = inputs[k].type();
    if (k >= at(s.carries) && k < at(s.carries + s.xs)) expected.shape = in_front(s.length, expected.shape);
    if (!(i.type(k) == expected)) i.fail("operand " + std::to_string(k) + " is " + to_string(i.type(k)) + ", the loop expects " + to_string(expected), "fault of the rule that made it");
  }
  return s.layout(i.in.empty() ? Loc{} : i.in[0]->where()).bundle;
}

/// The sequence of a y's values, one a step, as rows.
Tensor stacked(const Tensors& steps, const Type& one, std::int64_t rows, Loc loc) {
  const Shape shape = in_front(rows, one.shape);
  if (steps.empty()) return literal({shape, one.dtype}, 0, loc);
  Tensors parts;
  for (const auto& t : steps) parts.push_back(reshape_node(t, in_front(1, t.shape()), loc));
  return concat_node(parts, 0, loc);
}

/// The loop written out.
Tensor written_out(const Node& n) {
  const auto& s = n.attrs.as<Scan>();
  Tensors in;
  for (Node* operand : n.operands()) in.push_back(share(operand));
  std::vector<Tensors> ys(at(s.ys()));
  for (std::int64_t step = 0; step < s.length; ++step) {
    const auto t = s.reverse ? s.length - 1 - step : step;
    Tensors inputs = in;
    for (std::int64_t k = s.carries; k < s.carries + s.xs; ++k) inputs[at(k)] = element(in[at(k)], t, n.loc);
    const Tensors out = call(*s.body, inputs);
    for (std::int64_t k = 0; k < s.carries; ++k) in[at(k)] = out[at(k)];
    for (std::size_t y = 0; y < ys.size(); ++y)
      if (step % s.every[y] == 0) ys[y].push_back(out[at(s.carries) + y]);
  }
  Tensors results(in.begin(), in.begin() + s.carries);
  for (std::size_t y = 0; y < ys.size(); ++y) {
    if (s.reverse && s.every[y] == 1) std::ranges::reverse(ys[y]);
    results.push_back(stacked(ys[y], s.body->outputs[at(s.carries) + y].type(), s.rows(y), n.loc));
  }
  return tuple_node(s.layout(n.loc), results, n.loc);
}

/// A loop over a body that was built on this one's; its inputs are `inputs`, and what it captures comes behind `operands`.
Tensors derived(const Jvp& r, const Scan& from, const Tensors& inputs, const Tensors& outputs, Scan to, Tensors operands) {
  const Closed closed = close(inputs, outputs);
  Tensors own;
  for (std::size_t k = 0; k < r.arity(); ++k) own.push_back(r.in(k));
  for (const auto& t : operands_for(*from.body, own, closed.captured)) operands.push_back(t);
  to.body = closed.body;
  const Tensor bundle = scan_node(to, operands, r.node.loc);
  return parts_of(bundle, to.layout(r.node.loc), r.node.loc);
}

/// Carries and tangents of carries side by side: one loop for both.
Tensor tangents(const Jvp& r) {
  const auto& s = r.attrs<Scan>();
  const Body& body = *s.body;
  const Loc loc = r.node.loc;
  const auto moves = [&](std::size_t k) { return is_floating(body.inputs[k].dtype()) && (k < at(s.carries) || r.dot[k]); };
  Tensors inputs, operands, wrt, dots;
  std::vector<std::int64_t> carried;  // carries that have a tangent
  Scan both = s;
  both.base = 0, both.carries = both.xs = 0, both.every.clear();
  const auto add = [&](std::size_t first, std::size_t last, std::int64_t& count) {
    for (std::size_t k = first; k < last; ++k) inputs.push_back(body.inputs[k]), operands.push_back(r.in(k)), ++count;
    for (std::size_t k = first; k < last; ++k) {
      if (!moves(k)) continue;
      wrt.push_back(body.inputs[k]);
      dots.push_back(stand_in(body.inputs[k].type(), loc));
      inputs.push_back(dots.back());
      operands.push_back(r.dot[k] ? r.dot[k] : literal(r.node.in[k]->type, 0, loc));
      ++count;
    }
  };
  std::int64_t captured = 0;
  add(0, at(s.carries), both.carries);
  add(at(s.carries), at(s.carries + s.xs), both.xs);
  for (std::size_t k = at(s.carries + s.xs); k < r.arity(); ++k)
    if (moves(k)) add(k, k + 1, captured);
  const Tensors moved = jvp(body.outputs, wrt, dots, loc);
  Tensors outputs;
  std::vector<std::size_t> part(body.outputs.size(), 0);  // of each result: the part with its tangent, or 0
  const auto emit = [&](std::size_t first, std::size_t last, bool y) {
    for (std::size_t k = first; k < last; ++k) outputs.push_back(body.outputs[k]);
    for (std::size_t k = first; k < last; ++k)
      if (is_floating(body.outputs[k].dtype())) part[k] = outputs.size(), outputs.push_back(moved[k]);
    if (!y) return;
    both.every = s.every;
    for (std::size_t k = first; k < last; ++k)
      if (part[k]) both.every.push_back(s.every[k - first]);
  };
  emit(0, at(s.carries), false);
  emit(at(s.carries), body.outputs.size(), true);
  const Tensors parts = derived(r, s, inputs, outputs, both, operands);
  Tensors values;
  for (auto k : part) values.push_back(k ? parts[k] : Tensor());
  return tuple_node(s.layout(loc), values, loc);
}

/// One loop whose steps take all examples at a time.
Tensor all_at_once(const Batch& b) {
  const auto& s = b.attrs<Scan>();
  const Body& body = *s.body;
  const Loc loc = b.node.loc;
  Tensors inputs, operands, rest, batched, own;
  std::vector<std::size_t> which;
  for (std::size_t k = 0; k < b.arity(); ++k) {
    own.push_back(b.in(k));
    const bool carry = k < at(s.carries), x = !carry && k < at(s.carries + s.xs);
    if (!carry && !b.all[k]) {
      if (x) inputs.push_back(body.inputs[k]), operands.push_back(b.in(k));
      continue;
    }
    Type type = body.inputs[k].type();
    type.shape = in_front(b.size, type.shape);
    which.push_back(k);
    batched.push_back(stand_in(type, loc));
    (carry || x ? inputs : rest).push_back(batched.back());
    (carry || x ? operands : rest).push_back(carry ? every(b, k) : x ? move_axis(b.all[k], 0, 1, loc) : b.all[k]);
  }
  for (std::size_t k = 0; k < rest.size(); k += 2) inputs.push_back(rest[k]), operands.push_back(rest[k + 1]);
  const Tensors outputs = vmap([&](const Tensors& one) {
    Tensors in = body.inputs;
    for (std::size_t k = 0; k < which.size(); ++k) in[which[k]] = one[k];
    return call(body, in);
  }, batched, {}, loc);
  const Closed closed = close(inputs, outputs);
  for (const auto& t : operands_for(body, own, closed.captured)) operands.push_back(t);
  Scan all = s;
  all.body = closed.body, all.base = 0;
  Tensors parts = parts_of(scan_node(all, operands, loc), all.layout(loc), loc);
  for (std::size_t k = at(s.carries); k < parts.size(); ++k) parts[k] = move_axis(parts[k], 1, 0, loc);
  return tuple_of_all(s.layout(loc), parts, b.size, loc);
}

const Primitive& scan_p = define({
    .name = "scan",
    .infer = infer,
    .decompose = written_out,
    .vjp = scan_vjp,
    .jvp = tangents,
    .batch = all_at_once,
    .family = "D6",
});

}  // namespace

Layout Scan::layout(Loc loc) const {
  std::vector<Type> types;
  for (std::size_t k = 0; k < body->outputs.size(); ++k) {
    Type t = body->outputs[k].type();
    if (k >= at(carries)) t.shape = in_front(rows(k - at(carries)), t.shape, loc);
    types.push_back(t);
  }
  return layout_of(std::move(types), "scan", loc);
}
std::uint64_t Scan::attr_hash() const {
  std::uint64_t h = mix(mix(mix(body->hash, static_cast<std::uint64_t>(carries)), static_cast<std::uint64_t>(xs)), static_cast<std::uint64_t>(length) * 2 + reverse);
  for (auto k : every) h = mix(h, static_cast<std::uint64_t>(k));
  return h;
}
std::string Scan::attr_text() const {
  return "length=" + std::to_string(length) + (reverse ? " reverse" : "") + " carries=" + std::to_string(carries) + " xs=" + std::to_string(xs) + " nodes=" + std::to_string(body->nodes.size());
}

Tensor scan_node(const Scan& scan, const Tensors& operands, Loc loc) { return apply(scan_p, operands, scan, loc); }
const Primitive& scan_primitive() { return scan_p; }

Tensors operands_for(const Body& body, std::span<const Tensor> operands, const Tensors& captured) {
  Tensors found;
  for (const auto& t : captured) {
    std::size_t k = 0;
    while (k < body.inputs.size() && body.inputs[k].node() != t.node()) ++k;
    found.push_back(k < body.inputs.size() ? operands[k] : t);
  }
  return found;
}

Tensor element(const Tensor& sequence, std::int64_t i, Loc loc) {
  Shape shape = sequence.shape();
  shape.erase(0);
  return reshape_node(slice_axis(sequence, 0, i, 1, 1, loc), shape, loc);
}

}  // namespace adjoint
