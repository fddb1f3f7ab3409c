// evaluate.cpp: from "this value is wanted" to a computed one: pending updates, binding, publishing.
// Not a planner and not an executor.
#include <chrono>
#include <thread>
#include <unordered_map>

#include "graph/log.hpp"
#include "graph/memory.hpp"
#include "graph/topo.hpp"
#include "graph/updates.hpp"
#include "runtime/executor.hpp"
#include "runtime/plan_cache.hpp"
#include "runtime/pool.hpp"
#include "runtime/verify.hpp"

namespace adjoint {
namespace {

using runtime::Executable;

struct Held {  // buffers, let go of at the end of a scope
  std::vector<Buffer*>& buffers;
  ~Held() { for (auto* b : buffers) release(b); }
};

struct Work {
  std::vector<Node*> roots;
  Order order;
  std::vector<Node*> leaves;
  std::vector<Buffer*> leaf_buffers;
  std::vector<std::int64_t> literals;
  std::vector<char> update, donatable;
  PlanOptions options = plan_options();
  std::shared_ptr<Executable> executable;
};

/// What an evaluation takes for itself while it runs, so that other threads meet a typed error and never a half-written
/// value: the updates in it, which no other evaluation takes along, and the parameters whose buffers it overwrites, which are
/// spent from the moment the plan is chosen. Everything is given back if it fails: the parameters are then the old ones.
class Claim {
 public:
  Claim() = default;
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;
  ~Claim() {
    std::lock_guard lock(graph_mutex());
    for (const auto& t : updates_) t.node()->running = false;
    for (const auto& [node, buffer] : parameters_) {
      Node& n = *node.node();
      n.data.store(buffer, std::memory_order_release);
      n.extra->spent = false;
    }
  }
  void update(Node& n) {
    if (n.running) return;  // another thread's
    n.running = true;
    updates_.push_back(share(&n));
  }
  void parameter(Node& n, Loc by) {
    Extra& extra = extra_of(n);
    extra.spent = true;
    if (!extra.donated) extra.spent_at = by;
    Buffer* buffer = n.data.exchange(nullptr, std::memory_order_acq_rel);
    parameters_.emplace_back(share(&n), buffer);
  }
  std::span<const Tensor> updates() const { return updates_; }
  /// The values are published: the parameters stay spent.
  void keep() {
    for (const auto& [node, buffer] : parameters_) release(buffer);
    parameters_.clear();
  }

