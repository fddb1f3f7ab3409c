// doctor.cpp: what this machine and this build offer, and what will be used. Not a benchmark.
#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "adjoint/tensor.hpp"
#include "adjoint/version.hpp"
#include "graph/memory.hpp"
#include "runtime/instruction_sets.hpp"

namespace adjoint {

static std::string field_of(const char* file, const std::string& key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(key)) {
      const auto colon = line.find(':');
      const auto from = line.find_first_not_of(" \t", colon + 1);
      return from == line.npos ? "" : line.substr(from);
    }
  return "unknown";
}

std::vector<Finding> doctor() {
  std::vector<Finding> f;
  f.push_back({"version", std::string(kVersion) + ", " +
#if defined(__clang__)
                              "clang " __clang_version__
#else
                              "g++ " __VERSION__
#endif
               , "the library and the command are built from one source"});
  f.push_back({"processor", field_of("/proc/cpuinfo", "model name"), std::to_string(std::thread::hardware_concurrency()) + " logical CPUs"});
  f.push_back({"threads", std::to_string(threads()), "kernels use this many; results do not depend on it (--threads, set_threads)"});
  const auto sets = runtime::instruction_sets();
  f.push_back({"kernels", sets.used, "chosen at start among " + sets.built + "; every one gives the same bits", sets.used != "portable"});
  const auto number = [](int n) { return std::to_string(n); };
  f.push_back({"libraries", std::string("Highway " ADJOINT_HIGHWAY_VERSION ", SLEEF " ADJOINT_SLEEF_VERSION ", zlib ") + zlibVersion() + ", fmt " + number(FMT_VERSION / 10000) + '.' + number(FMT_VERSION / 100 % 100),
               "vectors, scalar functions, gzip files, messages; products and convolutions are our own"});
  f.push_back({"memory", std::to_string(available_memory() >> 20) + " MiB available", "an arena above this is refused"});
  f.push_back({"hugepages", field_of("/sys/kernel/mm/transparent_hugepage/enabled", "").empty() ? "unknown" : [] {
                 std::ifstream in("/sys/kernel/mm/transparent_hugepage/enabled");
                 std::string line;
                 std::getline(in, line);
                 return line.empty() ? std::string("not offered") : line;
               }(), "arenas of 2 MiB and more ask for them"});
  f.push_back({"CUDA", "this build has no CUDA", "training runs on the CPU", true});
  f.push_back({"MPI, NCCL", "this build has neither", "one process, one machine", true});
  return f;
}

}  // namespace adjoint
