// replay.cpp: one run of a trace: leaves are taken or held, memory is bound, the plan runs, and the results become what the step
// made of them. In a steady run nothing is allocated or locked. Not the search for a trace, and no graph.
#include <algorithm>
#include <bit>

#include "graph/topo.hpp"
#include "runtime/interpreter.hpp"
#include "runtime/pool.hpp"
#include "runtime/step.hpp"

namespace adjoint::detail {

using From = Source::From;

namespace {

/// Nobody but the places of the tree that is being changed can see this leaf, so that it may change under its handles.
bool held_alone(const Node& n, std::uint32_t places) {
  return n.kind == Kind::leaf && n.arity == 0 && n.owners.load(std::memory_order_acquire) == places && !(n.extra && (n.extra->retained || n.extra->grad || n.extra->donated));
}

/// Nodes and buffers lie anywhere: so many leaves before they are needed they are asked for.
constexpr std::size_t kAhead = 8;
void ask_for(const Node* n) {
  if (!n) return;
  for (const void* part : {static_cast<const void*>(&n->owners), static_cast<const void*>(&n->type.shape), static_cast<const void*>(&n->kind), static_cast<const void*>(&n->extra)})
    __builtin_prefetch(part);
}

std::size_t bytes_of(const Type& t) { return static_cast<std::size_t>(t.shape.numel()) * size_of(t.dtype); }

Buffer* copy_of(const Buffer& b) {
  Buffer* copy = new_buffer(b.bytes);
  if (b.bytes) __builtin_memcpy(copy->data, b.data, b.bytes);
  return copy;
}

void set_flags(Node& n, const Trace::Output& o) {
  n.wants_grad = n.tracked = o.wants_grad;
  if (o.name.empty() ? n.extra && !n.extra->name.empty() : !n.extra || n.extra->name != o.name) extra_of(n).name = o.name;
}

}  // namespace

/// The run in progress; what it holds is let go of, or put back, when it ends.
struct Replay::Run {
  Instance& i;
  const Trace& t;
  Call& call;
  Loc loc;
  bool done = false;

  Run(Instance& instance, Call& c, Loc l) : i(instance), t(*instance.trace), call(c), loc(l) {}
  ~Run() {
    if (!done) let_go();
  }

  Tensor& place(std::size_t p) const { return *call.tensors[p].tensor; }

  /// Takes or holds all leaves, and binds what lies elsewhere than in the last run. The first leaf for which that could not be
  /// done, or the number of leaves.
  std::size_t claim() {
    for (std::size_t l = 0; l < t.leaves.size(); ++l) {
      if (l + 2 * kAhead < t.leaves.size()) {
        ask_for(place(t.leaves[l + 2 * kAhead].first).node());
        if (const Buffer* b = place(t.leaves[l + kAhead].first).node()->data.load(std::memory_order_relaxed)) __builtin_prefetch(b);
      }
      const Trace::Leaf& leaf = t.leaves[l];
      Instance::Leaf& now = i.leaves[l];
      Node& n = *place(leaf.first).node();
      now.node = &n;
      now.taken = false;
      if (leaf.claimed && held_alone(n, leaf.places)) {
        Buffer* b = n.data.exchange(nullptr, std::memory_order_seq_cst);
        if (!b) return l;
        now.claimed = b;
        if (b->refs.load(std::memory_order_seq_cst) == 1 && b->writable) {
          if (now.home) move_home(now);
        } else {
          Buffer* copy = copy_of(*b);  // someone reads these bytes, or they are the user's: they stay as they are
          now.original = b;
          now.claimed = copy;
        }
      } else if (!(now.held = hold_data(n))) {
        return l;
      }
      bind(leaf, now);
    }
    return t.leaves.size();
  }

  void bind(const Trace::Leaf& leaf, Instance::Leaf& now) {
    Buffer* in = now.claimed ? now.claimed : now.held;
    if (leaf.overwritten_by >= 0) {
      if (!now.claimed) in = copy_of(*in);
      i.outputs[static_cast<std::size_t>(leaf.overwritten_by)] = in;
      now.taken = now.claimed;
    }
    if (leaf.input < 0 || now.bound == in->data) return;
    now.bound = in->data;
    t.executable->bind_leaf(*i.memory, static_cast<std::size_t>(leaf.input), in->data);
    if (leaf.overwritten_by >= 0) t.executable->bind_output(*i.memory, static_cast<std::size_t>(leaf.overwritten_by), in->data);
  }

