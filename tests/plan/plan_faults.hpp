// plan_faults.hpp: faults in a finished plan: wrong slots, places, strides, orders and lives. All accesses stay within the memory of
// the run, so that a fault shows in values and not as a crash.
// Not faults that the interpreter could not see: those are the business of the plan's own verifier.
#pragma once

#include <algorithm>

#include "fault.hpp"

namespace adjoint::faults {

using plan::Operand;
using plan::Plan;
using plan::Slot;
using plan::Step;

/// What a fault may be planted at: a step with one of its operands, or a slot.
struct Spot {
  std::size_t step = 0, operand = 0;
};
inline std::vector<Spot> inputs_of(const Plan& p, const std::function<bool(const Step&, const Operand&)>& fits) {
  std::vector<Spot> all;
  for (std::size_t k = 0; k < p.steps.size(); ++k)
    for (std::size_t j = 0; j < p.steps[k].in.size(); ++j)
      if (fits(p.steps[k], p.steps[k].in[j])) all.push_back({k, j});
  return all;
}
inline bool repeats(const Operand& o) {
  for (int d = 0; d < o.view.rank; ++d)
    if (o.view.strides[static_cast<std::size_t>(d)] == 0 && o.view.shape[static_cast<std::size_t>(d)] > 1) return true;
  return false;
}
/// Lowest and highest byte that the operand reads, from the start of its slot.
inline std::pair<std::int64_t, std::int64_t> extent(const Operand& o) {
  const auto size = static_cast<std::int64_t>(size_of(o.view.dtype));
  std::int64_t low = o.byte_offset, high = o.byte_offset + size;
  for (int d = 0; d < o.view.rank; ++d) {
    const auto i = static_cast<std::size_t>(d);
    const auto reach = (o.view.shape[i] - 1) * o.view.strides[i] * size;
    (reach < 0 ? low : high) += reach;
  }
  return {low, high};
}
inline bool lives(const Slot& s) { return s.place == plan::Place::arena && s.bytes > 0 && s.last >= s.first; }
inline bool overlap_in_time(const Slot& a, const Slot& b) { return a.first <= b.last && b.first <= a.last; }
inline bool fits_at(const Plan& p, const Slot& s, std::int64_t offset) { return offset + s.bytes <= p.arena_bytes; }

/// Puts slot b where slot a lies, for one pair that `wanted` picks.
inline bool placed_over(Plan& p, Choices& c, const std::function<bool(const Slot& a, const Slot& b)>& wanted) {
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t a = 0; a < p.slots.size(); ++a)
    for (std::size_t b = 0; b < p.slots.size(); ++b) {
      const Slot &x = p.slots[a], &y = p.slots[b];
      if (a == b || !lives(x) || !lives(y) || !fits_at(p, y, x.offset) || x.offset == y.offset) continue;
      if (wanted(x, y)) pairs.emplace_back(a, b);
    }
  const auto* pair = one_of(pairs, c);
  if (pair) p.slots[pair->second].offset = p.slots[pair->first].offset;
  return pair != nullptr;
}
inline const Step& step_at(const Plan& p, std::int32_t k) { return p.steps[static_cast<std::size_t>(k)]; }
inline std::uint32_t slot_number(const Plan& p, const Slot& s) { return static_cast<std::uint32_t>(&s - p.slots.data()); }
inline bool reads(const Step& s, std::uint32_t slot) {
  return std::ranges::any_of(s.in, [&](const Operand& o) { return o.slot == slot; });
}
inline bool writes(const Step& s, std::uint32_t slot) {
  return std::ranges::any_of(s.out, [&](const Operand& o) { return o.slot == slot; });
}

inline Fault plan_fault(std::string_view name, bool (*change)(Plan&, Choices&)) {
  Fault f{name};
  f.plan = change;
  return f;
}

