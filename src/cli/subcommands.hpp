// subcommands.hpp: each adds itself to the command's parser and runs when it is named. Not their options.
#pragma once

#include <CLI/App.hpp>

namespace adjoint::cli {

void add_train(CLI::App& app, int& exit_code);
void add_predict(CLI::App& app, int& exit_code);
void add_check(CLI::App& app, int& exit_code);
void add_ops(CLI::App& app, int& exit_code);
void add_bench(CLI::App& app, int& exit_code);
void add_doctor(CLI::App& app, int& exit_code);

}  // namespace adjoint::cli
