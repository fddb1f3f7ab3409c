// explain.cpp: a plan told to a person: its steps with their FLOPs, when each value is born and dies, and the text of that.
// Not a pass: it reads a finished plan. What would lower the peak: savings.cpp.
#include "adjoint/explain.hpp"

#include <algorithm>

#include "adjoint/plan_file.hpp"
#include "plan/plan.hpp"
#include "plan/savings.hpp"

namespace adjoint {
namespace {

using plan::Operand;
using plan::Place;

/// Bytes that an operand's elements take in memory.
std::int64_t touched_bytes(const Operand& o) {
  auto n = static_cast<std::int64_t>(size_of(o.view.dtype));
  for (std::size_t d = 0; d < static_cast<std::size_t>(o.view.rank); ++d)
    if (o.view.strides[d] != 0) n *= o.view.shape[d];
  return n;
}

void add_once(std::vector<std::int64_t>& list, std::int64_t n) {
  if (std::ranges::find(list, n) == list.end()) list.push_back(n);
}

/// Follows the slots through the steps: a slot that is written again holds another value from there on.
void add_steps_and_lives(const plan::Plan& plan, PlanReport& report) {
  std::vector<std::int64_t> now(plan.slots.size(), -1);  // the life that a slot holds
  std::vector<char> made_backward;  // of lives: the value belongs to the backward pass, whatever else its step makes
  auto& lives = report.lives;
  for (std::size_t k = 0; k < plan.steps.size(); ++k) {
    const auto& from = plan.steps[k];
    const auto step = static_cast<std::int64_t>(k);
    PlanReport::Step s{.name = from.name + from.detail, .where = from.locs.empty() ? Loc{} : from.locs.back(), .flops = from.flops, .backward = from.backward,
                       .again = from.again};
    for (const Operand& o : from.in) {
      s.bytes += touched_bytes(o);
      const auto at = now[o.slot];
      if (at < 0) continue;
      add_once(s.reads, at);
      auto& life = lives[static_cast<std::size_t>(at)];
      const auto& maker = report.steps[static_cast<std::size_t>(life.born)];
      life.dies = life.ends = step;
      life.residual |= s.backward && !made_backward[static_cast<std::size_t>(at)] && !maker.again;
      add_once(life.readers, step);
    }
    for (const Operand& o : from.out) {
      s.bytes += touched_bytes(o);
      const auto& slot = plan.slots[o.slot];
      if (const auto old = now[o.slot]; old >= 0 && lives[static_cast<std::size_t>(old)].dies == step) lives[static_cast<std::size_t>(old)].ends = step - 1;
      const bool result = slot.place == Place::output;
      now[o.slot] = std::ssize(lives);
      s.writes.push_back(now[o.slot]);
      made_backward.push_back(o.backward);
      const std::string at = from.locs.empty() ? "" : " at " + to_string(s.where);
      lives.push_back({.value = s.name + at, .bytes = slot.bytes, .born = step, .dies = step, .result = result, .ends = step, .offset = result ? -1 : slot.offset});
    }
    report.steps.push_back(std::move(s));
  }
}

/// Bytes alive at each step, rounded up as the arena places them.
void add_peak(PlanReport& report) {
  std::vector<std::int64_t> change(report.steps.size() + 1, 0);
  for (const auto& life : report.lives) {
    if (life.offset < 0) continue;
    change[static_cast<std::size_t>(life.born)] += plan::arena_size(life.bytes);
    change[static_cast<std::size_t>(life.ends) + 1] -= plan::arena_size(life.bytes);
  }
  std::int64_t now = 0;
  for (std::size_t k = 0; k < report.steps.size(); ++k) report.alive.push_back(now += change[k]);
  const auto most = std::ranges::max_element(report.alive);
  if (most != report.alive.end() && *most > 0) report.peak = most - report.alive.begin();
}

plan::Plan plan_for(std::span<const Tensor> values, const PlanOptions& options, const SavedPlan* saved = nullptr) {
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
  return plan::make_plan({order, update, std::vector<char>(order.nodes.size(), 0), options, saved});
}

}  // namespace

PlanReport plan::report(const Plan& plan) {
  PlanReport report{.nodes = plan.nodes, .arena_bytes = plan.arena_bytes, .live_bytes = plan.live_bytes, .least_bytes = plan.least_bytes,
                    .least_recompute_flops = plan.least_flops_again, .decisions = plan.decisions};
  add_steps_and_lives(plan, report);
  add_peak(report);
  for (const auto& s : report.steps) {
    report.flops += s.flops, report.bytes += s.bytes;
    if (s.again) report.recompute_flops += s.flops;
  }
  for (const auto& life : report.lives) report.residual_bytes += life.residual ? life.bytes : 0;
  report.savings = plan::savings(report);
  return report;
}

PlanReport explain_plan(std::span<const Tensor> values, const PlanOptions& options) { return plan::report(plan_for(values, options)); }
PlanReport explain_saved_plan(std::span<const Tensor> values, const SavedPlan& saved) {
  return plan::report(plan_for(values, {.memory = saved.memory, .fuse = saved.fuse}, &saved));
}

std::string to_string(const PlanReport& report) {
  std::string text;
  for (std::size_t k = 0; k < report.steps.size(); ++k) {
    const auto& s = report.steps[k];
    text += "step " + std::to_string(k) + "  " + s.name + (s.backward ? "  backward" : "") + (s.again ? "  again" : "") + "  at " + to_string(s.where);
    if (s.flops > 0) text += "  " + std::to_string(s.flops) + " FLOPs";
    text += '\n';
  }
  for (const auto& life : report.lives) {
    text += "born " + std::to_string(life.born) + (life.result ? ", a result  " : ", dies " + std::to_string(life.dies) + "  ");
    text += std::to_string(life.bytes) + " bytes" + (life.residual ? "  residual" : "") + "  " + life.value + '\n';
  }
  if (report.peak >= 0) text += "most alive at step " + std::to_string(report.peak) + '\n';
  return text + "arena " + std::to_string(report.arena_bytes) + " bytes, live at most " + std::to_string(report.live_bytes) +
         ", residuals " + std::to_string(report.residual_bytes) + ", " + std::to_string(report.flops) + " FLOPs\n" +
         "computed again " + std::to_string(report.recompute_flops) + " FLOPs, no plan within the budget fewer than " + std::to_string(report.least_recompute_flops) +
         "; no plan takes fewer than " + std::to_string(report.least_bytes) + " bytes\n";
}

}  // namespace adjoint
