// decisions.cpp: what makes one plan of a graph differ from another, as data. Fusion and order follow from it, and are compared; what was
// searched for (values computed again, places in the arena) is put back as it was. Not a cache: runtime/plan_cache.cpp.
#include "plan/decisions.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <unordered_map>

#include "adjoint/version.hpp"
#include "graph/log.hpp"
#include "plan/savings.hpp"

namespace adjoint {
namespace plan {
namespace {

[[noreturn]] void refuse(std::string message, std::string hint = "plan again and save that plan") {
  throw Error({.op = "plan", .message = "this saved plan " + std::move(message), .hint = std::move(hint)});
}

struct Hash {
  std::uint64_t h = 0xCBF29CE484222325ull;
  void add(std::uint64_t v) { h = mix(h, v); }
  void add(std::string_view text) {
    add(text.size());
    for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3ull;
  }
};

struct Used {
  std::mutex mutex;
  std::map<std::uint64_t, std::shared_ptr<const SavedPlan>> plans;
  std::atomic<std::int64_t> made{0};
  std::atomic<bool> any{false};
};
Used& used() {
  static auto* u = new Used;
  return *u;
}

std::string processor() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f") ? "x86-64 avx512" : __builtin_cpu_supports("avx2") ? "x86-64 avx2" : "x86-64";
#else
  return "portable";
#endif
}

}  // namespace

std::uint64_t structure_of(const Program& p, const PlanOptions& options) {
  Hash hash;
  hash.add(to_string(options.memory));
  hash.add(options.fuse);
  for (std::uint32_t i = 0; i < p.values.size(); ++i) {
    const Value& v = p.values[i];
    hash.add(static_cast<std::uint64_t>(v.role) * 2 + static_cast<std::uint64_t>(v.backward));
    hash.add(static_cast<std::uint64_t>(p.type(i).dtype));
    hash.add(static_cast<std::uint64_t>(p.type(i).shape.rank()));
    for (auto d : p.type(i).shape) hash.add(static_cast<std::uint64_t>(d));
    if (v.role == Role::op) {
      hash.add(p.prim(i).name);
      if (v.node->attrs) hash.add(v.node->attrs.text());
    } else {
      hash.add(v.number);
      if (v.role == Role::constant) hash.add(static_cast<std::uint64_t>(literal_bits(*v.node)));
    }
    for (auto k : p.in(i)) hash.add(k);
  }
  for (std::size_t k = 0; k < p.roots.size(); ++k) hash.add(p.roots[k] * 2 + static_cast<std::uint64_t>(p.update[k]));
  for (std::uint32_t leaf = 0; leaf < p.leaves; ++leaf) hash.add(static_cast<std::uint64_t>(p.donatable[leaf]));
  return hash.h;
}

SavedPlan decisions_of(std::span<const Node* const> merged, std::uint64_t structure, const PlanOptions& options, const Program& planned, const Plan& plan) {
  SavedPlan s{.version = kVersion, .processor = processor(), .memory = to_string(options.memory), .fuse = options.fuse, .structure = structure,
              .arena_bytes = plan.arena_bytes, .live_bytes = plan.live_bytes};
  std::unordered_map<const Node*, std::uint32_t> number;
  for (std::uint32_t i = 0; i < merged.size(); ++i) number[merged[i]] = i;
  for (std::uint32_t i = 0; i < planned.values.size(); ++i) {
    s.values.push_back(number.at(planned.values[i].node));
    s.groups.push_back(planned.values[i].group);
    for (auto k : planned.in(i)) s.operands.push_back(k);
  }
  for (const auto& slot : plan.slots) s.offsets.push_back(slot.place == Place::arena && slot.last >= slot.first ? slot.offset : -1);
  for (const auto& step : plan.steps) s.steps.push_back(step.name);
  return s;
}

Program decided(const Program& p, const SavedPlan& saved) {
  Program q;
  q.update = p.update, q.donatable = p.donatable, q.literals = p.literals, q.constants = p.constants, q.leaves = p.leaves, q.made = p.made;
  constexpr std::uint32_t kNone = 0xFFFFFFFFu;
  std::vector<std::uint32_t> first(p.values.size(), kNone), operands;
  std::size_t at = 0;
  if (saved.groups.size() != saved.values.size()) refuse("has " + std::to_string(saved.groups.size()) + " groups for " + std::to_string(saved.values.size()) + " values");
  for (std::uint32_t n = 0; n < saved.values.size(); ++n) {
    const auto i = saved.values[n];
    if (i >= p.values.size()) refuse("names value " + std::to_string(i) + " of " + std::to_string(p.values.size()));
    const auto wanted = p.in(i);
    if (at + wanted.size() > saved.operands.size()) refuse("ends before the operands of value " + std::to_string(n));
    operands.assign(saved.operands.begin() + static_cast<std::ptrdiff_t>(at), saved.operands.begin() + static_cast<std::ptrdiff_t>(at + wanted.size()));
    at += wanted.size();
    for (std::size_t k = 0; k < wanted.size(); ++k)
      if (operands[k] >= n || saved.values[operands[k]] != wanted[k]) refuse("gives value " + std::to_string(n) + " another operand than the graph does");
    if (first[i] != kNone && !p.is_op(i)) refuse("computes again what is data");
    Value v = p.values[i];
    v.again = first[i] != kNone;
    const auto now = q.add(v, operands);
    if (!v.again) first[i] = now;
  }
  if (at != saved.operands.size()) refuse("has more operands than its values read");
  for (auto r : p.roots) {
    if (first[r] == kNone) refuse("leaves out a result");
    q.roots.push_back(first[r]);
  }
  return q;
}

void check_groups(const Program& planned, const SavedPlan& saved) {
  for (std::uint32_t i = 0; i < planned.values.size(); ++i)
    if (planned.values[i].group != saved.groups[i])
      refuse("groups operations otherwise than this library does: it was made by version " + saved.version);
}

void put_in_place(Plan& plan, const SavedPlan& saved) {
  if (saved.steps.size() != plan.steps.size() || !std::ranges::equal(saved.steps, plan.steps, {}, {}, &Step::name))
    refuse("runs its steps in another order than this library does: it was made by version " + saved.version);
  if (saved.offsets.size() != plan.slots.size()) refuse("has places for " + std::to_string(saved.offsets.size()) + " values and not for " + std::to_string(plan.slots.size()));
  std::vector<std::int64_t> change(plan.steps.size() + 1, 0);
  for (std::size_t k = 0; k < plan.slots.size(); ++k) {
    Slot& slot = plan.slots[k];
    const bool inside = slot.place == Place::arena && slot.last >= slot.first;
    if (inside != (saved.offsets[k] >= 0) || (inside && (saved.offsets[k] % 64 != 0 || saved.offsets[k] > saved.arena_bytes - slot.bytes)))
      refuse("places a value outside the arena");
    if (!inside) continue;
    slot.offset = saved.offsets[k];
    change[static_cast<std::size_t>(slot.first)] += arena_size(slot.bytes);
    change[static_cast<std::size_t>(slot.last) + 1] -= arena_size(slot.bytes);
  }
  plan.arena_bytes = saved.arena_bytes;
  std::int64_t alive = 0;
  for (auto c : change) plan.live_bytes = std::max(plan.live_bytes, alive += c);
}

std::shared_ptr<const SavedPlan> saved_plan(std::uint64_t structure) {
  auto& u = used();
  if (!u.any.load(std::memory_order_relaxed)) return nullptr;
  const std::lock_guard lock(u.mutex);
  const auto it = u.plans.find(structure);
  return it == u.plans.end() ? nullptr : it->second;
}
void forget_saved_plan(std::uint64_t structure, const std::string& why) {
  auto& u = used();
  {
    const std::lock_guard lock(u.mutex);
    u.plans.erase(structure);
  }
  warn_once("saved plan", {}, "a saved plan is not used: " + why);
}
void count_saved_plan() { used().made.fetch_add(1, std::memory_order_relaxed); }

}  // namespace plan

