// branches.cpp: a choice at run time as an operation: its shape rule, its definition (all bodies, and where), and derivatives and batching,
// which are choices between the bodies' own. Not its kernel, which runs the chosen body alone: src/runtime/loop.cpp.
#include "adjoint/branches.hpp"

#include <algorithm>
#include <mutex>

#include "adjoint/vmap.hpp"
#include "ops/batching.hpp"
#include "ops/fail.hpp"
#include "transform/branches.hpp"

namespace adjoint {
namespace {

/// A stand-in and what stands for it outside.
using Known = std::vector<std::pair<Tensor, Tensor>>;

Tensor standing_for(const Tensor& t, const Known& known) {
  for (const auto& [inside, outside] : known)
    if (inside.node() == t.node()) return outside;
  return t;
}

/// The outputs as a body whose captured values are operands of the new node.
Closed branch(const Tensors& outputs, const Known& known) {
  Closed c = close({}, outputs);
  for (auto& t : c.captured) t = standing_for(t, known);
  return c;
}

/// A body's inputs, and the node's operands for them.
Known inputs_of(const Node& n, const Branches& b, std::size_t body) {
  Known known;
  const auto& inputs = b.bodies[body]->inputs;
  for (std::size_t k = 0; k < inputs.size(); ++k) known.emplace_back(inputs[k], share(n.in[b.first(body) + k]));
  return known;
}

Type infer(const Infer& i) {
  const auto& b = i.attrs.as<Branches>();
  std::size_t count = 1;
  for (const auto& body : b.bodies) count += body->inputs.size();
  if (i.in.size() != count || i.type(0).shape.rank() != 0) i.fail("operands do not fit the bodies", "fault of the rule that made it");
  return b.layout(i.in[0]->where()).bundle;
}

/// An index below the first means the first, one above the last means the last.
Tensor all_and_where(const Node& n) {
  const auto& b = n.attrs.as<Branches>();
  Tensors chosen;
  const Tensor index = cast(share(n.in[0]), DType::i64);
  for (std::size_t k = b.bodies.size(); k-- > 0;) {
    Tensors in;
    for (const auto& [inside, outside] : inputs_of(n, b, k)) in.push_back(outside);
    const Tensors out = call(*b.bodies[k], in);
    if (chosen.empty()) chosen = out;
    else
      for (std::size_t r = 0; r < out.size(); ++r) chosen[r] = where(le(index, static_cast<double>(k)), out[r], chosen[r]);
  }
  return tuple_node(b.layout(n.loc), chosen, n.loc);
}

/// A choice between the gradients of the bodies: each gives an adjoint for every operand of all, zeros for those of others.
Tensors backward(const Vjp& r) {
  const auto& b = r.attrs<Branches>();
  const Loc loc = r.node.loc;
  const auto& results = b.bodies[0]->outputs;
  const Tensors ct = values_of_tuple(r.ct, results.size());
  std::vector<std::size_t> wanted;
  for (std::size_t k = 1; k < r.arity(); ++k)
    if (r.wants(k) && is_floating(r.node.in[k]->type.dtype)) wanted.push_back(k);
  std::vector<Closed> bodies;
  for (std::size_t body = 0; body < b.bodies.size(); ++body) {
    Known known = inputs_of(r.node, b, body);
    Tensors outputs, seeds, wrt, d;
    std::vector<std::size_t> mine;
    for (std::size_t k = 0; k < ct.size(); ++k) {
      if (!ct[k]) continue;
      outputs.push_back(b.bodies[body]->outputs[k]);
      seeds.push_back(stand_in(ct[k].type(), loc));
      known.emplace_back(seeds.back(), ct[k]);
    }
    for (auto k : wanted) {
      const bool own = k >= b.first(body) && k < b.first(body + 1);
      d.push_back(literal(r.node.in[k]->type, 0, loc));
      if (own) mine.push_back(d.size() - 1), wrt.push_back(b.bodies[body]->inputs[k - b.first(body)]);
    }
    const Tensors found = vjp(outputs, seeds, wrt, loc);
    for (std::size_t k = 0; k < mine.size(); ++k) d[mine[k]] = found[k];
    bodies.push_back(branch(d, known));
  }
  Tensors d(r.arity());
  if (wanted.empty()) return d;
  const Tensor bundle = branches_node(r.in(0), bodies, loc);
  const Tensors parts = parts_of(bundle, bundle.node()->attrs.as<Branches>().layout(loc), loc);
  for (std::size_t k = 0; k < wanted.size(); ++k) d[wanted[k]] = parts[k];
  return d;
}

Tensor tangents(const Jvp& r) {
  const auto& b = r.attrs<Branches>();
  const Loc loc = r.node.loc;
  const auto& results = b.bodies[0]->outputs;
  std::vector<Closed> bodies;
  for (std::size_t body = 0; body < b.bodies.size(); ++body) {
    Known known = inputs_of(r.node, b, body);
    Tensors wrt, dots, moved;
    for (std::size_t k = b.first(body); k < b.first(body + 1); ++k) {
      if (!r.dot[k]) continue;
      wrt.push_back(b.bodies[body]->inputs[k - b.first(body)]);
      dots.push_back(stand_in(r.dot[k].type(), loc));
      known.emplace_back(dots.back(), r.dot[k]);
    }
    const Tensors all = jvp(b.bodies[body]->outputs, wrt, dots, loc);
    for (std::size_t k = 0; k < results.size(); ++k)
      if (is_floating(results[k].dtype())) moved.push_back(all[k]);
    bodies.push_back(branch(moved, known));
  }
  Tensors values(results.size());
  const Tensor bundle = branches_node(r.in(0), bodies, loc);
  const Layout layout = bundle.node()->attrs.as<Branches>().layout(loc);
  std::size_t next = 0;
  for (std::size_t k = 0; k < results.size(); ++k)
    if (is_floating(results[k].dtype())) values[k] = part_node(bundle, layout, next++, loc);
  return tuple_node(b.layout(loc), values, loc);
}

/// One choice for all examples; where each has its own, all bodies run (the definition).
Tensor all_at_once(const Batch& batch) {
  if (batch.all[0]) return {};
  const auto& b = batch.attrs<Branches>();
  const Loc loc = batch.node.loc;
  std::vector<Closed> bodies;
  for (std::size_t body = 0; body < b.bodies.size(); ++body) {
    Known known = inputs_of(batch.node, b, body);
    Tensors examples, outside;
    std::vector<std::size_t> which;
    for (std::size_t k = b.first(body); k < b.first(body + 1); ++k)
      if (batch.all[k]) which.push_back(k - b.first(body)), examples.push_back(stand_in(batch.all[k].type(), loc)), known.emplace_back(examples.back(), batch.all[k]);
    Tensors outputs;
    if (which.empty()) {
      for (const auto& t : b.bodies[body]->outputs) outputs.push_back(broadcast_node(t, in_front(batch.size, t.shape(), loc), loc));
    } else {
      outputs = vmap([&](const Tensors& one) {
        Tensors in = b.bodies[body]->inputs;
        for (std::size_t k = 0; k < which.size(); ++k) in[which[k]] = one[k];
        return call(*b.bodies[body], in);
      }, examples, {}, loc);
    }
    bodies.push_back(branch(outputs, known));
  }
  const Tensor bundle = branches_node(batch.in(0), bodies, loc);
  return tuple_of_all(b.layout(loc), parts_of(bundle, bundle.node()->attrs.as<Branches>().layout(loc), loc), batch.size, loc);
}

const Primitive& switch_p = define({
    .name = "switch",
    .infer = infer,
    .decompose = all_and_where,
    .vjp = backward,
    .jvp = tangents,
    .batch = all_at_once,
    .family = "D6",
});
const Primitive& cond_p = define(inlined("cond", "D6"));
[[maybe_unused]] const Primitive& while_p = define(inlined("while_bounded", "D6"));

}  // namespace

std::size_t Branches::first(std::size_t b) const {
  std::size_t at = 1;
  for (std::size_t k = 0; k < b; ++k) at += bodies[k]->inputs.size();
  return at;
}
Layout Branches::layout(Loc loc) const {
  std::vector<Type> types;
  for (const auto& t : bodies[0]->outputs) types.push_back(t.type());
  return layout_of(std::move(types), "switch", loc);
}
std::uint64_t Branches::attr_hash() const {
  std::uint64_t h = bodies.size();
  for (const auto& b : bodies) h = mix(h, b->hash);
  return h;
}
std::string Branches::attr_text() const { return "branches=" + std::to_string(bodies.size()); }

Tensor branches_node(const Tensor& index, const std::vector<Closed>& bodies, Loc loc) {
  Branches b;
  Tensors operands{index};
  for (const auto& c : bodies) {
    b.bodies.push_back(c.body);
    operands.insert(operands.end(), c.captured.begin(), c.captured.end());
  }
  return apply(switch_p, operands, b, loc);
}

Tensor detail::holds(const Arg& predicate) {
  const OpScope scope("cond", predicate.loc);
  const Tensor p = need(predicate, cond_p);
  return p.dtype() == DType::bool_ ? p : ne(Arg(p, predicate.loc), Arg(0.0, predicate.loc));
}

Tensors detail::choose(const Arg& which, const std::vector<std::function<Tensors()>>& branches, const std::vector<std::string>& names, const char* op) {
  const Tensor index = need(which, switch_p);
  const Loc loc = which.loc;
  if (index.rank() != 0 || is_floating(index.dtype())) fail(op, loc, "the choice is " + to_string(index.type()), {&index}, "it is a scalar: a bool, or an integer from 0 on");
  if (branches.empty()) fail(op, loc, "no branch was given", {}, "give at least one function");
  std::vector<Tensors> outputs;
  std::vector<Closed> bodies;
  std::unique_lock lock(graph_mutex(), std::defer_lock);
  for (const auto& f : branches) {
    const Recording recording(op);
    outputs.push_back(f());
    const Tensors& out = outputs.back();
    if (out.size() != outputs[0].size()) fail(op, loc, "a branch returns " + std::to_string(out.size()) + " tensors, the first " + std::to_string(outputs[0].size()), {}, "all branches return one structure");
    for (std::size_t k = 0; k < out.size(); ++k) {
      const std::string name = k < names.size() ? names[k] : "result " + std::to_string(k);
      if (!out[k]) fail(op, loc, name + " of a branch has no value", {}, "return a value for each result");
      if (!(out[k].type() == outputs[0][k].type()))
        fail(op, loc, name + " is " + to_string(outputs[0][k].type()) + " from the first branch and " + to_string(out[k].type()) + " from another", {&outputs[0][k], &out[k]},
             "all branches return values of the same shapes and element types");
    }
    lock.lock();
    bodies.push_back(close({}, out, &recording));
    lock.unlock();
  }
  const OpScope scope(op, loc);
  lock.lock();
  const Tensor bundle = branches_node(index, bodies, loc);
  return parts_of(bundle, bundle.node()->attrs.as<Branches>().layout(loc), loc);
}

}  // namespace adjoint
