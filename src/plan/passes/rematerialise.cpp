// rematerialise.cpp: writes a program anew so that stages run as a list of actions says: what runs a second time is a copy of the
// same operation on the same operands, so that its bits are the same. Not the choice: checkpoints.cpp.
#include "plan/passes/stages.hpp"

namespace adjoint::plan {

void rematerialise(Program& p, const Chain& chain, const std::vector<Action>& actions) {
  constexpr std::uint32_t kNone = 0xFFFFFFFFu;
  Program q;
  q.update = p.update;
  q.donatable = p.donatable;
  q.literals = p.literals;
  q.constants = p.constants;
  q.leaves = p.leaves;
  q.made = p.made;
  std::vector<std::uint32_t> first(p.values.size(), kNone), now(p.values.size(), kNone), operands;  // numbers in q: the original, the latest
  const auto run = [&](std::uint32_t i) {
    operands.clear();
    for (auto k : p.in(i)) operands.push_back(now[k]);
    Value v = p.values[i];
    v.again = first[i] != kNone;
    now[i] = q.add(v, operands);
    if (!v.again) first[i] = now[i];
  };
  for (auto i : chain.neutral) run(i);
  for (const Action& a : actions) {
    const Stage& s = chain.stages[a.stage];
    if (!a.backward)
      for (auto i : s.forward) run(i);
    if (a.lean)
      for (auto i : s.cheap) run(i);
    if (a.backward)
      for (auto i : s.backward) run(i);
  }
  for (auto r : p.roots) q.roots.push_back(first[r]);
  p = std::move(q);
  compact(p);
}

}  // namespace adjoint::plan
