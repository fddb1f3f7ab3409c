// workloads.hpp: the benchmark workloads, defined in bench/peers/README.md: data, start values and step of each.
// Not the timing: bench.cpp.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "adjoint/tensor.hpp"

namespace adjoint::cli {

/// One workload ready to run: step() does one whole training step, computed, and returns the loss.
struct Workload {
  std::function<Tensor()> step;
  int steps = 100, warmup = 3, inner = 1;  // samples, untimed steps, steps a sample
};
struct WorkloadEntry {
  std::string name;
  std::function<Workload()> make;
};
const std::vector<WorkloadEntry>& workloads();

/// Element i of stream s, as every framework makes it (splitmix64).
std::uint64_t stream_word(std::uint64_t stream, std::uint64_t i);
std::vector<float> stream_uniform(std::uint64_t stream, std::int64_t n, double low, double high);
std::vector<std::int32_t> stream_integers(std::uint64_t stream, std::int64_t n, std::uint64_t below);

/// lenet_epoch: seconds an epoch and accuracy on Fashion-MNIST, in the peers' terms.
struct EpochResult {
  double load_s = 0, accuracy_1 = 0, accuracy_5 = 0, first_step_s = 0, loss_first = 0, loss_second = 0, loss_last = 0;
  std::vector<double> epoch_s;
};
EpochResult lenet_epochs(const std::string& folder, int epochs);

}  // namespace adjoint::cli
