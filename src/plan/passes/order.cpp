// order.cpp: in which order units run. Of the units that could run now, those of the forward pass go first, then the one with
// the shortest way to a result, so that what can be finished is finished and its memory freed: a layer's weight gradient and its
// update before the adjoint of the layer below. What is computed again runs only when something wants it. Not a change of what runs.
#include <algorithm>
#include <numeric>
#include <queue>

#include "plan/passes.hpp"

namespace adjoint::plan {
namespace {

constexpr std::uint32_t kNone = 0xFFFFFFFFu;

/// The units of a program and the edges between them, each edge once.
struct Units {
  std::vector<std::uint32_t> of;      // unit of a value: kNone for leaves, numbers and views
  std::vector<Unit> units;            // in order of their first value
  std::vector<std::uint32_t> members;
  std::vector<std::uint32_t> first, dep;        // dep[first[u]..first[u+1]]: units that u reads
  std::vector<std::uint32_t> user_first, user;  // the reverse

  explicit Units(const Program& p) : of(p.values.size(), kNone) {
    collect(p);
    std::vector<std::uint32_t> seen(units.size(), kNone);
    for (std::uint32_t u = 0; u < units.size(); ++u) {
      first.push_back(static_cast<std::uint32_t>(dep.size()));
      for (auto i : span(u))
        for (auto k : p.in(i))
          if (const auto from = of[p.storage(k)]; from != kNone && from != u && seen[from] != u) seen[from] = u, dep.push_back(from);
    }
    first.push_back(static_cast<std::uint32_t>(dep.size()));
    user_first.assign(units.size() + 1, 0);
    for (auto d : dep) ++user_first[d + 1];
    std::partial_sum(user_first.begin(), user_first.end(), user_first.begin());
    user.resize(dep.size());
    auto at = user_first;
    for (std::uint32_t u = 0; u < units.size(); ++u)
      for (auto d : deps(u)) user[at[d]++] = u;
  }
  std::span<const std::uint32_t> span(std::uint32_t u) const { return {members.data() + units[u].first, units[u].count}; }
  std::span<const std::uint32_t> deps(std::uint32_t u) const { return {dep.data() + first[u], first[u + 1] - first[u]}; }
  std::span<const std::uint32_t> users(std::uint32_t u) const { return {user.data() + user_first[u], user_first[u + 1] - user_first[u]}; }

 private:
  void collect(const Program& p) {
    std::vector<std::uint32_t> leader(p.values.size(), kNone);  // unit of a group
    for (std::uint32_t i = 0; i < p.values.size(); ++i) {
      if (!p.is_op(i) || p.is_view(i)) continue;
      const auto g = p.values[i].group;
      auto& u = g >= 0 ? leader[static_cast<std::uint32_t>(g)] : of[i];
      if (u == kNone) u = static_cast<std::uint32_t>(units.size()), units.push_back({});
      of[i] = u;
      ++units[u].count;
    }
    std::uint32_t at = 0;
    for (auto& u : units) u.first = at, at += u.count, u.count = 0;
    members.resize(at);
    for (std::uint32_t i = 0; i < p.values.size(); ++i)
      if (of[i] != kNone) members[units[of[i]].first + units[of[i]].count++] = i;
  }
};

/// Units behind which nothing is left to do come first: the longest way, in units, from each to the end.
std::vector<std::uint32_t> heights(const Units& g) {
  std::vector<std::uint32_t> open(g.units.size()), topo, height(g.units.size(), 0);
  for (std::uint32_t u = 0; u < g.units.size(); ++u)
    if ((open[u] = static_cast<std::uint32_t>(g.deps(u).size())) == 0) topo.push_back(u);
  for (std::size_t at = 0; at < topo.size(); ++at)
    for (auto v : g.users(topo[at]))
      if (--open[v] == 0) topo.push_back(v);
  if (topo.size() != g.units.size()) throw Error({.op = "plan", .message = "a fused group depends on itself: fault of the pass that made the groups"});
  for (auto it = topo.rbegin(); it != topo.rend(); ++it)
    for (auto d : g.deps(*it)) height[d] = std::max(height[d], height[*it] + 1);
  return height;
}

class Scheduler {
 public:
  Scheduler(const Program& p, const Units& g) : p_(p), g_(g), height_(heights(g)), open_(g.units.size()), held_(g.units.size(), 0), done_(g.units.size(), 0), lazy_(g.units.size(), 0) {
    for (std::uint32_t u = 0; u < g.units.size(); ++u) {
      open_[u] = static_cast<std::uint32_t>(g.deps(u).size());
      lazy_[u] = std::ranges::all_of(g.span(u), [&](auto i) { return p.values[i].again; });
    }
    hold_updates();
  }

