// savings.cpp: the counterfactual of each residual at the peak: not kept, but made again where it is next read.
// Not a planner: each is looked at by itself, against the plan as it stands.
#include "plan/savings.hpp"

#include <algorithm>
#include <tuple>

namespace adjoint::plan {
namespace {

using Life = PlanReport::Life;
using Saving = PlanReport::Saving;

const Life& life_of(const PlanReport& r, std::int64_t n) { return r.lives[static_cast<std::size_t>(n)]; }

/// The steps to run again so that life n is there before step `at` runs.
std::vector<std::int64_t> steps_again(const PlanReport& r, std::int64_t n, std::int64_t at) {
  std::vector<std::int64_t> steps, open{life_of(r, n).born};
  std::vector<char> seen(r.steps.size(), 0);
  seen[static_cast<std::size_t>(open[0])] = 1;
  while (!open.empty()) {
    const auto k = open.back();
    open.pop_back();
    steps.push_back(k);
    for (auto read : r.steps[static_cast<std::size_t>(k)].reads) {
      const Life& in = life_of(r, read);
      if (in.result || in.dies >= at || seen[static_cast<std::size_t>(in.born)]) continue;  // there, or made again already
      seen[static_cast<std::size_t>(in.born)] = 1;
      open.push_back(in.born);
    }
  }
  std::ranges::sort(steps);
  return steps;
}

/// The most alive if `bytes` were not there in the steps between `from` and `to`.
std::int64_t most_without(const PlanReport& r, std::int64_t bytes, std::int64_t from, std::int64_t to) {
  std::int64_t most = 0;
  for (std::int64_t k = 0; k < std::ssize(r.alive); ++k)
    most = std::max(most, r.alive[static_cast<std::size_t>(k)] - (k > from && k < to ? bytes : 0));
  return most;
}

}  // namespace

std::vector<Saving> savings(const PlanReport& r) {
  std::vector<Saving> list;
  for (std::int64_t n = 0; n < std::ssize(r.lives); ++n) {
    const Life& life = life_of(r, n);
    if (!life.residual || life.offset < 0 || life.born >= r.peak || life.dies <= r.peak) continue;
    const auto next = std::ranges::lower_bound(life.readers, r.peak);
    if (next == life.readers.end() || *next == r.peak) continue;
    const auto last = next == life.readers.begin() ? life.born : *std::prev(next);
    Saving s{.life = n, .peak_bytes = most_without(r, arena_size(life.bytes), last, *next), .steps = steps_again(r, n, *next)};
    for (auto k : s.steps) s.flops += r.steps[static_cast<std::size_t>(k)].flops, s.bytes += r.steps[static_cast<std::size_t>(k)].bytes;
    list.push_back(std::move(s));
  }
  std::ranges::sort(list, {}, [](const Saving& s) { return std::tuple(s.peak_bytes, s.flops, s.bytes, s.life); });
  return list;
}

}  // namespace adjoint::plan
