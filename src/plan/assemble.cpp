// assemble.cpp: a program in its order becomes steps: kernels prepared, views resolved to strides, fused groups to tile programs.
// Not a pass: what runs, and when, was decided before.
#include <algorithm>
#include <numeric>
#include <optional>
#include <unordered_map>

#include "plan/passes.hpp"
#include "plan/scalar_functions.hpp"
#include "plan/scratch.hpp"

namespace adjoint::plan {
namespace {

struct Located {  // where a value lies
  std::uint32_t slot = 0, value = 0;  // value: whose bytes these are
  Strided view = {};                  // offset in elements
  bool known = false;
};

Operand operand_of(const Located& at, DType dtype) {
  Operand o;
  o.slot = at.slot;
  o.value = at.value;
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

/// The group's instructions, its operands in the order in which they are first read, and its results.
struct Fused {
  Shape space;
  TileProgram program = {};
  Step step = {};
  std::unordered_map<std::uint32_t, std::uint16_t> reg = {};  // of members
};

class Assembler {
 public:
  Assembler(const Program& program, bool runnable) : p_(program), runnable_(runnable), at_(program.values.size()), used_outside_(program.values.size(), 0), copies_(static_cast<std::uint32_t>(program.values.size())) {
    plan_.nodes = static_cast<std::int64_t>(p_.values.size());
    plan_.literals = p_.literals;
    plan_.constants = p_.constants;
    plan_.leaves = p_.leaves;
    for (std::uint32_t i = 0; i < p_.values.size(); ++i)
      for (auto k : p_.in(i))
        if (!p_.is_view(i) && !p_.together(i, k)) used_outside_[p_.storage(k)] = 1;
    for (auto r : p_.roots) used_outside_[p_.storage(r)] = 1;
  }

  Plan run(const Schedule& schedule) {
    assign_outputs();
    for (const auto& u : schedule.units) {
      const auto members = schedule.of(u);
      if (p_.values[members[0]].group >= 0) emit_fused(members);
      else emit_single(members[0]);
    }
    copy_remaining_outputs();
    mark_updates();
    lifetimes();
    return std::move(plan_);
  }

 private:
  const Node& node(std::uint32_t i) const { return *p_.values[i].node; }

  std::uint32_t slot(Place place, std::uint32_t index, std::int64_t bytes) {
    plan_.slots.push_back({place, index, 0, bytes, static_cast<std::int32_t>(1) << 30, -1});
    return static_cast<std::uint32_t>(plan_.slots.size() - 1);
  }

  void assign_outputs() {
    for (std::uint32_t k = 0; k < p_.roots.size(); ++k) {
      plan_.outputs.push_back(p_.type(p_.roots[k]));
      plan_.takes_over.push_back(-1);
      const auto whole = written_as(p_.roots[k]);
      if (!whole || output_of_.contains(*whole)) continue;  // copied at the end
      output_of_[*whole] = k;
    }
  }

  /// The value whose result, written row by row, is value i: i itself, or what i is only another shape of.
  std::optional<std::uint32_t> written_as(std::uint32_t i) const {
    std::vector<std::uint32_t> views;
    for (; p_.is_view(i); i = p_.in(i)[0]) views.push_back(i);
    if (!p_.is_op(i)) return std::nullopt;
    Strided at = contiguous_strides(p_.type(i).shape);
    for (; !views.empty(); views.pop_back()) {
      const Node& n = node(views.back());
      const auto next = n.prim->alias(n, at);
      if (!next || next->offset != 0 || next->shape.numel() != at.shape.numel()) return std::nullopt;
      at = *next;
    }
    const Strided rows = contiguous_strides(at.shape);
    for (std::size_t k = 0; k < at.shape.size(); ++k)
      if (at.shape[k] != 1 && at.strides[k] != rows.strides[k]) return std::nullopt;
    return i;
  }

  /// A fresh slot for the result of value i: an output's buffer if it is one, else arena.
  Located result(std::uint32_t i) {
    const auto out = output_of_.find(i);
    const auto s = out != output_of_.end() ? slot(Place::output, out->second, p_.bytes(i)) : slot(Place::arena, 0, p_.bytes(i));
    return at_[i] = {s, i, contiguous_strides(p_.type(i).shape), true};
  }

  /// Where value i lies; inputs and views are found on the way, without recursion.
  const Located& located(std::uint32_t i) {
    std::vector<std::uint32_t> views;
    auto at = i;
    for (; !at_[at].known && p_.is_view(at); at = p_.in(at)[0]) views.push_back(at);
    if (!at_[at].known) at_[at] = input(at);
    for (; !views.empty(); views.pop_back()) at_[views.back()] = viewed(views.back());
    return at_[i];
  }

  Located input(std::uint32_t i) {
    const Value& v = p_.values[i];
    if (v.role == Role::op) throw Error({.op = "plan", .message = describe(node(i)) + " is read before it runs: fault of the pass that made the order"});
    const Type& type = p_.type(i);
    if (v.role == Role::leaf) return {slot(Place::leaf, v.number, p_.bytes(i)), i, contiguous_strides(type.shape), true};
    Strided s{type.shape, type.shape, 0};
    for (auto& stride : s.strides) stride = 0;
    return {slot(Place::literal, v.number, 8), i, s, true};
  }

  Located viewed(std::uint32_t i) {
    const Node& n = node(i);
    const auto k = p_.in(i)[0];
    Located from = at_[k];
    auto view = n.prim->alias(n, from.view);
    if (!view) {
      from = materialised(from, p_.type(k), n);
      view = n.prim->alias(n, from.view);
    }
    return {from.slot, from.value, *view, true};
  }

  Located materialised(const Located& from, const Type& type, const Node& n) {
    const auto bytes = type.shape.numel() * static_cast<std::int64_t>(size_of(type.dtype));
    Located to{slot(Place::arena, 0, bytes), copies_++, contiguous_strides(type.shape), true};
    add_copy(from, to, type, n);
    return to;
  }

  void add_copy(const Located& from, const Located& to, const Type& type, const Node& n) {
    const Kernel* copy = find_kernel("copy");
    Step step{.name = "copy", .locs = {n.loc}, .backward = n.backward};
    step.in = {operand_of(from, type.dtype)};
    step.out = {operand_of(to, type.dtype)};
    step.out[0].backward = n.backward;
    if (runnable_) step.run = copy->prepare({Attrs(), std::span(&step.in[0].view, 1), step.out[0].view});
    plan_.steps.push_back(std::move(step));
  }

  void emit_single(std::uint32_t i) {
    const Node& n = node(i);
    const Kernel* kernel = find_kernel(n.prim->name);
    if (!kernel) no_kernel(n);
    const Wants* wants = find_wants(n.prim->name);
    Step step{.name = std::string(n.prim->name), .locs = {n.loc}};
    for (auto k : p_.in(i)) {
      const Type& type = p_.type(k);
      Operand o = operand_of(located(k), type.dtype);
      const bool as_it_is = kernel->strided || (wants && wants->number(n.attrs, step.in.size()));
      if (!as_it_is && !o.view.contiguous()) o = operand_of(materialised(at_[k], type, n), type.dtype);
      step.in.push_back(o);
    }
    step.out = {operand_of(result(i), n.type.dtype)};
    step.out[0].backward = p_.values[i].backward;
    std::vector<View> views;
    for (auto& o : step.in) views.push_back(o.view);
    const StepInfo info{n.attrs, views, step.out[0].view};
    if (wants) add_scratch(step, wants->scratch(info)), step.detail = wants->detail(n.attrs);
    if (runnable_) {
      step.run = kernel->prepare(info);
      if (!step.run) no_kernel(n);
    }
    if (kernel->flops) step.flops = kernel->flops(info);
    step.backward = p_.values[i].backward;
    step.again = p_.values[i].again;
    step.checks = kernel->checks;
    plan_.steps.push_back(std::move(step));
  }

  /// Bytes of the arena that are the kernel's own while it runs: behind its result.
  void add_scratch(Step& step, std::int64_t bytes) {
    Operand o{.slot = slot(Place::arena, 0, bytes), .value = copies_++};
    o.view = contiguous_view(nullptr, DType::u8, &bytes, 1);
    step.out.push_back(o);
  }

  /// The register that holds operand k of user i: a member's own, or one that is loaded.
  std::uint16_t load(Fused& f, std::uint32_t i, std::uint32_t k) {
    if (p_.together(i, k)) return f.reg.at(p_.storage(k));
    const bool row = p_.values[i].row && !p_.is_row_reduction(i);
    const Operand o = port(f, operand_of(located(k), p_.type(k).dtype), row);
    for (std::size_t j = 0; j < f.step.in.size(); ++j) {
      const Operand& other = f.step.in[j];
      if (other.slot == o.slot && other.byte_offset == o.byte_offset && other.view.strides == o.view.strides && other.view.dtype == o.view.dtype &&
          f.program.inputs[j].row == row)
        return f.program.inputs[j].reg;
    }
    const std::uint16_t r = f.program.registers++;
    f.program.inputs.push_back({r, o.view.dtype, row});
    f.step.in.push_back(o);
    return r;
  }

  /// The operand over the axes of the group's space: one that has an element a row does not move along the last axis.
  static Operand port(const Fused& f, Operand o, bool row) {
    if (!row) return o;
    o.view.rank = f.space.rank();
    const auto last = f.space.size() - 1;
    o.view.shape[last] = f.space[last];
    o.view.strides[last] = 0;
    return o;
  }

  /// A result that is joined over the rows, or over all elements, of the register that holds its operand.
  void add_join(Fused& f, std::uint32_t i) {
    const Node& n = node(i);
    const Join join = p_.join_of(i);
    f.program.outputs.push_back({f.reg.at(p_.in(i)[0]), n.type.dtype, false, join, reduction_of(*n.prim)});
    Operand o = operand_of(result(i), n.type.dtype);
    o.view.rank = f.space.rank();
    const auto last = f.space.size() - 1;
    for (std::size_t k = 0; k < f.space.size(); ++k) o.view.shape[k] = f.space[k], o.view.strides[k] = join == Join::columns && k == last ? 1 : 0;
    o.backward = p_.values[i].backward;
    f.step.out.push_back(o);
    f.step.locs.push_back(n.loc);
    if (f.step.name.size() < 160) f.step.name += "+" + std::string(n.prim->name);
  }

  void add_instruction(Fused& f, std::uint32_t i) {
    const Node& n = node(i);
    const auto inputs = p_.in(i);
    TileInstruction ins;
    ins.dtype = n.type.dtype;
    ins.src = p_.type(inputs.back()).dtype;
    if (ins.reduction = reduction_of(*n.prim); ins.reduction == RowReduction::none) {
      const int op = find_scalar_function(n.prim->name);
      if (op < 0 || !(scalar_function(op).types & dtype_bit(ins.src))) no_kernel(n);
      ins.op = static_cast<std::uint16_t>(op);
    }
    std::uint16_t* from[] = {&ins.a, &ins.b, &ins.c};
    for (std::size_t k = 0; k < inputs.size() && k < 3; ++k) *from[k] = load(f, i, inputs[k]);
    ins.dst = f.program.registers++;
    f.reg[i] = ins.dst;
    f.program.instructions.push_back(ins);
    f.step.locs.push_back(n.loc);
    if (f.step.name.size() < 160) f.step.name += (f.step.name.empty() ? "" : "+") + std::string(n.prim->name);
  }

  /// The index space of a group: that of its elements.
  const Shape& space_of(std::span<const std::uint32_t> members) const {
    const auto element = std::ranges::find_if(members, [&](auto i) { return !p_.values[i].row && !p_.values[i].join; });
    return p_.type(element == members.end() ? members[0] : *element).shape;
  }

  void emit_fused(std::span<const std::uint32_t> members) {
    Fused f{.space = space_of(members)};
    f.step.backward = f.step.again = f.step.fused = true;
    for (auto i : members) {
      f.step.backward &= p_.values[i].backward;
      f.step.again &= p_.values[i].again;
      if (!p_.values[i].join) add_instruction(f, i);
    }
    for (auto i : members)
      if (p_.values[i].join) {
        add_join(f, i);
      } else if (used_outside_[i]) {
        const bool row = p_.values[i].row;
        f.program.outputs.push_back({f.reg[i], p_.type(i).dtype, row});
        f.step.out.push_back(port(f, operand_of(result(i), p_.type(i).dtype), row));
        f.step.out.back().backward = p_.values[i].backward;
      }
    note_touches(f.step, f.program);
    collapse(f.step, f.space, f.program);
    plan_.steps.push_back(std::move(f.step));
  }

  static void note_touches(Step& step, const TileProgram& program) {
    const auto& list = program.instructions;
    for (std::int32_t k = 0; k < static_cast<std::int32_t>(list.size()); ++k) {
      const auto& i = list[static_cast<std::size_t>(k)];
      const std::uint16_t from[] = {i.a, i.b, i.c};
      const int arity = i.reduction != RowReduction::none ? 1 : scalar_function(i.op).arity;
      for (int a = 0; a < arity; ++a)
        for (std::size_t j = 0; j < step.in.size(); ++j)
          if (program.inputs[j].reg == from[a]) step.in[j].touched = k;
      for (std::size_t j = 0; j < step.out.size(); ++j)
        if (program.outputs[j].reg == i.dst || program.outputs[j].join != Join::none) step.out[j].touched = k;
    }
  }

  /// Axes that lie alike in every operand are one, so that the executor sees as few as possible; by rows the last one stays by itself.
  struct Joined {
    Shape shape;
    std::vector<std::array<std::int64_t, kMaxRank>> strides;  // of each operand
  };
  static Joined join_axes(const Shape& shape, std::span<Operand* const> all, bool by_rows) {
    Joined j{{}, std::vector<std::array<std::int64_t, kMaxRank>>(all.size())};
    for (std::size_t k = 0; k < shape.size(); ++k) {
      const bool row = by_rows && k + 1 == shape.size();
      if (shape[k] == 1 && !row) continue;
      const auto last = static_cast<std::size_t>(j.shape.rank() - 1);
      bool fits = j.shape.rank() > 0 && !row;
      for (std::size_t o = 0; fits && o < all.size(); ++o) fits = j.strides[o][last] == all[o]->view.strides[k] * shape[k];
      if (fits) j.shape[last] *= shape[k];
      else j.shape.push_back(shape[k]);
      for (std::size_t o = 0; o < all.size(); ++o) j.strides[o][static_cast<std::size_t>(j.shape.rank() - 1)] = all[o]->view.strides[k];
    }
    return j;
  }

  void collapse(Step& step, const Shape& shape, const TileProgram& program) {
    std::vector<Operand*> all;
    for (auto& o : step.in) all.push_back(&o);
    for (auto& o : step.out) all.push_back(&o);
    Joined joined = join_axes(shape, all, program.by_rows());
    if (program.joins() && !rows_matter(program))
      if (auto flat = join_axes(shape, all, false); flat.shape.rank() == 1) joined = split_axis(flat);
    for (std::size_t j = 0; j < all.size(); ++j) {
      all[j]->view.rank = joined.shape.rank();
      all[j]->view.strides = joined.strides[j];
      for (std::size_t k = 0; k < joined.shape.size(); ++k) all[j]->view.shape[k] = joined.shape[k];
    }
    if (!runnable_) return;
    std::vector<View> views;
    for (const auto* o : all) views.push_back(o->view);
    prepare(step, program, joined.shape, views);
  }

  /// All that is reduced is reduced to one number, for which rows of any length do.
  static bool rows_matter(const TileProgram& program) {
    const auto along = [](const auto& x) { return x.reduction != RowReduction::none; };
    const auto row = [](const TilePort& q) { return q.row || q.join == Join::columns; };
    return std::ranges::any_of(program.instructions, along) || std::ranges::any_of(program.inputs, row) || std::ranges::any_of(program.outputs, row);
  }
  /// One axis becomes rows of as many elements as a sum's blocks hold, or a part of that.
  static Joined split_axis(Joined j) {
    const auto n = j.shape[0], row = n <= kJoinedBlock ? n : std::gcd(n, kJoinedBlock);
    j.shape = {};
    j.shape.push_back(n / row), j.shape.push_back(row);
    for (auto& s : j.strides) s[1] = s[0], s[0] *= row;
    return j;
  }

  /// Equal groups share one program, and what runs it where they lie alike.
  void prepare(Step& step, const TileProgram& program, const Shape& space, std::span<const View> views) {
    std::string key = key_of(program);
    auto& shared = programs_[key];
    if (!shared) shared = std::make_shared<const TileProgram>(program);
    step.program = shared;
    for (const auto n : space) append_bytes(key, n);
    for (const auto& v : views)
      for (int d = 0; d < v.rank; ++d) append_bytes(key, v.strides[static_cast<std::size_t>(d)]);
    auto& run = runs_[key];
    if (!run) run = fused_factory()(program, space.span(), views.first(step.in.size()), views.subspan(step.in.size()));
    step.run = run;
  }

  /// The value whose elements, written row by row, are result i: where i is another shape of a view that would have to be written out
  /// first, that view, so that it is written once.
  std::uint32_t copied_from(std::uint32_t i) {
    if (!p_.is_view(i) || at_[i].known) return i;
    const Node& n = node(i);
    const auto k = p_.in(i)[0];
    if (n.prim->alias(n, located(k).view)) return i;
    const auto rows = n.prim->alias(n, contiguous_strides(p_.type(k).shape));
    const Strided wanted = contiguous_strides(p_.type(i).shape);
    return rows && rows->offset == 0 && rows->shape.numel() == p_.type(k).shape.numel() && std::ranges::equal(rows->strides, wanted.strides) ? k : i;
  }

  void copy_remaining_outputs() {
    for (std::uint32_t k = 0; k < p_.roots.size(); ++k) {
      const auto i = p_.roots[k];
      const auto whole = written_as(i);
      if (const auto it = whole ? output_of_.find(*whole) : output_of_.end(); it != output_of_.end() && it->second == k) continue;
      const auto from = copied_from(i);
      const Type& t = p_.type(from);
      add_copy(located(from), {slot(Place::output, k, p_.bytes(i)), copies_++, contiguous_strides(t.shape), true}, t, node(i));
    }
  }

  /// Steps that write nothing but results of an optimizer.
  void mark_updates() {
    for (auto& step : plan_.steps)
      step.update = std::ranges::all_of(step.out, [&](const Operand& o) {
        const auto& s = plan_.slots[o.slot];
        return s.place == Place::output && p_.update[s.index];
      });
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

  const Program& p_;
  const bool runnable_;
  Plan plan_;
  std::vector<Located> at_;
  std::vector<char> used_outside_;
  std::uint32_t copies_;  // number of the next copy, behind the values
  std::unordered_map<std::uint32_t, std::uint32_t> output_of_;
  std::unordered_map<std::string, std::shared_ptr<const TileProgram>> programs_;
  std::unordered_map<std::string, StepFn> runs_;
};

}  // namespace

Plan assemble(const Program& program, const Schedule& schedule, bool runnable) { return Assembler(program, runnable).run(schedule); }

}  // namespace adjoint::plan
