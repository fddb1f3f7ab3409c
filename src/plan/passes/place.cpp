// place.cpp: arena offsets from lifetimes. Several orders of placing, each value at the lowest gap among those alive with it; the
// smallest arena is kept, and its order mended; where that leaves a percent, a beam search in order of time (place_within.cpp).
// Very long plans: best fit in order of time. Not an allocator: nothing is allocated when the plan runs.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "plan/passes.hpp"
#include "plan/passes/placing.hpp"

namespace adjoint::plan {
namespace {

constexpr std::int64_t kAlign = 64;
constexpr std::size_t kQuadratic = 6000;  // slots: beyond it only the order of time
constexpr std::size_t kThorough = 1500;   // up to it every order is tried

std::int64_t aligned(std::int64_t bytes) { return (bytes + kAlign - 1) / kAlign * kAlign; }

/// Each at the lowest gap in the order given; returns the bytes needed, or `give_up` as soon as they are no fewer.
std::int64_t lowest_gap(std::vector<Item>& items, std::int64_t give_up) {
  std::vector<const Item*> placed;  // by offset
  placed.reserve(items.size());
  std::int64_t arena = 0;
  for (auto& item : items) {
    std::int64_t at = 0;
    for (const Item* p : placed) {
      if (p->first > item.last || item.first > p->last) continue;
      if (p->offset >= at + item.bytes) break;
      at = std::max(at, p->offset + p->bytes);
    }
    item.offset = at;
    arena = std::max(arena, at + item.bytes);
    if (arena >= give_up) return give_up;
    placed.insert(std::ranges::upper_bound(placed, at, {}, &Item::offset), &item);
  }
  return arena;
}

/// Best fit in order of time among free ranges; linear in slots but for the look-up.
class TimeOrder {
 public:
  std::int64_t run(std::vector<Item>& items, std::size_t steps) {
    std::ranges::stable_sort(items, {}, &Item::first);
    std::vector<std::vector<const Item*>> ending(steps + 1);
    std::int32_t step = 0;
    for (auto& item : items) {
      for (; step < item.first; ++step)
        for (const Item* dead : ending[static_cast<std::size_t>(step)]) give_back(dead->offset, dead->bytes);
      item.offset = take(item.bytes);
      ending[static_cast<std::size_t>(item.last)].push_back(&item);
    }
    return arena_;
  }

 private:
  std::int64_t take(std::int64_t bytes) {
    const auto fit = by_size_.lower_bound({bytes, 0});
    if (fit == by_size_.end()) return std::exchange(arena_, arena_ + bytes);
    const auto [size, offset] = *fit;
    by_size_.erase(fit);
    by_offset_.erase(offset);
    if (size > bytes) give_back(offset + bytes, size - bytes);
    return offset;
  }
  void give_back(std::int64_t offset, std::int64_t bytes) {
    auto next = by_offset_.lower_bound(offset);
    if (next != by_offset_.end() && next->first == offset + bytes) {
      bytes += next->second;
      by_size_.erase({next->second, next->first});
      next = by_offset_.erase(next);
    }
    if (next != by_offset_.begin()) {
      auto before = std::prev(next);
      if (before->first + before->second == offset) {
        by_size_.erase({before->second, before->first});
        offset = before->first, bytes += before->second;
        by_offset_.erase(before);
      }
    }
    by_offset_[offset] = bytes;
    by_size_.emplace(bytes, offset);
  }

