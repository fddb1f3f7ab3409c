// main.cpp: the `adjoint` command: subcommands, their options, exit codes. Not what they do: one file each.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <new>

#include "adjoint/adjoint.hpp"
#include "cli/command.hpp"
#include "cli/subcommands.hpp"

namespace cli = adjoint::cli;

int main(int argc, char** argv) {
  CLI::App app{"adjoint: reverse-mode automatic differentiation and neural-network training"};
  app.set_version_flag("--version", std::string("adjoint ") + adjoint::kVersion);
  app.require_subcommand(1);
  app.fallthrough(false);
  int exit_code = cli::kDone;
  cli::add_train(app, exit_code);
  cli::add_predict(app, exit_code);
  cli::add_check(app, exit_code);
  cli::add_ops(app, exit_code);
  cli::add_bench(app, exit_code);
  cli::add_plan(app, exit_code);
  cli::add_doctor(app, exit_code);
  cli::add_absent(app, "generate", "text models, so nothing to generate from", "predict classifies pictures with what train image wrote");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? cli::kDone : cli::kWrongUsage;
  } catch (const adjoint::Error& e) {  // without the place in our sources: it says nothing to who types a command
    std::fprintf(stderr, "%s\n", adjoint::Error({.op = e.op(), .message = e.message(), .operands = e.operands(), .hint = e.hint()}).what());
    return cli::kFailed;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "adjoint: out of memory\n");
    return cli::kFailed;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "adjoint: %s\n", e.what());
    return cli::kFailed;
  }
  return exit_code;
}
