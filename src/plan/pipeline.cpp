// pipeline.cpp: the list of passes, in order, and the assembly of their results into a Plan.
// Not a pass itself, and not the runner.
#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "plan/plan.hpp"
#include "plan/scalar_functions.hpp"

namespace adjoint::plan {
namespace {

constexpr std::size_t kMostPorts = 64;  // operands and results of a fused group

struct Located {  // where the value of a node lies
  std::uint32_t slot = 0;
  Strided view;   // offset in elements
  bool known = false;
};

Strided contiguous(const Shape& shape) {
  Strided s{shape, shape, 0};
  std::int64_t stride = 1;
  for (std::size_t k = shape.size(); k-- > 0;) s.strides[k] = stride, stride *= shape[k];
  return s;
}

Operand operand_of(const Located& at, DType dtype) {
  Operand o;
  o.slot = at.slot;
  o.byte_offset = at.view.offset * static_cast<std::int64_t>(size_of(dtype));
  o.view.dtype = dtype;
  o.view.rank = at.view.shape.rank();
  for (std::size_t k = 0; k < at.view.shape.size(); ++k) o.view.shape[k] = at.view.shape[k], o.view.strides[k] = at.view.strides[k];
  return o;
}

[[noreturn]] void no_kernel(const Node& n) {
  std::string types;
  for (Node* in : n.operands()) types += (types.empty() ? "" : ", ") + to_string(in->type);
  throw Error({.op = std::string(n.prim->name), .message = "this build has no kernel for (" + types + ")", .where = n.loc,
               .operands = {describe(n)}, .hint = "cast the operands to f32 or f64"});
}

class Builder {
 public:
  Builder(const Request& request, const Order& order) : request_(request), order_(order) {
    plan_.nodes = static_cast<std::int64_t>(order.nodes.size());
    number_inputs();
    same_ = merge_equal(order, constants());
    group_ = fuse(order, same_);
    at_.resize(order.nodes.size());
    mark_used_outside();
  }

  Plan build() {
    assign_outputs();
    for (std::uint32_t i = 0; i < order_.nodes.size(); ++i)
      if (same_[i] == i && group_[i] >= 0) members_[group_[i]].push_back(i);
    for (auto r : order_.roots) emit(same_[r]);
    copy_remaining_outputs();
    updates_last();
    lifetimes();
    reuse_in_place();
    place(plan_);
    return std::move(plan_);
  }

 private:
  bool is_input(std::uint32_t i) const { return order_.nodes[i]->kind != Kind::op || order_.inputs(i).empty(); }

  /// Leaves and literals keep the numbers of the request's order: lowering neither adds nor removes leaves of the
  /// user's graph, and literals that it makes are constants of the plan.
  void number_inputs() {
    std::uint32_t literals = 0;
    for (Node* n : request_.order.nodes) {
      if (n->kind == Kind::literal && !n->computed()) number_[n] = literals++, plan_.literals.push_back(n->type.dtype);
      else if (n->arity == 0 || n->computed()) number_[n] = plan_.leaves++;
    }
  }

  /// constant[i]: node i is a number that lowering made.
  std::vector<char> constants() const {
    std::vector<char> constant;
    for (Node* n : order_.nodes) constant.push_back(n->kind == Kind::literal && !n->computed() && !number_.count(n));
    return constant;
  }

  std::uint32_t slot(Place place, std::uint32_t index, std::int64_t bytes) {
    plan_.slots.push_back({place, index, 0, bytes, static_cast<std::int32_t>(1) << 30, -1});
    return static_cast<std::uint32_t>(plan_.slots.size() - 1);
  }
  static std::int64_t bytes_of(const Type& t) { return t.shape.numel() * static_cast<std::int64_t>(size_of(t.dtype)); }

  void assign_outputs() {
    for (std::uint32_t k = 0; k < order_.roots.size(); ++k) {
      const auto i = same_[order_.roots[k]];
      plan_.outputs.push_back(order_.nodes[i]->type);
      plan_.takes_over.push_back(-1);
      const auto whole = written_as(i);
      if (!whole || output_of_.count(*whole)) continue;  // copied at the end
      output_of_[*whole] = k;
    }
  }

