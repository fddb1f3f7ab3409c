// check.cpp: `adjoint check` and `adjoint ops`: every derivative rule, verified and listed. Not the checks: src/check.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <unistd.h>

#include "check/coverage.hpp"
#include "check/harness.hpp"
#include "cli/command.hpp"
#include "cli/subcommands.hpp"

namespace adjoint::cli {

static int run_check(const std::string& filter, bool json) {
  const bool live = !json && isatty(STDOUT_FILENO);
  const auto report = check::run_checks(filter, [&](std::string_view op, const check::CheckReport& so_far) {
    if (!live) return;
    std::printf("\r\033[K%.*s  %s checks, %lld failed", static_cast<int>(op.size()), op.data(), grouped(so_far.checks).c_str(), static_cast<long long>(so_far.failed));
    std::fflush(stdout);
  });
  if (live) std::printf("\r\033[K");
  for (const auto& f : report.failures) std::fprintf(stderr, "%s\n", f.c_str());
  if (report.rules == 0 && report.checks == 0 && !filter.empty()) {
    std::fprintf(stderr, "adjoint: check: there is no operation named %s\n", filter.c_str());
    return kFailed;
  }
  if (json) print_json({{"rules", report.rules}, {"checks", report.checks}, {"failed", report.failed}, {"worst_error", report.worst_error}, {"worst", report.worst}});
  else
    std::printf("%s rules, %s checks, %lld failed; worst error of an f64 gradient %.2g (%s)\n", grouped(report.rules).c_str(), grouped(report.checks).c_str(),
                static_cast<long long>(report.failed), report.worst_error, report.worst.c_str());
  return report.failed == 0 ? kDone : kFailed;
}

static int run_ops(bool coverage_table, bool json) {
  const auto c = check::coverage();
  if (!json)
    for (const auto& line : c.lines) {
      if (coverage_table) std::printf("%-4s %-28s %-16s %lld rows, %lld bad calls\n", line.family.c_str(), line.name.c_str(), line.derivative.c_str(),
                                      static_cast<long long>(line.rows), static_cast<long long>(line.bad_calls));
      else std::printf("%s\n", line.name.c_str());
    }
  if (json) print_json({{"differentiable", c.differentiable}, {"zero_derivative", c.zero_derivative}, {"refused", c.refused}, {"without_row", c.without_row}});
  else if (coverage_table)
    std::printf("%lld differentiable, %lld with a declared zero, %lld refused, %lld without a row\n", static_cast<long long>(c.differentiable),
                static_cast<long long>(c.zero_derivative), static_cast<long long>(c.refused), static_cast<long long>(c.without_row));
  return c.without_row == 0 ? kDone : kFailed;
}

void add_check(CLI::App& app, int& exit_code) {
  auto* sub = app.add_subcommand("check", "verify every derivative rule against a reference in higher precision");
  auto filter = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  sub->add_option("OP", *filter, "only this operation");
  sub->add_flag("--json", *json, "print one JSON object as the last line");
  sub->callback([=, &exit_code] { exit_code = run_check(*filter, *json); });
}

void add_ops(CLI::App& app, int& exit_code) {
  auto* sub = app.add_subcommand("ops", "list the operations");
  auto coverage_table = std::make_shared<bool>(false), json = std::make_shared<bool>(false);
  sub->add_flag("--coverage", *coverage_table, "family, derivative and test rows of each");
  sub->add_flag("--json", *json, "print one JSON object as the last line");
  sub->callback([=, &exit_code] { exit_code = run_ops(*coverage_table, *json); });
}

}  // namespace adjoint::cli
