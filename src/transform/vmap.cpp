// vmap.cpp: the graph of one example rebuilt for all of them, node by node. Not the rules: each operation has its own beside
// its other mathematics (the `batch` of its record).
#include "adjoint/vmap.hpp"

#include <algorithm>
#include <mutex>

#include "graph/topo.hpp"
#include "ops/batching.hpp"
#include "ops/bundle.hpp"
#include "ops/index_ops.hpp"

namespace adjoint {
namespace {

using NodeList = std::vector<Node*>;

[[noreturn]] void fail(Loc loc, std::string message, std::vector<std::string> operands, std::string hint) {
  throw Error({.op = "vmap", .message = std::move(message), .where = user_loc(loc), .operands = std::move(operands), .hint = std::move(hint)});
}

/// What the function is called with: one example of its operand, whichever. It has no value, so asking for one is an Error.
const Primitive& example_p = define({
    .name = "example",
    .traits = {.gradient = Gradient::refused},
    .infer = [](const Infer& i) -> Type {
      Type one = i.type(0);
      one.shape.erase(0);
      return one;
    },
    .decompose = [](const Node& n) -> Tensor {
      fail(n.loc, "an example has no value: the function given to vmap asked for one, or an example was kept beyond it", {describe(n)},
           "inside the function, build values from the examples and return them; evaluate what vmap returns");
    },
    .family = "D22",
});

Tensors side_by_side(const NodeList& outputs, const NodeList& inputs, std::span<const Tensor> all, std::int64_t size);

/// One value for all examples, side by side.
Tensor repeated(const Tensor& t, std::int64_t size) {
  const Node& n = *t.node();
  if (is_tuple(n)) return n.prim->batch({n, Tensors(n.arity), size});
  return broadcast_node(t, in_front(size, t.shape(), n.loc), n.loc);
}

/// A node of one example on all of them: its own rule, the common one of elementwise operations, or that of its definition.
Tensor on_all(const Node& n, std::span<const Tensor> in, std::int64_t size) {
  const BackwardScope scope(n, n.backward);
  if (n.type.shape.rank() == kMaxRank)
    fail(n.loc, std::string(n.prim->name) + " of one example is " + to_string(n.type) + ": no axis is left for the examples", {describe(n)},
         "a tensor has at most 8 axes; join some of them with reshape");
  Tensor out;
  if (n.prim->batch) out = n.prim->batch({n, in, size});
  else if (n.prim->traits.elementwise) out = batch_same({n, in, size});
  if (out) return out;
  if (!n.prim->decompose)
    fail(n.loc, std::string(n.prim->name) + " has no batching rule", {describe(n)}, "call it for one example after another and stack the results");
  const Tensor simple = n.prim->decompose(n);
  out = side_by_side({simple.node()}, NodeList(n.operands().begin(), n.operands().end()), in, size)[0];
  return out ? out : repeated(simple, size);  // what differs does not matter to the definition: the gradient of a sum
}

/// The outputs on all examples, along a new axis 0: the same walk as forward mode. An empty Tensor: the same for every example.
Tensors side_by_side(const NodeList& outputs, const NodeList& inputs, std::span<const Tensor> all, std::int64_t size) {
  const Order order = topological_order(outputs, {.stop = inputs, .through_computed = true});
  Tensors now(order.nodes.size()), in;
  for (std::size_t i = 0; i < order.nodes.size(); ++i) {
    const Node& n = *order.nodes[i];
    if (const auto at = std::ranges::find(inputs, &n); at != inputs.end()) {
      now[i] = all[static_cast<std::size_t>(at - inputs.begin())];
      continue;
    }
    in.clear();
    for (auto k : order.inputs(i)) in.push_back(now[k]);
    if (std::ranges::none_of(in, [](const Tensor& t) { return static_cast<bool>(t); })) continue;
    now[i] = on_all(n, in, size);
    if (!(now[i].type() == Type{in_front(size, n.type.shape), n.type.dtype}))
      fail(n.loc, "the batching rule of " + std::string(n.prim->name) + " returned " + to_string(now[i].type()) + " for " + std::to_string(size) +
                      " examples of " + to_string(n.type),
           {describe(n)}, "a rule puts the results of all examples side by side along axis 0");
  }
  Tensors result;
  for (auto r : order.roots) result.push_back(now[r]);
  return result;
}

/// The inputs with the axis of the examples first.
Tensors examples_first(const Tensors& xs, const std::vector<int>& axes, Loc loc) {
  if (xs.empty()) fail(loc, "no input was given", {}, "pass the tensors whose examples are meant; what all examples share is captured");
  if (!axes.empty() && axes.size() != xs.size())
    fail(loc, std::to_string(axes.size()) + " axes for " + std::to_string(xs.size()) + " inputs", {}, "give one axis an input, or none for axis 0 of all");
  Tensors first;
  for (std::size_t k = 0; k < xs.size(); ++k) {
    const std::string which = "input " + std::to_string(k);
    if (!xs[k]) fail(loc, which + " has no value", {}, "a default-constructed or moved-from Tensor was passed; give it a value first");
    if (xs[k].rank() == 0) fail(loc, which + " is a scalar: it has no axis of examples", {describe(*xs[k].node())}, "capture what all examples share");
    first.push_back(move_axis(xs[k], normal_axis(axes.empty() ? 0 : axes[k], xs[k].rank(), "vmap", loc), 0, loc));
    if (first[k].shape(0) != first[0].shape(0))
      fail(loc, "input 0 has " + std::to_string(first[0].shape(0)) + " examples, " + which + " has " + std::to_string(first[k].shape(0)),
           {describe(*xs[0].node()), describe(*xs[k].node())}, "every input has one slice an example; name its axis in `axes`");
  }
  return first;
}

}  // namespace

Tensors vmap(const std::function<Tensors(const Tensors&)>& f, const Tensors& xs, const VmapOptions& options, Loc loc) {
  if (!f) fail(loc, "no function was given", {}, "pass a function of one example");
  const Tensors first = examples_first(xs, options.axes, loc);
  const auto size = first[0].shape(0);
  Tensors example;
  for (const auto& x : first) example.push_back(apply(example_p, {&x}, {}, loc));
  const Tensors one = f(example);

  std::lock_guard lock(graph_mutex());
  NodeList outputs, inputs;
  for (std::size_t k = 0; k < one.size(); ++k) {
    if (!one[k]) fail(loc, "result " + std::to_string(k) + " of the function has no value", {}, "return a value for each result");
    if (one[k].rank() == kMaxRank)
      fail(loc, "result " + std::to_string(k) + " of one example is " + to_string(one[k].type()) + ": no axis is left for the examples",
           {describe(*one[k].node())}, "a tensor has at most 8 axes; join some of them with reshape");
    outputs.push_back(one[k].node());
  }
  for (const auto& e : example) inputs.push_back(e.node());
  // Without examples there is nothing to put through the operations: each result is empty.
  Tensors all = size > 0 ? side_by_side(outputs, inputs, first, size) : Tensors(one.size());
  for (std::size_t k = 0; k < all.size(); ++k) {
    const Type type{in_front(size, one[k].shape()), one[k].dtype()};
    if (!all[k]) all[k] = size > 0 ? broadcast_node(one[k], type.shape, loc) : literal(type, 0, loc);
    all[k] = move_axis(all[k], 0, normal_axis(options.out_axis, type.shape.rank(), "vmap", loc), loc);
  }
  return all;
}

Tensor vmap(const std::function<Tensor(const Tensor&)>& f, const Tensor& x, const VmapOptions& options, Loc loc) {
  if (!f) fail(loc, "no function was given", {}, "pass a function of one example");
  return vmap([&](const Tensors& example) { return Tensors{f(example[0])}; }, Tensors{x}, options, loc)[0];
}

}  // namespace adjoint