void use_plan(const SavedPlan& saved) {
  auto& u = plan::used();
  const std::lock_guard lock(u.mutex);
  u.plans[saved.structure] = std::make_shared<const SavedPlan>(saved);
  u.any.store(true, std::memory_order_relaxed);
}
std::int64_t saved_plans_used() { return plan::used().made.load(std::memory_order_relaxed); }

PlanComparison compare_plans(const SavedPlan& a, const SavedPlan& b) {
  PlanComparison c{.same_graph = a.structure == b.structure};
  const SavedPlan* both[] = {&a, &b};
  std::map<std::string, std::int64_t> times[2];
  for (int k = 0; k < 2; ++k) {
    const auto& p = *both[k];
    c.arena_bytes[k] = p.arena_bytes, c.live_bytes[k] = p.live_bytes, c.steps[k] = std::ssize(p.steps);
    std::map<std::uint32_t, int> seen;
    for (auto v : p.values) c.again[k] += ++seen[v] == 2;
    for (const auto& name : p.steps) ++times[k][name];
  }
  const auto [x, y] = std::ranges::mismatch(a.steps, b.steps);
  if (x != a.steps.end() || y != b.steps.end()) c.first_difference = x - a.steps.begin();
  for (int k = 0; k < 2; ++k)
    for (const auto& [name, n] : times[k]) {
      const auto it = times[1 - k].find(name);
      for (auto more = n - (it == times[1 - k].end() ? 0 : it->second); more > 0; --more) c.only[k].push_back(name);
    }
  c.same_decisions = c.same_graph && a.values == b.values && a.operands == b.operands && a.groups == b.groups && a.offsets == b.offsets && a.steps == b.steps &&
                     a.arena_bytes == b.arena_bytes;
  return c;
}

std::string to_string(const PlanComparison& c) {
  const auto line = [](const char* what, const std::int64_t (&n)[2]) { return std::string(what) + std::to_string(n[0]) + " and " + std::to_string(n[1]) + '\n'; };
  std::string text = c.same_decisions ? "the same decisions\n" : c.same_graph ? "two plans of one graph\n" : "plans of two graphs or of two settings\n";
  text += line("arena bytes      ", c.arena_bytes) + line("most alive       ", c.live_bytes) + line("steps            ", c.steps) + line("values run again ", c.again);
  if (c.first_difference >= 0) text += "the first step that differs: " + std::to_string(c.first_difference) + '\n';
  for (int k = 0; k < 2; ++k)
    for (std::size_t n = 0; n < std::min<std::size_t>(c.only[k].size(), 8); ++n) text += std::string("only in the ") + (k ? "second: " : "first:  ") + c.only[k][n] + '\n';
  return text;
}

}  // namespace adjoint