inline std::vector<Fault> faults_of_operands() {
  return {
      plan_fault("operand in another slot", [](Plan& p, Choices& c) {
        auto spots = inputs_of(p, [&](const Step&, const Operand& o) { return lives(p.slots[o.slot]); });
        const auto* at = one_of(spots, c);
        if (!at) return false;
        auto& o = p.steps[at->step].in[at->operand];
        std::vector<std::uint32_t> others;
        for (std::uint32_t s = 0; s < p.slots.size(); ++s)
          if (s != o.slot && lives(p.slots[s]) && p.slots[s].bytes == p.slots[o.slot].bytes) others.push_back(s);
        const auto* other = one_of(others, c);
        if (other) o.slot = *other;
        return other != nullptr;
      }),
      plan_fault("operands of a step exchanged", [](Plan& p, Choices& c) {
        auto spots = inputs_of(p, [](const Step& s, const Operand& o) {
          const Operand& first = s.in[0];
          return s.in.size() > 1 && &o != &first && o.view.dtype == first.view.dtype && o.view.rank == first.view.rank && o.view.shape == first.view.shape &&
                 o.view.strides == first.view.strides && (o.slot != first.slot || o.byte_offset != first.byte_offset);
        });
        const auto* at = one_of(spots, c);
        if (!at) return false;
        auto& in = p.steps[at->step].in;
        std::swap(in[0].slot, in[at->operand].slot);
        std::swap(in[0].byte_offset, in[at->operand].byte_offset);
        return true;
      }),
      plan_fault("stride 0 for another", [](Plan& p, Choices& c) {
        auto spots = inputs_of(p, [](const Step& s, const Operand& o) { return s.fused && o.view.rank > 0 && !repeats(o) && o.view.elements() > 1; });
        const auto* at = one_of(spots, c);
        if (at) p.steps[at->step].in[at->operand].view.strides.fill(0);
        return at != nullptr;
      }),
      plan_fault("strides exchanged", [](Plan& p, Choices& c) {
        auto spots = inputs_of(p, [](const Step& s, const Operand& o) {
          return s.fused && o.view.rank >= 2 && o.view.shape[0] == o.view.shape[1] && o.view.shape[0] > 1 && o.view.strides[0] != o.view.strides[1];
        });
        const auto* at = one_of(spots, c);
        if (at) std::swap(p.steps[at->step].in[at->operand].view.strides[0], p.steps[at->step].in[at->operand].view.strides[1]);
        return at != nullptr;
      }),
      plan_fault("one element further", [](Plan& p, Choices& c) {
        auto spots = inputs_of(p, [&](const Step&, const Operand& o) {
          return p.slots[o.slot].place != plan::Place::literal && o.view.elements() > 0 &&
                 extent(o).second + static_cast<std::int64_t>(size_of(o.view.dtype)) <= p.slots[o.slot].bytes;
        });
        const auto* at = one_of(spots, c);
        if (at) p.steps[at->step].in[at->operand].byte_offset += static_cast<std::int64_t>(size_of(p.steps[at->step].in[at->operand].view.dtype));
        return at != nullptr;
      }),
      plan_fault("another number", [](Plan& p, Choices& c) {
        auto spots = inputs_of(p, [&](const Step&, const Operand& o) { return p.slots[o.slot].place == plan::Place::literal; });
        const auto* at = one_of(spots, c);
        if (!at) return false;
        Slot& s = p.slots[p.steps[at->step].in[at->operand].slot];
        std::vector<std::uint32_t> others;
        for (std::uint32_t k = 0; k < p.literals.size(); ++k)
          if (k != s.index && p.literals[k] == p.literals[s.index]) others.push_back(k);
        const auto* other = one_of(others, c);
        if (other) s.index = *other;
        return other != nullptr;
      }),
      plan_fault("another constant", [](Plan& p, Choices& c) {
        auto* constant = one_of(p.constants, c);
        if (constant) *constant ^= std::int64_t{1} << 22;
        return constant != nullptr;
      }),
      plan_fault("another leaf", [](Plan& p, Choices& c) {
        std::vector<Slot*> leaves;
        for (auto& s : p.slots)
          if (s.place == plan::Place::leaf && s.bytes > 0 && s.last >= s.first) leaves.push_back(&s);
        if (leaves.size() < 2) return false;
        Slot &x = *leaves[c.below(leaves.size())], &y = *leaves[c.below(leaves.size())];
        if (x.index == y.index || x.bytes != y.bytes) return false;
        std::swap(x.index, y.index);
        return true;
      }),
      plan_fault("roots exchanged", [](Plan& p, Choices& c) {
        std::vector<Slot*> outputs;
        for (auto& s : p.slots)
          if (s.place == plan::Place::output && s.bytes > 0) outputs.push_back(&s);
        if (outputs.size() < 2) return false;
        Slot &x = *outputs[c.below(outputs.size())], &y = *outputs[c.below(outputs.size())];
        if (x.index == y.index || !(p.outputs[x.index] == p.outputs[y.index])) return false;
        std::swap(x.index, y.index);
        return true;
      }),
      plan_fault("results of a step exchanged", [](Plan& p, Choices& c) {
        std::vector<Step*> steps;
        for (auto& s : p.steps)
          if (s.out.size() > 1 && s.out[0].view.dtype == s.out[1].view.dtype && s.out[0].slot != s.out[1].slot && p.slots[s.out[0].slot].bytes == p.slots[s.out[1].slot].bytes)
            steps.push_back(&s);
        Step** s = one_of(steps, c);
        if (s) std::swap((*s)->out[0].slot, (*s)->out[1].slot);
        return s != nullptr;
      }),
      plan_fault("result over data", [](Plan& p, Choices& c) {
        std::vector<std::pair<Slot*, const Slot*>> pairs;
        for (auto& out : p.slots)
          for (const auto& leaf : p.slots)
            if (out.place == plan::Place::output && leaf.place == plan::Place::leaf && out.bytes == leaf.bytes && out.bytes > 0) pairs.emplace_back(&out, &leaf);
        const auto* pair = one_of(pairs, c);
        if (!pair) return false;
        pair->first->place = plan::Place::leaf;
        pair->first->index = pair->second->index;
        return true;
      }),
  };
}

