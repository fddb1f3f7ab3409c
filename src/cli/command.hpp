// command.hpp: what the subcommands share: the way results leave, exit codes, interruption. Not an argument parser.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace adjoint::cli {

using Json = nlohmann::ordered_json;

enum Exit : int { kDone = 0, kFailed = 1, kWrongUsage = 2, kInterrupted = 130, kTerminated = 143 };

/// The last line of --json: one object on standard output.
void print_json(const Json& object);

/// From now on Ctrl-C and SIGTERM only set interrupted(); a second one ends the process at once.
/// A reader of standard output that goes away no longer ends it.
void catch_signals();
/// 0, or the exit code that the signal asks for.
int interrupted();

/// "1,863,690" and "7.1 MiB"
std::string grouped(std::int64_t n);
std::string bytes_text(double bytes);
/// Most resident memory of this process so far, in bytes.
std::int64_t peak_rss_bytes();
double seconds_now();

}  // namespace adjoint::cli
