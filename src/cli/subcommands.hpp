// subcommands.hpp: each adds itself to the command's parser and runs when it is named. Not their options.
#pragma once

#include <CLI/App.hpp>
#include <string>

namespace adjoint::cli {

void add_train(CLI::App& app, int& exit_code);
void add_predict(CLI::App& app, int& exit_code);
void add_check(CLI::App& app, int& exit_code);
void add_ops(CLI::App& app, int& exit_code);
void add_bench(CLI::App& app, int& exit_code);
void add_plan(CLI::App& app, int& exit_code);
void add_doctor(CLI::App& app, int& exit_code);
/// The options of `train image` that decide what a step is; `plan image` takes the same.
struct ImageTraining;
void add_step_options(CLI::App& sub, ImageTraining& settings);
/// A subcommand that the design names and this build lacks: it takes any arguments, says so, and fails.
void add_absent(CLI::App& app, const std::string& name, const std::string& lacks, const std::string& hint);

}  // namespace adjoint::cli