inline std::vector<Fault> faults_of_order() {
  return {
      plan_fault("step dropped", [](Plan& p, Choices& c) {
        if (p.steps.size() < 2) return false;
        p.steps.erase(p.steps.begin() + static_cast<std::ptrdiff_t>(c.below(p.steps.size())));
        return true;
      }),
      plan_fault("read before it is written", [](Plan& p, Choices& c) {
        std::vector<std::size_t> places;
        for (std::size_t k = 0; k + 1 < p.steps.size(); ++k)
          for (const auto& o : p.steps[k].out)
            if (reads(p.steps[k + 1], o.slot) && p.slots[o.slot].bytes > 0) places.push_back(k);
        const auto* k = one_of(places, c);
        if (k) std::swap(p.steps[*k], p.steps[*k + 1]);
        return k != nullptr;
      }),
      plan_fault("update before a read", [](Plan& p, Choices& c) {
        std::vector<std::pair<std::size_t, std::size_t>> places;  // update, reader
        for (std::size_t u = 0; u < p.steps.size(); ++u)
          for (const auto& o : p.steps[u].out) {
            const Slot& s = p.slots[o.slot];
            if (s.place != plan::Place::output || p.takes_over[s.index] < 0 || s.bytes == 0) continue;
            for (std::size_t r = 0; r < u; ++r)
              for (const auto& in : p.steps[r].in)
                if (const Slot& from = p.slots[in.slot]; from.place == plan::Place::leaf && static_cast<std::int32_t>(from.index) == p.takes_over[s.index])
                  places.emplace_back(u, r);
          }
        const auto* at = one_of(places, c);
        if (!at) return false;
        const auto begin = p.steps.begin();
        std::rotate(begin + static_cast<std::ptrdiff_t>(at->second), begin + static_cast<std::ptrdiff_t>(at->first), begin + static_cast<std::ptrdiff_t>(at->first) + 1);
        return true;
      }),
      plan_fault("step run twice in place", [](Plan& p, Choices& c) {
        std::vector<std::size_t> places;
        for (std::size_t k = 0; k < p.steps.size(); ++k)
          for (const auto& o : p.steps[k].out) {
            const Slot& s = p.slots[o.slot];
            const bool takes = s.place == plan::Place::output && p.takes_over[s.index] >= 0;
            if (s.bytes > 0 && (reads(p.steps[k], o.slot) || takes)) places.push_back(k);
          }
        const auto* k = one_of(places, c);
        if (!k) return false;
        const Step again = p.steps[*k];
        p.steps.insert(p.steps.begin() + static_cast<std::ptrdiff_t>(*k), again);
        return true;
      }),
      plan_fault("program of another step", [](Plan& p, Choices& c) {
        std::vector<std::pair<Step*, Step*>> pairs;
        const auto alike = [](const std::vector<Operand>& x, const std::vector<Operand>& y) {
          return std::ranges::equal(x, y, [](const Operand& a, const Operand& b) {
            return a.view.dtype == b.view.dtype && a.view.rank == b.view.rank && a.view.shape == b.view.shape;
          });
        };
        for (auto& x : p.steps)
          for (auto& y : p.steps)
            if (&x < &y && x.fused && y.fused && x.name != y.name && alike(x.in, y.in) && alike(x.out, y.out)) pairs.emplace_back(&x, &y);
        const auto* pair = one_of(pairs, c);
        if (pair) std::swap(pair->first->run, pair->second->run);
        return pair != nullptr;
      }),
  };
}

