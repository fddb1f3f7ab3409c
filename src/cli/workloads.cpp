// workloads.cpp: the list of workloads, and the streams from which all of them take their numbers. Not a workload.
#include "cli/workloads.hpp"

#include <algorithm>
#include <cmath>

namespace adjoint::cli {

static std::vector<WorkloadEntry>& list() {
  static auto* l = new std::vector<WorkloadEntry>;
  return *l;
}
bool define_workload(WorkloadEntry entry) {
  const auto at = std::ranges::lower_bound(list(), entry.name, {}, &WorkloadEntry::name);
  list().insert(at, std::move(entry));
  return true;
}
const std::vector<WorkloadEntry>& workloads() { return list(); }

std::uint64_t stream_word(std::uint64_t s, std::uint64_t i) {
  std::uint64_t z = (i + (s << 32)) * 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

std::vector<std::int32_t> stream_integers(std::uint64_t s, std::int64_t n, std::uint64_t below) {
  std::vector<std::int32_t> v(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<std::int32_t>((stream_word(s, i) >> 33) % below);
  return v;
}

Tensor parameter(std::uint64_t k, const Shape& shape) {
  const double b = 1 / std::sqrt(static_cast<double>(shape.numel() / shape[0]));
  return uniform(stream::kParameters + k, shape, -b, b);
}

}  // namespace adjoint::cli