  static void move_home(Instance::Leaf& leaf) {
    if (leaf.home->bytes) __builtin_memcpy(leaf.home->data, leaf.claimed->data, leaf.home->bytes);
    release(std::exchange(leaf.claimed, std::exchange(leaf.home, nullptr)));
  }

  /// Memory for the outputs that overwrite nothing, and the numbers of this call.
  void prepare() {
    auto& m = *i.memory;
    for (const auto k : t.fresh) {
      const Trace::Output& o = t.outputs[k];
      if (o.ring) from_ring(k);
      else {
        const bool in_place = o.owner >= 0 && i.leaves[static_cast<std::size_t>(o.owner)].claimed;
        i.outputs[k] = in_place && i.spare[k] ? std::exchange(i.spare[k], nullptr) : new_buffer(bytes_of(o.type));
      }
      if (std::byte* at = i.outputs[k]->data; i.bound_outputs[k] != at) t.executable->bind_output(m, k, i.bound_outputs[k] = at);
    }
    for (const auto& v : t.varying)
      m.literals[v.literal] = v.from == Trace::LiteralSource::From::key ? call.keys[v.index]
                              : v.dtype == DType::f64                   ? std::bit_cast<std::int64_t>(i.terms[v.index])
                              : v.dtype == DType::f32                   ? std::bit_cast<std::int32_t>(static_cast<float>(i.terms[v.index]))
                                                                        : bits_of(i.terms[v.index], v.dtype);
  }

  std::vector<Buffer*> inputs() const {
    std::vector<Buffer*> all;
    for (const auto l : t.input_leaf) {
      if (l < 0) {
        all.push_back(i.captured[static_cast<std::size_t>(-1 - l)]);
        continue;
      }
      const auto& now = i.leaves[static_cast<std::size_t>(l)];
      const auto over = t.leaves[static_cast<std::size_t>(l)].overwritten_by;
      all.push_back(over >= 0 ? i.outputs[static_cast<std::size_t>(over)] : now.claimed ? now.claimed : now.held);
    }
    return all;
  }

  /// A result that the caller let go of is used again: its node, its bytes, its handle.
  void from_ring(std::size_t k) {
    Tensor* free = nullptr;
    for (auto& r : i.ring[k]) {
      if (!r) {
        if (!free) free = &r;
        continue;
      }
      const Node& n = *r.node();
      const Buffer* b = n.data.load(std::memory_order_acquire);
      if (held_alone(n, 1) && n.wants_grad == t.outputs[k].wants_grad && b->refs.load(std::memory_order_acquire) == 1) {
        i.values[k] = r;
        i.outputs[k] = n.data.load(std::memory_order_relaxed);
        return;
      }
    }
    if (!free) free = &i.ring[k][i.turn++ % Instance::kRing];
    Buffer* b = new_buffer(bytes_of(t.outputs[k].type));
    *free = leaf(t.outputs[k].type, b, t.outputs[k].loc);
    if (t.outputs[k].wants_grad || !t.outputs[k].name.empty()) set_flags(*free->node(), t.outputs[k]);
    i.values[k] = *free;
    i.outputs[k] = b;
  }

  void execute() {
    std::optional<runtime::Interpreter> reference;
    std::optional<runtime::Verification> verification;
    const std::span literals(i.memory->literals.data(), t.literals.size());
    if (runtime::verification_due(t.executable->verify_count)) {
      const std::lock_guard lock(graph_mutex());
      std::vector<Node*> roots;
      for (const auto& r : t.roots) roots.push_back(r.node());
      reference.emplace(topological_order(roots));
      verification.emplace(*reference, t.executable->plan(), inputs(), literals);
    }
    const runtime::Awake awake;
    const auto failure = t.executable->run(*i.memory);
    if (const auto fault = verification ? verification->fault(i.outputs, failure.what) : std::nullopt) throw Error(*fault);
    if (failure.step) fail(failure);
  }

  /// The plan may have been made for another graph of this structure: one made anew has the lines of this one.
  [[noreturn]] void fail(const runtime::Executable::Failure& failure) const {
    const std::lock_guard lock(graph_mutex());
    std::vector<Node*> roots;
    for (const auto& r : t.roots) roots.push_back(r.node());
    const Order order = topological_order(roots);
    const auto own = plan::make_plan({order, t.update, t.donatable, t.options});
    const auto& locs = own.steps[static_cast<std::size_t>(failure.step - t.executable->plan().steps.data())].locs;
    throw Error({.op = failure.step->name, .message = failure.what, .where = locs.empty() ? user_loc(loc) : locs[0],
                 .hint = "the step was not taken: its trees hold their old values"});
  }

