// replay.cpp: one run of a trace: leaves are taken or held, memory is bound, the plan runs, and the results become what the step
// made of them. In a steady run nothing is allocated or locked. Not the search for a trace, and no graph.
#include <algorithm>

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

std::size_t bytes_of(const Type& t) { return static_cast<std::size_t>(t.shape.numel()) * size_of(t.dtype); }

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
  ~Run() { let_go(); }

  Tensor& place(std::size_t p) const { return *call.tensors[p].tensor; }

  /// The first leaf that could be neither taken nor held, or the number of leaves.
  std::size_t claim() {
    for (std::size_t l = 0; l < t.leaves.size(); ++l) {
      const Trace::Leaf& leaf = t.leaves[l];
      Node& n = *place(leaf.first).node();
      i.node[l] = &n;
      i.taken[l] = 0;
      if (leaf.claimed && held_alone(n, leaf.places)) {
        Buffer* b = n.data.exchange(nullptr, std::memory_order_seq_cst);
        if (!b) return l;
        i.claimed[l] = b;
        if (b->refs.load(std::memory_order_seq_cst) == 1 && b->writable) continue;
        retain(b);  // someone reads these bytes: they stay
        i.claimed[l] = nullptr;
        i.held[l] = b;
        n.data.store(b, std::memory_order_release);
      } else if (!(i.held[l] = hold_data(n))) {
        return l;
      }
    }
    return t.leaves.size();
  }

  Buffer* bytes_of_leaf(std::size_t l) const { return i.claimed[l] ? i.claimed[l] : i.held[l]; }

  void prepare() {
    for (std::size_t k = 0; k < i.inputs.size(); ++k)
      if (const auto l = t.input_leaf[k]; l >= 0) i.inputs[k] = bytes_of_leaf(static_cast<std::size_t>(l));
    const auto& takes_over = t.executable->plan().takes_over;
    for (std::size_t k = 0; k < t.outputs.size(); ++k) {
      const Trace::Output& o = t.outputs[k];
      if (const auto input = takes_over[k]; input >= 0) {
        const auto l = static_cast<std::size_t>(t.input_leaf[static_cast<std::size_t>(input)]);
        if (i.claimed[l]) {
          i.taken[l] = 1;
          i.outputs[k] = i.claimed[l];
        } else {
          i.outputs[k] = new_buffer(bytes_of(o.type));
          if (i.outputs[k]->bytes) __builtin_memcpy(i.outputs[k]->data, i.held[l]->data, i.outputs[k]->bytes);
          i.inputs[static_cast<std::size_t>(input)] = i.outputs[k];
        }
      } else if (o.ring) {
        from_ring(k);
      } else {
        const bool in_place = o.owner >= 0 && i.claimed[static_cast<std::size_t>(o.owner)];
        i.outputs[k] = in_place && i.spare[k] ? std::exchange(i.spare[k], nullptr) : new_buffer(bytes_of(o.type));
      }
    }
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

  void bind() {
    auto& m = *i.memory;
    for (std::size_t k = 0; k < i.inputs.size(); ++k)
      if (std::byte* at = i.inputs[k]->data; i.bound_inputs[k] != at) t.executable->bind_leaf(m, k, i.bound_inputs[k] = at);
    for (std::size_t k = 0; k < i.outputs.size(); ++k)
      if (std::byte* at = i.outputs[k]->data; i.bound_outputs[k] != at) t.executable->bind_output(m, k, i.bound_outputs[k] = at);
    for (const auto& v : t.varying)
      m.literals[v.literal] = v.from == Trace::LiteralSource::From::key ? call.keys[v.index]
                              : v.dtype == DType::f64                   ? std::bit_cast<std::int64_t>(i.terms[v.index])
                              : v.dtype == DType::f32                   ? std::bit_cast<std::int32_t>(static_cast<float>(i.terms[v.index]))
                                                                        : bits_of(i.terms[v.index], v.dtype);
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
      verification.emplace(*reference, t.executable->plan(), i.inputs, literals);
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
      const Node& before = *i.node[static_cast<std::size_t>(o.owner)];
      Node& n = *value.node();
      n.wants_grad = n.tracked = bool{before.wants_grad};
      if (before.extra && !before.extra->name.empty()) extra_of(n).name = before.extra->name;
    } else if (o.wants_grad || !o.name.empty()) {
      set_flags(*value.node(), o);
    }
    return value;
  }

  /// The node of output k, holding its value.
  Tensor settle(std::size_t k) {
    const Trace::Output& o = t.outputs[k];
    Node* n = o.owner >= 0 && i.claimed[static_cast<std::size_t>(o.owner)] ? i.node[static_cast<std::size_t>(o.owner)] : nullptr;
    if (const auto input = t.executable->plan().takes_over[k]; !n && input >= 0) {
      const auto l = static_cast<std::size_t>(t.input_leaf[static_cast<std::size_t>(input)]);
      if (i.claimed[l] && t.leaves[l].output < 0) set_flags(*(n = i.node[l]), o);  // of a tree that was given up
    }
    if (!n) return fresh_node(k);
    n->data.store(i.outputs[k], std::memory_order_release);
    return share(n);
  }

  void publish() {
    if (t.keeps_old)
      for (std::size_t l = 0; l < t.leaves.size(); ++l) i.old[l] = share(i.node[l]);
    for (std::size_t k = 0; k < t.outputs.size(); ++k)
      if (!t.outputs[k].ring || t.executable->plan().takes_over[k] >= 0) i.values[k] = settle(k);
    for (std::size_t k = 0; k < t.outputs.size(); ++k) i.outputs[k] = nullptr;
    for (std::size_t p = 0; p < t.after.size(); ++p) {
      const Source& s = t.after[p];
      if (s.from == From::output) {
        if (place(p).node() != i.values[s.index].node()) place(p) = i.values[s.index];
      } else if (s.from == From::leaf) {
        place(p) = i.old[s.index];
      }
    }
    for (const auto& [number, term] : t.changed_numbers) *call.number_at[number] = Number(i.terms[term]);
    for (std::size_t l = 0; l < t.leaves.size(); ++l) {
      if (t.leaves[l].given_up) bury(l);
      if (!i.claimed[l]) continue;
      if (!i.taken[l]) {
        Buffer*& spare = i.spare[static_cast<std::size_t>(t.leaves[l].output)];
        release(std::exchange(spare, i.claimed[l]));
      }
      i.claimed[l] = nullptr;
    }
    done = true;
  }

  bool returned(std::size_t l) const {
    return std::ranges::any_of(t.results, [&](const Source& s) { return s.from == From::leaf && s.index == l; }) ||
           std::ranges::any_of(t.after, [&](const Source& s) { return s.from == From::leaf && s.index == l; });
  }

  /// The handles of a leaf that was given up lead to a value that names the line of this call.
  void bury(std::size_t l) {
    if (t.keeps_old && returned(l)) return;
    Tensor& grave = i.graves[l];
    if (!grave || grave.node()->extra->spent_at.line != loc.line || grave.node()->extra->spent_at.file != loc.file) {
      grave = leaf(i.node[l]->type, nullptr, i.node[l]->loc);
      if (i.node[l]->extra) extra_of(*grave.node()).name = i.node[l]->extra->name;
      donate(*grave.node(), loc);
    }
    const bool result = i.claimed[l] && i.taken[l];
    if (!result && handles_of(*i.node[l]) > t.leaves[l].places) donate(*i.node[l], loc);
    for (std::size_t p = 0; p < t.leaf_of.size(); ++p)
      if (t.leaf_of[p] == static_cast<std::int32_t>(l) && call.tensors[p].give == Give::donate) place(p) = grave;
  }

  void let_go() {
    for (std::size_t l = 0; l < t.leaves.size(); ++l) {
      if (i.claimed[l] && !done) i.node[l]->data.store(i.claimed[l], std::memory_order_release);
      i.claimed[l] = nullptr;
      if (i.held[l]) release(std::exchange(i.held[l], nullptr));
    }
    if (done) return;
    for (std::size_t k = 0; k < t.outputs.size(); ++k) {
      Buffer* b = std::exchange(i.outputs[k], nullptr);
      i.bound_outputs[k] = nullptr;
      const bool of_ring = i.values[k] && i.values[k].node()->data.load(std::memory_order_relaxed) == b;
      if (b && !of_ring && std::ranges::none_of(i.node, [&](const Node* n) { return n && n->data.load(std::memory_order_relaxed) == b; })) release(b);
      i.values[k] = Tensor();
    }
  }
};

Replay::Replay(Step& step, Call& call, Loc loc) : step_(step), call_(call), loc_(loc) {
  for (const auto& p : call.tensors) {
    const Node* n = p.tensor->node();
    if (!n) {
      call.setting(0);
      continue;
    }
    std::uint64_t flags = 0;
    if (n->extra) {
      if (n->extra->donated) spent_error(*n, "compile", loc);
      flags = n->extra->frozen;
    }
    call.setting(1 | static_cast<std::uint64_t>(n->type.dtype) << 8 | static_cast<std::uint64_t>(n->type.shape.rank()) << 16 |
                 static_cast<std::uint64_t>(p.give) << 24 | static_cast<std::uint64_t>(bool{n->wants_grad}) << 32 | flags << 33);
    for (const auto d : n->type.shape) call.setting(static_cast<std::uint64_t>(d));
  }
  find();
}
Replay::~Replay() {
  if (!instance_) return;
  for (auto& v : instance_->values) v = Tensor();
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
      const Node& n = *i.node[l];
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
    run.bind();
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
