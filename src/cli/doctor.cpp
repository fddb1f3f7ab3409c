// doctor.cpp: `adjoint doctor`: what this machine and build offer, and what will be used. Not the looking: that is
// adjoint::doctor().
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "adjoint/version.hpp"
#include "cli/command.hpp"
#include "cli/subcommands.hpp"

namespace adjoint::cli {

void add_doctor(CLI::App& app, int& exit_code) {
  auto* sub = app.add_subcommand("doctor", "processor, instruction sets, libraries, devices: what will be used and why");
  auto json = std::make_shared<bool>(false);
  sub->add_flag("--json", *json, "print one JSON object as the last line");
  sub->callback([json, &exit_code] {
    Json object;
    for (const auto& f : doctor()) {
      if (!*json) std::printf("%s %-12s %-36s %s\n", f.good ? " " : "!", f.what.c_str(), f.found.c_str(), f.means.c_str());
      object[f.what] = f.found;
    }
    if (*json) print_json(object);
    exit_code = kDone;
  });
}

}  // namespace adjoint::cli
