// workloads.hpp: the benchmark workloads, defined in bench/peers/README.md: data, start values and step of each, one file a
// workload in workloads/. Not the timing: bench.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "adjoint/tensor.hpp"

namespace adjoint::cli {

/// One workload ready to run: step() does one whole step, computed, and returns the loss; values() is all that a step leaves
/// behind, as a graph that nobody has computed.
struct Workload {
  std::function<Tensor()> step;
  std::function<Tensors()> values;
  int steps = 100, warmup = 3, inner = 1;  // samples, untimed steps, steps a sample
};
struct WorkloadEntry {
  std::string name;
  std::function<Workload(bool compiled)> make;  // compiled: the step goes through compile(), else each step builds its graph
};
/// Called by each workload's file, when the program starts.
bool define_workload(WorkloadEntry entry);
/// By name.
const std::vector<WorkloadEntry>& workloads();

/// lenet_epoch: seconds an epoch and accuracy on Fashion-MNIST, in the peers' terms.
struct EpochResult {
  double load_s = 0, accuracy_1 = 0, accuracy_5 = 0, first_step_s = 0, loss_first = 0, loss_second = 0, loss_last = 0;
  std::vector<double> epoch_s;
};
EpochResult lenet_epochs(const std::string& folder, int epochs, bool compiled);

// ---- reproducible data: element i of a stream is a function of both numbers alone, as every framework makes it ---------------

namespace stream {
constexpr std::uint64_t kData = 1, kLabels = 2, kParameters = 1000, kEpochs = 5000;
}
/// Element i of stream s (splitmix64).
std::uint64_t stream_word(std::uint64_t s, std::uint64_t i);
/// U[low, high) in f64, rounded to T.
template <class T = float> std::vector<T> stream_uniform(std::uint64_t s, std::int64_t n, double low, double high) {
  std::vector<T> v(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<T>(low + (high - low) * (static_cast<double>(stream_word(s, i) >> 40) * 0x1p-24));
  return v;
}
std::vector<std::int32_t> stream_integers(std::uint64_t s, std::int64_t n, std::uint64_t below);

/// A tensor of U[low, high).
template <class T = float> Tensor uniform(std::uint64_t s, const Shape& shape, double low = -1, double high = 1) {
  return adjoint::tensor(stream_uniform<T>(s, shape.numel(), low, high), shape);
}
/// Parameter number k of two or more axes: U(-b, b) with b = 1 / sqrt(fan in).
Tensor parameter(std::uint64_t k, const Shape& shape);

}  // namespace adjoint::cli
