// in_place.cpp: a fused group may write over an operand that nobody reads later: arena slots are merged, and an optimizer's
// result takes over a parameter's buffer. Not placement: the merged slot gets its offset in place.cpp.
#include <algorithm>
#include <numeric>

#include "plan/passes.hpp"

namespace adjoint::plan {
namespace {

/// True if the result lies exactly where the operand lies, element for element.
bool covers(const Operand& a, const Operand& b, const Slot& sa, const Slot& sb) {
  return sa.bytes == sb.bytes && a.byte_offset == 0 && b.byte_offset == 0 && size_of(a.view.dtype) == size_of(b.view.dtype) &&
         a.view.strides == b.view.strides;
}

/// True if the step also reads the operand's slot in another way (shifted, broadcast).
bool other_readings(const Step& step, const Operand& in) {
  return std::ranges::any_of(step.in, [&](const Operand& o) {
    return o.slot == in.slot && (o.byte_offset != in.byte_offset || !(o.view.strides == in.view.strides));
  });
}

struct Reuse {
  Plan& plan;
  const Program& program;
  std::vector<std::uint32_t> alias;  // of slots: itself, or the slot that it was merged into
  std::int32_t last_check = -1;      // the last step that may fail: until then parameters stay as they are
  std::vector<std::uint32_t> taken = {};

  bool take_over(const Step& step, std::int32_t k, Operand& out, const Operand& in) {
    auto &to = plan.slots[out.slot], &from = plan.slots[in.slot];
    if (!out.view.contiguous() || from.last != k || in.slot == out.slot || std::ranges::find(taken, in.slot) != taken.end()) return false;
    if (!covers(out, in, to, from) || other_readings(step, in)) return false;
    const bool in_arena = to.place == Place::arena && from.place == Place::arena;
    const bool update = to.place == Place::output && from.place == Place::leaf && program.donatable[from.index] &&
                        plan.takes_over[to.index] < 0 && program.update[to.index] && k > last_check;
    if (!in_arena && !update) return false;
    taken.push_back(in.slot);
    if (update) {
      plan.takes_over[to.index] = static_cast<std::int32_t>(from.index);
    } else {
      from.last = to.last;
      to.last = to.first - 1;  // gone: the operand's slot lives on
      alias[out.slot] = in.slot;
      out.slot = in.slot;
    }
    return true;
  }

  /// First over operands that the group has read by then: others cost a copy of each tile.
  void run(std::int32_t k, Step& step) {
    taken.clear();
    std::vector<char> placed(step.out.size(), 0);
    for (const bool read_by_then : {true, false})
      for (std::size_t o = 0; o < step.out.size(); ++o)
        for (std::size_t i = 0; i < step.in.size() && !placed[o]; ++i)
          if (!read_by_then || step.in[i].touched <= step.out[o].touched) placed[o] = take_over(step, k, step.out[o], step.in[i]);
  }
};

}  // namespace

void reuse_in_place(Plan& plan, const Program& program) {
  Reuse reuse{plan, program, std::vector<std::uint32_t>(plan.slots.size())};
  std::iota(reuse.alias.begin(), reuse.alias.end(), 0u);
  for (std::size_t k = 0; k < plan.steps.size(); ++k)
    if (plan.steps[k].checks) reuse.last_check = static_cast<std::int32_t>(k);
  for (std::int32_t k = 0; k < static_cast<std::int32_t>(plan.steps.size()); ++k) {
    auto& step = plan.steps[static_cast<std::size_t>(k)];
    for (auto& o : step.in) o.slot = reuse.alias[o.slot];
    for (auto& o : step.out) o.slot = reuse.alias[o.slot];
    if (step.fused) reuse.run(k, step);
  }
}

}  // namespace adjoint::plan