  /// The node whose result, written row by row, is the value of node i: i itself, or what i is only another shape of.
  std::optional<std::uint32_t> written_as(std::uint32_t i) const {
    std::vector<std::uint32_t> views;
    for (; !is_input(i) && order_.nodes[i]->prim->alias; i = same_[order_.inputs(i)[0]]) views.push_back(i);
    if (is_input(i)) return std::nullopt;
    Strided at = contiguous(order_.nodes[i]->type.shape);
    for (; !views.empty(); views.pop_back()) {
      const Node& n = *order_.nodes[views.back()];
      const auto next = n.prim->alias(n, at);
      if (!next || next->offset != 0 || next->shape.numel() != at.shape.numel()) return std::nullopt;
      at = *next;
    }
    const Strided rows = contiguous(at.shape);
    for (std::size_t k = 0; k < at.shape.size(); ++k)
      if (at.shape[k] != 1 && at.strides[k] != rows.strides[k]) return std::nullopt;
    return i;
  }

  /// A fresh slot for the result of node i: an output's buffer if it is one, else arena.
  Located result(std::uint32_t i) {
    const Type& t = order_.nodes[i]->type;
    const auto out = output_of_.find(i);
    const auto s = out != output_of_.end() ? slot(Place::output, out->second, bytes_of(t)) : slot(Place::arena, 0, bytes_of(t));
    return at_[i] = {s, contiguous(t.shape), true};
  }

  /// Makes the steps that node i needs, without recursion: a step is emitted when all that it reads is there.
  void emit(std::uint32_t root) {
    std::vector<std::pair<std::uint32_t, bool>> stack{{root, false}};
    while (!stack.empty()) {
      const auto i = stack.back().first;  // by name: clang 14 captures no structured binding
      const bool ready = stack.back().second;
      stack.pop_back();
      if (at_[i].known) continue;
      if (!ready) {
        stack.push_back({i, true});
        const auto need = [&](std::uint32_t member) {
          const auto inputs = order_.inputs(member);
          for (std::size_t k = inputs.size(); k-- > 0;)
            if (const auto input = same_[inputs[k]]; !at_[input].known && !(group_[i] >= 0 && group_[input] == group_[i]))
              stack.push_back({input, false});
        };
        if (group_[i] >= 0) {
          const auto& members = members_[group_[i]];
          for (std::size_t k = members.size(); k-- > 0;) need(members[k]);
        } else {
          need(i);
        }
      } else if (group_[i] >= 0) emit_group(std::vector(members_[group_[i]]));
      else emit_single(i);
    }
  }

  Located located(std::uint32_t i) const { return at_[same_[i]]; }

  Located materialised(const Located& from, const Type& type, const Node& n) {
    Located to{slot(Place::arena, 0, bytes_of(type)), contiguous(type.shape), true};
    add_copy(from, to, type, n);
    return to;
  }

  void add_copy(const Located& from, const Located& to, const Type& type, const Node& n) {
    const Kernel* copy = find_kernel("copy");
    Step step{.name = "copy", .locs = {n.loc}, .backward = n.backward};
    step.in = {operand_of(from, type.dtype)};
    step.out = {operand_of(to, type.dtype)};
    step.run = copy->prepare({Attrs(), std::span(&step.in[0].view, 1), step.out[0].view});
    plan_.steps.push_back(std::move(step));
  }

  void emit_single(std::uint32_t i) {
    Node& n = *order_.nodes[i];
    if (n.kind == Kind::literal && !n.computed()) {
      Strided v{n.type.shape, n.type.shape, 0};
      for (auto& s : v.strides) s = 0;
      at_[i] = {slot(Place::literal, literal_number(n), 8), v, true};
      return;
    }
    if (is_input(i)) {
      at_[i] = {slot(Place::leaf, number_.at(&n), bytes_of(n.type)), contiguous(n.type.shape), true};
      return;
    }
    const auto inputs = order_.inputs(i);
    if (n.prim->alias) {
      Located from = located(inputs[0]);
      auto view = n.prim->alias(n, from.view);
      if (!view) {
        from = materialised(from, order_.nodes[inputs[0]]->type, n);
        view = n.prim->alias(n, from.view);
      }
      at_[i] = {from.slot, *view, true};
      return;
    }
    const Kernel* kernel = find_kernel(n.prim->name);
    if (!kernel) no_kernel(n);
    Step step{.name = std::string(n.prim->name), .locs = {n.loc}};
    for (auto k : inputs) {
      Located from = located(k);
      const Type& type = order_.nodes[k]->type;
      Operand o = operand_of(from, type.dtype);
      if (!kernel->strided && !o.view.contiguous()) o = operand_of(materialised(from, type, n), type.dtype);
      step.in.push_back(o);
    }
    step.out = {operand_of(result(i), n.type.dtype)};
    std::vector<View> views;
    for (auto& o : step.in) views.push_back(o.view);
    const StepInfo info{n.attrs, views, step.out[0].view};
    step.run = kernel->prepare(info);
    if (!step.run) no_kernel(n);
    if (kernel->flops) step.flops = kernel->flops(info);
    step.backward = n.backward;
    step.update = is_update(i);
    plan_.steps.push_back(std::move(step));
  }

