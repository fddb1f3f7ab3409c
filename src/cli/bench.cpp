// bench.cpp: `adjoint bench`: times workloads in the fields that the peers print. Not the workloads: workloads/.
#include <CLI/CLI.hpp>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <memory>

#include "adjoint/adjoint.hpp"
#include "adjoint/data/images.hpp"
#include "cli/command.hpp"
#include "cli/subcommands.hpp"
#include "cli/workloads.hpp"

namespace adjoint::cli {
namespace {

double status_mb(const std::string& key) {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(key)) return std::stod(line.substr(key.size())) / 1024;
  return 0;
}

void forget_peak_rss() { std::ofstream("/proc/self/clear_refs") << "5"; }

double quantile(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto i = static_cast<std::size_t>(at), j = std::min(i + 1, sorted.size() - 1);
  return sorted[i] + (at - static_cast<double>(i)) * (sorted[j] - sorted[i]);
}

void add_times(Json& record, std::vector<double> seconds) {
  std::ranges::sort(seconds);
  record["median_ms"] = quantile(seconds, 0.5) * 1e3;
  record["min_ms"] = seconds.front() * 1e3;
  record["p90_ms"] = quantile(seconds, 0.9) * 1e3;
}

/// As many CPUs as threads, the last ones, like the peers' programs.
void pin(int threads) {
  cpu_set_t have, want;
  CPU_ZERO(&want);
  sched_getaffinity(0, sizeof have, &have);
  int left = threads;
  for (int c = CPU_SETSIZE - 1; c >= 0 && left > 0; --c)
    if (CPU_ISSET(c, &have)) CPU_SET(c, &want), --left;
  if (left > 0) throw Error({.op = "bench", .message = "fewer CPUs than " + std::to_string(threads) + " threads", .hint = "give a smaller --threads"});
  sched_setaffinity(0, sizeof want, &want);
}

Json measure(const Workload& w, double most_seconds) {
  Json r;
  const double base = status_mb("VmRSS:");
  forget_peak_rss();
  const double begun = seconds_now();
  const double first = w.step().item();
  r["first_step_ms"] = (seconds_now() - begun) * 1e3;
  const double second = w.step().item();
  for (int i = 2; i < w.warmup; ++i) w.step();
  std::vector<double> seconds;
  double last = second;
  const double start = seconds_now();
  for (int s = 0; s < w.steps; ++s) {
    const double t0 = seconds_now();
    Tensor loss;
    for (int i = 0; i < w.inner; ++i) loss = w.step();
    last = loss.item();
    const double t1 = seconds_now();
    seconds.push_back((t1 - t0) / w.inner);
    if (t1 - start > most_seconds) break;
  }
  add_times(r, seconds);
  const double peak = status_mb("VmHWM:");
  r["peak_rss_mb"] = peak, r["rss_before_mb"] = base, r["rss_growth_mb"] = peak - base;
  r["loss_first"] = first, r["loss_second"] = second, r["loss_last"] = last;
  r["samples"] = seconds.size(), r["inner"] = w.inner;
  r["total_steps"] = w.warmup + static_cast<int>(seconds.size()) * w.inner;
  r["truncated"] = static_cast<int>(seconds.size()) < w.steps;
  return r;
}

struct Settings {
  std::vector<std::string> names;
  std::string data = data::kFashionMnist;
  int threads = 1, epochs = 5;
  double most_seconds = 60;
  bool list = false, json = false, eager = false;
};

std::vector<std::string> workload_names() {
  std::vector<std::string> names;
  for (const auto& w : workloads()) names.push_back(w.name);
  names.push_back("lenet_epoch");
  return names;
}

Json run_one(const std::string& name, const Settings& s) {
  Json record{{"name", name}, {"framework", "adjoint"}, {"version", kVersion}, {"threads", s.threads}, {"config", s.eager ? "eager" : "compiled"}};
  if (name == "lenet_epoch") {
    const double base = status_mb("VmRSS:");
    forget_peak_rss();
    const auto e = lenet_epochs(s.data, s.epochs, !s.eager);
    add_times(record, e.epoch_s);
    record["peak_rss_mb"] = status_mb("VmHWM:"), record["rss_before_mb"] = base;
    record["first_step_ms"] = e.first_step_s * 1e3;
    record["loss_first"] = e.loss_first, record["loss_second"] = e.loss_second, record["loss_last"] = e.loss_last, record["load_s"] = e.load_s, record["epoch_s"] = e.epoch_s;
    record["accuracy_1"] = e.accuracy_1, record["accuracy_5"] = e.accuracy_5, record["samples"] = s.epochs;
    return record;
  }
  for (const auto& w : workloads())
    if (w.name == name) {
      record.update(measure(w.make(!s.eager), s.most_seconds));
      return record;
    }
  return record;
}

int run(const Settings& s) {
  if (s.list) {
    for (const auto& name : workload_names()) std::printf("%s\n", name.c_str());
    return kDone;
  }
  const auto all = workload_names();
  for (const auto& name : s.names)
    if (std::ranges::find(all, name) == all.end()) throw CLI::ValidationError("WORKLOAD", "there is no workload " + name + "; see --list");
  pin(s.threads);
  set_threads(s.threads);
  const auto names = s.names.empty() ? all : s.names;
  for (const auto& name : names) {
    const Json r = run_one(name, s);
    if (s.json) print_json(r);
    else
      std::printf("%-16s %d thread(s)  median %.4g ms  min %.4g ms  peak %.0f MB  last loss %.6g\n", name.c_str(), s.threads, r["median_ms"].get<double>(),
                  r["min_ms"].get<double>(), r["peak_rss_mb"].get<double>(), r["loss_last"].get<double>());
    std::fflush(stdout);
  }
  return kDone;
}

}  // namespace

void add_bench(CLI::App& app, int& exit_code) {
  auto* sub = app.add_subcommand("bench", "time the benchmark workloads (bench/peers runs the same in PyTorch and JAX)");
  auto s = std::make_shared<Settings>();
  sub->add_option("WORKLOAD", s->names, "names (see --list); all when none is given");
  sub->add_flag("--list", s->list, "print the names and stop");
  sub->add_option("--threads", s->threads, "threads and CPUs to use")->check(CLI::Range(1, 1024))->capture_default_str();
  sub->add_option("--max-seconds", s->most_seconds, "stop timing a workload after this")->check(CLI::PositiveNumber)->capture_default_str();
  sub->add_option("--data,--fashion-mnist", s->data, "folder of the IDX files for lenet_epoch")->capture_default_str();
  sub->add_option("--epochs", s->epochs, "epochs of lenet_epoch")->check(CLI::Range(1, 1000))->capture_default_str();
  sub->add_flag("--eager", s->eager, "each step builds its graph anew, instead of going through compile()");
  sub->add_flag("--json", s->json, "one JSON object a workload");
  sub->callback([s, &exit_code] { exit_code = run(*s); });
}

}  // namespace adjoint::cli
