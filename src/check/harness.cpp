// harness.cpp: which rows are run, and completeness: every operation has one. Not the comparisons themselves.
#include "check/harness.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>

#include "adjoint/grad.hpp"
#include "check/operands.hpp"
#include "graph/topo.hpp"

namespace adjoint::check {
namespace {

std::string base_name(const char* path) {
  const char* slash = std::strrchr(path, '/');
  return slash ? slash + 1 : path;
}

/// Some node is of this operation, or was made inside its scope: the row is about what it says it is about.
bool uses(const Tensor& y, const std::string& op) {
  std::lock_guard lock(graph_mutex());
  Node* root = y.node();
  for (const Node* n : topological_order(std::span(&root, 1), {.through_computed = true}).nodes)
    if ((n->prim && n->prim->name == op) || (n->scope && op == n->scope)) return true;
  return false;
}

void fail(CheckReport& report, std::string line) {
  ++report.checks, ++report.failed;
  report.failures.push_back(std::move(line));
}

void add_rule(const Primitive& prim, CheckReport& report) {
  if (prim.traits.gradient == Gradient::smooth) ++report.rules;
}

/// Rows in order of operation; `wanted` says which.
template <class Wanted> CheckReport run(Wanted wanted, const Progress& progress) {
  CheckReport report;
  for (const Primitive* prim : primitives()) {
    if (!wanted(prim->name)) continue;
    add_rule(*prim, report);
    bool any = false;
    for (const auto& row : all_rows())
      if (row.op == prim->name) any = true, check_row(row, report);
    for (const auto& bad : all_bad_calls())
      if (bad.op == prim->name) check_bad_call(bad, report);
    if (prim->traits.gradient == Gradient::refused)  // a call that always throws has bad calls only
      any = any || std::ranges::any_of(all_bad_calls(), [&](const BadCall& bad) { return bad.op == prim->name; });
    if (any) ++report.checks;
    else fail(report, std::string(prim->name) + ": no row; write one in src/check/rows");
    if (progress) progress(prim->name, report);
  }
  return report;
}

}  // namespace

void RowRun::expect(bool good, const std::string& what) {
  ++report.checks;
  if (good) return;
  ++report.failed;
  std::string types;
  for (const auto& t : in) types += (types.empty() ? "" : ", ") + to_string(t.type());
  report.failures.push_back(row.op + " (" + types + ", row in " + base_name(row.at.file) + "): " + what);
}

void check_row(const Row& row, CheckReport& report) {
  RowRun run{row, report, {}, {}, {}, {}, {}, {}, {}};
  try {
    const Primitive* prim = find_primitive(row.op);
    if (!prim) return run.expect(false, "no such operation is registered");
    run.in = operands_of(row);
    run.which = differentiable(row);
    for (auto k : run.which) run.in[k].requires_grad();  // so that graphs outlive the evaluation of their results
    run.y = row.call(run.in);
    run.expect(uses(run.y, row.op) || !row.reason.empty(), "the row's call makes no node of " + row.op);
    for (auto k : run.which) run.wrt.push_back(run.in[k]);
    if (prim->traits.gradient != Gradient::smooth) check_declared(run);
    else if (is_floating(run.y.dtype())) {
      run.seed = leaf_of(directions(run.y.numel(), 1), run.y.shape(), run.y.dtype());
      if (!run.wrt.empty()) run.gradient = vjp(std::span(&run.y, 1), std::span(&run.seed, 1), run.wrt);
    }
    check_derivatives(run);
    check_alone(run);
    check_execution(run);
    check_batching(run);
  } catch (const std::exception& e) {
    run.expect(false, std::string("threw: ") + e.what());
  }
}

void check_bad_call(const BadCall& bad, CheckReport& report) {
  const std::string name = bad.op + " (bad call in " + base_name(bad.at.file) + "): ";
  try {
    bad.call();
    return fail(report, name + "did not throw; expected \"" + bad.message + '"');
  } catch (const Error& e) {
    if (std::string(e.what()).find(bad.message) == std::string::npos)
      return fail(report, name + "the message lacks \"" + bad.message + "\": " + e.what());
    if (base_name(e.where().file) != base_name(bad.at.file) || e.where().line <= 0)
      return fail(report, name + "the error names " + to_string(e.where()) + " instead of the caller's line: " + e.what());
    if (e.hint().empty()) return fail(report, name + "the error has no hint: " + e.what());
  } catch (...) {
    return fail(report, name + "threw something else than Error");
  }
  ++report.checks;
}

CheckReport check_operation(std::string_view op) {
  return run([&](std::string_view name) { return name == op; }, {});
}

CheckReport run_checks(std::string_view filter, const Progress& progress) {
  const auto wanted = [&](std::string_view name) { return name.find(filter) != std::string_view::npos; };
  CheckReport report = run(wanted, progress);
  for (const auto& row : all_rows())
    if (wanted(row.op) && !find_primitive(row.op)) fail(report, row.op + ": a row of an operation that does not exist");
  for (const auto& bad : all_bad_calls())
    if (wanted(bad.op) && !find_primitive(bad.op)) fail(report, bad.op + ": a bad call of an operation that does not exist");
  return report;
}

}  // namespace adjoint::check
