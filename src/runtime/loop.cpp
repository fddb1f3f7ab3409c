// loop.cpp: the kernels of scan and switch: a body is planned once, like any graph, and its steps run over and over on addresses that were worked out
// before; a step allocates nothing and looks nothing up. What a run needs for itself (addresses, numbers, carries on their way, the
// body's arena) lies in scratch memory that the outer plan places. Not a planner, and no operation's mathematics.
#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "plan/plan.hpp"
#include "plan/scratch.hpp"
#include "transform/branches.hpp"
#include "transform/scan.hpp"

namespace adjoint::runtime {
namespace {

using plan::Place;
using plan::View;

std::int64_t aligned(std::int64_t bytes) { return (bytes + 63) / 64 * 64; }
std::int64_t bytes_of(const Type& t) { return t.shape.numel() * static_cast<std::int64_t>(size_of(t.dtype)); }

/// A planned body: which views look at which input or output.
struct Planned {
  struct Binding {
    std::uint32_t view;
    std::int64_t offset;
  };
  using Bindings = std::vector<std::vector<Binding>>;
  plan::Plan plan;
  std::vector<View> views;                 // of all operands of all steps, in order; those in the arena are relative to it
  std::vector<std::uint32_t> in_arena;     // such views
  std::vector<std::int32_t> number_of;     // of each input: the plan's literal that it is, or -1
  Bindings inputs, outputs, literals;      // literals: of the plan
};

std::shared_ptr<const Planned> planned(const Body& body) {
  std::vector<Node*> roots;
  for (const auto& t : body.outputs) roots.push_back(t.node());
  const Order order = topological_order(roots);
  auto p = std::make_shared<Planned>();
  std::unordered_map<const Node*, std::size_t> input;
  for (std::size_t k = 0; k < body.inputs.size(); ++k) input[body.inputs[k].node()] = k;
  std::vector<std::size_t> leaves;
  p->number_of.assign(body.inputs.size(), -1);
  std::int32_t literals = 0;
  for (const Node* n : order.nodes) {
    if (n->arity != 0 || (n->kind == Kind::op && !n->computed())) continue;
    if (n->kind == Kind::literal) p->number_of[input.at(n)] = literals++;
    else leaves.push_back(input.at(n));
  }
  p->plan = plan::make_plan({order, std::vector<char>(roots.size(), 0), std::vector<char>(leaves.size(), 0), {}});
  p->inputs.resize(body.inputs.size());
  p->outputs.resize(roots.size());
  p->literals.resize(p->plan.literals.size());
  for (const auto& step : p->plan.steps)
    for (const auto* operands : {&step.in, &step.out})
      for (const auto& o : *operands) {
        const auto& slot = p->plan.slots[o.slot];
        const auto view = static_cast<std::uint32_t>(p->views.size());
        p->views.push_back(o.view);
        if (slot.place == Place::arena) {
          p->views.back().data = reinterpret_cast<std::byte*>(slot.offset + o.byte_offset);
          p->in_arena.push_back(view);
        } else {
          auto& list = slot.place == Place::leaf ? p->inputs[leaves[slot.index]] : slot.place == Place::output ? p->outputs[slot.index] : p->literals[slot.index];
          list.push_back({view, o.byte_offset});
        }
      }
  return p;
}

/// Bodies are planned at their first sight. Under the graph lock.
std::shared_ptr<const Planned> find_planned(const Body& body) {
  static auto* known = new std::unordered_map<std::uint64_t, std::shared_ptr<const Planned>>;
  constexpr std::size_t kMost = 512;
  std::lock_guard lock(graph_mutex());
  if (const auto it = known->find(body.hash); it != known->end()) return it->second;
  auto fresh = planned(body);
  if (known->size() >= kMost) known->clear();
  known->emplace(body.hash, fresh);
  return fresh;
}

/// A loop made ready: what changes from step to step, and where it lies.
class Loop {
 public:
  explicit Loop(const Scan& s) : p_(find_planned(*s.body)), length_(s.length), reverse_(s.reverse), carries_(static_cast<std::size_t>(s.carries)), xs_(static_cast<std::size_t>(s.xs)) {
    const auto& body = *s.body;
    std::vector<Type> kept;  // as rows of elements: where they lie is all that matters here
    for (std::size_t k = 0; k < body.outputs.size(); ++k) {
      const Type& t = body.outputs[k].type();
      kept.push_back({{t.shape.numel() * (k < carries_ ? 1 : s.rows(k - carries_))}, t.dtype});
    }
    const Layout layout = layout_of(std::move(kept), "scan", {});
    for (std::size_t k = 0; k < body.inputs.size(); ++k) input_bytes_.push_back(bytes_of(body.inputs[k].type()));
    std::int64_t at = aligned(static_cast<std::int64_t>(p_->views.size() * sizeof(View)));
    literals_at_ = at, at += aligned(static_cast<std::int64_t>(p_->plan.literals.size() * 8));
    for (std::size_t k = 0; k < body.outputs.size(); ++k) {
      Result r{.bytes = bytes_of(body.outputs[k].type()), .part = layout.offsets[k]};
      if (k >= carries_) r.every = s.every[k - carries_];
      if (k < carries_ || r.every > 1) r.spare = at, at += aligned(r.bytes);
      results_.push_back(r);
    }
    arena_at_ = at;
    scratch_ = at + aligned(p_->plan.arena_bytes);
  }

