// checkpoints.cpp: which stages keep what, and which run again: everything, every K-th, or the least time within bytes.
// Not the rewriting: rematerialise.cpp.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "plan/passes/stages.hpp"

namespace adjoint::plan {
namespace {
/// Steps in which memory counts: finer for short chains, so that the table and its making stay small.
std::int64_t steps(std::size_t stages) {
  constexpr std::int64_t kLeast = 256, kMost = 4096, kEntries = 1 << 20;
  return std::clamp(kEntries / static_cast<std::int64_t>(stages * stages), kLeast, kMost);
}
constexpr float kNever = std::numeric_limits<float>::infinity();
}  // namespace

std::vector<Action> keep_all(const Chain& chain) { return keep_every(chain, static_cast<std::int64_t>(chain.stages.size())); }

std::vector<Action> keep_every(const Chain& chain, std::int64_t every) {
  const auto n = static_cast<std::int64_t>(chain.stages.size());
  std::vector<Action> actions;
  for (std::int64_t s = 0; s < n; ++s) actions.push_back({static_cast<std::uint32_t>(s)});
  const auto last = (n - 1) / every * every;  // the last segment's values are still there
  for (std::int64_t first = last; first >= 0; first -= every) {
    const auto end = std::min(n, first + every);
    if (first != last)
      for (auto s = first; s < end; ++s) actions.push_back({static_cast<std::uint32_t>(s)});
    for (auto s = end; s-- > first;) actions.push_back({static_cast<std::uint32_t>(s), true});
  }
  return actions;
}

Checkpoints::Checkpoints(const Chain& chain) : chain_(chain) {
  const auto n = chain.stages.size();
  for (const auto& s : chain.stages) most_ += s.tape_bytes + s.out_bytes;
  std::int64_t extra = 0;
  for (const auto& s : chain.stages) extra = std::max({extra, s.forward_extra, s.backward_extra + s.out_bytes});
  most_ += extra;
  std::int64_t common = 0;  // of all sizes: counting in it is exact
  for (const auto& s : chain.stages)
    for (const auto bytes : {s.tape_bytes, s.out_bytes, s.lean_bytes, s.forward_extra, s.backward_extra}) common = std::gcd(common, bytes);
  const auto count = steps(n);
  unit_ = std::max({std::int64_t{1}, (most_ + count - 1) / count, common});
  slots_ = most_ / unit_ + static_cast<std::int64_t>(n) + 3;  // each stage's sizes are rounded up
  table_.assign(n * n * static_cast<std::size_t>(slots_), {kNever, 0, false});
  for (std::size_t length = 1; length <= n; ++length)
    for (std::size_t i = 0; i + length <= n; ++i) solve(i, i + length - 1);
  std::int64_t m = 0;
  while (m < slots_ && table_[at(0, n - 1, m)].time == kNever) ++m;
  least_ = m * unit_;
  most_ = std::max(most_, (slots_ - 1) * unit_);
}

std::size_t Checkpoints::at(std::size_t i, std::size_t j, std::int64_t m) const {
  return (i * chain_.stages.size() + j) * static_cast<std::size_t>(slots_) + static_cast<std::size_t>(m);
}

/// Stages i to j, forward and backward, with the input of i and the adjoint of j's output at hand; the adjoint counts.
void Checkpoints::solve(std::size_t i, std::size_t j) {
  const auto& stages = chain_.stages;
  const Stage& first = stages[i];
  const auto adjoint = units(j + 1 < stages.size() ? stages[j].out_bytes : 0);
  const auto input_adjoint = i > 0 ? stages[i - 1].out_bytes : 0;
  const std::int64_t tape[2] = {units(first.tape_bytes), units(first.lean_bytes)}, out = units(first.out_bytes);
  const float lean_time[2] = {0, static_cast<float>(first.lean_time)};
  const auto backward_need = [&](int v) { return 2 * out + tape[v] + units(first.backward_extra) + units(input_adjoint); };
  const auto time = static_cast<float>(first.forward_time);
  for (std::int64_t m = 0; m < slots_; ++m) {
    Choice best{kNever, 0, false};
    const auto consider = [&](float t, int split, bool lean) {
      if (t < best.time) best = {t, static_cast<std::int16_t>(split), lean};
    };
    for (int v = 0; v < 2; ++v) {
      if (v == 1 && tape[1] >= tape[0]) continue;
      if (m < backward_need(v) || m < adjoint + tape[v] + out + units(first.forward_extra)) continue;
      if (i == j) consider(time + lean_time[v], 0, v == 1);
      else if (const auto left = m - tape[v] - out; left >= 0)
        consider(time + lean_time[v] + table_[at(i + 1, j, left)].time, -1 - v, v == 1);
    }
    float forward = 0;
    std::int64_t most = 0;
    for (std::size_t k = i + 1; k <= j; ++k) {
      const Stage& passed = stages[k - 1];
      forward += static_cast<float>(passed.forward_time);
      most = std::max(most, units((k - 1 > i ? stages[k - 2].out_bytes : 0) + passed.out_bytes + passed.forward_extra));
      const auto kept = units(passed.out_bytes);
      if (m < adjoint + most || m < kept) continue;
      consider(forward + table_[at(k, j, m - kept)].time + table_[at(i, k - 1, m)].time, static_cast<int>(k), false);
    }
    table_[at(i, j, m)] = best;
  }
}

std::vector<Action> Checkpoints::within(std::int64_t bytes) const {
  std::vector<Action> actions;
  if (bytes >= least_) unroll(0, chain_.stages.size() - 1, std::min(bytes / unit_, slots_ - 1), actions);
  return actions;
}

double Checkpoints::overhead(std::int64_t bytes) const {
  double once = 0;
  for (const auto& s : chain_.stages) once += s.forward_time;
  return bytes < least_ ? INFINITY : table_[at(0, chain_.stages.size() - 1, std::min(bytes / unit_, slots_ - 1))].time - once;
}

/// As deep as the chain is long, which is bounded.
void Checkpoints::unroll(std::size_t i, std::size_t j, std::int64_t m, std::vector<Action>& actions) const {
  const Choice c = table_[at(i, j, m)];
  const Stage& first = chain_.stages[i];
  const auto stage = static_cast<std::uint32_t>(i);
  if (c.split <= 0) {
    actions.push_back({stage});
    if (i < j) unroll(i + 1, j, m - units(c.lean ? first.lean_bytes : first.tape_bytes) - units(first.out_bytes), actions);
    actions.push_back({stage, true, c.lean});
    return;
  }
  const auto k = static_cast<std::size_t>(c.split);
  for (auto s = i; s < k; ++s) actions.push_back({static_cast<std::uint32_t>(s)});
  unroll(k, j, m - units(chain_.stages[k - 1].out_bytes), actions);
  unroll(i, k - 1, m, actions);
}

}  // namespace adjoint::plan
