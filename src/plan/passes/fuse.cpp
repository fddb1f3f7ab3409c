// fuse.cpp: groups elementwise operations over one index space. Each value has a level: the number of edges on the way
// to it that cannot be fused, or more where it is better made late. Values of one group have one level, so no path leaves a
// group and comes back.
// Not a code generator: a group becomes a tile program in assemble.cpp.
#include <algorithm>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

#include "plan/passes.hpp"

namespace adjoint::plan {
namespace {

constexpr std::int32_t kMostValues = 96;  // of a group: keeps registers within L1
constexpr std::size_t kMostPorts = 64;    // operands and results of a group: what executors take

struct Groups {
  std::vector<std::uint32_t> parent;
  std::vector<std::int32_t> count;
  std::uint32_t root(std::uint32_t i) {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
  }
  void join(std::uint32_t a, std::uint32_t b) {
    a = root(a), b = root(b);
    if (a == b) return;
    if (a > b) std::swap(a, b);
    parent[b] = a;
    count[a] += count[b];
  }
};

bool joins(const Program& p, std::uint32_t i, std::uint32_t k) {
  return p.is_elementwise(i) && p.is_elementwise(k) && p.type(k).shape == p.type(i).shape;
}
/// Levels between an operand k and its user i.
std::int32_t edge(const Program& p, std::uint32_t i, std::uint32_t k) { return joins(p, i, k) || !p.is_op(k) ? 0 : 1; }

/// A value of the backward pass that reads only what the backward pass keeps anyway (relu's x > 0, tanh's slope), or one that is
/// computed again, belongs to the level of its user: made earlier it would be kept beside what it is made from. Lower bounds
/// of levels.
std::vector<std::int32_t> late_levels(const Program& p) {
  constexpr std::int32_t kNever = 1 << 30;
  const auto n = static_cast<std::uint32_t>(p.values.size());
  std::vector<std::int32_t> level(n, 0), user(n, kNever), late(n, 0);
  std::vector<char> kept(n, 0), from_kept(n, 1);
  const auto each = [&](std::uint32_t i, auto see) {
    for (auto k : p.in(i)) see(k);
  };
  const auto may_move = [&](std::uint32_t i) { return (p.values[i].backward || p.values[i].again) && p.is_elementwise(i); };
  for (std::uint32_t i = 0; i < n; ++i) each(i, [&](auto k) { level[i] = std::max(level[i], level[k] + edge(p, i, k)); });
  for (std::uint32_t i = n; i-- > 0;)
    each(i, [&](auto k) { kept[k] |= p.is_view(i) ? kept[i] : (p.values[i].backward || p.values[i].again) && level[i] > level[k]; });
  for (std::uint32_t i = 0; i < n; ++i)
    each(i, [&](auto k) { from_kept[i] &= !p.is_op(k) || kept[k] || (may_move(k) && joins(p, i, k) && from_kept[k]); });
  for (std::uint32_t i = n; i-- > 0;) {
    if (may_move(i) && user[i] < kNever && user[i] > level[i] && from_kept[i]) late[i] = level[i] = user[i];
    each(i, [&](auto k) { user[k] = std::min(user[k], level[i] - edge(p, i, k)); });
  }
  return late;
}

void join_equal_levels(const Program& p, Groups& g) {
  std::vector<std::int32_t> level = late_levels(p);
  std::vector<std::uint32_t> partners, roots;
  for (std::uint32_t i = 0; i < p.values.size(); ++i) {
    partners.clear();
    for (auto k : p.in(i)) {
      level[i] = std::max(level[i], level[k] + edge(p, i, k));
      if (joins(p, i, k)) partners.push_back(k);
    }
    if (!p.is_elementwise(i)) continue;
    std::erase_if(partners, [&](auto k) { return level[k] != level[i]; });
    std::int32_t total = 1;
    roots.clear();
    for (auto k : partners)
      if (std::ranges::find(roots, g.root(k)) == roots.end()) roots.push_back(g.root(k)), total += g.count[g.root(k)];
    if (total > kMostValues) ++level[i];  // too large: starts a group of its own
    else
      for (auto r : roots) g.join(i, r);
  }
}

/// Operands that the group reads and results that it stores.
std::size_t ports(const Program& p, std::span<const std::uint32_t> members, const std::vector<char>& stored) {
  std::unordered_set<std::uint32_t> read;
  std::size_t count = 0;
  for (auto i : members) {
    count += stored[i] != 0;
    for (auto k : p.in(i))
      if (p.values[k].group != p.values[i].group) read.insert(k);
  }
  return read.size() + count;
}

/// Cuts groups of too many ports in halves, in the order of values.
void split(Program& p) {
  std::vector<char> stored(p.values.size(), 0);
  std::unordered_map<std::int32_t, std::vector<std::uint32_t>> members;
  for (std::uint32_t i = 0; i < p.values.size(); ++i) {
    for (auto k : p.in(i))
      if (p.values[i].group < 0 || p.values[k].group != p.values[i].group) stored[k] = 1;
    if (p.values[i].group >= 0) members[p.values[i].group].push_back(i);
  }
  for (auto r : p.roots) stored[r] = 1;
  std::vector<std::vector<std::uint32_t>> open;
  for (auto& [group, list] : members)
    if (list.size() > kMostPorts / 4) open.push_back(std::move(list));  // a value has at most four ports
  while (!open.empty()) {
    const auto list = std::move(open.back());
    open.pop_back();
    if (list.size() == 1 || ports(p, list, stored) <= kMostPorts) continue;
    std::vector<std::uint32_t> first(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(list.size() / 2)), second(list.begin() + static_cast<std::ptrdiff_t>(list.size() / 2), list.end());
    for (auto i : second) p.values[i].group = static_cast<std::int32_t>(second[0]);
    for (auto i : second)
      for (auto k : p.in(i))
        if (p.values[k].group != p.values[i].group) stored[k] = 1;
    open.push_back(std::move(first));
    open.push_back(std::move(second));
  }
}

}  // namespace

void fuse(Program& p) {
  const auto n = p.values.size();
  Groups g{std::vector<std::uint32_t>(n), std::vector<std::int32_t>(n, 1)};
  std::iota(g.parent.begin(), g.parent.end(), 0u);
  join_equal_levels(p, g);
  for (std::uint32_t i = 0; i < n; ++i)
    if (p.is_elementwise(i)) p.values[i].group = static_cast<std::int32_t>(g.root(i));
  split(p);
}

}  // namespace adjoint::plan