  std::uint32_t literal_number(const Node& n) {
    const auto [it, fresh] = number_.try_emplace(&n, static_cast<std::uint32_t>(plan_.literals.size()));
    if (fresh) {
      plan_.literals.push_back(n.type.dtype);
      plan_.constants.push_back(literal_bits(n));
    }
    return it->second;
  }

  void mark_used_outside() {
    used_outside_.assign(order_.nodes.size(), 0);
    for (std::uint32_t i = 0; i < order_.nodes.size(); ++i)
      if (same_[i] == i)
        for (auto k : order_.inputs(i))
          if (group_[i] < 0 || group_[same_[k]] != group_[i]) used_outside_[same_[k]] = 1;
    for (auto r : order_.roots) used_outside_[same_[r]] = 1;
  }

  bool is_update(std::uint32_t i) const {
    const auto out = output_of_.find(i);
    return out != output_of_.end() && request_.update[out->second];
  }

  /// Operands that the group reads and results that it stores, counted without merging equal operands.
  std::size_t ports(std::span<const std::uint32_t> members) const {
    std::unordered_set<std::uint32_t> read;
    std::size_t stored = 0;
    for (auto i : members) {
      stored += used_outside_[i] != 0;
      for (auto k : order_.inputs(i))
        if (group_[same_[k]] != group_[i]) read.insert(same_[k]);
    }
    return read.size() + stored;
  }

  /// Emits a group, in halves where it has more operands and results than an executor takes. All that it reads is there.
  void emit_group(std::span<const std::uint32_t> members) {
    if (members.size() == 1 || ports(members) <= kMostPorts) return emit_fused(members);
    const auto first = members.first(members.size() / 2), second = members.subspan(members.size() / 2);
    for (auto i : second) group_[i] = static_cast<std::int32_t>(order_.nodes.size() + second[0]);
    for (auto i : second)
      for (auto k : order_.inputs(i))
        if (group_[same_[k]] != group_[i]) used_outside_[same_[k]] = 1;
    emit_group(first);
    emit_group(second);
  }

  void emit_fused(std::span<const std::uint32_t> members) {
    TileProgram program;
    Step step;
    std::unordered_map<std::uint32_t, std::uint16_t> reg;      // of nodes
    std::vector<std::uint16_t> input_reg;
    const auto load = [&](std::uint32_t k) -> std::uint16_t {
      if (const auto it = reg.find(k); it != reg.end()) return it->second;
      const Operand o = operand_of(at_[k], order_.nodes[k]->type.dtype);
      for (std::size_t j = 0; j < step.in.size(); ++j)
        if (step.in[j].slot == o.slot && step.in[j].byte_offset == o.byte_offset && step.in[j].view.strides == o.view.strides &&
            step.in[j].view.dtype == o.view.dtype)
          return reg[k] = input_reg[j];
      const std::uint16_t r = program.registers++;
      program.inputs.push_back({r, o.view.dtype});
      input_reg.push_back(r);
      step.in.push_back(o);
      return reg[k] = r;
    };
    bool update = true;
    step.backward = true;
    for (auto i : members) {
      const Node& n = *order_.nodes[i];
      step.backward &= n.backward;
      TileInstruction ins;
      const int op = find_scalar_function(n.prim->name);
      if (op < 0) no_kernel(n);
      ins.op = static_cast<std::uint16_t>(op);
      ins.dtype = n.type.dtype;
      const auto inputs = order_.inputs(i);
      ins.src = order_.nodes[inputs.back()]->type.dtype;
      const auto types = scalar_function(op).types;
      if (!(types & dtype_bit(ins.src))) no_kernel(n);
      std::uint16_t* from[] = {&ins.a, &ins.b, &ins.c};
      for (std::size_t k = 0; k < inputs.size() && k < 3; ++k) *from[k] = load(same_[inputs[k]]);
      ins.dst = program.registers++;
      reg[i] = ins.dst;
      program.instructions.push_back(ins);
      step.locs.push_back(n.loc);
      if (step.name.size() < 160) step.name += (step.name.empty() ? "" : "+") + std::string(n.prim->name);
    }
    const Shape& shape = order_.nodes[members[0]]->type.shape;
    for (auto i : members)
      if (used_outside_[i]) {
        program.outputs.push_back({reg[i], order_.nodes[i]->type.dtype});
        step.out.push_back(operand_of(result(i), order_.nodes[i]->type.dtype));
        const auto out = output_of_.find(i);
        update &= out != output_of_.end() && request_.update[out->second];
      } else {
        at_[i].known = true;  // lives in a register only
      }
    step.update = update;
    step.fused = true;
    note_touches(step, program);
    collapse(step, shape, program);
    plan_.steps.push_back(std::move(step));
  }

