// invariance_test.cpp: one hash of the loss, all gradients and all updated parameters, for every way to plan, every executor of
// groups and every number of threads, on four networks. Not a test of what the networks learn.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "adjoint/plan_options.hpp"
#include "kernels/cpu/emit.hpp"
#include "nets.hpp"
#include "step_graph.hpp"

namespace adjoint {
namespace {

using planned::AdamStep;
using planned::all_leaves;
using planned::Fnv;
using planned::StepGraph;

/// Two steps from the network's start values, through eval.
template <class Net> std::uint64_t hash_of_two_steps() {
  Net net = Net::make();
  auto state = optim::Adam{}.init(net);
  Fnv hash;
  for (std::uint64_t k = 0; k < 2; ++k) {
    const AdamStep<Net> step(net, state, k);
    eval(step.results);
    for (const auto& list : {step.results, all_leaves(net), all_leaves(state)})
      for (const auto& t : list) hash.add(t);
  }
  return hash.h;
}

struct Restore {
  int n = threads();
  PlanOptions options = plan_options();
  cpu::GroupExecutor executor = cpu::group_executor();
  ~Restore() {
    stop_verify();
    set_threads(n);
    set_plan_options(options);
    cpu::set_group_executor(executor);
  }
};

/// The ways to plan: adding one is adding a line. A number is a budget: so many percent between the smallest and save-all.
constexpr const char* kMemory[] = {"save-all", "recompute", "checkpoint:2", "75", "50", "35", "25"};
constexpr std::pair<cpu::GroupExecutor, const char*> kExecutors[] = {
    {cpu::GroupExecutor::tiles, "tiles"}, {cpu::GroupExecutor::avx2, "emitted avx2"}, {cpu::GroupExecutor::avx512, "emitted avx512"}};
constexpr int kThreads[] = {1, 2, 3, 8};

template <class Net> class PlanInvariance : public ::testing::Test {};
struct Names {
  template <class Net> static std::string GetName(int k) { return std::array{"Mlp", "LeNet", "ResNet18", "Transformer"}[static_cast<std::size_t>(k)]; }
};
using Nets = ::testing::Types<nets::Mlp, nets::LeNet, nets::ResNet18, nets::Transformer>;
TYPED_TEST_SUITE(PlanInvariance, Nets, Names);

TYPED_TEST(PlanInvariance, OneHashForEveryPlanEveryExecutorAndEveryNumberOfThreads) {
  const Restore restore;
  std::lock_guard lock(graph_mutex());
  StepGraph step = StepGraph::of<TypeParam>();
  std::size_t steps_fused = 0, again = 0;
  int runs = 0;
  for (const bool fuse : {true, false}) {
    const std::int64_t most = step.plan({.fuse = fuse}).arena_bytes, least = step.smallest(fuse);
    EXPECT_LE(least, most);
    for (const std::string memory : kMemory) {
      const bool budget = memory.size() == 2;
      const std::int64_t bytes = budget ? least + std::atoll(memory.c_str()) * (most - least) / 100 : 0;
      const PlanOptions options{.memory = budget ? Memory::budget(bytes) : Memory(memory), .fuse = fuse};
      for (const auto& [executor, name] : kExecutors) {
        if (!cpu::set_group_executor(executor)) continue;  // the processor lacks it
        runtime::Executable executable(step.plan(options));
        const auto& plan = executable.plan();
        EXPECT_TRUE(!budget || plan.arena_bytes <= bytes) << memory << " %: " << plan.arena_bytes << " of " << bytes;
        if (fuse && memory == "save-all") steps_fused = plan.steps.size();
        EXPECT_TRUE(fuse || memory != "save-all" || plan.steps.size() > steps_fused);
        for (const auto& s : plan.steps) again += s.again;
        for (const int n : kThreads) {
          set_threads(n);
          EXPECT_EQ(step.hash(executable), step.wanted) << memory << (budget ? " %, " : ", ") << (fuse ? "fused, " : "unfused, ") << name << ", " << n << " threads";
          ++runs;
        }
      }
    }
  }
  std::printf("%d runs, %zu steps computed again\n", runs, again);
  EXPECT_GE(runs, static_cast<int>(2 * std::size(kMemory) * std::size(kThreads)));
  EXPECT_GT(again, 0u);
}

TYPED_TEST(PlanInvariance, OneHashOfTwoStepsThroughEval) {
  const Restore restore;
  set_threads(1);
  set_plan_options({});
  set_verify({.first = 1000});  // the first time beside the interpreter
  const Verified before = verified();
  const std::uint64_t wanted = hash_of_two_steps<TypeParam>();
  EXPECT_GE(verified().compared - before.compared, 2);
  EXPECT_GE(verified().values - before.values, static_cast<std::int64_t>(4 * tree::flatten(TypeParam::make()).size()));
  stop_verify();
  for (const PlanOptions& options : {PlanOptions{}, PlanOptions{.fuse = false}, PlanOptions{.memory = "recompute"}, PlanOptions{.memory = "checkpoint:2"}})
    for (const int n : {1, 3}) {
      set_plan_options(options);
      set_threads(n);
      EXPECT_EQ(hash_of_two_steps<TypeParam>(), wanted) << to_string(options.memory) << (options.fuse ? ", fused, " : ", unfused, ") << n << " threads";
    }
}

}  // namespace
}  // namespace adjoint
