// invariance_test.cpp: one hash of the loss, all gradients and all updated parameters over two steps, for every way to plan and
// every number of threads, on four networks. Not a test of what the networks learn.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "adjoint/plan_options.hpp"
#include "check/operands.hpp"
#include "nets.hpp"

namespace adjoint {
namespace {

/// A way to run: adding one is adding a line.
struct Way {
  std::string name;
  PlanOptions options = {};
};
std::vector<Way> ways() {
  return {
      {"save-all, fused"},
      {"save-all, unfused", {.fuse = false}},
  };
}

struct Fnv {
  std::uint64_t h = 0xCBF29CE484222325u;
  void add(const Tensor& t) {
    for (const std::byte b : check::bytes_of(t)) h = (h ^ static_cast<std::uint64_t>(b)) * 0x100000001B3u;
  }
};

/// Two steps of Adam from the network's start values: forward, backward and update as one plan each.
template <class Net> std::uint64_t hash_of_two_steps() {
  Net net = Net::make();
  const optim::Adam adam{.learning_rate = 1e-2};
  auto state = adam.init(net);
  Fnv hash;
  for (std::uint64_t step = 0; step < 2; ++step) {
    nn::Context context{.training = true, .key = Key(7).fold_in(step)};
    const Tensor loss = net.loss(context);
    const Net gradient = grad(loss, net);
    Tensors wanted = tree::flatten(gradient);
    wanted.push_back(loss);
    std::tie(net, state) = adam.update(net, gradient, state);
    context.apply(net);
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
  for (const auto& way : ways())
    for (const int n : {1, 2, 3, 8}) {
      set_plan_options(way.options);
      set_threads(n);
      EXPECT_EQ(hash_of_two_steps<TypeParam>(), wanted) << way.name << ", " << n << " threads";
      ++runs;
    }
  EXPECT_EQ(runs, static_cast<int>(4 * ways().size()));
}

}  // namespace
}  // namespace adjoint
