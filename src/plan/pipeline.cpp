// pipeline.cpp: the list of passes, in order, with the reason of each place.
// Not a pass itself, and not the runner.
#include <cstdio>
#include <cstdlib>

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

Program imported(const Request& request, const Tensors& roots) {
  std::vector<Node*> nodes;
  for (const auto& t : roots) nodes.push_back(t.node());
  return import_graph(request, topological_order(nodes));
}

}  // namespace

Plan make_plan(const Request& request) {
  const Tensors roots = lower_loops(request.order, request.options.memory, [&](const Tensors& tried) {  // first: later passes see only what has kernels
    Program program = imported(request, tried);
    merge_equal(program);
    return planned(program, request.options.fuse, false).arena_bytes;
  });
  Program program = imported(request, roots);
  const bool fused = request.options.fuse;
  {
    Passes passes(program);
    passes.run("merge_equal", merge_equal);  // before fusing, which would hide equal values in different groups
    passes.run("fit_memory", [&](Program& p) {  // before fusing: what runs again fuses with what wants it
      fit_memory(p, request.options.memory, fused ? [](Program q) { return planned(q, true, false).arena_bytes; }
                                                  : [](Program q) { return planned(q, false, false).arena_bytes; });
    });
  }
  return planned(program, fused, true);
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
