// workload_plans_test.cpp: the plans of the benchmark workloads, under every kind of memory: placed within 2 % of what must be alive at
// once, and within the bytes given. Counted, not timed (bench/planning.cpp) and not run.
#include <gtest/gtest.h>

#include <cstdio>
#include <mutex>

#include "adjoint/explain.hpp"
#include "cli/workloads.hpp"

namespace adjoint::cli {
namespace {

void expect_near_the_bound(const std::string& name, const std::string& memory, const PlanReport& plan) {
  const auto live = std::max<std::int64_t>(plan.live_bytes, 1);
  std::printf("%-18s %-12s arena %11lld, alive %11lld: %.4f\n", name.c_str(), memory.c_str(), static_cast<long long>(plan.arena_bytes),
              static_cast<long long>(plan.live_bytes), static_cast<double>(plan.arena_bytes) / static_cast<double>(live));
  EXPECT_GE(plan.arena_bytes, plan.live_bytes) << name << ' ' << memory;
  EXPECT_LE(static_cast<double>(plan.arena_bytes), 1.02 * static_cast<double>(plan.live_bytes)) << name << ' ' << memory;
}

class WorkloadPlan : public ::testing::TestWithParam<const char*> {};

TEST_P(WorkloadPlan, TakesTwoPercentMoreThanIsAliveAtMost) {
  const std::string name = GetParam();
  const auto entry = std::ranges::find(workloads(), name, &WorkloadEntry::name);
  ASSERT_NE(entry, workloads().end());
  const Tensors values = entry->make(false).values();
  std::int64_t most = 0, least = 0;
  for (const char* memory : {"save-all", "checkpoint:2", "checkpoint:4", "recompute"}) {
    const auto plan = explain_plan(values, {.memory = memory});
    expect_near_the_bound(name, memory, plan);
    (most == 0 ? most : least) = plan.arena_bytes;
  }
  EXPECT_LE(least, most);
  for (const int percent : {0, 2, 5, 10, 25, 35, 50, 75}) {
    const auto bytes = std::max<std::int64_t>(1, least + (most - least) * percent / 100);
    const auto plan = explain_plan(values, {.memory = Memory::budget(bytes)});
    expect_near_the_bound(name, std::to_string(percent) + " %", plan);
    EXPECT_LE(plan.arena_bytes, bytes) << percent << " %";
  }
}

// lenet_epoch's step is lenet's.
INSTANTIATE_TEST_SUITE_P(All, WorkloadPlan,
                         ::testing::Values("tiny_mlp", "mlp", "lenet", "resnet18_cifar", "elementwise", "layernorm_softmax", "adam_update", "gmm_like"),
                         [](const auto& row) { return std::string(row.param); });

}  // namespace
}  // namespace adjoint::cli
