// fuse.cpp: groups elementwise operations over one index space, with the reductions along its rows, what is made of those, and the
// reductions over its rows and over all elements.
// Each value has a level: the number of edges on the way to it that cannot be fused, or more where it is better made late.
// Values of one group have one level, so no path leaves a group and comes back.
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

/// What the pass sees of the program: which values could be one a row of a larger space, and which edges could be fused.
class Fusable {
 public:
  explicit Fusable(const Program& program) : p(program), space_(program.values.size(), nullptr) {
    for (std::uint32_t i = 0; i < p.values.size(); ++i) space_[i] = row_space(i);
  }
  /// The space along whose rows value i stands, one value a row; or null.
  const Shape* row_space(std::uint32_t i) const {
    if (p.is_row_reduction(i)) return &p.type(p.in(i)[0]).shape;
    if (!p.is_elementwise(i)) return nullptr;
    for (auto k : p.in(i))
      if (space_[k] && p.type(k).shape == p.type(i).shape) return space_[k];
    return nullptr;
  }
  bool is_row(std::uint32_t i) const { return space_[i] != nullptr; }
  bool may_join(std::uint32_t i) const { return p.is_elementwise(i) || is_row(i); }
  /// Whether an operand k and its user i may stand in one group.
  bool joins(std::uint32_t i, std::uint32_t k) const {
    const auto s = p.storage(k);
    if (!may_join(i) || !may_join(s)) return false;
    // What is computed again belongs to who wants it, never to what it is made from.
    if (p.values[i].again && !p.values[s].again && !p.values[s].backward) return false;
    if (p.is_row_reduction(i)) return s == k && !is_row(k) && p.is_elementwise(k);
    if (is_row(i)) return s == k && is_row(k) && *space_[k] == *space_[i] && p.type(k).shape == p.type(i).shape;
    if (!is_row(s)) return s == k && p.type(k).shape == p.type(i).shape;
    return s != k && *space_[s] == p.type(i).shape && spread(k, s) && sees_elements(i);
  }
  /// Levels between an operand k and its user i; a view stands at the level of what it looks at.
  std::int32_t edge(std::uint32_t i, std::uint32_t k) const {
    return p.is_view(i) || joins(i, k) || !p.is_op(p.storage(k)) ? 0 : 1;
  }

  const Program& p;

 private:
  /// Not all that elementwise i reads are values of rows: else it would be one itself for those who run the group.
  bool sees_elements(std::uint32_t i) const {
    return std::ranges::any_of(p.in(i), [&](auto k) { return !is_row(p.storage(k)); });
  }
  /// True if view k shows each value of s, one a row, at every element of its row.
  bool spread(std::uint32_t k, std::uint32_t s) const {
    const Shape& whole = p.type(k).shape;
    const auto at = p.viewed(k, contiguous_strides(p.type(s).shape));
    if (!at || at->offset != 0 || whole.rank() == 0) return false;
    std::int64_t stride = 1;
    for (std::size_t d = whole.size() - 1; d-- > 0; stride *= whole[d])
      if (whole[d] != 1 && at->strides[d] != stride) return false;
    return at->strides[whole.size() - 1] == 0 || whole.back() == 1;
  }
  std::vector<const Shape*> space_;
};

/// A value of the backward pass that reads only what the backward pass keeps anyway (relu's x > 0, tanh's slope), one that is
/// computed again, or one that is made of leaves, belongs to the level of its user: made earlier it would be kept beside what it is made from. Lower bounds
/// of levels.
std::vector<std::int32_t> late_levels(const Fusable& f) {
  constexpr std::int32_t kNever = 1 << 30;
  const Program& p = f.p;
  const auto n = static_cast<std::uint32_t>(p.values.size());
  std::vector<std::int32_t> level(n, 0), user(n, kNever), late(n, 0);
  std::vector<char> kept(n, 0), from_kept(n, 1);
  const auto each = [&](std::uint32_t i, auto see) {
    for (auto k : p.in(i)) see(k);
  };
  std::vector<char> fresh(n, 0);  // made of what is held anyway: leaves and numbers, as an optimizer's decayed moments
  const auto late_kind = [&](std::uint32_t i) { return p.values[i].backward || p.values[i].again || fresh[i]; };
  const auto may_move = [&](std::uint32_t i) { return late_kind(i) && (f.may_join(i) || p.is_view(i)); };
  for (std::uint32_t i = 0; i < n; ++i) {
    fresh[i] = p.is_elementwise(i) || p.is_view(i);
    each(i, [&](auto k) { level[i] = std::max(level[i], level[k] + f.edge(i, k)), fresh[i] &= !p.is_op(k) || fresh[k]; });
  }
  for (std::uint32_t i = n; i-- > 0;)
    each(i, [&](auto k) { kept[k] |= p.is_view(i) ? kept[i] : late_kind(i) && level[i] > level[k]; });
  for (std::uint32_t i = 0; i < n; ++i)
    each(i, [&](auto k) { from_kept[i] &= !p.is_op(p.storage(k)) || kept[k] || (may_move(k) && (p.is_view(i) || f.joins(i, k)) && from_kept[k]); });
  for (std::uint32_t i = n; i-- > 0;) {
    if (may_move(i) && user[i] < kNever && user[i] > level[i] && from_kept[i]) late[i] = level[i] = user[i];
    each(i, [&](auto k) { user[k] = std::min(user[k], level[i] - f.edge(i, k)); });
  }
  return late;
}