  std::set<std::pair<std::int64_t, std::int64_t>> by_size_;  // free ranges: bytes, offset
  std::map<std::int64_t, std::int64_t> by_offset_;           // offset -> bytes
  std::int64_t arena_ = 0;
};

/// The orders of placing, the best first: by size; by length of life; by both; by the step where most is alive.
using Before = bool (*)(const Item&, const Item&);
constexpr Before kOrders[] = {
    [](const Item& a, const Item& b) { return a.bytes > b.bytes; },
    [](const Item& a, const Item& b) { return a.last - a.first > b.last - b.first; },
    [](const Item& a, const Item& b) { return double(a.bytes) * (a.last - a.first + 1) > double(b.bytes) * (b.last - b.first + 1); },
    [](const Item& a, const Item& b) { return a.first < b.first || (a.first == b.first && a.last > b.last); },
    [](const Item& a, const Item& b) { return a.last > b.last || (a.last == b.last && a.first < b.first); },
};

/// Again and again from the best order so far, with those first that stuck out beyond what must be alive: they are the hard ones.
/// Stops at the bound, or when the work would show in the time that planning takes.
template <class Keep> void improve(std::vector<Item> items, const Plan& plan, const Keep& keep) {
  constexpr std::int64_t kWork = 20'000'000;  // pairs of items looked at
  const auto n = static_cast<std::int64_t>(items.size());
  for (std::int64_t round = 0; round < std::min<std::int64_t>(200, kWork / std::max<std::int64_t>(n * n, 1)) && plan.arena_bytes > plan.live_bytes; ++round) {
    std::stable_partition(items.begin(), items.end(), [&](const Item& i) { return i.offset + i.bytes > plan.live_bytes; });
    const auto arena = lowest_gap(items, std::int64_t{1} << 60);
    keep(items, arena);
  }
}

std::int64_t live_bytes(const std::vector<Item>& items, std::size_t steps) {
  std::vector<std::int64_t> change(steps + 2, 0);
  for (const auto& item : items) {
    change[static_cast<std::size_t>(item.first)] += item.bytes;
    change[static_cast<std::size_t>(item.last) + 1] -= item.bytes;
  }
  std::int64_t alive = 0, most = 0;
  for (auto c : change) most = std::max(most, alive += c);
  return most;
}

}  // namespace

void place(Plan& plan) {
  constexpr std::int64_t kMost = std::int64_t{1} << 60;  // no machine has it: the run refuses the plan, and no sum overflows here
  std::vector<Item> items;
  std::int64_t total = 0;
  for (std::uint32_t s = 0; s < plan.slots.size(); ++s) {
    const auto& slot = plan.slots[s];
    if (slot.place != Place::arena || slot.last < slot.first || slot.bytes == 0) continue;
    total += std::min(slot.bytes, kMost);
    if (total >= kMost) {
      plan.arena_bytes = plan.live_bytes = kMost;
      return;
    }
    items.push_back({aligned(slot.bytes), 0, slot.first, slot.last, s});
  }
  plan.live_bytes = live_bytes(items, plan.steps.size());
  std::vector<Item> best;
  plan.arena_bytes = kMost;
  const auto keep = [&](std::vector<Item>& tried, std::int64_t arena) {
    if (arena < plan.arena_bytes) plan.arena_bytes = arena, best = tried;
  };
  if (items.size() <= kQuadratic)
    for (const Before before : kOrders) {
      std::vector<Item> tried = items;
      std::stable_sort(tried.begin(), tried.end(), before);
      keep(tried, lowest_gap(tried, plan.arena_bytes));
      if (plan.arena_bytes == plan.live_bytes || items.size() > kThorough) break;
    }
  if (plan.arena_bytes > plan.live_bytes && items.size() <= kQuadratic) improve(best, plan, keep);
  if (plan.arena_bytes > plan.live_bytes) keep(items, TimeOrder().run(items, plan.steps.size()));
  for (const std::int64_t percent : {0, 1})
    if (plan.arena_bytes > plan.live_bytes + plan.live_bytes / 100 && items.size() <= kThorough) {
      const auto limit = aligned(plan.live_bytes + plan.live_bytes * percent / 100);
      if (place_within(items, limit)) keep(items, limit);
    }
  for (const auto& item : best) plan.slots[item.slot].offset = item.offset;
}

}  // namespace adjoint::plan
