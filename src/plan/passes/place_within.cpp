// place_within.cpp: fits values into a given number of bytes by a beam search in order of time, for the few plans where every order
// of placing leaves holes: small budgets, whose values are few, large and of two or three sizes.
// Not exact, and not for plans of thousands of values at once: place.cpp tries cheaper ways first.
#include <algorithm>
#include <unordered_set>

#include "graph/attrs.hpp"
#include "plan/passes/placing.hpp"

namespace adjoint::plan {
namespace {

constexpr std::size_t kWidth = 64;
constexpr std::int64_t kLooks = 2'000'000;  // at a value in an arena: about 10 ms in all

struct Placed {
  std::int64_t from, to;
  std::int32_t last;
};
/// The arena while one value after another is born: those alive, by offset.
struct Arena {
  std::vector<Placed> alive = {};
  std::uint32_t choice = 0;  // the last one that led here
  double score = 0;          // of its free space: large when it lies together
};
struct Choice {
  std::uint32_t before;
  std::int64_t offset;
};

class Beam {
 public:
  Beam(std::vector<Item>& items, std::int64_t limit) : items_(items), limit_(limit) {}

  bool run() {
    std::vector<std::uint32_t> order(items_.size());
    for (std::uint32_t k = 0; k < order.size(); ++k) order[k] = k;
    std::ranges::sort(order, [&](auto a, auto b) {
      const Item &x = items_[a], &y = items_[b];
      return x.first != y.first ? x.first < y.first : x.bytes != y.bytes ? x.bytes > y.bytes : a < b;
    });
    std::vector<Arena> now(1), next;
    choices_.assign(1, {0, 0});
    for (auto k : order) {
      next.clear();
      seen_.clear();
      for (auto& arena : now) place(arena, items_[k], next);
      if (next.empty() || looks_ > kLooks) return false;
      if (next.size() > kWidth) {
        std::ranges::nth_element(next, next.begin() + kWidth, [](const Arena& a, const Arena& b) { return a.score != b.score ? a.score > b.score : a.choice < b.choice; });
        next.resize(kWidth);
      }
      std::swap(now, next);
    }
    auto at = now.front().choice;
    for (auto k = order.rbegin(); k != order.rend(); ++k) items_[*k].offset = choices_[at].offset, at = choices_[at].before;
    return true;
  }

 private:
  /// At the bottom or at the top of each gap that is large enough.
  void place(Arena& arena, const Item& item, std::vector<Arena>& next) {
    std::erase_if(arena.alive, [&](const Placed& p) { return p.last < item.first; });
    std::int64_t free = 0;
    for (std::size_t k = 0; k <= arena.alive.size(); ++k) {
      const auto end = k < arena.alive.size() ? arena.alive[k].from : limit_;
      if (end - free >= item.bytes) {
        add(arena, item, free, k, next);
        if (end - free > item.bytes) add(arena, item, end - item.bytes, k, next);
      }
      if (k < arena.alive.size()) free = arena.alive[k].to;
    }
  }

  void add(const Arena& arena, const Item& item, std::int64_t offset, std::size_t at, std::vector<Arena>& next) {
    looks_ += std::ssize(arena.alive) + 1;
    const Placed fresh{offset, offset + item.bytes, item.last};
    std::uint64_t hash = 1;
    double score = 0;
    std::int64_t free = 0;
    const auto see = [&](const Placed& p) {
      hash = mix(mix(hash, static_cast<std::uint64_t>(p.from)), static_cast<std::uint64_t>(p.last));
      const auto gap = static_cast<double>(p.from - free);
      score += gap * gap;
      free = p.to;
    };
    for (std::size_t k = 0; k < arena.alive.size(); ++k) {
      if (k == at) see(fresh);
      see(arena.alive[k]);
    }
    if (at == arena.alive.size()) see(fresh);
    score += static_cast<double>(limit_ - free) * static_cast<double>(limit_ - free);
    if (!seen_.insert(hash).second) return;  // the same arena by another way
    Arena& made = next.emplace_back();
    made.alive.reserve(arena.alive.size() + 1);
    made.alive = arena.alive;
    made.alive.insert(made.alive.begin() + static_cast<std::ptrdiff_t>(at), fresh);
    made.choice = static_cast<std::uint32_t>(choices_.size());
    made.score = score;
    choices_.push_back({arena.choice, offset});
  }

  std::vector<Item>& items_;
  std::int64_t limit_, looks_ = 0;
  std::vector<Choice> choices_;
  std::unordered_set<std::uint64_t> seen_;
};

}  // namespace

bool place_within(std::vector<Item>& items, std::int64_t limit) { return Beam(items, limit).run(); }

}  // namespace adjoint::plan
