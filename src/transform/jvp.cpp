// jvp.cpp: the forward pass of derivatives, graph to graph. Not numerical differentiation.
#include <algorithm>
#include <vector>

#include "adjoint/grad.hpp"
#include "graph/topo.hpp"
#include "ops/common.hpp"
#include "transform/refused.hpp"

namespace adjoint {
namespace {

using NodeList = std::vector<Node*>;

/// Of an operation without a derivative that a tangent has reached: false where all that depends on it says that none is meant.
bool is_meant(const Order& order, const std::vector<Tensor>& dot) {
  std::vector<char> leads;
  for (const auto& d : dot) leads.push_back(static_cast<bool>(d));
  return first_refused(order, leads).has_value();
}

/// Tangents of the outputs; an empty Tensor means zero.
Tensors forward(const NodeList& outputs, const NodeList& wrt, std::span<const Tensor> tangents, Loc loc) {
  const Order order = topological_order(outputs, {.stop = wrt, .through_computed = true});
  std::vector<Tensor> dot(order.nodes.size());
  for (std::size_t i = 0; i < order.nodes.size(); ++i) {
    Node& n = *order.nodes[i];
    if (n.kind == Kind::leaf && n.extra && n.extra->spent) spent_error(n, "jvp", loc);
    const auto at = i < wrt.size() ? std::ranges::find(wrt, &n) : wrt.end();  // stops come first in the order
    if (at != wrt.end()) {
      dot[i] = tangents[static_cast<std::size_t>(at - wrt.begin())];
      continue;
    }
    if (n.kind != Kind::op || n.arity == 0 || n.prim->traits.gradient == Gradient::zero) continue;
    Tensors in;
    bool any = false;
    for (auto k : order.inputs(i)) {
      in.push_back(dot[k]);
      any |= static_cast<bool>(dot[k]);
    }
    if (!any) continue;
    if (n.prim->traits.gradient == Gradient::refused && !is_meant(order, dot)) continue;
    const BackwardScope scope(n);
    if (n.prim->traits.gradient == Gradient::smooth && n.prim->jvp) dot[i] = n.prim->jvp({n, in});
    else if (n.prim->traits.gradient == Gradient::smooth && n.prim->decompose) {
      const Tensor simple = n.prim->decompose(n);
      dot[i] = forward({simple.node()}, NodeList(n.operands().begin(), n.operands().end()), in, loc)[0];
    } else
      throw Error({.op = "jvp", .message = std::string(n.prim->name) + " has no derivative", .where = user_loc(loc), .operands = {describe(n)},
                   .hint = "put stop_gradient around it if its derivative is not meant"});
    if (dot[i] && !(dot[i].type() == n.type))
      throw Error({.op = "jvp", .message = "the forward rule of " + std::string(n.prim->name) + " returned " + to_string(dot[i].type()) +
                                           " for a result of type " + to_string(n.type),
                   .where = user_loc(loc), .operands = {describe(n)}, .hint = "a tangent has the type of its value"});
  }
  Tensors result;
  for (auto r : order.roots) result.push_back(dot[r]);
  return result;
}

/// Throws for a wanted value that the outputs do not reach though it may lie behind a dropped graph.
void check_reached(const NodeList& outputs, const NodeList& wrt, Loc loc) {
  const Order order = topological_order(outputs, {.through_computed = true});
  for (const Node* w : wrt)
    if (!order.find(w)) check_released(order, *w, "jvp", loc);
}

}  // namespace

Tensors jvp(std::span<const Tensor> outputs, std::span<const Tensor> wrt, std::span<const Tensor> tangents, Loc loc) {
  std::lock_guard lock(graph_mutex());
  if (wrt.size() != tangents.size())
    throw Error({.op = "jvp", .message = std::to_string(wrt.size()) + " values but " + std::to_string(tangents.size()) + " tangents",
                 .where = user_loc(loc), .hint = "give one tangent a value"});
  NodeList roots, at;
  for (const auto& t : outputs) t.type(loc), roots.push_back(t.node());
  for (std::size_t i = 0; i < wrt.size(); ++i) {
    if (!(wrt[i].type(loc) == tangents[i].type(loc)))
      throw Error({.op = "jvp", .message = "the tangent is " + to_string(tangents[i].type()) + ", the value " + to_string(wrt[i].type()),
                   .where = user_loc(loc), .operands = {describe(*wrt[i].node()), describe(*tangents[i].node())},
                   .hint = "a tangent has the type of its value"});
    at.push_back(wrt[i].node());
  }
  check_reached(roots, at, loc);
  Tensors dots = forward(roots, at, tangents, loc);
  for (std::size_t i = 0; i < dots.size(); ++i)
    if (!dots[i]) dots[i] = literal(outputs[i].type(), 0, loc);
  return dots;
}
Tensor jvp(const Tensor& output, const Tensor& wrt, const Tensor& tangent, Loc loc) {
  return jvp(std::span(&output, 1), std::span(&wrt, 1), std::span(&tangent, 1), loc)[0];
}

}  // namespace adjoint
