// step.cpp: which trace fits a call, and the bounded store of traces and their memory. Not tracing and not running.
#include "runtime/step.hpp"

#include <algorithm>

#include "graph/node.hpp"

namespace adjoint::detail {
namespace {

struct Calls {
  std::vector<std::unique_ptr<Call>> all;
  std::size_t depth = 0;
};
Calls& calls() {
  thread_local Calls c;
  return c;
}

/// Equal nodes at equal places: looked at only where a node is another one than in the last run.
bool same_pattern(Instance& i, const Call& call) {
  const auto& leaf_of = i.trace->leaf_of;
  const std::size_t n = call.tensors.size();
  if (n != leaf_of.size()) return false;
  for (std::size_t p = 0; p < n; ++p) {
    const Node* node = call.tensors[p].tensor->node();
    if (node == i.last[p]) continue;
    for (std::size_t q = 0; node && q < n; ++q)
      if (q != p && (call.tensors[q].tensor->node() == node) != (leaf_of[q] == leaf_of[p])) return false;
  }
  for (std::size_t p = 0; p < n; ++p) i.last[p] = call.tensors[p].tensor->node();
  return true;
}

bool fits(Instance& i, const Call& call) {
  const Trace& t = *i.trace;
  if (t.a != call.a || t.b != call.b || !same_pattern(i, call)) return false;
  t.tape.evaluate(call.numbers, i.terms);
  return t.tape.holds(i.terms);
}

}  // namespace

void Call::clear() {
  a = 0x243F6A8885A308D3ull, b = 0x13198A2E03707344ull;
  tensors.clear();
  numbers.clear();
  number_at.clear();
  keys.clear();
  number_traced = false;
}
bool Call::traced() const {
  return number_traced || std::ranges::any_of(tensors, [](const Place& p) { return p.tensor->node() && p.tensor->node()->traced; });
}

static Call& next_call() {
  auto& c = calls();
  if (c.depth == c.all.size()) c.all.push_back(std::make_unique<Call>());
  Call& call = *c.all[c.depth++];
  call.clear();
  return call;
}
CallScope::CallScope() : call(next_call()) {}
CallScope::~CallScope() { --calls().depth; }

Trace::~Trace() = default;

Instance::Instance(std::shared_ptr<Trace> t, Loc loc) : trace(std::move(t)), memory(trace->executable->make_instance(loc)) {
  const auto leaves = trace->leaves.size(), outs = trace->outputs.size();
  std::ranges::copy(trace->literals, memory->literals.begin());
  last.assign(trace->leaf_of.size(), nullptr);
  node.assign(leaves, nullptr);
  claimed.assign(leaves, nullptr), held.assign(leaves, nullptr), original.assign(leaves, nullptr), taken.assign(leaves, 0);
  inputs.assign(trace->input_leaf.size(), nullptr);
  bound_inputs.assign(inputs.size(), nullptr);
  outputs.assign(outs, nullptr), spare.assign(outs, nullptr), bound_outputs.assign(outs, nullptr);
  ring.resize(outs), values.resize(outs);
  old.resize(leaves), graves.resize(leaves);
  terms.assign(trace->tape.terms.size(), 0);
  for (const auto& c : trace->captured) captured.push_back(hold_value(*c.node(), "compile", loc));
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (const auto l = trace->input_leaf[i]; l < 0) inputs[i] = captured[static_cast<std::size_t>(-1 - l)];
}
Instance::~Instance() {
  for (auto* b : captured) release(b);
  for (auto* b : spare) release(b);
}

Step::~Step() {
  for (auto& s : slots_) delete s.load();
}

Instance* Step::take(const Call& call, Loc loc) {
  const auto now = clock_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (Instance* i = slot(call.a).exchange(nullptr, std::memory_order_acq_rel)) {
    if (fits(*i, call)) {
      i->trace->used.store(now, std::memory_order_relaxed);
      return i;
    }
    const std::lock_guard lock(mutex_);
    idle_.emplace_back(i);
  }
  const std::lock_guard lock(mutex_);
  for (const auto& trace : traces_) {
    if (trace->a != call.a || trace->b != call.b) continue;
    std::unique_ptr<Instance> i;
    if (const auto it = std::ranges::find_if(idle_, [&](const auto& x) { return x->trace == trace; }); it != idle_.end()) {
      i = std::move(*it);
      idle_.erase(it);
    } else {
      i = std::make_unique<Instance>(trace, loc);
    }
    if (fits(*i, call)) {
      trace->used.store(now, std::memory_order_relaxed);
      return i.release();
    }
    idle_.push_back(std::move(i));
  }
  return nullptr;
}

void Step::give_back(Instance* instance) {
  Instance* other = slot(instance->trace->a).exchange(instance, std::memory_order_acq_rel);
  if (!other) return;
  const std::lock_guard lock(mutex_);
  std::unique_ptr<Instance> mine(other);
  if (std::ranges::find(traces_, mine->trace) != traces_.end()) idle_.push_back(std::move(mine));
}

void Step::add(std::shared_ptr<Trace> trace) {
  const std::lock_guard lock(mutex_);
  trace->used.store(clock_.fetch_add(1, std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  traces_.push_back(std::move(trace));
  ++made_;
  evict();
}

void Step::evict() {
  while (traces_.size() > most_) {
    const auto oldest = std::ranges::min_element(traces_, {}, [](const auto& t) { return t->used.load(std::memory_order_relaxed); });
    std::erase_if(idle_, [&](const auto& i) { return i->trace == *oldest; });
    auto& s = slot((*oldest)->a);
    if (Instance* i = s.exchange(nullptr, std::memory_order_acq_rel)) {
      if (i->trace == *oldest) delete i;
      else if (Instance* newer = s.exchange(i, std::memory_order_acq_rel)) idle_.emplace_back(newer);
    }
    traces_.erase(oldest);
  }
}

void Step::keep(std::size_t most) {
  const std::lock_guard lock(mutex_);
  most_ = most;
  evict();
}
Traces Step::counts() const {
  const std::lock_guard lock(mutex_);
  return {static_cast<std::int64_t>(traces_.size()), made_};
}
std::shared_ptr<Trace> Step::latest() const {
  const std::lock_guard lock(mutex_);
  const auto it = std::ranges::max_element(traces_, {}, [](const auto& t) { return t->used.load(std::memory_order_relaxed); });
  return it == traces_.end() ? nullptr : *it;
}

std::shared_ptr<Step> new_step(const PlanOptions& options, Loc loc) { return std::make_shared<Step>(options, loc); }
void keep_traces(Step& step, std::int64_t most, Loc loc) {
  if (most < 1)
    throw Error({.op = "compile", .message = "cannot keep " + std::to_string(most) + " traces", .where = user_loc(loc), .hint = "give 1 or more"});
  step.keep(static_cast<std::size_t>(most));
}
Traces traces(const Step& step) { return step.counts(); }
PlanReport plan_of(const Step& step, Loc loc) {
  const auto trace = step.latest();
  if (!trace)
    throw Error({.op = "compile", .message = "the step compiled at " + to_string(step.loc()) + " has no plan yet", .where = user_loc(loc),
                 .hint = "call it once: the first call traces and plans it"});
  PlanReport report = explain_plan(trace->roots, trace->options);
  report.decisions = trace->executable->plan().decisions;  // those that run, with what was given up to be overwritten
  return report;
}

}  // namespace adjoint::detail
