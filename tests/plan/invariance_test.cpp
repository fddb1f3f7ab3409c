// invariance_test.cpp: one hash of the loss, all gradients and all updated parameters, for every way to plan, every executor of
// groups and every number of threads, on four networks. Not a test of what the networks learn.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "adjoint/plan_options.hpp"
#include "check/operands.hpp"
#include "kernels/cpu/emit.hpp"
#include "nets.hpp"
#include "planned.hpp"

namespace adjoint {
namespace {

struct Fnv {
  std::uint64_t h = 0xCBF29CE484222325u;
  void add(const Tensor& t) {
    for (const std::byte b : check::bytes_of(t)) h = (h ^ static_cast<std::uint64_t>(b)) * 0x100000001B3u;
  }
};

/// Forward, backward and Adam's update of one step. Nothing is computed.
template <class Net> struct AdamStep {
  Tensor loss;
  Net gradient;
  Tensors results;  // loss and gradients
  AdamStep(Net& net, optim::Adam::State<Net>& state, std::uint64_t step) {
    nn::Context context{.training = true, .key = Key(7).fold_in(step)};
    loss = net.loss(context);
    gradient = grad(loss, net);
    results = tree::flatten(gradient);
    results.push_back(loss);
    std::tie(net, state) = optim::Adam{.learning_rate = 1e-2}.update(net, gradient, state);
    context.apply(net);
  }
};
template <class T> Tensors all_leaves(const T& t) {
  Tensors all;
  for (const auto& l : tree::leaves(t)) all.push_back(l.tensor);
  return all;
}

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

/// One step as a graph with its inputs, whose plans are made and run by hand: no cache stands between.
struct StepGraph {
  std::optional<planned::Graph> graph;
  std::uint64_t wanted = 0;

  template <class Net> static StepGraph of() {
    StepGraph s;
    Net net = Net::make();
    auto state = optim::Adam{}.init(net);
    eval(all_leaves(net));
    eval(all_leaves(state));
    std::set<const Node*> old;
    for (const auto& list : {all_leaves(net), all_leaves(state)})
      for (const auto& t : list) old.insert(t.node());
    AdamStep<Net> step(net, state, 0);
    Tensors roots = step.results;
    std::vector<char> update(roots.size(), 0);
    for (const auto& list : {all_leaves(net), all_leaves(state)})
      for (const auto& t : list)
        if (!t.node()->computed()) roots.push_back(t), update.push_back(1);
    s.graph.emplace(roots, update, Tensors{}, [&](const Node& n) { return old.contains(&n); });
    Fnv hash;
    for (const auto& t : runtime::Interpreter(s.graph->request()).run(s.graph->leaves, s.graph->literals)) hash.add(t);
    s.wanted = hash.h;
    return s;
  }
  plan::Plan plan(const PlanOptions& options) {
    graph->options = options;
    return plan::make_plan(graph->request());
  }
  std::uint64_t hash(runtime::Executable& executable) const {
    planned::Copies inputs, outputs;
    graph->copy_leaves(inputs, false);
    const plan::Plan& plan = executable.plan();
    for (std::size_t k = 0; k < plan.outputs.size(); ++k) {
      const auto from = plan.takes_over[k];
      Buffer* b = from >= 0 ? inputs.buffers[static_cast<std::size_t>(from)] : new_buffer(static_cast<std::size_t>(plan.outputs[k].shape.numel()) * size_of(plan.outputs[k].dtype));
      if (from >= 0) retain(b);
      outputs.buffers.push_back(b);
    }
    const auto failure = executable.run(inputs.buffers, graph->literals, outputs.buffers, {});
    EXPECT_EQ(failure.step, nullptr);
    Fnv all;
    for (std::size_t k = 0; k < plan.outputs.size(); ++k) {
      retain(outputs.buffers[k]);
      all.add(leaf(plan.outputs[k], outputs.buffers[k], {}));
    }
    return all.h;
  }
  /// The fewest bytes that a budget can ask for: what the error says.
  std::int64_t smallest(bool fuse) {
    try {
      return plan({.memory = Memory::budget(1), .fuse = fuse}).arena_bytes;
    } catch (const Error& e) {
      const std::string text = e.message(), before = "smallest possible is ";
      const auto at = text.find(before);
      EXPECT_NE(at, text.npos) << text;
      return at == text.npos ? 0 : std::atoll(text.c_str() + at + before.size());
    }
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
