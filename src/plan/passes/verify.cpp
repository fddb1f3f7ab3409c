// verify.cpp: what passes may rely on, held before and after each; and a plan's memory, run in the mind.
// Not a test of values: those are compared with the interpreter's, bit for bit.
#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "plan/passes.hpp"

namespace adjoint::plan {
namespace {

[[noreturn]] void fault(const std::string& message, Loc where = {}) {
  throw Error({.op = "plan", .message = message, .where = where, .hint = "this is a fault of the library and not of your program: please report it"});
}

std::string value_name(const Program& p, std::uint32_t i) { return '%' + std::to_string(i) + ' ' + describe(*p.values[i].node); }

/// Who wrote which bytes of one stretch of memory: the arena, or a leaf's or a result's buffer.
class Memory {
 public:
  struct Owner {
    std::uint32_t value = 0;
    std::int32_t step = -1;  // that wrote it; -1: it was there
  };
  bool untouched() const { return at_.empty(); }
  void write(std::int64_t from, std::int64_t to, Owner owner) {
    if (from >= to) return;
    cut(from), cut(to);
    at_.erase(at_.lower_bound(from), at_.lower_bound(to));
    at_[from] = {to, owner};
  }
  /// The first owner of [from, to) that is not `value`, or null; where nobody wrote, the owner is `nobody`.
  const Owner* other(std::int64_t from, std::int64_t to, std::uint32_t value) const {
    static const Owner nobody{0xFFFFFFFFu, -1};
    auto it = at_.upper_bound(from);
    if (it != at_.begin() && std::prev(it)->second.first > from) --it;
    for (std::int64_t reached = from; reached < to; ++it) {
      if (it == at_.end() || it->first > reached) return &nobody;
      if (it->second.second.value != value) return &it->second.second;
      reached = it->second.first;
    }
    return nullptr;
  }

 private:
  void cut(std::int64_t where) {
    auto it = at_.lower_bound(where);
    if (it == at_.begin() || (it != at_.end() && it->first == where)) return;
    --it;
    if (it->second.first <= where) return;
    at_[where] = it->second;
    it->second.first = where;
  }
  std::map<std::int64_t, std::pair<std::int64_t, Owner>> at_;  // from -> to, owner
};

class Walk {
 public:
  explicit Walk(const Plan& plan) : plan_(plan), leaf_of_(plan.outputs.size(), -1) {
    for (std::size_t k = 0; k < plan.takes_over.size(); ++k) leaf_of_[k] = plan.takes_over[k];
  }

  void run() {
    for (const auto& s : plan_.slots)
      if (s.place == Place::arena && s.last >= s.first && s.bytes > 0 && (s.offset < 0 || s.offset + s.bytes > plan_.arena_bytes))
        fault("a value of " + std::to_string(s.bytes) + " bytes lies at " + std::to_string(s.offset) + " of an arena of " + std::to_string(plan_.arena_bytes));
    for (std::int32_t k = 0; k < static_cast<std::int32_t>(plan_.steps.size()); ++k) step(k);
  }

 private:
  Memory* memory(const Slot& s, std::int64_t& from) {
    from = 0;
    switch (s.place) {
      case Place::arena: from = s.offset; return &arena_;
      case Place::leaf: return &leaves_[s.index];
      case Place::output: return leaf_of_[s.index] >= 0 ? &leaves_[static_cast<std::uint32_t>(leaf_of_[s.index])] : &outputs_[s.index];
      case Place::literal: return nullptr;
    }
    return nullptr;
  }

  void step(std::int32_t k) {
    const Step& step = plan_.steps[static_cast<std::size_t>(k)];
    const Loc where = step.locs.empty() ? Loc{} : step.locs.front();
    const auto name = [&](std::int32_t at) { return "step " + std::to_string(at) + " (" + plan_.steps[static_cast<std::size_t>(at)].name + ')'; };
    for (const auto& o : step.in) {
      const Slot& s = plan_.slots[o.slot];
      std::int64_t from = 0;
      Memory* m = memory(s, from);
      if (!m) continue;
      if (s.place == Place::leaf && seen_.insert(s.index).second && m->untouched()) m->write(0, s.bytes, {o.value, -1});
      const auto* other = m->other(from, from + s.bytes, o.value);
      if (!other) continue;
      fault(other->value == 0xFFFFFFFFu ? name(k) + " reads bytes that nothing has written"
                                        : name(k) + " reads a value that " + (other->step < 0 ? std::string("is not there") : name(other->step) + " has written over"),
            where);
    }
    for (std::size_t a = 0; a < step.out.size(); ++a) {
      for (std::size_t b = 0; b < a; ++b)
        if (overlap(step.out[a], step.out[b])) fault(name(k) + " writes two results to one place", where);
      for (const auto& in : step.in)
        if (overlap(step.out[a], in) && !(step.fused && alike(step.out[a], in)))
          fault(name(k) + " writes over what it reads, which only an elementwise group may do, element for element", where);
    }
    for (const auto& o : step.out) {
      const Slot& s = plan_.slots[o.slot];
      if (s.place == Place::leaf || s.place == Place::literal) fault(name(k) + " writes over data that the run brings along", where);
      std::int64_t from = 0;
      memory(s, from)->write(from, from + s.bytes, {o.value, k});
    }
  }