  Tensor fresh_node(std::size_t k) {
    const Trace::Output& o = t.outputs[k];
    Tensor value = leaf(o.type, i.outputs[k], o.loc);
    if (o.owner >= 0) {  // beside the old one, which someone else holds
      const Node& before = *i.leaves[static_cast<std::size_t>(o.owner)].node;
      Node& n = *value.node();
      n.wants_grad = n.tracked = bool{before.wants_grad};
      if (before.extra && !before.extra->name.empty()) extra_of(n).name = before.extra->name;
    } else if (o.wants_grad || !o.name.empty()) {
      set_flags(*value.node(), o);
    }
    return value;
  }

  /// The node of output k, which replaces no leaf, holding its value.
  Tensor settle(std::size_t k) {
    if (const auto input = t.executable->plan().takes_over[k]; input >= 0) {
      const auto l = static_cast<std::size_t>(t.input_leaf[static_cast<std::size_t>(input)]);
      if (Instance::Leaf& now = i.leaves[l]; now.claimed && t.leaves[l].output < 0) {  // of a tree that was given up
        set_flags(*now.node, t.outputs[k]);
        now.node->data.store(i.outputs[k], std::memory_order_release);
        return share(now.node);
      }
    }
    return fresh_node(k);
  }

  void publish() {
    if (t.keeps_old)
      for (std::size_t l = 0; l < t.leaves.size(); ++l) i.old[l] = share(i.leaves[l].node);
    bool handles = t.hands_out;
    for (std::size_t l = 0; l < t.leaves.size(); ++l) {
      Instance::Leaf& now = i.leaves[l];
      if (t.leaves[l].output >= 0) handles |= replace(static_cast<std::size_t>(t.leaves[l].output), now);
      if (now.held) release(std::exchange(now.held, nullptr));
      if (now.original) release(std::exchange(now.original, nullptr));
    }
    for (const auto k : t.unowned) {
      if (!t.outputs[k].ring || t.executable->plan().takes_over[k] >= 0) i.values[k] = settle(k);
      i.outputs[k] = nullptr;
    }
    if (handles) hand_out();
    for (const auto& [number, term] : t.changed_numbers) *call.number_at[number] = Number(i.terms[term]);
    for (std::size_t l = 0; t.gives_up && l < t.leaves.size(); ++l) {
      if (t.leaves[l].given_up) bury(l);
      i.leaves[l].claimed = nullptr;
    }
    done = true;
  }

  /// Output k becomes the value of the leaf that it replaces; true if that needs another node.
  bool replace(std::size_t k, Instance::Leaf& now) {
    Buffer* value = i.outputs[k];
    if (!now.claimed) {
      i.values[k] = fresh_node(k);
      i.outputs[k] = nullptr;
      return true;
    }
    i.outputs[k] = nullptr;
    now.node->data.store(value, std::memory_order_release);
    if (t.outputs[k].returned) i.values[k] = share(now.node);
    if (!now.taken) release(std::exchange(i.spare[k], now.claimed));
    now.claimed = nullptr;
    return false;
  }

  void hand_out() {
    for (std::size_t p = 0; p < t.after.size(); ++p) {
      const Source& s = t.after[p];
      if (s.from == From::leaf) place(p) = i.old[s.index];
      else if (s.from == From::output && i.values[s.index] && place(p).node() != i.values[s.index].node()) place(p) = i.values[s.index];
    }
  }

  bool returned(std::size_t l) const {
    return std::ranges::any_of(t.results, [&](const Source& s) { return s.from == From::leaf && s.index == l; }) ||
           std::ranges::any_of(t.after, [&](const Source& s) { return s.from == From::leaf && s.index == l; });
  }

  /// The handles of a leaf that was given up lead to a value that names the line of this call.
  void bury(std::size_t l) {
    if (t.keeps_old && returned(l)) return;
    Tensor& grave = i.graves[l];
    const Instance::Leaf& now = i.leaves[l];
    if (!grave || grave.node()->extra->spent_at.line != loc.line || grave.node()->extra->spent_at.file != loc.file) {
      grave = leaf(now.node->type, nullptr, now.node->loc);
      if (now.node->extra) extra_of(*grave.node()).name = now.node->extra->name;
      donate(*grave.node(), loc);
    }
    if (!now.taken && handles_of(*now.node) > t.leaves[l].places) donate(*now.node, loc);
    for (std::size_t p = 0; p < t.leaf_of.size(); ++p)
      if (t.leaf_of[p] == static_cast<std::int32_t>(l) && call.tensors[p].give == Give::donate) place(p) = grave;
  }

