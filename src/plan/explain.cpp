// explain.cpp: a plan told to a person: its steps with their FLOPs, and when each value is born and dies.
// Not a pass: it reads a finished plan.
#include "adjoint/explain.hpp"

#include <algorithm>

#include "plan/plan.hpp"

namespace adjoint {
namespace {

using plan::Operand;
using plan::Place;

/// Follows the slots through the steps: a slot that is written again holds another value from there on.
std::vector<PlanReport::Life> lives_of(const plan::Plan& plan) {
  std::vector<PlanReport::Life> lives;
  std::vector<std::int64_t> now(plan.slots.size(), -1);  // the life that a slot holds
  for (std::size_t k = 0; k < plan.steps.size(); ++k) {
    const auto& step = plan.steps[k];
    for (const Operand& o : step.in)
      if (const auto at = now[o.slot]; at >= 0) {
        auto& life = lives[static_cast<std::size_t>(at)];
        life.dies = static_cast<std::int64_t>(k);
        life.residual |= step.backward && !plan.steps[static_cast<std::size_t>(life.born)].backward;
      }
    for (const Operand& o : step.out) {
      now[o.slot] = static_cast<std::int64_t>(lives.size());
      const std::string at = step.locs.empty() ? "" : " at " + to_string(step.locs.back());
      const auto born = static_cast<std::int64_t>(k);
      lives.push_back({step.name + at, plan.slots[o.slot].bytes, born, born, false, plan.slots[o.slot].place == Place::output});
    }
  }
  return lives;
}

plan::Plan plan_for(std::span<const Tensor> values) {
  std::lock_guard lock(graph_mutex());
  std::vector<Node*> roots;
  std::vector<char> update;
  for (const auto& t : values) {
    t.type();
    if (t.node()->computed()) continue;
    roots.push_back(t.node());
    update.push_back(t.node()->update);
  }
  const Order order = topological_order(roots);
  return plan::make_plan({order, update, std::vector<char>(order.nodes.size(), 0)});
}

}  // namespace

PlanReport explain_plan(std::span<const Tensor> values) {
  const plan::Plan plan = plan_for(values);
  PlanReport report{.lives = lives_of(plan), .nodes = plan.nodes, .arena_bytes = plan.arena_bytes, .live_bytes = plan.live_bytes};
  for (const auto& s : plan.steps) {
    report.steps.push_back({s.name, s.locs.empty() ? Loc{} : s.locs.back(), s.flops, s.backward});
    report.flops += s.flops;
  }
  for (const auto& life : report.lives) report.residual_bytes += life.residual ? life.bytes : 0;
  return report;
}

std::string to_string(const PlanReport& report) {
  std::string text;
  for (std::size_t k = 0; k < report.steps.size(); ++k) {
    const auto& s = report.steps[k];
    text += "step " + std::to_string(k) + "  " + s.name + (s.backward ? "  backward" : "") + "  at " + to_string(s.where);
    if (s.flops > 0) text += "  " + std::to_string(s.flops) + " FLOPs";
    text += '\n';
  }
  for (const auto& life : report.lives) {
    text += "born " + std::to_string(life.born) + (life.result ? ", a result  " : ", dies " + std::to_string(life.dies) + "  ");
    text += std::to_string(life.bytes) + " bytes" + (life.residual ? "  residual" : "") + "  " + life.value + '\n';
  }
  return text + "arena " + std::to_string(report.arena_bytes) + " bytes, live at most " + std::to_string(report.live_bytes) +
         ", residuals " + std::to_string(report.residual_bytes) + ", " + std::to_string(report.flops) + " FLOPs\n";
}

}  // namespace adjoint
