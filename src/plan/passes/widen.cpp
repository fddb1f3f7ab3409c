// widen.cpp: a loop whose gradient reads more of it than its results is in the graph twice: as the user made it, and as the loop that keeps
// more. Where both have the same operands, the wider one serves for both. Not a change of what is computed.
#include <algorithm>
#include <map>

#include "ops/bundle.hpp"
#include "plan/passes.hpp"
#include "transform/scan.hpp"

namespace adjoint::plan {
namespace {

bool is_loop(const Node& n) { return n.kind == Kind::op && n.prim == &scan_primitive() && !n.computed(); }

/// The wider loop computes all that the other does, in the same places of its bundle.
bool stands_for(const Node& wide, const Node& narrow) {
  const auto &w = wide.attrs.as<Scan>(), &s = narrow.attrs.as<Scan>();
  return w.base == s.body->hash && w.length == s.length && w.reverse == s.reverse && w.carries == s.carries && w.xs == s.xs && w.every.size() >= s.every.size() &&
         std::ranges::equal(s.every, std::span(w.every).first(s.every.size())) && std::ranges::equal(wide.operands(), narrow.operands());
}

}  // namespace

Tensors widen(Tensors roots) {
  std::vector<Node*> at;
  for (auto& t : roots) at.push_back(t.node());
  const Order order = topological_order(at);
  std::map<std::uint64_t, std::vector<const Node*>> wide;  // by the hash of the body that they can stand for
  for (const Node* n : order.nodes)
    if (is_loop(*n) && n->attrs.as<Scan>().base != 0) wide[n->attrs.as<Scan>().base].push_back(n);
  if (wide.empty()) return roots;
  Tensors now(order.nodes.size());
  for (std::size_t i = 0; i < order.nodes.size(); ++i) {
    Node& n = *order.nodes[i];
    now[i] = share(&n);
    bool changed = false;
    for (auto k : order.inputs(i)) changed |= now[k].node() != order.nodes[k];
    if (changed) {
      Tensors in;
      for (auto k : order.inputs(i)) in.push_back(now[k]);
      const BackwardScope scope(n, n.backward);
      now[i] = remade(n, in);
    }
    if (!is_loop(n)) continue;
    const auto same = wide.find(n.attrs.as<Scan>().body->hash);
    if (same == wide.end()) continue;
    for (const Node* w : same->second)
      if (w != &n && stands_for(*w, n)) {
        Tensors in;
        for (auto k : order.inputs(i)) in.push_back(now[k]);
        const BackwardScope scope(n, n.backward);
        now[i] = apply(*w->prim, in, w->attrs, n.loc);
        break;
      }
  }
  for (std::size_t r = 0; r < roots.size(); ++r) roots[r] = now[order.roots[r]];
  return roots;
}

}  // namespace adjoint::plan