void join_equal_levels(const Fusable& f, Groups& g) {
  const Program& p = f.p;
  std::vector<std::int32_t> level = late_levels(f);
  std::vector<std::uint32_t> partners, roots;
  for (std::uint32_t i = 0; i < p.values.size(); ++i) {
    partners.clear();
    for (auto k : p.in(i)) {
      level[i] = std::max(level[i], level[k] + f.edge(i, k));
      if (f.joins(i, k)) partners.push_back(k);
    }
    if (!f.may_join(i)) continue;
    std::erase_if(partners, [&](auto k) { return level[p.storage(k)] != level[i]; });  // a view may have been moved late
    std::int32_t total = 1;
    roots.clear();
    for (auto k : partners)
      if (const auto r = g.root(p.storage(k)); std::ranges::find(roots, r) == roots.end()) roots.push_back(r), total += g.count[r];
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
      if (!p.together(i, k)) read.insert(k);
  }
  return read.size() + count;
}

/// Cuts groups of too many ports in halves, in the order of values.
void split(Program& p) {
  std::vector<char> stored(p.values.size(), 0);
  std::unordered_map<std::int32_t, std::vector<std::uint32_t>> members;
  for (std::uint32_t i = 0; i < p.values.size(); ++i) {
    for (auto k : p.in(i))
      if (!p.is_view(i) && !p.together(i, k)) stored[p.storage(k)] = 1;
    if (p.values[i].group >= 0) members[p.values[i].group].push_back(i);
  }
  for (auto r : p.roots) stored[p.storage(r)] = 1;
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
        if (!p.together(i, k)) stored[p.storage(k)] = 1;
    open.push_back(std::move(first));
    open.push_back(std::move(second));
  }
}

}  // namespace

/// A reduction without company runs by its own kernel, which shares long rows among threads; and where no reduction is left,
/// values that are one a row are a space of their own.
void settle_rows(const Fusable& f, Program& p) {
  struct Kinds {
    std::int32_t rows = 0, elements = 0;
  };
  std::unordered_map<std::int32_t, Kinds> groups;
  for (std::uint32_t i = 0; i < p.values.size(); ++i)
    if (f.is_row(i)) groups[p.values[i].group];
  if (groups.empty()) return;
  for (std::uint32_t i = 0; i < p.values.size(); ++i)
    if (const auto it = groups.find(p.values[i].group); it != groups.end()) {
      auto& kinds = it->second;
      ++(f.is_row(i) ? kinds.rows : kinds.elements);
    }
  for (std::uint32_t i = 0; i < p.values.size(); ++i) {
    if (!f.is_row(i)) continue;
    const auto kinds = groups[p.values[i].group];
    p.values[i].row = kinds.elements > 0;
    if (p.is_row_reduction(i) && kinds.elements == 0) p.values[i].group = -1;
  }
}

namespace {

/// Reductions over the rows of a group's elements, or over all of them, become results of the group, which then need not write
/// what they read. Nothing in the group reads them, and what does stands at a later level: no path comes back.
class Joins {
 public:
  explicit Joins(Program& program) : p_(program) {}

