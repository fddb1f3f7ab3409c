// fuse.cpp: groups elementwise operations over one index space. Each node has a level: the number of edges on the way
// to it that cannot be fused. Nodes of one group have one level, so no path leaves a group and comes back.
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

}  // namespace

std::vector<std::int32_t> fuse(const Order& order, const std::vector<std::uint32_t>& same) {
  const auto n = order.nodes.size();
  std::vector<std::int32_t> level(n, 0), group(n, -1);
  Groups g{std::vector<std::uint32_t>(n), std::vector<std::int32_t>(n, 1)};
  std::iota(g.parent.begin(), g.parent.end(), 0u);
  const auto elementwise = [&](std::uint32_t i) {
    const Node& node = *order.nodes[i];
    return node.kind == Kind::op && !order.inputs(i).empty() && node.prim->traits.elementwise;
  };
  std::vector<std::uint32_t> partners;
  for (std::uint32_t i = 0; i < n; ++i) {
    if (same[i] != i) continue;
    const bool fusable = elementwise(i);
    partners.clear();
    for (auto input : order.inputs(i)) {
      const auto k = same[input];
      const bool joins = fusable && elementwise(k) && order.nodes[k]->type.shape == order.nodes[i]->type.shape;
      level[i] = std::max(level[i], level[k] + (joins || order.nodes[k]->kind != Kind::op || order.inputs(k).empty() ? 0 : 1));
      if (joins) partners.push_back(k);
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
    if (same[i] == i && elementwise(i)) group[i] = static_cast<std::int32_t>(g.root(i));
  return group;
}

}  // namespace adjoint::plan