  static void note_touches(Step& step, const TileProgram& program) {
    const auto& list = program.instructions;
    for (std::int32_t k = 0; k < static_cast<std::int32_t>(list.size()); ++k) {
      const auto& i = list[static_cast<std::size_t>(k)];
      const std::uint16_t from[] = {i.a, i.b, i.c};
      for (int a = 0; a < scalar_function(i.op).arity; ++a)
        for (std::size_t j = 0; j < step.in.size(); ++j)
          if (program.inputs[j].reg == from[a]) step.in[j].touched = k;
      for (std::size_t j = 0; j < step.out.size(); ++j)
        if (program.outputs[j].reg == i.dst) step.out[j].touched = k;
    }
  }

  /// Joins axes that lie alike in every operand, so that the executor sees as few as possible.
  static void collapse(Step& step, const Shape& shape, const TileProgram& program) {
    std::vector<Operand*> all;
    for (auto& o : step.in) all.push_back(&o);
    for (auto& o : step.out) all.push_back(&o);
    Shape joined;
    std::vector<std::array<std::int64_t, kMaxRank>> strides(all.size());
    for (std::size_t k = 0; k < shape.size(); ++k) {
      if (shape[k] == 1) continue;
      const auto last = static_cast<std::size_t>(joined.rank() - 1);
      bool fits = joined.rank() > 0;
      for (std::size_t j = 0; fits && j < all.size(); ++j) fits = strides[j][last] == all[j]->view.strides[k] * shape[k];
      if (fits) joined[last] *= shape[k];
      else joined.push_back(shape[k]);
      for (std::size_t j = 0; j < all.size(); ++j) strides[j][static_cast<std::size_t>(joined.rank() - 1)] = all[j]->view.strides[k];
    }
    for (std::size_t j = 0; j < all.size(); ++j) {
      all[j]->view.rank = joined.rank();
      all[j]->view.strides = strides[j];
      for (std::size_t k = 0; k < joined.size(); ++k) all[j]->view.shape[k] = joined[k];
    }
    std::vector<View> views;
    for (const auto* o : all) views.push_back(o->view);
    const std::span<const View> in{views.data(), step.in.size()}, out{views.data() + step.in.size(), step.out.size()};
    step.run = fused_factory()(program, joined.span(), in, out);
  }

  void copy_remaining_outputs() {
    for (std::uint32_t k = 0; k < order_.roots.size(); ++k) {
      const auto i = same_[order_.roots[k]];
      const auto whole = written_as(i);
      if (const auto it = whole ? output_of_.find(*whole) : output_of_.end(); it != output_of_.end() && it->second == k) continue;
      const Type& t = order_.nodes[i]->type;
      add_copy(at_[i], {slot(Place::output, k, bytes_of(t)), contiguous(t.shape), true}, t, *order_.nodes[i]);
    }
  }

  /// Optimizer results overwrite parameters: whatever reads the old ones comes first.
  void updates_last() {
    std::vector<char> read(plan_.slots.size(), 0);
    for (const auto& s : plan_.steps)
      for (const auto& o : s.in) read[o.slot] = 1;
    for (auto& s : plan_.steps)
      for (const auto& o : s.out) s.update = s.update && !read[o.slot];
    std::stable_partition(plan_.steps.begin(), plan_.steps.end(), [](const Step& s) { return !s.update; });  // clang 14 lacks the ranged one
  }

  void lifetimes() {
    for (std::int32_t k = 0; k < static_cast<std::int32_t>(plan_.steps.size()); ++k) {
      const auto touch = [&](const Operand& o) {
        auto& s = plan_.slots[o.slot];
        s.first = std::min(s.first, k);
        s.last = std::max(s.last, k);
      };
      for (const auto& o : plan_.steps[static_cast<std::size_t>(k)].in) touch(o);
      for (const auto& o : plan_.steps[static_cast<std::size_t>(k)].out) touch(o);
    }
  }

  static bool covers(const Operand& a, const Operand& b, const Slot& sa, const Slot& sb) {
    return sa.bytes == sb.bytes && a.byte_offset == 0 && b.byte_offset == 0 && size_of(a.view.dtype) == size_of(b.view.dtype) &&
           a.view.strides == b.view.strides;
  }

