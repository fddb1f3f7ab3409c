// node.cpp: making and releasing nodes, owner counts, source lines. Not evaluation: that is the runtime.
#include "graph/node.hpp"

#include <algorithm>
#include <bit>
#include <vector>

#include "adjoint/grad.hpp"  // NoGrad
#include "graph/log.hpp"
#include "graph/recording.hpp"
#include "graph/topo.hpp"
#include "graph/updates.hpp"

namespace adjoint {
namespace {

std::atomic<std::int64_t> node_count{0}, unevaluated{0}, donations{0};  // nodes alive of each sort
constexpr std::int64_t kManyUnevaluated = 1'000'000;

/// Freed nodes of this thread wait here for the next ones: making a node costs no call of the allocator in a steady
/// step. A thread that ends hands them back to the allocator.
struct FreeNodes {
  static constexpr std::size_t kMost = 1 << 16;
  void* list = nullptr;
  std::size_t count = 0;
  ~FreeNodes() {
    for (kept = true; list;) ::operator delete(std::exchange(list, *static_cast<void**>(list)));
  }
  bool kept = false;  // the thread is ending: keep nothing more
};
thread_local FreeNodes free_nodes;

void* node_memory() {
  auto& f = free_nodes;
  if (!f.list) return ::operator new(sizeof(Node));
  --f.count;
  return std::exchange(f.list, *static_cast<void**>(f.list));
}

void node_memory_back(void* p) noexcept {
  auto& f = free_nodes;
  if (f.kept || f.count >= FreeNodes::kMost) return ::operator delete(p);
  *static_cast<void**>(p) = std::exchange(f.list, p);
  ++f.count;
}
thread_local OpScope* innermost_scope = nullptr;
thread_local BackwardScope* innermost_backward = nullptr;
thread_local int no_grad_depth = 0;

struct Pending {
  Node* node;
  std::uint64_t thread;  // that made it; 0: it has ended
};
std::vector<Pending>& pending_updates() {
  static auto* v = new std::vector<Pending>;
  return *v;
}

/// A thread that makes updates has a number, and leaves those that it did not compute to everybody.
struct ThreadNumber {
  std::uint64_t number;
  ThreadNumber() {
    static std::atomic<std::uint64_t> last{0};
    number = last.fetch_add(1, std::memory_order_relaxed) + 1;
  }
  ~ThreadNumber() {
    std::lock_guard lock(graph_mutex());
    for (auto& p : pending_updates())
      if (p.thread == number) p.thread = 0;
  }
};
std::uint64_t this_thread() {
  thread_local ThreadNumber t;
  return t.number;
}

void forget_update(Node* n) noexcept {
  std::lock_guard lock(graph_mutex());
  std::erase_if(pending_updates(), [&](const Pending& p) { return p.node == n; });
}

/// Adds a handle unless the node is already on its way out.
bool try_share(Node* n) {
  auto owners = n->owners.load(std::memory_order_relaxed);
  while (owners != 0)
    if (n->owners.compare_exchange_weak(owners, owners + 1, std::memory_order_acq_rel)) return true;
  return false;
}

}  // namespace

std::recursive_mutex& graph_mutex() {
  static auto* m = new std::recursive_mutex;
  return *m;
}

void count_unevaluated(const Node& fresh) {
  if (unevaluated.fetch_add(1, std::memory_order_relaxed) != kManyUnevaluated) return;
  warn_once("unevaluated", fresh.loc,
            "the graph has more than a million nodes that are not computed, and grows at " + to_string(fresh.loc) +
                "; call eval() on what a loop carries along, or item() on what it only reports");
}
void uncount_unevaluated() noexcept { unevaluated.fetch_sub(1, std::memory_order_relaxed); }

std::int64_t live_nodes() { return node_count.load(std::memory_order_relaxed); }

Node* new_node() {
  node_count.fetch_add(1, std::memory_order_relaxed);
  return new (node_memory()) Node;
}

std::int64_t literal_bits(const Node& n) {
  switch (n.type.dtype) {
    case DType::f64: return std::bit_cast<std::int64_t>(n.number);
    case DType::f32: return std::bit_cast<std::int32_t>(static_cast<float>(n.number));
    case DType::bf16: return bfloat16(static_cast<float>(n.number)).bits;
    case DType::f16: return float16(static_cast<float>(n.number)).bits;
    case DType::bool_: return n.integer != 0;
    default: return n.integer;
  }
}

Extra& extra_of(Node& n) {
  if (!n.extra) n.extra = new Extra;
  return *n.extra;
}

// Released nodes are chained through `scope`, which nobody reads any more: no recursion, no allocation.
void destroy_node(Node* n) noexcept {
  n->scope = nullptr;
  Node* list = n;
  const auto next_of = [](Node* x) { return reinterpret_cast<Node*>(const_cast<char*>(x->scope)); };
  while (list) {
    Node* dead = list;
    list = next_of(dead);
    for (Node* operand : dead->operands())
      if (operand->owners.fetch_sub(kEdge, std::memory_order_acq_rel) == kEdge) {
        operand->scope = reinterpret_cast<const char*>(list);
        list = operand;
      }
    if (dead->in != dead->inline_in) delete[] dead->in;
    if (dead->kind == Kind::op && !dead->computed()) {
      uncount_unevaluated();
      if (dead->update) forget_update(dead);
    }
    release(dead->data.load(std::memory_order_relaxed));
    if (dead->extra && dead->extra->donated) donations.fetch_sub(1, std::memory_order_relaxed);
    delete dead->extra;
    dead->~Node();
    node_memory_back(dead);
    node_count.fetch_sub(1, std::memory_order_relaxed);
  }
}

void drop_operands(Node& n) noexcept {
  Node* kept[3];
  Node** in = n.in;
  const auto arity = n.arity;
  if (in == n.inline_in) {
    std::copy_n(in, arity, kept);
    in = kept;
  }
  n.arity = 0;
  n.kind = Kind::leaf;
  for (std::uint32_t i = 0; i < arity; ++i) drop(in[i], kEdge);
  if (in != kept) delete[] in;
  n.in = n.inline_in;
}

OpScope::OpScope(const char* op_, Loc loc_) : op(op_), loc(loc_), outer(innermost_scope) { innermost_scope = this; }
OpScope::~OpScope() { innermost_scope = outer; }

NoGrad::NoGrad() { ++no_grad_depth; }
NoGrad::~NoGrad() { --no_grad_depth; }

BackwardScope::BackwardScope(const Node& f, bool flag) : forward(&f), backward(flag), outer(innermost_backward) { innermost_backward = this; }
BackwardScope::~BackwardScope() { innermost_backward = outer; }

Loc user_loc(Loc loc) {
  if (innermost_backward) return innermost_backward->forward->loc;
  for (auto* s = innermost_scope; s; s = s->outer) loc = s->loc;
  return loc;
}

namespace detail {
/// A donated value is no operand of the user's any more. The library's own rebuilding of a graph (always inside a
/// BackwardScope) may still read it: that is the update itself.
void refuse_donated(const Primitive& prim, std::span<const Tensor* const> in, Loc loc) {
  if (donations.load(std::memory_order_relaxed) == 0 || innermost_backward) return;
  for (const Tensor* t : in) {
    const Node& n = *t->node();
    std::lock_guard lock(graph_mutex());
    if (n.extra && n.extra->donated) spent_error(n, prim.name, loc);
  }
}

/// Fills what every new node carries: line, scope, flags inherited from the operands.
void stamp(Node& n, Loc loc) {
  n.loc = user_loc(loc);
  if (Recording::innermost()) Recording::note(&n);
  if (no_grad_depth > 0 && n.tracked) {
    n.tracked = false;
    n.cut = true;
  }
  if (innermost_backward) {
    n.backward = innermost_backward->backward;
    const Node& f = *innermost_backward->forward;
    n.scope = f.scope || f.kind != Kind::op ? f.scope : f.prim->name.data();  // names are literals: they end with a zero
  } else {
    for (auto* s = innermost_scope; s; s = s->outer) n.scope = s->op;
  }
}
}  // namespace detail

std::string describe(const Node& n) {
  std::string s = to_string(n.type) + "  ";
  if (n.extra && !n.extra->name.empty()) s += n.extra->name + "  ";
  const bool was_op = n.kind == Kind::leaf && n.prim && !n.wants_grad;  // computed, and its graph released
  s += was_op ? std::string(n.prim->name)
       : n.kind == Kind::leaf ? (n.wants_grad ? "(parameter)" : "(data)")
       : n.kind == Kind::literal ? "(number)"
                                 : std::string(n.prim->name);
  if (n.scope && (n.kind == Kind::op || was_op) && n.prim->name != n.scope) s += std::string(" of ") + n.scope;
  if (was_op) s += " (computed)";
  if (n.backward) s += " (backward)";
  if (n.loc.line > 0) s += "  at " + to_string(n.loc);
  return s;
}

void spent_error(const Node& n, std::string_view op, Loc loc) {
  if (const Recording* of = Recording::innermost(); of && n.traced)
    throw Error({.op = of->op(), .message = "a value inside the function was asked for: it is traced once for all steps and has no numbers", .where = user_loc(loc),
                 .operands = {describe(n)}, .hint = "return the value, stacked over the steps, and read it there; a choice that depends on it is where(condition, a, b)"});
  if (n.traced)
    throw Error({.op = std::string(op),
                 .message = "a value of a step that is being compiled was asked for: the step is traced, and its arguments have no numbers yet",
                 .where = user_loc(loc), .operands = {describe(n)},
                 .hint = "return the value from the step and read it there; a choice that depends on it is no if, cond or while but "
                         "where(condition, a, b), which holds both; a model that the step changes is an argument of it, not a captured variable"});
  if (n.extra == nullptr || (!n.extra->spent && !n.extra->donated))
    throw Error({.op = std::string(op), .message = "this value is being overwritten by a compiled step that runs in another thread", .where = user_loc(loc),
                 .operands = {describe(n)}, .hint = "one tree belongs to one thread at a time: wait for the step, or give each thread its own tree"});
  const bool donated = n.extra && n.extra->donated;
  const std::string line = to_string(n.extra ? n.extra->spent_at : n.loc);
  throw Error({.op = std::string(op),
               .message = donated ? "this value was donated to the update at " + line + " and is gone"
                                  : "this graph is spent: a parameter it reads has been overwritten by the update at " + line,
               .where = user_loc(loc), .operands = {describe(n)},
               .hint = donated ? "use the trees that the update returned, or pass the old ones without std::move to keep them"
                               : "build the value again from the new parameters, or keep the old ones: hold a second handle, or call backward with "
                                 "{.retain = true}"});
}

Buffer* hold_data(const Node& n) noexcept {
  Buffer* b = n.data.load(std::memory_order_seq_cst);
  if (!b) return nullptr;
  auto refs = b->refs.load(std::memory_order_relaxed);  // headers are kept for ever, so that one that was let go of can be looked at
  do
    if (refs == 0) return nullptr;
  while (!b->refs.compare_exchange_weak(refs, refs + 1, std::memory_order_seq_cst));
  if (n.data.load(std::memory_order_seq_cst) == b) return b;
  release(b);
  return nullptr;
}

Buffer* hold_value(const Node& n, std::string_view op, Loc loc) {
  std::lock_guard lock(graph_mutex());
  Buffer* b = hold_data(n);
  if (!b || (n.extra && n.extra->donated)) {
    release(b);
    spent_error(n, op, loc);
  }
  return b;
}

void donate(Node& n, Loc loc) {
  std::lock_guard lock(graph_mutex());
  if (n.kind == Kind::literal || (n.extra && n.extra->donated)) return;
  Extra& extra = extra_of(n);
  extra.donated = true;
  extra.spent_at = loc;
  donations.fetch_add(1, std::memory_order_relaxed);
}

void mark_update(Node& n) {
  std::lock_guard lock(graph_mutex());
  if (n.kind != Kind::op || n.update || n.computed()) return;
  n.update = true;
  if (n.traced) return;  // runs with its step only
  pending_updates().push_back({&n, this_thread()});
}

void postpone_updates(std::span<const Tensor> failed) {
  std::lock_guard lock(graph_mutex());
  std::erase_if(pending_updates(), [&](const Pending& p) { return std::ranges::any_of(failed, [&](const Tensor& t) { return t.node() == p.node; }); });
}

void settle_updates() {
  std::lock_guard lock(graph_mutex());
  std::erase_if(pending_updates(), [](const Pending& p) { return p.node->computed(); });
}

Tensors take_pending_updates(std::span<Node* const> wanted) {
  std::lock_guard lock(graph_mutex());
  const auto& pending = pending_updates();
  std::vector<std::uint64_t> threads{0, this_thread()};
  const auto belongs = [&](const Pending& p) { return std::ranges::find(threads, p.thread) != threads.end(); };
  for (;;) {
    Tensors live;
    for (const auto& p : pending)
      if (Node* n = p.node; belongs(p) && !n->running && !(n->extra && n->extra->donated) && handles_of(*n) != 0 && try_share(n))
        live.push_back(Tensor(Tensor::Take{}, n));  // else an older one inside a newer one's graph
    if (std::ranges::all_of(pending, belongs)) return live;
    std::vector<Node*> roots(wanted.begin(), wanted.end());
    for (const auto& t : live) roots.push_back(t.node());
    const Order order = topological_order(roots);
    const auto known = threads.size();
    for (const auto& p : pending)
      if (!belongs(p) && order.find(p.node)) threads.push_back(p.thread);
    if (threads.size() == known) return live;
  }
}

}  // namespace adjoint