  Schedule run() {
    std::vector<std::uint32_t> first;  // before any is taken: one that others make ready is not among them
    for (std::uint32_t u = 0; u < g_.units.size(); ++u)
      if (open_[u] == 0) first.push_back(u);
    for (auto u : first) satisfied(u);
    for (;;) {
      while (!ready_.empty()) {
        const auto u = ready_.top().unit;
        ready_.pop();
        if (!done_[u]) pull(u);
      }
      // Only updates are left that wait for one another's old values: they run, and write copies.
      const auto u = std::ranges::find_if(waiting_, [&](auto w) { return !done_[w]; });
      if (u == waiting_.end()) break;
      held_[*u] = 0;
      pull(*u);
    }
    return std::move(schedule_);
  }

 private:
  /// All that u reads can be had. A lazy one lets its users go on and runs when the first of them does.
  void satisfied(std::uint32_t first) {
    std::vector<std::uint32_t> stack{first};
    while (!stack.empty()) {
      const auto u = stack.back();
      stack.pop_back();
      if (!lazy_[u]) {
        if (held_[u] == 0) ready_.push(turn(u));
        else waiting_.push_back(u);
        continue;
      }
      for (auto v : g_.users(u))
        if (--open_[v] == 0) stack.push_back(v);
    }
  }

  /// Runs u, after the lazy units that it needs.
  void pull(std::uint32_t wanted) {
    std::vector<std::uint32_t> stack{wanted};
    while (!stack.empty()) {
      const auto u = stack.back();
      const auto missing = std::ranges::find_if(g_.deps(u), [&](auto d) { return !done_[d]; });
      if (missing != g_.deps(u).end()) {
        stack.push_back(*missing);
        continue;
      }
      stack.pop_back();
      if (!done_[u]) emit(u);
    }
  }

  void emit(std::uint32_t u) {
    done_[u] = 1;
    const auto list = g_.span(u);
    schedule_.units.push_back({static_cast<std::uint32_t>(schedule_.members.size()), static_cast<std::uint32_t>(list.size())});
    schedule_.members.insert(schedule_.members.end(), list.begin(), list.end());
    for (auto w : releases_[u])
      if (--held_[w] == 0 && open_[w] == 0 && !done_[w]) ready_.push(turn(w));
    if (lazy_[u]) return;
    for (auto v : g_.users(u))
      if (--open_[v] == 0) satisfied(v);
  }

  /// An update overwrites a parameter: it waits for all that read the old value, and for all that may still fail, because after an
  /// error the parameters are the old ones.
  void hold_updates() {
    releases_.resize(g_.units.size());
    std::vector<std::uint32_t> updates, failing;
    std::vector<char> is_update(p_.values.size(), 0);
    for (std::size_t k = 0; k < p_.roots.size(); ++k)
      if (p_.update[k]) is_update[p_.storage(p_.roots[k])] = 1;
    for (std::uint32_t u = 0; u < g_.units.size(); ++u) {
      if (std::ranges::any_of(g_.span(u), [&](auto i) { return is_update[i]; })) updates.push_back(u);
      for (auto i : g_.span(u))
        if (p_.values[i].group < 0)
          if (const Kernel* kernel = find_kernel(p_.prim(i).name); kernel && kernel->checks) failing.push_back(u);
    }
    if (updates.empty()) return;
    std::vector<std::vector<std::uint32_t>> readers(p_.leaves);
    const auto leaves_of = [&](std::uint32_t u, auto see) {
      for (auto i : g_.span(u))
        for (auto k : p_.in(i))
          if (const auto s = p_.storage(k); p_.values[s].role == Role::leaf) see(p_.values[s].number);
    };
    for (std::uint32_t u = 0; u < g_.units.size(); ++u)
      leaves_of(u, [&](auto leaf) {
        if (p_.donatable[leaf] && (readers[leaf].empty() || readers[leaf].back() != u)) readers[leaf].push_back(u);
      });
    std::vector<std::uint32_t> seen(p_.leaves, kNone);
    const auto behind = [&](std::uint32_t f, std::uint32_t u) { return height_[f] < height_[u]; };  // may be made from the update
    for (auto u : updates) {
      const auto wait_for = [&](std::uint32_t r) {
        if (r == u || behind(r, u)) return;
        releases_[r].push_back(u), ++held_[u];
      };
      leaves_of(u, [&](auto leaf) {
        if (std::exchange(seen[leaf], u) != u)
          for (auto r : readers[leaf]) wait_for(r);
      });
      for (auto f : failing) wait_for(f);
    }
  }

  const Program& p_;
  const Units& g_;
  std::vector<std::uint32_t> height_, open_, held_;
  std::vector<char> done_, lazy_;
  std::vector<std::vector<std::uint32_t>> releases_;
  std::vector<std::uint32_t> waiting_;
  struct Turn {
    bool backward;
    std::uint32_t height, unit;
    auto operator<=>(const Turn&) const = default;
  };
  Turn turn(std::uint32_t u) const { return {std::ranges::all_of(g_.span(u), [&](auto i) { return p_.values[i].backward || p_.values[i].again; }), height_[u], u}; }
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> ready_;
  Schedule schedule_;
};

}  // namespace

Schedule order(const Program& program) {
  const Units units(program);
  return Scheduler(program, units).run();
}

}  // namespace adjoint::plan
