// plan_cache.cpp: the structural hash of a graph, and the plans of the last graphs. Not a planner.
#include "runtime/plan_cache.hpp"

#include <atomic>
#include <bit>
#include <list>
#include <unordered_map>

#include "plan/program.hpp"

namespace adjoint {
namespace runtime {
namespace {

struct Key {
  std::uint64_t a = 0x243F6A8885A308D3ull, b = 0x13198A2E03707344ull;
  void add(std::uint64_t v) {
    a = mix(a, v);
    b = (b ^ std::rotl(v, 31)) * 0xD6E8FEB86659FD93ull;
    b ^= b >> 32;
  }
  bool operator==(const Key&) const = default;
};
struct KeyHash { std::size_t operator()(const Key& k) const { return k.a; } };

constexpr std::size_t kMostPlans = 512;  // the least recently used one goes
std::atomic<std::int64_t> made{0};

struct Cache {
  std::list<std::pair<Key, std::shared_ptr<Executable>>> plans;  // newest use first
  std::unordered_map<Key, decltype(plans)::iterator, KeyHash> find;
};
Cache& cache() {  // under the graph lock
  static auto* c = new Cache;
  return *c;
}

void hash_node(Key& key, const Order& order, std::size_t i) {
  const Node& n = *order.nodes[i];
  const auto inputs = order.inputs(i);
  const bool op = !inputs.empty() || (n.kind == Kind::op && !n.computed());
  key.add(op ? reinterpret_cast<std::uintptr_t>(n.prim) : n.kind == Kind::literal && !n.computed() ? 2 + static_cast<std::uint64_t>(plan::known_number(n)) : 1);
  // Mixed before the sizes come in: else i64[4] and f64[0] would have one key.
  std::uint64_t type = mix(1, static_cast<std::uint64_t>(n.type.dtype) | static_cast<std::uint64_t>(n.type.shape.rank()) << 8);
  for (auto d : n.type.shape) type = mix(type, static_cast<std::uint64_t>(d));
  key.add(type);
  if (op && n.attrs) key.add(n.attrs.hash());
  for (auto k : inputs) key.add(k);
}

Key key_of(const plan::Request& r) {
  Key key;
  for (std::size_t i = 0; i < r.order.nodes.size(); ++i) hash_node(key, r.order, i);
  for (std::size_t k = 0; k < r.order.roots.size(); ++k) key.add(r.order.roots[k] * 2 + static_cast<std::uint64_t>(r.update[k]));
  for (char d : r.donatable) key.add(static_cast<std::uint64_t>(d));
  const auto& memory = r.options.memory;
  key.add(static_cast<std::uint64_t>(memory.strategy) * 2 + static_cast<std::uint64_t>(r.options.fuse));
  key.add(mix(static_cast<std::uint64_t>(memory.every), static_cast<std::uint64_t>(memory.bytes)));
  for (const auto& name : memory.names) key.add(std::hash<std::string>()(name));
  return key;
}

}  // namespace

std::shared_ptr<Executable> find_plan(const plan::Request& request) {
  const Key key = key_of(request);
  auto& c = cache();
  if (const auto it = c.find.find(key); it != c.find.end()) {
    c.plans.splice(c.plans.begin(), c.plans, it->second);
    return it->second->second;
  }
  auto executable = std::make_shared<Executable>(plan::make_plan(request));
  made.fetch_add(1, std::memory_order_relaxed);
  c.plans.emplace_front(key, executable);
  c.find[key] = c.plans.begin();
  if (c.plans.size() > kMostPlans) {
    c.find.erase(c.plans.back().first);
    c.plans.pop_back();
  }
  return executable;
}

}  // namespace runtime

std::int64_t plans_made() { return runtime::made.load(std::memory_order_relaxed); }

}  // namespace adjoint