 private:
  Tensors updates_;
  std::vector<std::pair<Tensor, Buffer*>> parameters_;
};

/// True for a leaf that nobody holds but the plan itself, or that was donated; never for bytes that someone else reads.
bool may_be_overwritten(const Node& n, const Buffer& b, std::uint32_t edges_in_plan) {
  if (n.kind != Kind::leaf || !b.writable || b.refs.load(std::memory_order_acquire) != 2) return false;  // the leaf's, and ours
  if (n.extra && n.extra->donated) return true;
  return handles_of(n) == 0 && edges_of(n) == edges_in_plan && !(n.extra && n.extra->retained);
}

void bind_inputs(Work& w, Loc loc) {
  bool any_update = false;
  for (char u : w.update) any_update |= u != 0;
  std::unordered_map<const Node*, std::uint32_t> edges;
  if (any_update)
    for (std::size_t i = 0; i < w.order.nodes.size(); ++i)
      for (auto k : w.order.inputs(i))
        if (w.order.inputs(k).empty()) ++edges[w.order.nodes[k]];
  for (Node* n : w.order.nodes) {
    if (n->kind == Kind::literal && !n->computed()) {
      w.literals.push_back(literal_bits(*n));
    } else if (n->arity == 0 || n->computed()) {
      Buffer* b = hold_data(*n);
      if (!b) spent_error(*n, "eval", loc);
      w.donatable.push_back(any_update && may_be_overwritten(*n, *b, edges[n]));
      w.leaves.push_back(n);
      w.leaf_buffers.push_back(b);
    }
  }
}

/// Results become leaves; a value behind which a leaf asked for gradients keeps its graph for backward.
void publish(Work& w, std::vector<Buffer*>& outputs) {
  for (std::size_t k = 0; k < w.roots.size(); ++k) {
    Node& n = *w.roots[k];
    Buffer* expected = nullptr;
    if (!n.data.compare_exchange_strong(expected, outputs[k], std::memory_order_acq_rel)) release(outputs[k]);  // another thread was first
    else if (n.kind == Kind::op) uncount_unevaluated();
    if (n.kind == Kind::literal) n.kind = Kind::leaf;
  }
  outputs.clear();
  settle_updates();
  for (Node* root : w.roots) {
    Node& n = *root;
    if (n.kind != Kind::op) continue;
    if (n.update) {
      n.tracked = bool{n.wants_grad};
      n.update = false;
    } else {
      n.released = !n.tracked;
    }
    if (!n.tracked || n.wants_grad) drop_operands(n);
  }
}

/// What the results need that take over no other buffer, or the largest number.
std::size_t result_bytes(const plan::Plan& plan) {
  std::size_t total = 0;
  for (std::size_t k = 0; k < plan.outputs.size(); ++k) {
    const auto& t = plan.outputs[k];
    if (plan.takes_over[k] < 0 && __builtin_add_overflow(total, static_cast<std::size_t>(t.shape.numel()) * size_of(t.dtype), &total))
      return SIZE_MAX;
  }
  return total;
}

/// False, and nothing done, when a value in this graph is an update that another thread computes right now.
bool try_evaluate(std::span<Node* const> wanted, Loc loc) {
  std::unique_lock lock(graph_mutex());
  Work w;
  Tensors held;
  for (Node* n : wanted) {
    if (n->traced || (n->extra && n->extra->donated)) spent_error(*n, "eval", loc);
    if (n->computed()) continue;
    if (n->kind == Kind::leaf) spent_error(*n, "eval", loc);
    w.roots.push_back(n);
    held.push_back(share(n));
  }
  if (w.roots.empty()) return true;  // what is there is read without running anything
  Claim claim;
  for (Node* n : w.roots) {
    w.update.push_back(n->update);
    if (n->update) claim.update(*n);
  }
  const Tensors pending = take_pending_updates(w.roots);  // alive until the end
  for (const auto& t : pending) {
    claim.update(*t.node());
    w.roots.push_back(t.node());
    w.update.push_back(1);
  }
  w.order = topological_order(w.roots);
  const auto running = std::ranges::count_if(w.order.nodes, [](const Node* n) { return n->running; });
  if (static_cast<std::size_t>(running) > claim.updates().size()) return false;
  std::vector<Buffer*> outputs;
  const Held hold_leaves{w.leaf_buffers}, hold_outputs{outputs};
  bind_inputs(w, loc);
  w.executable = runtime::find_plan({w.order, w.update, w.donatable, w.options});
  const auto& plan = w.executable->plan();
  for (std::size_t k = 0; k < plan.takes_over.size(); ++k)
    if (plan.takes_over[k] >= 0) claim.parameter(*w.leaves[static_cast<std::size_t>(plan.takes_over[k])], w.roots[k]->loc);
  std::optional<runtime::Interpreter> reference;
  if (runtime::verification_due(w.executable->verify_count)) reference.emplace(w.order);
  lock.unlock();
  need_memory(result_bytes(plan), "a value", "eval", loc);

  for (std::size_t k = 0; k < plan.outputs.size(); ++k) {
    const auto& t = plan.outputs[k];
    if (plan.takes_over[k] >= 0) {
      outputs.push_back(w.leaf_buffers[static_cast<std::size_t>(plan.takes_over[k])]);
      retain(outputs.back());
    } else {
      outputs.push_back(new_buffer(static_cast<std::size_t>(t.shape.numel()) * size_of(t.dtype)));
    }
  }
  std::optional<runtime::Verification> verification;
  if (reference) verification.emplace(*reference, plan, w.leaf_buffers, w.literals);
  const auto failure = w.executable->run(w.leaf_buffers, w.literals, outputs, loc);
  if (const auto fault = verification ? verification->fault(outputs, failure.what) : std::nullopt) {
    postpone_updates(claim.updates());
    throw Error(*fault);
  }
  lock.lock();
  if (failure.step) {
    // The plan may have been made for an earlier graph of this structure; one made anew has the lines of this one.
    const auto own = plan::make_plan({w.order, w.update, w.donatable, w.options});
    lock.unlock();
    const auto& locs = own.steps[static_cast<std::size_t>(failure.step - plan.steps.data())].locs;
    postpone_updates(claim.updates());
    throw Error({.op = failure.step->name, .message = failure.what, .where = locs.empty() ? user_loc(loc) : locs[0],
                 .hint = "the values asked for were not computed; parameters are unchanged"});
  }
  claim.keep();
  publish(w, outputs);
  return true;
}

}  // namespace

/// Waits for an update that another thread computes and that is needed here; so the caller holds no graph lock.
void evaluate(std::span<Node* const> wanted, Loc loc) {
  while (!try_evaluate(wanted, loc)) std::this_thread::sleep_for(std::chrono::microseconds(50));
}

void eval(std::span<const Tensor> values, Loc loc) {
  std::vector<Node*> nodes;
  for (const auto& t : values) {
    t.type(loc);
    nodes.push_back(t.node());
  }
  evaluate(nodes, loc);
}
void eval(const Tensor& value, Loc loc) { eval(std::span(&value, 1), loc); }

void set_threads(int n, Loc loc) {
  if (n < 1) throw Error({.op = "set_threads", .message = "cannot use " + std::to_string(n) + " threads", .where = user_loc(loc), .hint = "give 1 or more"});
  runtime::set_threads(n);
}
int threads() { return runtime::threads(); }

Tensor Tensor::detach(Loc loc) const {
  type(loc);
  if (!node_->computed()) eval(*this, loc);
  return leaf(node_->type, hold_value(*node_, "detach", loc), where());
}

double Tensor::item(Loc loc) const {
  if (numel(loc) != 1)
    throw Error({.op = "item", .message = "needs a tensor of one element, got " + to_string(type()), .where = user_loc(loc),
                 .operands = {describe(*node_)}, .hint = "use to_vector, or reduce it first"});
  double v = 0;
  copy_out(&v, DType::f64, loc);
  return v;
}

Tensor cast(const Arg& x, DType dtype);  // declared by the operations' headers

void Tensor::copy_out(void* out, DType as, Loc loc) const {
  const Tensor t = dtype(loc) == as ? *this : cast(Arg(*this, loc), as);
  std::vector<Node*> nodes{t.node_};
  if (t.node_ != node_ && node_->kind == Kind::op) nodes.push_back(node_);  // the value itself is kept too
  evaluate(nodes, loc);
  Buffer* b = hold_value(*t.node_, "copy_out", loc);
  if (const auto bytes = static_cast<std::size_t>(numel()) * size_of(as)) __builtin_memcpy(out, b->data, bytes);
  release(b);
}

}  // namespace adjoint