inline std::vector<Fault> faults_of_memory() {
  return {
      plan_fault("lives overlap in the arena", [](Plan& p, Choices& c) { return placed_over(p, c, [](const Slot& a, const Slot& b) { return overlap_in_time(a, b); }); }),
      plan_fault("life one step too short", [](Plan& p, Choices& c) {
        return placed_over(p, c, [&](const Slot& a, const Slot& b) { return a.last == b.first && !step_at(p, a.last).fused; });
      }),
      plan_fault("life ends at the last read but one", [](Plan& p, Choices& c) {
        return placed_over(p, c, [&](const Slot& a, const Slot& b) {
          if (b.first <= a.first || b.first >= a.last) return false;
          for (std::int32_t k = b.first; k < a.last; ++k)
            if (reads(step_at(p, k), slot_number(p, a))) return false;
          return true;
        });
      }),
      plan_fault("written over while still to be read", [](Plan& p, Choices& c) {
        return placed_over(p, c, [&](const Slot& a, const Slot& b) {
          const Step& s = step_at(p, b.first);
          return s.fused && a.bytes == b.bytes && a.last > b.first && reads(s, slot_number(p, a)) && writes(s, slot_number(p, b));
        });
      }),
      plan_fault("in place over a view of another layout", [](Plan& p, Choices& c) {
        return placed_over(p, c, [&](const Slot& a, const Slot& b) {
          const Step& s = step_at(p, b.first);
          if (!s.fused || a.last != b.first) return false;
          for (const auto& in : s.in)
            for (const auto& out : s.out)
              if (in.slot == slot_number(p, a) && out.slot == slot_number(p, b) && in.view.rank > 0 && !(in.view.strides == out.view.strides)) return true;
          return false;
        });
      }),
      plan_fault("shifted by one place", [](Plan& p, Choices& c) {
        std::vector<Slot*> slots;
        for (auto& s : p.slots)
          if (lives(s) && s.offset >= 64) slots.push_back(&s);
        Slot** s = one_of(slots, c);
        if (s) (*s)->offset -= 64;
        return s != nullptr;
      }),
      plan_fault("takes over a leaf that is read later", [](Plan& p, Choices& c) {
        std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;  // output, leaf
        for (const auto& out : p.slots)
          for (const auto& leaf : p.slots)
            if (out.place == plan::Place::output && leaf.place == plan::Place::leaf && out.bytes == leaf.bytes && out.bytes > 0 && leaf.last > out.last &&
                p.takes_over[out.index] < 0 && std::ranges::find(p.takes_over, static_cast<std::int32_t>(leaf.index)) == p.takes_over.end())
              pairs.emplace_back(out.index, leaf.index);
        const auto* pair = one_of(pairs, c);
        if (pair) p.takes_over[pair->first] = static_cast<std::int32_t>(pair->second);
        return pair != nullptr;
      }),
      plan_fault("takes over another leaf", [](Plan& p, Choices& c) {
        std::vector<std::pair<std::size_t, std::uint32_t>> pairs;
        for (std::size_t k = 0; k < p.takes_over.size(); ++k)
          for (const auto& leaf : p.slots)
            if (p.takes_over[k] >= 0 && leaf.place == plan::Place::leaf && static_cast<std::int32_t>(leaf.index) != p.takes_over[k] &&
                leaf.bytes == p.outputs[k].shape.numel() * static_cast<std::int64_t>(size_of(p.outputs[k].dtype)) && leaf.bytes > 0)
              pairs.emplace_back(k, leaf.index);
        const auto* pair = one_of(pairs, c);
        if (pair) p.takes_over[pair->first] = static_cast<std::int32_t>(pair->second);
        return pair != nullptr;
      }),
  };
}

inline std::vector<Fault> plan_faults() {
  std::vector<Fault> all;
  for (auto list : {faults_of_operands(), faults_of_order(), faults_of_memory()})
    for (auto& f : list) all.push_back(f);
  return all;
}

}  // namespace adjoint::faults