  std::int64_t scratch() const { return scratch_; }
  std::int64_t flops() const {
    std::int64_t total = 0;
    for (const auto& step : p_->plan.steps) total += step.flops;
    return total * length_;
  }

  /// "dot, dot, add+add+tanh", or the number of kernels where there are many.
  std::string steps() const {
    std::string list;
    for (const auto& step : p_->plan.steps) list += (list.empty() ? "" : ", ") + step.name + step.detail;
    constexpr std::size_t kMost = 120;
    return list.size() > kMost ? std::to_string(p_->plan.steps.size()) + " kernels" : list;
  }
  std::string text() const { return " (" + std::to_string(length_) + " times: " + steps() + ')'; }

  const char* run(const View* in, const View* out) const {
    std::byte *bundle = out[0].data, *scratch = out[1].data;
    if (length_ == 0) {
      for (std::size_t k = 0; k < carries_; ++k)
        if (results_[k].bytes > 0) std::memcpy(bundle + results_[k].part, in[k].data, static_cast<std::size_t>(results_[k].bytes));
      return nullptr;
    }
    View* views = reinterpret_cast<View*>(scratch);
    prepare(views, scratch, in);
    for (std::int64_t step = 0; step < length_; ++step) {
      const std::int64_t t = reverse_ ? length_ - 1 - step : step;
      address(views, step, t, in, bundle, scratch);
      const View* v = views;
      for (const auto& s : p_->plan.steps) {
        const View* results = v + s.in.size();
        if (const char* what = s.run(v, results)) return what;
        v = results + s.out.size();
      }
    }
    return nullptr;
  }

 private:
  struct Result {
    std::int64_t bytes = 0, part = 0, spare = -1, every = 1;
  };
  static void bind(View* views, const std::vector<Planned::Binding>& list, std::byte* base) {
    for (const auto& b : list) views[b.view].data = base + b.offset;
  }

  /// What is the same in every step.
  void prepare(View* views, std::byte* scratch, const View* in) const {
    if (!p_->views.empty()) std::memcpy(static_cast<void*>(views), p_->views.data(), p_->views.size() * sizeof(View));
    std::byte* arena = scratch + arena_at_;
    for (auto v : p_->in_arena) views[v].data = arena + reinterpret_cast<std::intptr_t>(views[v].data);
    auto* literals = reinterpret_cast<std::int64_t*>(scratch + literals_at_);
    const auto constants = p_->plan.literals.size() - p_->plan.constants.size();
    std::ranges::copy(p_->plan.constants, literals + constants);
    for (std::size_t k = carries_ + xs_; k < p_->inputs.size(); ++k) {
      bind(views, p_->inputs[k], in[k].data);
      if (const auto n = p_->number_of[k]; n >= 0) {
        literals[n] = 0;
        if (in[k].elements() > 0) std::memcpy(&literals[n], in[k].data, size_of(in[k].dtype));
      }
    }
    for (std::size_t n = 0; n < p_->literals.size(); ++n) bind(views, p_->literals[n], reinterpret_cast<std::byte*>(&literals[n]));
  }