  void run() {
    for (std::uint32_t i = 0; i < p_.values.size(); ++i)
      if (may_join(i)) waiting_[p_.values[p_.in(i)[0]].group].push_back(i);
    if (waiting_.empty()) return;
    std::vector<char> stored(p_.values.size(), 1);  // at most
    for (std::uint32_t i = 0; i < p_.values.size(); ++i)
      if (const auto it = waiting_.find(p_.values[i].group); it != waiting_.end()) members_[it->first].push_back(i);
    for (auto& [group, list] : waiting_) {
      const auto& members = members_[group];
      if (members.size() > kMostPorts / 8 && ports(p_, members, stored) + list.size() > kMostPorts) continue;
      take(group, list, Join::columns);
      take(group, list, Join::all);
    }
  }

 private:
  bool may_join(std::uint32_t i) const {
    if (p_.values[i].group >= 0 || p_.join_of(i) == Join::none) return false;
    const auto k = p_.in(i)[0];
    const Value &from = p_.values[k];
    if (from.group < 0 || from.row || !p_.is_elementwise(k)) return false;
    return !p_.values[i].again || from.again || from.backward;
  }

  void take(std::int32_t group, const std::vector<std::uint32_t>& list, Join how) {
    constexpr int kMostAll = 2, kMostColumns = 8;  // accumulators of the first stay in registers, those of the second in the second cache
    const auto& members = members_[group];
    if (how == Join::columns) by_rows_ = std::ranges::any_of(members, [&](auto i) { return p_.values[i].row; });
    int taken = 0;
    for (auto i : list) {
      if (p_.join_of(i) != how || taken == (how == Join::all ? kMostAll : kMostColumns)) continue;
      if (how == Join::all && !has_blocks(members, p_.type(p_.in(i)[0]).shape)) continue;
      p_.values[i].group = group;
      p_.values[i].join = true;
      by_rows_ = by_rows_ || how == Join::columns;
      ++taken;
    }
  }

  /// Rows fill the blocks of a sum over all elements, or everything lies in one row that can be cut.
  bool has_blocks(std::span<const std::uint32_t> members, const Shape& space) const {
    constexpr std::int64_t kShortest = 64;
    const auto n = space.numel(), row = space.back();
    if (space.rank() > 1 && n > row && row >= kShortest && kJoinedBlock % row == 0) return true;
    if (by_rows_ || (n > kJoinedBlock && std::gcd(n, kJoinedBlock) < kShortest)) return false;
    return std::ranges::all_of(members, [&](auto i) {
      return std::ranges::all_of(p_.in(i), [&](auto k) { return p_.together(i, k) || flat(k); });
    });
  }
  /// One number, or as many as the space, one behind the other.
  bool flat(std::uint32_t k) const {
    const auto s = p_.storage(k);
    if (k == s && (p_.values[s].role == Role::literal || p_.values[s].role == Role::constant)) return true;  // a view of one is written out first
    const auto at = p_.viewed(k, contiguous_strides(p_.type(s).shape));
    if (!at) return false;
    bool same = true, one = true;
    std::int64_t stride = 1;
    for (std::size_t d = at->shape.size(); d-- > 0; stride *= at->shape[d])
      if (at->shape[d] != 1) same &= at->strides[d] == stride, one &= at->strides[d] == 0;
    return same || one;
  }

  Program& p_;
  std::unordered_map<std::int32_t, std::vector<std::uint32_t>> waiting_, members_;  // by group
  bool by_rows_ = false;  // of the group that is looked at
};

}  // namespace

/// A group's number is its first member.
void number_groups(Program& p) {
  std::unordered_map<std::int32_t, std::int32_t> number;
  for (std::uint32_t i = 0; i < p.values.size(); ++i)
    if (auto& group = p.values[i].group; group >= 0) group = number.try_emplace(group, static_cast<std::int32_t>(i)).first->second;
}

void alone(Program& p) {
  for (std::uint32_t i = 0; i < p.values.size(); ++i)
    if (p.is_elementwise(i)) p.values[i].group = static_cast<std::int32_t>(i);
}

void fuse(Program& p) {
  const auto n = p.values.size();
  Groups g{std::vector<std::uint32_t>(n), std::vector<std::int32_t>(n, 1)};
  std::iota(g.parent.begin(), g.parent.end(), 0u);
  const Fusable f(p);
  join_equal_levels(f, g);
  for (std::uint32_t i = 0; i < n; ++i)
    if (f.may_join(i)) p.values[i].group = static_cast<std::int32_t>(g.root(i));
  split(p);
  settle_rows(f, p);
  Joins(p).run();
  number_groups(p);
}

}  // namespace adjoint::plan
