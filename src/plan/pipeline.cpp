// pipeline.cpp: the list of passes, in order, with the reason of each place.
// Not a pass itself, and not the runner.
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "plan/decisions.hpp"
#include "plan/passes.hpp"

namespace adjoint::plan {
namespace {

constexpr std::size_t kAlwaysVerified = 20'000;  // values: beyond it the verifier costs more than a glance

/// Holds the program to its rules after each pass, and shows it where ADJOINT_TRACE asks for that.
class Passes {
 public:
  explicit Passes(Program& program) : program_(program) {}
  template <class Pass> void run(const char* name, Pass pass) {
    pass(program_);
    after(name);
  }

 private:
  void after(const char* name) {
    static const bool trace = std::getenv("ADJOINT_TRACE") != nullptr;
    if (trace) std::fprintf(stderr, "---- after %s\n%s", name, to_string(program_).c_str());
    if (program_.values.size() <= kAlwaysVerified) verify(program_, name);
  }
  Program& program_;
};

/// From values to memory: the passes behind rematerialisation.
Plan planned(Program& program, bool fused, bool runnable) {
  Passes passes(program);
  passes.run("fuse", fused ? fuse : alone);
  Plan plan = assemble(program, order(program), runnable);  // after fusing: a group runs as one
  reuse_in_place(plan, program);                            // before placement: what shares memory is one slot there
  place(plan);
  constexpr std::int64_t kRefused = std::int64_t{1} << 60;  // place() gave up: the run refuses the plan
  if (program.values.size() <= kAlwaysVerified && plan.arena_bytes < kRefused) verify(plan);
  return plan;
}

/// The plan as it was decided before: no search, and every check.
Plan planned_before(const Program& merged, const SavedPlan& saved) {
  Program program = decided(merged, saved);
  Passes passes(program);
  passes.run("decided", [](Program&) {});
  passes.run("fuse", saved.fuse ? fuse : alone);
  check_groups(program, saved);
  Plan plan = assemble(program, order(program));
  reuse_in_place(plan, program);
  put_in_place(plan, saved);
  verify(plan);
  plan.decisions = std::make_shared<const SavedPlan>(saved);
  return plan;
}

/// What use_plan() has for this structure; nothing where it does not fit after all.
std::optional<Plan> saved_for(const Program& merged, std::uint64_t structure) {
  const auto saved = saved_plan(structure);
  if (!saved) return std::nullopt;
  try {
    Plan plan = planned_before(merged, *saved);
    count_saved_plan();
    return plan;
  } catch (const Error& e) {
    forget_saved_plan(structure, e.what());
    return std::nullopt;
  }
}

Program imported(const Request& request, const Tensors& roots) {
  std::vector<Node*> nodes;
  for (const auto& t : roots) nodes.push_back(t.node());
  return import_graph(request, topological_order(nodes));
}

}  // namespace

Plan make_plan(const Request& request) {
  const PlanOptions& options = request.options;
  const Tensors roots = lower_loops(request.order, options.memory, [&](const Tensors& tried) {  // first: later passes see only what has kernels
    Program program = imported(request, tried);
    merge_equal(program);
    return planned(program, options.fuse, false).arena_bytes;
  });
  Program program = imported(request, roots);
  Passes passes(program);
  passes.run("fold_constants", fold_constants);  // first: known numbers are what simplify looks for
  passes.run("simplify", simplify);              // before equal values are sought: it makes some equal
  passes.run("merge_equal", merge_equal);        // before fusing, which would hide equal values in different groups
  const auto structure = structure_of(program, options);
  const auto least = least_bytes(program);
  const auto again = options.memory.strategy == Memory::Strategy::budget ? least_flops_again(program, options.memory.bytes) : 0;
  std::optional<Plan> plan;
  if (request.saved && request.saved->structure != structure)
    throw Error({.op = "plan", .message = "this saved plan was made for another graph, or with other settings", .hint = "plan again and save that plan"});
  if (request.saved) plan = planned_before(program, *request.saved);
  else plan = saved_for(program, structure);
  if (!plan) {
    std::vector<const Node*> merged;
    for (const auto& v : program.values) merged.push_back(v.node);
    const bool fused = options.fuse;
    passes.run("fit_memory", [&](Program& p) {  // before fusing: what runs again fuses with what wants it
      fit_memory(p, options.memory, [fused](Program q) { return planned(q, fused, false); });
    });
    plan = planned(program, fused, true);
    plan->decisions = std::make_shared<const SavedPlan>(decisions_of(merged, structure, options, program, *plan));
  }
  plan->least_bytes = least;
  plan->least_flops_again = again;
  return std::move(*plan);
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