  void let_go() {
    give_up_outputs();
    for (auto& now : i.leaves) {
      if (now.held) release(std::exchange(now.held, nullptr));
      if (!now.original && !now.claimed) continue;
      Buffer* original = std::exchange(now.original, nullptr);
      if (Buffer* b = std::exchange(now.claimed, nullptr)) {  // the run failed: the old value goes back
        now.node->data.store(original ? original : b, std::memory_order_release);
        if (original) release(b);
      } else {
        release(original);
      }
    }
  }

  void give_up_outputs() {
    for (std::size_t k = 0; k < t.outputs.size(); ++k) {
      Buffer* b = std::exchange(i.outputs[k], nullptr);
      const bool of_ring = i.values[k] && i.values[k].node()->data.load(std::memory_order_relaxed) == b;
      if (b && !of_ring && std::ranges::find(i.leaves, b, &Instance::Leaf::claimed) == i.leaves.end()) release(b);
      i.values[k] = Tensor();
    }
  }
};

Replay::Replay(Step& step, Call& call, Loc loc) : step_(step), call_(call), loc_(loc) {
  const auto& places = call.tensors;
  std::uint64_t a = 1, b = 2;  // what of the tensors belongs to the key of a trace
  for (std::size_t k = 0; k < places.size(); ++k) {
    const auto& p = places[k];
    if (k + kAhead < places.size()) ask_for(places[k + kAhead].tensor->node());
    const Node* n = p.tensor->node();
    std::uint64_t about = 0;
    if (n) {
      std::uint64_t frozen = 0;
      if (n->extra) {
        if (n->extra->donated) spent_error(*n, "compile", loc);
        frozen = n->extra->frozen;
      }
      about = 1 | static_cast<std::uint64_t>(n->type.dtype) << 8 | static_cast<std::uint64_t>(n->type.shape.rank()) << 16 |
              static_cast<std::uint64_t>(p.give) << 24 | static_cast<std::uint64_t>(bool{n->wants_grad}) << 32 | frozen << 33;
      for (const auto d : n->type.shape) about = (about ^ static_cast<std::uint64_t>(d)) * 0x9E3779B97F4A7C15u, about ^= about >> 32;
    }
    a = (a ^ about) * 0x9E3779B97F4A7C15u, a ^= a >> 29;
    b = (b ^ std::rotl(about, 31)) * 0xD6E8FEB86659FD93u, b ^= b >> 32;
  }
  call.setting(a);
  call.setting(b);
  find();
}
Replay::~Replay() {
  if (!instance_) return;
  for (auto& v : instance_->values)
    if (v) v = Tensor();
  if (instance_->trace->keeps_old)
    for (auto& o : instance_->old) o = Tensor();
  step_.give_back(instance_);
}

void Replay::find() { instance_ = step_.take(call_, loc_); }

void Replay::run() {
  if (!instance_)
    throw Error({.op = "compile", .message = "the step compiled at " + to_string(step_.loc()) + " builds another graph each time it is traced",
                 .where = user_loc(loc_), .hint = "a step must not depend on anything that changes by itself, such as a clock"});
  Instance& i = *instance_;
  for (bool again = true; again;) {
    again = false;
    Run run(i, call_, loc_);
    if (const auto l = run.claim(); l < run.t.leaves.size()) {
      const Node& n = *i.leaves[l].node;
      if (n.kind == Kind::leaf && n.arity == 0) spent_error(n, "compile", loc_);
      run.let_go();
      std::vector<Node*> nodes;
      for (const auto& p : call_.tensors)
        if (p.tensor->node() && !p.tensor->node()->computed()) nodes.push_back(p.tensor->node());
      evaluate(nodes, loc_);
      again = true;
      continue;
    }
    run.prepare();
    run.execute();
    run.publish();
  }
}

const void* Replay::prototype() const { return instance_->trace->prototype.get(); }
Tensor Replay::tensor(std::size_t k) {
  const Source& s = instance_->trace->results[k];
  if (s.from == From::output) return instance_->values[s.index];
  if (s.from == From::leaf) return instance_->old[s.index];
  if (s.from == From::constant) return instance_->trace->constants[s.index];
  return Tensor();
}
bool Replay::number(std::size_t k, Number& n) const {
  const auto term = instance_->trace->result_numbers[k];
  if (term == Trace::kTensor) return false;
  n = Number(instance_->terms[term]);
  return true;
}

}  // namespace adjoint::detail