  /// Carries go to and fro between their place in the bundle and a spare one, so that the last step writes into the bundle.
  void address(View* views, std::int64_t step, std::int64_t t, const View* in, std::byte* bundle, std::byte* scratch) const {
    const auto place = [&](const Result& r, std::int64_t after) { return (length_ - after) % 2 == 0 ? bundle + r.part : scratch + r.spare; };
    for (std::size_t k = 0; k < carries_; ++k) {
      bind(views, p_->inputs[k], step == 0 ? in[k].data : place(results_[k], step));
      bind(views, p_->outputs[k], place(results_[k], step + 1));
    }
    for (std::size_t k = carries_; k < carries_ + xs_; ++k) bind(views, p_->inputs[k], in[k].data + t * input_bytes_[k]);
    for (std::size_t k = carries_; k < results_.size(); ++k) {
      const Result& r = results_[k];
      const bool kept = r.every == 1 || step % r.every == 0;
      bind(views, p_->outputs[k], kept ? bundle + r.part + (r.every == 1 ? t : step / r.every) * r.bytes : scratch + r.spare);
    }
  }

  std::shared_ptr<const Planned> p_;
  std::int64_t length_;
  bool reverse_;
  std::size_t carries_, xs_;
  std::vector<std::int64_t> input_bytes_;
  std::vector<Result> results_;
  std::int64_t literals_at_ = 0, arena_at_ = 0, scratch_ = 0;
};

const bool kernel_registered = plan::define_kernel({
    .op = "scan",
    .prepare = [](const plan::StepInfo& info) -> plan::StepFn {
      return [loop = std::make_shared<const Loop>(info.attrs.as<Scan>())](const View* in, const View* out) { return loop->run(in, out); };
    },
    .flops = [](const plan::StepInfo& info) { return Loop(info.attrs.as<Scan>()).flops(); },
});
const bool wants_registered = plan::define_wants({
    .op = "scan",
    .scratch = [](const plan::StepInfo& info) { return Loop(info.attrs.as<Scan>()).scratch(); },
    .detail = [](const Attrs& attrs) { return Loop(attrs.as<Scan>()).text(); },
    .number = [](const Attrs& attrs, std::size_t k) { return attrs.as<Scan>().body->is_number(k); },
});

/// One of several bodies: a loop of one step each, of which one runs.
class Choice {
 public:
  explicit Choice(const Branches& b) {
    for (std::size_t k = 0; k < b.bodies.size(); ++k) {
      loops_.emplace_back(Scan{.body = b.bodies[k], .length = 1, .every = std::vector<std::int64_t>(b.bodies[k]->outputs.size(), 1)});
      first_.push_back(b.first(k));
    }
  }
  std::int64_t scratch() const { return std::ranges::max(loops_, {}, &Loop::scratch).scratch(); }
  std::int64_t flops() const { return std::ranges::max(loops_, {}, &Loop::flops).flops(); }
  std::string text() const {
    std::string all;
    for (const auto& loop : loops_) all += (all.empty() ? " (" : " or ") + loop.steps();
    return all + ')';
  }
  const char* run(const View* in, const View* out) const {
    std::int64_t index = 0;
    switch (in[0].dtype) {
      case DType::i64: std::memcpy(&index, in[0].data, 8); break;
      case DType::i32: index = *reinterpret_cast<const std::int32_t*>(in[0].data); break;
      case DType::i8: index = *reinterpret_cast<const std::int8_t*>(in[0].data); break;
      default: index = *reinterpret_cast<const std::uint8_t*>(in[0].data); break;
    }
    const auto b = static_cast<std::size_t>(std::clamp<std::int64_t>(index, 0, std::ssize(loops_) - 1));
    return loops_[b].run(in + first_[b], out);
  }

 private:
  std::vector<Loop> loops_;
  std::vector<std::size_t> first_;
};

const bool choice_registered = plan::define_kernel({
    .op = "switch",
    .prepare = [](const plan::StepInfo& info) -> plan::StepFn {
      return [choice = std::make_shared<const Choice>(info.attrs.as<Branches>())](const View* in, const View* out) { return choice->run(in, out); };
    },
    .flops = [](const plan::StepInfo& info) { return Choice(info.attrs.as<Branches>()).flops(); },
});
const bool choice_wants_registered = plan::define_wants({
    .op = "switch",
    .scratch = [](const plan::StepInfo& info) { return Choice(info.attrs.as<Branches>()).scratch(); },
    .detail = [](const Attrs& attrs) { return Choice(attrs.as<Branches>()).text(); },
    .number = [](const Attrs& attrs, std::size_t k) {
      const auto& b = attrs.as<Branches>();
      for (std::size_t body = 0; body < b.bodies.size(); ++body)
        if (k >= b.first(body) && k < b.first(body + 1)) return b.bodies[body]->is_number(k - b.first(body));
      return false;
    },
});

}  // namespace
}  // namespace adjoint::runtime
