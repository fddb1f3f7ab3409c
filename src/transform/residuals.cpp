// residuals.cpp: which forward values a gradient reads, found by looking at the gradient's graph.
// Not a choice of what to keep: plans make that.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "adjoint/explain.hpp"
#include "graph/topo.hpp"

namespace adjoint {
namespace {

std::string producer_of(const Node& n) {
  if (n.kind == Kind::op) return std::string(n.prim->name);
  if (n.extra && !n.extra->name.empty()) return n.extra->name;
  return n.wants_grad ? "parameter" : "data";
}

struct Reader {
  const std::unordered_set<const Node*>& forward;
  std::vector<Residual> found;
  std::unordered_map<const Node*, std::size_t> at;

  void read(Node* value, const std::string& consumer) {
    if (value->kind == Kind::literal || !forward.count(value)) return;
    const auto [it, fresh] = at.try_emplace(value, found.size());
    if (fresh) {
      const auto bytes = value->type.shape.numel() * static_cast<std::int64_t>(size_of(value->type.dtype));
      found.push_back({share(value), producer_of(*value), bytes, value->kind == Kind::leaf, {}});
    }
    auto& by = found[it->second].consumers;
    if (std::ranges::find(by, consumer) == by.end()) by.push_back(consumer);
  }
};

}  // namespace

std::vector<Residual> explain_residuals(const Tensor& loss, std::span<const Tensor> wrt, Loc loc) {
  std::lock_guard lock(graph_mutex());
  const Tensors gradients = grad(loss, wrt, loc);
  Node* const root = loss.node();
  const Order before = topological_order(std::span(&root, 1), {.through_computed = true});
  const std::unordered_set<const Node*> forward(before.nodes.begin(), before.nodes.end());

  std::vector<Node*> roots;
  for (const auto& g : gradients) roots.push_back(g.node());
  const Order order = topological_order(roots, {.through_computed = true});
  std::vector<Node*> seen(order.nodes);  // what a view looks at; other nodes see themselves
  Reader reader{forward, {}, {}};
  for (std::size_t i = 0; i < order.nodes.size(); ++i) {
    const Node& n = *order.nodes[i];
    const auto inputs = order.inputs(i);
    if (n.kind == Kind::op && n.prim->alias && !inputs.empty()) {
      seen[i] = seen[inputs[0]];
    } else if (n.kind == Kind::op && !forward.count(&n)) {
      const std::string consumer = std::string(n.scope ? n.scope : "grad") + " at " + to_string(n.loc);
      for (auto k : inputs) reader.read(seen[k], consumer);
    }
  }
  for (auto r : order.roots) reader.read(seen[r], "the gradient itself");
  std::unordered_map<const Node*, std::size_t> made;
  for (std::size_t i = 0; i < before.nodes.size(); ++i) made[before.nodes[i]] = i;
  std::ranges::sort(reader.found, {}, [&](const Residual& r) { return made.at(r.value.node()); });
  return std::move(reader.found);
}

std::string to_string(std::span<const Residual> residuals) {
  std::string text;
  std::int64_t kept = 0;
  for (const auto& r : residuals) {
    text += to_string(r.value.type()) + "  " + r.producer + "  at " + to_string(r.value.where()) + "  ";
    text += r.held ? "held anyway" : std::to_string(r.bytes) + " bytes";
    for (std::size_t k = 0; k < r.consumers.size(); ++k) text += (k ? ", " : "  read by the backward of ") + r.consumers[k];
    text += '\n';
    if (!r.held) kept += r.bytes;
  }
  return text + "kept for the backward pass: " + std::to_string(kept) + " bytes\n";
}

}  // namespace adjoint