  bool overlap(const Operand& a, const Operand& b) {
    const Slot &x = plan_.slots[a.slot], &y = plan_.slots[b.slot];
    std::int64_t from_x = 0, from_y = 0;
    const Memory* m = memory(x, from_x);
    return m && m == memory(y, from_y) && from_x < from_y + y.bytes && from_y < from_x + x.bytes;
  }
  /// The same elements at the same addresses.
  bool alike(const Operand& a, const Operand& b) {
    const Slot &x = plan_.slots[a.slot], &y = plan_.slots[b.slot];
    std::int64_t from_x = 0, from_y = 0;
    memory(x, from_x), memory(y, from_y);
    return from_x + a.byte_offset == from_y + b.byte_offset && a.view.strides == b.view.strides && size_of(a.view.dtype) == size_of(b.view.dtype);
  }

  const Plan& plan_;
  std::vector<std::int32_t> leaf_of_;  // the leaf whose buffer an output takes, or -1
  Memory arena_;
  std::map<std::uint32_t, Memory> leaves_, outputs_;
  std::set<std::uint32_t> seen_;  // leaves that a step has read
};

}  // namespace

void verify(const Plan& plan) { Walk(plan).run(); }

void verify(const Program& p, const char* after) {
  const auto n = p.values.size();
  const auto bad = [&](const std::string& what, std::uint32_t i) { fault("after " + std::string(after) + ": " + what, p.values[i].node->loc); };
  std::unordered_map<std::int32_t, const Shape*> space, row_space;
  for (std::uint32_t i = 0; i < n; ++i) {
    const Value& v = p.values[i];
    if (v.role != Role::op && v.arity != 0) bad(value_name(p, i) + " is data and has operands", i);
    if (v.role == Role::leaf && v.number >= p.leaves) bad(value_name(p, i) + " is leaf " + std::to_string(v.number) + " of " + std::to_string(p.leaves), i);
    if ((v.role == Role::literal || v.role == Role::constant) && v.number >= p.literals.size()) bad(value_name(p, i) + " has no number", i);
    if (v.role == Role::op && v.arity != v.node->arity) bad(value_name(p, i) + " has " + std::to_string(v.arity) + " operands", i);
    for (std::uint32_t k = 0; k < v.arity; ++k) {
      const auto from = p.in(i)[k];
      if (from >= i) bad(value_name(p, i) + " reads %" + std::to_string(from) + ", which is not made before it", i);
      if (!(p.type(from) == v.node->in[k]->type)) bad(value_name(p, i) + " reads " + value_name(p, from) + " of another type", i);
    }
    if (v.group < 0) continue;
    const auto g = static_cast<std::uint32_t>(v.group);
    if (g > i || (p.values[g].group != v.group)) bad(value_name(p, i) + " is in a group that its first member does not name", i);
    for (auto k : p.in(i))
      if (p.together(i, k) && p.values[p.storage(k)].join) bad(value_name(p, i) + " reads " + value_name(p, k) + ", which is joined when its group is over", i);
    if (v.join) {
      const auto k = p.in(i)[0];
      if (p.join_of(i) == Join::none || v.row || !p.together(i, k) || p.storage(k) != k || p.values[k].row || p.values[k].join)
        bad(value_name(p, i) + " joins what its group does not make for each element", i);
      continue;
    }
    if (!p.is_elementwise(i) && !(v.row && p.is_row_reduction(i))) bad(value_name(p, i) + " is in a group and no function of elements", i);
    auto& shape = (v.row ? row_space : space)[v.group];
    if (!shape) shape = &p.type(i).shape;
    if (!v.row && !(*shape == p.type(i).shape)) bad(value_name(p, i) + " is in a group of another space", i);
    if (v.row && shape->numel() != p.type(i).shape.numel()) bad(value_name(p, i) + " is in a group with other rows", i);
  }
  for (auto r : p.roots)
    if (r >= n) fault("after " + std::string(after) + ": a root is gone");
}

}  // namespace adjoint::plan
