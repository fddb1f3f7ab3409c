// invariance_test.cpp: one hash of the loss, all gradients and all updated parameters over two steps, for every way to plan and
// every number of threads, on four networks. Not a test of what the networks learn.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "adjoint/explain.hpp"
#include "adjoint/plan_options.hpp"
#include "check/operands.hpp"
#include "nets.hpp"

namespace adjoint {
namespace {

/// A way to run: adding one is adding a line. A budget of b % is the smallest arena plus b % of the way to that of keeping all.
struct Way {
  std::string name;
  PlanOptions options = {};
  int percent = -1;
};
std::vector<Way> ways() {
  return {
      {"save-all, fused"},
      {"save-all, unfused", {.fuse = false}},
      {"recompute, fused", {.memory = "recompute"}},
      {"recompute, unfused", {.memory = "recompute", .fuse = false}},
      {"checkpoint:2, fused", {.memory = "checkpoint:2"}},
      {"checkpoint:2, unfused", {.memory = "checkpoint:2", .fuse = false}},
      {"75 %", {}, 75},
      {"50 %", {}, 50},
      {"35 %", {}, 35},
      {"25 %", {}, 25},
      {"25 %, unfused", {.fuse = false}, 25},
  };
}

struct Fnv {
  std::uint64_t h = 0xCBF29CE484222325u;
  void add(const Tensor& t) {
    for (const std::byte b : check::bytes_of(t)) h = (h ^ static_cast<std::uint64_t>(b)) * 0x100000001B3u;
  }
};

/// What a step computes: its loss, the gradients and all that an update replaces.
template <class Net> Tensors step_of(Net& net, decltype(optim::Adam{}.init(std::declval<Net&>()))& state, std::uint64_t step) {
  nn::Context context{.training = true, .key = Key(7).fold_in(step)};
  const Tensor loss = net.loss(context);
  const Net gradient = grad(loss, net);
  Tensors wanted = tree::flatten(gradient);
  wanted.push_back(loss);
  std::tie(net, state) = optim::Adam{.learning_rate = 1e-2}.update(net, gradient, state);
  context.apply(net);
  return wanted;
}

template <class Net> std::int64_t arena_with(const PlanOptions& options) {
  set_plan_options(options);
  Net net = Net::make();
  auto state = optim::Adam{}.init(net);
  Tensors wanted = step_of(net, state, 0);
  for (const auto& l : tree::leaves(net)) wanted.push_back(l.tensor);
  for (const auto& l : tree::leaves(state)) wanted.push_back(l.tensor);
  return explain_plan(wanted).arena_bytes;
}

/// Two steps of Adam from the network's start values: forward, backward and update as one plan each.
template <class Net> std::uint64_t hash_of_two_steps() {
  Net net = Net::make();
  auto state = optim::Adam{}.init(net);
  Fnv hash;
  for (std::uint64_t step = 0; step < 2; ++step) {
    const Tensors wanted = step_of(net, state, step);
    eval(wanted);
    for (const auto& t : wanted) hash.add(t);
    for (const auto& l : tree::leaves(net)) hash.add(l.tensor);
    for (const auto& l : tree::leaves(state)) hash.add(l.tensor);
  }
  return hash.h;
}

struct Restore {
  int n = threads();
  PlanOptions options = plan_options();
  ~Restore() {
    stop_verify();
    set_threads(n);
    set_plan_options(options);
  }
};

template <class Net> class PlanInvariance : public ::testing::Test {};
struct Names {
  template <class Net> static std::string GetName(int k) { return std::array{"Mlp", "LeNet", "ResNet18", "Transformer"}[static_cast<std::size_t>(k)]; }
};
using Nets = ::testing::Types<nets::Mlp, nets::LeNet, nets::ResNet18, nets::Transformer>;
TYPED_TEST_SUITE(PlanInvariance, Nets, Names);

TYPED_TEST(PlanInvariance, OneHashForEveryPlanAndEveryNumberOfThreads) {
  const Restore restore;
  set_threads(1);
  set_plan_options({});
  set_verify({.first = 1000});  // the first way beside the interpreter: neither merged nor fused
  const Verified before = verified();
  const std::uint64_t wanted = hash_of_two_steps<TypeParam>();
  EXPECT_GE(verified().compared - before.compared, 2);
  EXPECT_GE(verified().values - before.values, static_cast<std::int64_t>(4 * tree::flatten(TypeParam::make()).size()));
  stop_verify();
  int runs = 0;
  for (auto way : ways()) {
    if (way.percent >= 0) {
      const bool fuse = way.options.fuse;
      const auto most = arena_with<TypeParam>({.fuse = fuse}), least = arena_with<TypeParam>({.memory = "recompute", .fuse = fuse});
      EXPECT_LT(least, most);
      const auto bytes = least + (most - least) * way.percent / 100;
      way.options.memory = Memory::budget(bytes);
      EXPECT_LE(arena_with<TypeParam>(way.options), bytes) << way.name;
    }
    for (const int n : {1, 2, 3, 8}) {
      set_plan_options(way.options);
      set_threads(n);
      EXPECT_EQ(hash_of_two_steps<TypeParam>(), wanted) << way.name << ", " << n << " threads";
      ++runs;
    }
  }
  EXPECT_EQ(runs, static_cast<int>(4 * ways().size()));
}

}  // namespace
}  // namespace adjoint
