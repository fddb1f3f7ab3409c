// fuse.cpp: groups elementwise operations over one index space. Each node has a level: the number of edges on the way
// to it that cannot be fused, or more where it is better made late. Nodes of one group have one level, so no path leaves a
// group and comes back.
// Not a code generator: a group becomes a tile program in pipeline.cpp.
#include <algorithm>
#include <numeric>

#include "plan/plan.hpp"

namespace adjoint::plan {
namespace {

constexpr std::int32_t kMostNodes = 96;  // of a group: keeps registers within L1

struct Groups {
  std::vector<std::uint32_t> parent;
  std::vector<std::int32_t> nodes;
  std::uint32_t root(std::uint32_t i) {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
  }
  void join(std::uint32_t a, std::uint32_t b) {
    a = root(a), b = root(b);
    if (a == b) return;
    if (a > b) std::swap(a, b);
    parent[b] = a;
    nodes[a] += nodes[b];
  }
};

/// What the pass asks about the graph, in which equal nodes are one.
struct Fusable {
  const Order& order;
  const std::vector<std::uint32_t>& same;
  bool elementwise(std::uint32_t i) const {
    const Node& node = *order.nodes[i];
    return node.kind == Kind::op && !order.inputs(i).empty() && node.prim->traits.elementwise;
  }
  bool is_input(std::uint32_t k) const { return order.nodes[k]->kind != Kind::op || order.inputs(k).empty(); }
  bool joins(std::uint32_t i, std::uint32_t k) const {
    return elementwise(i) && elementwise(k) && order.nodes[k]->type.shape == order.nodes[i]->type.shape;
  }
  /// Levels between an operand k and its user i.
  std::int32_t edge(std::uint32_t i, std::uint32_t k) const { return joins(i, k) || is_input(k) ? 0 : 1; }
};

/// A node of the backward pass that reads only what the backward pass keeps anyway (relu's x > 0, tanh's slope) belongs to the level
/// of its user: made with the forward pass it would be kept beside what it is made from. Lower bounds of levels.
std::vector<std::int32_t> late_levels(const Fusable& v) {
  constexpr std::int32_t kNever = 1 << 30;
  const auto n = static_cast<std::uint32_t>(v.order.nodes.size());
  std::vector<std::int32_t> level(n, 0), user(n, kNever), late(n, 0);
  std::vector<char> kept(n, 0), from_kept(n, 1);
  const auto each = [&](std::uint32_t i, auto see) {
    if (v.same[i] == i)
      for (auto input : v.order.inputs(i)) see(v.same[input]);
  };
  const auto may_move = [&](std::uint32_t i) { return v.order.nodes[i]->backward && v.elementwise(i); };
  for (std::uint32_t i = 0; i < n; ++i) each(i, [&](auto k) { level[i] = std::max(level[i], level[k] + v.edge(i, k)); });
  for (std::uint32_t i = n; i-- > 0;)
    each(i, [&](auto k) { kept[k] |= v.order.nodes[i]->prim->alias ? kept[i] : v.order.nodes[i]->backward && level[i] > level[k]; });
  for (std::uint32_t i = 0; i < n; ++i)
    each(i, [&](auto k) { from_kept[i] &= v.is_input(k) || kept[k] || (may_move(k) && v.joins(i, k) && from_kept[k]); });
  for (std::uint32_t i = n; i-- > 0;) {
    if (v.same[i] == i && may_move(i) && user[i] < kNever && user[i] > level[i] && from_kept[i]) late[i] = level[i] = user[i];
    each(i, [&](auto k) { user[k] = std::min(user[k], level[i] - v.edge(i, k)); });
  }
  return late;
}

}  // namespace

std::vector<std::int32_t> fuse(const Order& order, const std::vector<std::uint32_t>& same) {
  const auto n = order.nodes.size();
  const Fusable v{order, same};
  std::vector<std::int32_t> level = late_levels(v), group(n, -1);
  Groups g{std::vector<std::uint32_t>(n), std::vector<std::int32_t>(n, 1)};
  std::iota(g.parent.begin(), g.parent.end(), 0u);
  std::vector<std::uint32_t> partners;
  for (std::uint32_t i = 0; i < n; ++i) {
    if (same[i] != i) continue;
    const bool fusable = v.elementwise(i);
    partners.clear();
    for (auto input : order.inputs(i)) {
      const auto k = same[input];
      level[i] = std::max(level[i], level[k] + v.edge(i, k));
      if (v.joins(i, k)) partners.push_back(k);
    }
    if (!fusable) continue;
    std::erase_if(partners, [&](auto k) { return level[k] != level[i]; });
    std::int32_t total = 1;
    std::vector<std::uint32_t> roots;
    for (auto k : partners)
      if (std::ranges::find(roots, g.root(k)) == roots.end()) roots.push_back(g.root(k)), total += g.nodes[g.root(k)];
    if (total > kMostNodes) ++level[i];  // too large: starts a group of its own
    else
      for (auto r : roots) g.join(i, r);
  }
  for (std::uint32_t i = 0; i < n; ++i)
    if (same[i] == i && v.elementwise(i)) group[i] = static_cast<std::int32_t>(g.root(i));
  return group;
}

}  // namespace adjoint::plan
