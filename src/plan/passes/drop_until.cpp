// drop_until.cpp: which values a budget gives up on a graph that is no chain. Greedy on the live set of the real plan, which is made anew
// after each choice; bounded in the number of plans. Not exact: bounds.cpp says how far from the best it can be.
#include <algorithm>
#include <unordered_map>

#include "plan/passes/drop.hpp"
#include "plan/passes/stages.hpp"
#include "plan/savings.hpp"

namespace adjoint::plan {
namespace {

/// Plans made while values are dropped, and again while some are kept again: fewer where a plan takes long.
std::size_t rounds(const Program& p, std::size_t most) { return std::clamp<std::size_t>(300'000 / (p.values.size() + 1), 4, most); }
constexpr std::size_t kRounds = 96, kMends = 32;

class Dropper {
 public:
  Dropper(const Program& p, const PlanOf& plan_of) : p_(p), plan_of_(plan_of), forward_(forward_values(p)), drop_(p.values.size(), 0), fixed_(drop_), time_(p.values.size(), 0) {
    for (std::uint32_t i = 0; i < p.values.size(); ++i) {
      if (p.is_op(i)) time_[i] = time_of(p, i);
      number_[p.values[i].node] = i;
    }
    for (auto r : p.roots) fixed_[p.storage(r)] = 1;  // lies in a result's memory
  }

  Dropped run(std::int64_t bytes) {
    Dropped best;
    for (std::size_t round = 0; round < rounds(p_, kRounds); ++round) {
      const Program q = without(p_, drop_);
      const Plan plan = plan_of_(q);
      if (round == 0 || plan.arena_bytes < best.arena_bytes) best = {drop_, plan.arena_bytes, time_again(q)};
      if (plan.arena_bytes <= bytes || !drop_some(q, plan, bytes)) break;
    }
    if (best.arena_bytes <= bytes) keep_again(best, bytes);
    return best;
  }

 private:
  struct Life {
    std::int32_t born = -1, used = -1, next = -1, last = -1;  // steps; used: before the peak, next: after it
    bool at_peak = false, read_forward_later = false;
  };
  struct Candidate {
    std::uint32_t value;
    double score;
    std::int64_t bytes;
  };

  static std::int32_t peak_of(const Plan& plan) {
    std::vector<std::int64_t> change(plan.steps.size() + 1, 0);
    for (const auto& s : plan.slots)
      if (s.place == Place::arena && s.last >= s.first) change[static_cast<std::size_t>(s.first)] += arena_size(s.bytes), change[static_cast<std::size_t>(s.last) + 1] -= arena_size(s.bytes);
    std::int64_t alive = 0, most = -1;
    std::int32_t peak = 0;
    for (std::size_t k = 0; k < plan.steps.size(); ++k)
      if ((alive += change[k]) > most) most = alive, peak = static_cast<std::int32_t>(k);
    return peak;
  }

  /// Lives of the originals of the forward pass, seen from the peak.
  std::unordered_map<std::uint32_t, Life> lives(const Program& q, const Plan& plan, std::int32_t peak) const {
    std::unordered_map<std::uint32_t, Life> all;
    for (std::int32_t k = 0; k < static_cast<std::int32_t>(plan.steps.size()); ++k) {
      const Step& step = plan.steps[static_cast<std::size_t>(k)];
      const auto see = [&](const Operand& o, bool written) {
        if (plan.slots[o.slot].place != Place::arena || o.value >= q.values.size() || q.values[o.value].again) return;
        const auto at = number_.find(q.values[o.value].node);
        if (at == number_.end() || !forward_[at->second]) return;
        Life& life = all[at->second];
        if (written) life.born = k;
        (k < peak ? life.used : life.last) = k;
        if (k == peak) life.at_peak = true;
        if (k > peak && life.next < 0) life.next = k;
        life.read_forward_later |= k > peak && !written && !step.backward && !step.again;
      };
      for (const auto& o : step.in) see(o, false);
      for (const auto& o : step.out) see(o, true);
    }
    return all;
  }

  /// The value with all that must run again for it: what will not be there when it is next wanted.
  std::vector<std::uint32_t> closure(std::uint32_t value, const std::unordered_map<std::uint32_t, Life>& all, std::int32_t at) const {
    std::vector<std::uint32_t> list{value};
    for (std::size_t n = 0; n < list.size() && list.size() < 64; ++n)
      for (auto k : p_.in(list[n])) {
        const auto s = p_.storage(k);
        if (!p_.is_op(s) || fixed_[s] || std::ranges::find(list, s) != list.end()) continue;
        const auto life = all.find(s);
        if (!drop_[s] && life != all.end() && life->second.last >= at) continue;  // still there
        list.push_back(s);
      }
    return list;
  }

  bool drop_some(const Program& q, const Plan& plan, std::int64_t bytes) {
    const auto peak = peak_of(plan);
    const auto all = lives(q, plan, peak);
    std::vector<Candidate> candidates;
    for (const auto& [i, life] : all) {
      if (drop_[i] || fixed_[i] || life.born < 0 || life.born >= peak || life.next <= peak || life.at_peak || life.read_forward_later) continue;
      double cost = 1e-7;  // of a call
      for (auto k : closure(i, all, life.next)) cost += time_[k];
      const auto size = arena_size(p_.bytes(i));
      candidates.push_back({i, cost / (static_cast<double>(size) * (life.next - std::max(life.used, life.born))), size});
    }
    std::ranges::sort(candidates, [](const Candidate& a, const Candidate& b) { return a.score != b.score ? a.score < b.score : a.value < b.value; });
    auto excess = std::max<std::int64_t>(1, std::min(plan.live_bytes - bytes, plan.live_bytes / 16));  // a little at a time: the peak moves
    bool any = false;
    for (const auto& c : candidates) {
      if (excess <= 0) break;
      for (auto k : closure(c.value, all, all.at(c.value).next)) drop_[k] = 1;
      excess -= c.bytes;
      any = true;
    }
    return any;
  }

  /// The dearest first, where the arena still fits.
  void keep_again(Dropped& best, std::int64_t bytes) const {
    std::vector<std::uint32_t> list;
    for (std::uint32_t i = 0; i < p_.values.size(); ++i)
      if (best.drop[i] && time_[i] > 0) list.push_back(i);
    std::ranges::stable_sort(list, [&](auto a, auto b) { return time_[a] / static_cast<double>(p_.bytes(a) + 1) > time_[b] / static_cast<double>(p_.bytes(b) + 1); });
    if (const auto most = rounds(p_, kMends); list.size() > most) list.resize(most);
    for (auto i : list) {
      Drop kept = best.drop;
      kept[i] = 0;
      const Program q = without(p_, kept);
      const double time = time_again(q);
      if (time >= best.time) continue;
      if (const auto arena = plan_of_(q).arena_bytes; arena <= bytes) best = {std::move(kept), arena, time};
    }
  }

  const Program& p_;
  const PlanOf& plan_of_;
  std::vector<char> forward_;
  Drop drop_, fixed_;
  std::vector<double> time_;
  std::unordered_map<const Node*, std::uint32_t> number_;
};

}  // namespace

Dropped drop_until(const Program& program, std::int64_t bytes, const PlanOf& plan_of) { return Dropper(program, plan_of).run(bytes); }

double time_again(const Program& p) {
  double time = 0;
  for (std::uint32_t i = 0; i < p.values.size(); ++i)
    if (p.values[i].again && p.is_op(i)) time += time_of(p, i);
  return time;
}

}  // namespace adjoint::plan
