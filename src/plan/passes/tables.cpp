// tables.cpp: which neighbouring steps of a plan may run as one call over a table of addresses: updates by one program over small
// contiguous tensors, none of which touches what another writes. No change of the plan: its steps stay what a person reads and
// what the verifier runs through.
#include <algorithm>
#include <unordered_map>

#include "plan/plan.hpp"

namespace adjoint::plan {
namespace {

constexpr std::int64_t kSmall = 1 << 16;  // elements: above it a call of its own costs nothing, and may store past the caches

/// The memory that an operand lies in, as a number: a leaf, the buffer of an output, or the arena and the numbers, which no update writes.
class Places {
 public:
  explicit Places(const Plan& plan) : plan_(plan) {}
  std::int64_t of(const Operand& o) const {
    const Slot& s = plan_.slots[o.slot];
    if (s.place == Place::leaf) return s.index;
    if (s.place != Place::output) return -1;
    const auto leaf = plan_.takes_over[s.index];
    return leaf >= 0 ? leaf : std::int64_t{plan_.leaves} + s.index;
  }

 private:
  const Plan& plan_;
};

bool one_axis(const Operand& o, bool may_repeat) {
  return o.view.rank == 0 || (o.view.rank == 1 && (o.view.strides[0] == 1 || (may_repeat && o.view.strides[0] == 0) || o.view.shape[0] == 1));
}
std::int64_t elements(const Step& s) { return s.out.empty() ? 0 : s.out[0].view.elements(); }

bool fits(const Step& s) {
  return s.fused && s.update && s.program && !s.program->by_rows() && elements(s) <= kSmall &&
         std::ranges::all_of(s.in, [](const Operand& o) { return one_axis(o, true); }) &&
         std::ranges::all_of(s.out, [](const Operand& o) { return one_axis(o, false); });
}

bool alike(const Step& a, const Step& b) {
  if (a.program != b.program || a.in.size() != b.in.size() || a.out.size() != b.out.size()) return false;
  const auto repeats = [](const Operand& o) { return o.view.rank == 0 || o.view.strides[0] == 0; };
  for (std::size_t k = 0; k < a.in.size(); ++k)
    if (repeats(a.in[k]) != repeats(b.in[k])) return false;
  return std::ranges::equal(a.out, b.out, {}, repeats, repeats);
}

/// Steps that stand side by side and may run in any order.
struct Run {
  const Places& places;
  std::unordered_map<std::int64_t, bool> touched = {};  // memory: whether it is written

  /// False, and nothing changes, where the step and those before it touch the same memory and one of them writes it.
  bool add(const Step& s) {
    const auto place = [&](const Operand& o) { return places.of(o); };
    for (const auto& o : s.out)
      if (touched.contains(place(o))) return false;
    for (const auto& o : s.in)
      if (const auto it = touched.find(place(o)); it != touched.end() && it->second) return false;
    for (const auto& o : s.in)
      if (place(o) >= 0) touched.emplace(place(o), false);
    for (const auto& o : s.out) touched[place(o)] = true;
    return true;
  }
};

}  // namespace

std::vector<Table> tables(const Plan& plan) {
  std::vector<Table> found;
  const Places places(plan);
  const auto& steps = plan.steps;
  for (std::uint32_t k = 0; k < steps.size();) {
    const std::uint32_t first = k++;
    if (!fits(steps[first])) continue;
    Run run{places};
    run.add(steps[first]);
    while (k < steps.size() && fits(steps[k]) && alike(steps[first], steps[k]) && run.add(steps[k])) ++k;
    if (k - first < 2) continue;
    std::vector<std::int64_t> sizes;
    for (auto s = first; s < k; ++s) sizes.push_back(elements(steps[s]));
    const auto views = [](const std::vector<Operand>& operands) {
      std::vector<View> v;
      for (const auto& o : operands) v.push_back(o.view);
      return v;
    };
    if (auto fn = table_factory()(*steps[first].program, sizes, views(steps[first].in), views(steps[first].out))) found.push_back({first, k - first, std::move(fn)});
  }
  return found;
}

}  // namespace adjoint::plan