  /// A fused group may write over an operand that nobody reads later: arena slots are merged, and an optimizer's result
  /// takes over a parameter's buffer. First over operands that the group has read by then: others cost a copy of each tile.
  void reuse_in_place() {
    std::vector<std::uint32_t> alias(plan_.slots.size());
    for (std::uint32_t s = 0; s < alias.size(); ++s) alias[s] = s;
    for (std::int32_t k = 0; k < static_cast<std::int32_t>(plan_.steps.size()); ++k) {
      auto& step = plan_.steps[static_cast<std::size_t>(k)];
      for (auto& o : step.in) o.slot = alias[o.slot];
      for (auto& o : step.out) o.slot = alias[o.slot];
      if (!step.fused) continue;
      std::vector<std::uint32_t> taken;
      std::vector<char> placed(step.out.size(), 0);
      for (const bool read_by_then : {true, false})
        for (std::size_t o = 0; o < step.out.size(); ++o)
          for (std::size_t i = 0; i < step.in.size() && !placed[o]; ++i)
            if (!read_by_then || step.in[i].touched <= step.out[o].touched) placed[o] = take_over(step, k, step.out[o], step.in[i], taken, alias);
    }
  }
  bool take_over(const Step& step, std::int32_t k, Operand& out, const Operand& in, std::vector<std::uint32_t>& taken, std::vector<std::uint32_t>& alias) {
    auto &to = plan_.slots[out.slot], &from = plan_.slots[in.slot];
    if (!out.view.contiguous() || from.last != k || in.slot == out.slot || std::ranges::find(taken, in.slot) != taken.end()) return false;
    if (!covers(out, in, to, from) || other_readings(step, in)) return false;
    const bool in_arena = to.place == Place::arena && from.place == Place::arena;
    const bool update = to.place == Place::output && from.place == Place::leaf && request_.donatable[from.index] && plan_.takes_over[to.index] < 0 &&
                        request_.update[to.index];
    if (!in_arena && !update) return false;
    taken.push_back(in.slot);
    if (update) {
      plan_.takes_over[to.index] = static_cast<std::int32_t>(from.index);
    } else {
      from.last = to.last;
      to.last = to.first - 1;  // gone: the operand's slot lives on
      alias[out.slot] = in.slot;
      out.slot = in.slot;
    }
    return true;
  }
  /// True if the step also reads the operand's slot in another way (shifted, broadcast).
  static bool other_readings(const Step& step, const Operand& in) {
    return std::ranges::any_of(step.in, [&](const Operand& o) {
      return o.slot == in.slot && (o.byte_offset != in.byte_offset || !(o.view.strides == in.view.strides));
    });
  }

  const Request& request_;
  const Order& order_;
  Plan plan_;
  std::vector<std::uint32_t> same_;
  std::vector<std::int32_t> group_;
  std::vector<Located> at_;
  std::vector<char> used_outside_;
  std::unordered_map<const Node*, std::uint32_t> number_;
  std::unordered_map<std::uint32_t, std::uint32_t> output_of_;
  std::unordered_map<std::int32_t, std::vector<std::uint32_t>> members_;
};

}  // namespace

Plan make_plan(const Request& request) {
  const Tensors roots = lower(request.order);  // first: later passes see only what has kernels
  std::vector<Node*> nodes;
  for (const auto& t : roots) nodes.push_back(t.node());
  const Order order = topological_order(nodes);
  return Builder(request, order).build();  // merge equal, fuse, order, place
}

std::string to_string(const Plan& plan) {
  std::string text;
  const auto operand = [&](const Operand& o) {
    const auto& s = plan.slots[o.slot];
    std::string t(name_of(o.view.dtype));
    t += '[';
    for (int k = 0; k < o.view.rank; ++k) t += (k ? "," : "") + std::to_string(o.view.shape[static_cast<std::size_t>(k)]);
    t += "]@";
    if (s.place == Place::arena) return t + std::to_string(s.offset + o.byte_offset);
    return t + (s.place == Place::leaf ? "leaf" : s.place == Place::literal ? "number" : "out") + std::to_string(s.index);
  };
  for (const auto& s : plan.steps) {
    text += s.name + " (";
    for (std::size_t k = 0; k < s.in.size(); ++k) text += (k ? ", " : "") + operand(s.in[k]);
    text += ") -> ";
    for (std::size_t k = 0; k < s.out.size(); ++k) text += (k ? ", " : "") + operand(s.out[k]);
    if (s.update) text += "  [update]";
    text += '\n';
  }
  return text + "arena " + std::to_string(plan.arena_bytes) + " bytes, live at most " + std::to_string(plan.live_bytes) + '\n';
}

}  // namespace adjoint::plan
