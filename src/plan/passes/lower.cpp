// lower.cpp: replaces named composites without a kernel by their definitions, until none is left.
// Not a simplifier: it changes what runs only in form.
#include <algorithm>
#include <vector>

#include "ops/bundle.hpp"
#include "plan/passes.hpp"
#include "transform/scan.hpp"

namespace adjoint::plan {

static bool needs_lowering(const Node& n) {
  return n.kind == Kind::op && n.prim->decompose && !n.prim->traits.elementwise && !find_kernel(n.prim->name);
}

/// What replaces a forward node is forward, although it is made under a BackwardScope for the sake of the user's line.
static void same_direction(const Tensor& now, const Node& n) {
  if (n.backward) return;
  for (Node* made : topological_order(std::vector<Node*>{now.node()}, {.stop = n.operands()}).nodes)
    if (made->kind == Kind::op && std::ranges::find(n.operands(), made) == n.operands().end()) made->backward = false;
}

Tensors lower(const Order& first, std::int64_t loop_bytes) {
  Tensors roots;
  for (auto r : first.roots) roots.push_back(share(first.nodes[r]));
  for (bool again = true; again;) {
    again = false;
    std::vector<Node*> at;
    for (auto& t : roots) at.push_back(t.node());
    const Order order = topological_order(at);
    Tensors now(order.nodes.size());
    for (std::size_t i = 0; i < order.nodes.size(); ++i) {
      Node& n = *order.nodes[i];
      bool changed = false;
      for (auto k : order.inputs(i)) changed |= now[k].node() != order.nodes[k];
      now[i] = share(&n);
      if (order.inputs(i).empty() && n.arity > 0) continue;  // a computed value
      if (changed) {
        Tensors in;
        for (auto k : order.inputs(i)) in.push_back(now[k]);
        const BackwardScope scope(n);
        now[i] = remade(n, in);
        if (!is_tuple(*in[0].node())) now[i].node()->backward = n.backward;  // else it may be the tuple's own value
      }
      if (!n.computed() && needs_lowering(n)) {
        const BackwardScope scope(n);
        const Tensor whole = now[i];
        now[i] = n.prim == &scan_vjp_primitive() ? backward_loops(*whole.node(), loop_bytes) : n.prim->decompose(*whole.node());
        same_direction(now[i], *whole.node());
        again = true;
      }
    }
    for (std::size_t r = 0; r < roots.size(); ++r) roots[r] = now[order.roots[r]];
  }
  return roots;
}

}  // namespace adjoint::plan
