// measured_peak_test.cpp: what a step of a plan really takes: the highest byte of its arena that is written is the planned peak, and
// nothing is allocated beside the arena. Ten budgets a network. Not the bits: invariance_test.cpp.
#include <gtest/gtest.h>

#include <cstring>

#include "step_graph.hpp"
#include "support/counted_memory.hpp"

namespace adjoint {
namespace {

using planned::Copies;
using planned::StepGraph;

struct Threads {
  int before = threads();
  ~Threads() { set_threads(before); }
};

/// A byte of the pattern: its neighbours differ, and in the second run all of them.
std::byte poison(std::int64_t at, bool second) {
  const auto h = static_cast<std::uint64_t>(at) * 0x9E3779B97F4A7C15u;
  return static_cast<std::byte>(h >> 56) ^ (second ? std::byte{0xFF} : std::byte{0});
}

/// The memory of one run: inputs, outputs and the arena, bound once.
struct Bound {
  const runtime::Executable& executable;
  Copies inputs, outputs;
  std::unique_ptr<runtime::Executable::Instance> instance;
  std::int64_t whole;  // bytes of the arena's block that are watched: beyond the arena too

  Bound(const runtime::Executable& e, const planned::Graph& graph) : executable(e), instance(e.make_instance({})), whole(e.plan().arena_bytes + 64) {
    graph.copy_leaves(inputs, false);
    const auto& plan = e.plan();
    for (std::size_t k = 0; k < inputs.buffers.size(); ++k) e.bind_leaf(*instance, k, inputs.buffers[k]->data);
    for (std::size_t k = 0; k < plan.outputs.size(); ++k) {
      const auto from = plan.takes_over[k];
      Buffer* b = from >= 0 ? inputs.buffers[static_cast<std::size_t>(from)] : new_buffer(static_cast<std::size_t>(plan.outputs[k].shape.numel()) * size_of(plan.outputs[k].dtype));
      if (from >= 0) retain(b);
      outputs.buffers.push_back(b);
      e.bind_output(*instance, k, b->data);
    }
    std::ranges::copy(graph.literals, instance->literals.begin());
  }
  void fill(bool second) {
    for (std::int64_t i = 0; i < whole; ++i) instance->arena[static_cast<std::size_t>(i)] = poison(i, second);
  }
  /// One past the highest byte that is not the pattern's.
  std::int64_t touched(bool second) const {
    std::int64_t i = whole;
    while (i > 0 && instance->arena[static_cast<std::size_t>(i - 1)] == poison(i - 1, second)) --i;
    return i;
  }
  void run() { EXPECT_EQ(executable.run(*instance).step, nullptr); }
};

template <class Net> class MeasuredPeak : public ::testing::Test {};
struct Names {
  template <class Net> static std::string GetName(int k) { return std::array{"Mlp", "LeNet", "ResNet18", "Transformer"}[static_cast<std::size_t>(k)]; }
};
using Nets = ::testing::Types<nets::Mlp, nets::LeNet, nets::ResNet18, nets::Transformer>;
TYPED_TEST_SUITE(MeasuredPeak, Nets, Names);

TYPED_TEST(MeasuredPeak, IsThePlannedOneForTenBudgets) {
  const Threads restore;
  std::lock_guard lock(graph_mutex());
  StepGraph step = StepGraph::of<TypeParam>();
  const std::int64_t most = step.plan({}).arena_bytes, least = step.smallest(true);
  std::int64_t grown = 0;  // of what each thread keeps for its kernels to work on
  for (std::int64_t percent = 0; percent < 100; percent += 10) {
    const std::int64_t budget = least + percent * (most - least) / 100;
    const runtime::Executable executable(step.plan({.memory = Memory::budget(budget)}));
    EXPECT_LE(executable.plan().arena_bytes, budget);
    for (const int n : {1, 2}) {
      set_threads(n);
      Bound run(executable, *step.graph);
      std::int64_t touched = 0;
      for (const bool second : {false, true}) {  // a byte that is written with the pattern's own in one run shows in the other
        run.fill(second);
        const auto allocations = counted::allocations_in([&] { run.run(); });
        if (second) EXPECT_EQ(allocations, 0) << percent << " %, " << n << " threads, " << counted::bytes << " bytes";
        else grown += counted::bytes;
        touched = std::max(touched, run.touched(second));
      }
      EXPECT_EQ((touched + 63) / 64 * 64, executable.plan().arena_bytes) << percent << " %, " << n << " threads";
    }
  }
  std::printf("arena %lld to %lld bytes; the kernels' own memory grew by %lld in all first runs\n", static_cast<long long>(least), static_cast<long long>(most), static_cast<long long>(grown));
}

TEST(MeasuredPeakOf, APlanThatLiesIsFound) {
  std::lock_guard lock(graph_mutex());
  StepGraph step = StepGraph::of<nets::Mlp>();
  plan::Plan plan = step.plan({});
  plan.arena_bytes += 4096;
  const runtime::Executable executable(std::move(plan));
  Bound run(executable, *step.graph);
  run.fill(false);
  run.run();
  EXPECT_LE(run.touched(false), executable.plan().arena_bytes - 4096);
}

}  // namespace
}  // namespace adjoint
