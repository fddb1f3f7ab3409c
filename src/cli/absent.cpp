// absent.cpp: subcommands that this build does not have: a clear word instead of "unknown argument". Not their later code.
#include <CLI/CLI.hpp>

#include "adjoint/error.hpp"
#include "cli/subcommands.hpp"

namespace adjoint::cli {

void add_absent(CLI::App& app, const std::string& name, const std::string& lacks, const std::string& hint) {
  auto* sub = app.add_subcommand(name, "not in this build: " + lacks);
  sub->allow_extras();
  const std::string op = app.get_parent() ? app.get_name() + " " + name : name;
  sub->callback([=] { throw Error({.op = op, .message = "this build has no " + lacks, .hint = hint}); });
}

}  // namespace adjoint::cli
