// bounds.cpp: what no plan can do better: bytes that every order of the step needs, and FLOPs that every plan within given bytes runs
// again. Relaxations, so that a real plan may be above them; reports state the gap.
// Not a planner: a bound says nothing about how to reach it.
#include <algorithm>

#include "plan/passes.hpp"
#include "plan/passes/drop.hpp"
#include "plan/passes/stages.hpp"
#include "plan/savings.hpp"

namespace adjoint::plan {
namespace {

/// Values that lie in a result's memory, outside the arena.
std::vector<char> results(const Program& p) {
  std::vector<char> is(p.values.size(), 0);
  for (auto r : p.roots) is[p.storage(r)] = 1;
  return is;
}

/// A product that the backward pass needs something of, and the least share of bytes that keeps it from running again.
struct Need {
  double flops = 0, bytes = 0;
};

class Bound {
 public:
  explicit Bound(const Program& p) : p_(p), forward_(forward_values(p)), free_(results(p)) {
    for (std::uint32_t i = 0; i < p.values.size(); ++i)
      if (forward_[i] && p.is_op(i) && flops_of(p, i) > 0) products_.push_back(i);
  }

  double flops_again(std::int64_t bytes) const {
    constexpr std::size_t kWork = 40'000'000, kMoments = 16;  // looks at values; moments looked at, the last ones of the forward pass
    const auto moments = std::min({kMoments, products_.size(), kWork / std::max<std::size_t>(1, products_.size() * p_.values.size())});
    double most = 0;
    for (std::size_t k = 0; k < moments; ++k) most = std::max(most, after(products_[products_.size() - 1 - k], bytes));
    return most;
  }

 private:
  /// At the moment when product d has first been computed all its ancestors have run, and no value of the backward pass that depends on it.
  /// What those read of other products is in the memory of that moment, or runs again.
  double after(std::uint32_t d, std::int64_t bytes) const {
    const auto n = static_cast<std::uint32_t>(p_.values.size());
    std::vector<char> later(n, 0), done(n, 0), read(n, 0);
    for (std::uint32_t i = 0; i < n; ++i) {
      later[i] = i == d;
      for (auto k : p_.in(i)) later[i] |= later[k];
      if (later[i] && !forward_[i])
        for (auto k : p_.in(i))
          if (const auto s = p_.storage(k); forward_[s] && !p_.is_view(i)) read[s] = 1;
    }
    done[d] = 1;
    for (std::uint32_t i = d + 1; i-- > 0;)
      if (done[i])
        for (auto k : p_.in(i)) done[k] = 1;
    std::vector<std::vector<std::uint32_t>> paths;
    std::vector<Need> needs;
    std::vector<double> sharers(n, 0);
    for (auto c : products_) {
      if (!done[c]) continue;
      auto path = widest(c, read);
      if (path.empty()) continue;
      for (auto u : path) sharers[u] += 1;
      paths.push_back(std::move(path));
      needs.push_back({static_cast<double>(flops_of(p_, c)), 0});
    }
    for (std::size_t k = 0; k < needs.size(); ++k) {
      needs[k].bytes = 1e300;
      for (auto u : paths[k]) needs[k].bytes = std::min(needs[k].bytes, free_[u] ? 0 : static_cast<double>(p_.bytes(u)) / sharers[u]);
    }
    // The most FLOPs that so many bytes can save, where a product may be kept in part.
    std::ranges::sort(needs, {}, [](const Need& x) { return x.bytes / x.flops; });
    double again = 0, left = static_cast<double>(bytes);
    for (const auto& need : needs) {
      const double share = need.bytes <= left ? 1 : left / need.bytes;
      again += (1 - share) * need.flops;
      left -= share * need.bytes;
    }
    return again;
  }

  /// A way from product c over functions without FLOPs to a value that is read: if nothing on it is in memory, c runs again. Of all such
  /// ways one whose smallest value is largest; empty where nothing is read.
  std::vector<std::uint32_t> widest(std::uint32_t c, const std::vector<char>& read) const {
    const auto n = static_cast<std::uint32_t>(p_.values.size());
    std::vector<std::int64_t> width(n, -1);
    std::vector<std::uint32_t> from(n, c);
    std::uint32_t best = c;
    bool found = read[c] != 0;
    width[c] = p_.bytes(c);
    for (std::uint32_t i = c + 1; i < n; ++i) {
      if (!forward_[i] || !p_.is_op(i) || flops_of_[i]) continue;
      for (auto k : p_.in(i)) {
        const auto w = width[k] < 0 ? -1 : p_.is_view(i) ? width[k] : std::min(width[k], p_.bytes(i));
        if (w > width[i]) width[i] = w, from[i] = k;
      }
      if (read[i] && width[i] >= 0 && (!found || width[i] > width[best])) best = i, found = true;
    }
    std::vector<std::uint32_t> path;
    if (!found) return path;
    for (auto i = best;; i = from[i]) {
      if (!p_.is_view(i)) path.push_back(i);
      if (i == c) return path;
    }
  }

  const Program& p_;
  std::vector<char> forward_, free_;
  std::vector<std::uint32_t> products_;
  std::vector<char> flops_of_ = with_flops();
  std::vector<char> with_flops() const {
    std::vector<char> has(p_.values.size(), 0);
    for (auto c : products_) has[c] = 1;
    return has;
  }
};

}  // namespace

std::int64_t least_bytes(const Program& p) {
  const auto outside = results(p);
  std::int64_t most = 0;
  std::vector<std::uint32_t> operands;
  for (std::uint32_t i = 0; i < p.values.size(); ++i) {
    if (!p.is_op(i) || p.is_view(i) || p.is_elementwise(i) || p.is_row_reduction(i)) continue;  // those may run inside a group
    operands.clear();
    for (auto k : p.in(i))
      if (const auto s = p.storage(k); p.is_op(s) && !outside[s]) operands.push_back(s);
    std::ranges::sort(operands);
    operands.erase(std::ranges::unique(operands).begin(), operands.end());
    auto bytes = outside[i] ? 0 : arena_size(p.bytes(i));
    for (auto s : operands) bytes += arena_size(p.bytes(s));
    most = std::max(most, bytes);
  }
  return most;
}

std::int64_t least_flops_again(const Program& p, std::int64_t bytes) {
  return p.roots.empty() ? 0 : static_cast<std::int64_t>(Bound(p).flops_again(bytes));
}

}  // namespace adjoint::plan
