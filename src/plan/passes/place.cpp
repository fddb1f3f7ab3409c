// place.cpp: arena offsets from lifetimes: largest first, each at the lowest gap among the slots alive with it; for very
// long plans, first fit in order of time. Not an allocator: nothing is allocated when the plan runs.
#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "plan/plan.hpp"

namespace adjoint::plan {
namespace {

constexpr std::int64_t kAlign = 64;
constexpr std::size_t kQuadratic = 6000;

std::int64_t aligned(std::int64_t bytes) { return (bytes + kAlign - 1) / kAlign * kAlign; }

void largest_first(Plan& plan, std::vector<std::uint32_t>& order) {
  auto& slots = plan.slots;
  std::ranges::stable_sort(order, [&](auto a, auto b) { return slots[a].bytes > slots[b].bytes; });
  std::vector<std::uint32_t> placed, alive;
  for (auto s : order) {
    alive.clear();
    for (auto p : placed)
      if (slots[p].first <= slots[s].last && slots[s].first <= slots[p].last) alive.push_back(p);
    std::ranges::sort(alive, {}, [&](auto p) { return slots[p].offset; });
    std::int64_t at = 0;
    for (auto p : alive) {
      if (slots[p].offset >= at + aligned(slots[s].bytes)) break;
      at = std::max(at, slots[p].offset + aligned(slots[p].bytes));
    }
    slots[s].offset = at;
    plan.arena_bytes = std::max(plan.arena_bytes, at + aligned(slots[s].bytes));
    placed.push_back(s);
  }
}

void in_time_order(Plan& plan, std::vector<std::uint32_t>& order) {
  auto& slots = plan.slots;
  std::ranges::stable_sort(order, {}, [&](auto s) { return slots[s].first; });
  std::vector<std::vector<std::uint32_t>> ending(plan.steps.size() + 1);
  std::set<std::pair<std::int64_t, std::int64_t>> by_size;  // free ranges: bytes, offset
  std::map<std::int64_t, std::int64_t> by_offset;            // offset -> bytes
  const auto give_back = [&](std::int64_t offset, std::int64_t bytes) {
    auto next = by_offset.lower_bound(offset);
    if (next != by_offset.end() && next->first == offset + bytes) {
      bytes += next->second;
      by_size.erase({next->second, next->first});
      next = by_offset.erase(next);
    }
    if (next != by_offset.begin()) {
      auto before = std::prev(next);
      if (before->first + before->second == offset) {
        by_size.erase({before->second, before->first});
        offset = before->first, bytes += before->second;
        by_offset.erase(before);
      }
    }
    by_offset[offset] = bytes;
    by_size.emplace(bytes, offset);
  };
  std::int32_t step = 0;
  for (auto s : order) {
    for (; step < slots[s].first; ++step)
      for (auto dead : ending[static_cast<std::size_t>(step)]) give_back(slots[dead].offset, aligned(slots[dead].bytes));
    const auto bytes = aligned(slots[s].bytes);
    const auto fit = by_size.lower_bound({bytes, 0});
    if (fit == by_size.end()) {
      slots[s].offset = plan.arena_bytes;
      plan.arena_bytes += bytes;
    } else {
      const auto [size, offset] = *fit;
      by_size.erase(fit);
      by_offset.erase(offset);
      slots[s].offset = offset;
      if (size > bytes) give_back(offset + bytes, size - bytes);
    }
    ending[static_cast<std::size_t>(slots[s].last)].push_back(s);
  }
}

}  // namespace

void place(Plan& plan) {
  std::vector<std::uint32_t> order;
  std::vector<std::int64_t> change(plan.steps.size() + 2, 0);
  for (std::uint32_t s = 0; s < plan.slots.size(); ++s) {
    const auto& slot = plan.slots[s];
    if (slot.place != Place::arena || slot.last < slot.first || slot.bytes == 0) continue;
    order.push_back(s);
  }
  constexpr std::int64_t kMost = std::int64_t{1} << 60;  // no machine has it: the run refuses the plan, and no sum overflows here
  std::int64_t total = 0;
  for (auto s : order)
    if ((total += std::min(plan.slots[s].bytes, kMost)) >= kMost) {
      plan.arena_bytes = plan.live_bytes = kMost;
      return;
    }
  for (auto s : order) {
    const auto& slot = plan.slots[s];
    change[static_cast<std::size_t>(slot.first)] += aligned(slot.bytes);
    change[static_cast<std::size_t>(slot.last) + 1] -= aligned(slot.bytes);
  }
  std::int64_t alive = 0;
  for (auto c : change) plan.live_bytes = std::max(plan.live_bytes, alive += c);
  if (order.size() <= kQuadratic) largest_first(plan, order);
  else in_time_order(plan, order);
}

}  // namespace adjoint::plan
