// workloads_test.cpp: the benchmark workloads are the peers': their first two losses. Not their speed. ResNet-18, which takes
// seconds a step, is held to its losses by bench/peers/report.py.
#include "cli/workloads.hpp"

#include <gtest/gtest.h>

namespace adjoint::cli {
namespace {

struct Losses {
  const char* name;
  double first, second;  // as PyTorch 2.15 and JAX 0.10 print them, to six digits
};
class WorkloadTest : public ::testing::TestWithParam<Losses> {};

TEST_P(WorkloadTest, HasThePeersLosses) {
  const auto& want = GetParam();
  for (const auto& entry : workloads()) {
    if (entry.name != want.name) continue;
    const Workload w = entry.make(true), eager = entry.make(false);
    const double first = w.step().item(), second = w.step().item();
    EXPECT_NEAR(first / want.first, 1, 1.5e-5);
    EXPECT_NEAR(second / want.second, 1, 1.5e-5);
    EXPECT_EQ(eager.step().item(), first);  // compiled or not, the same bits
    EXPECT_EQ(eager.step().item(), second);
    return;
  }
  FAIL() << "no workload " << want.name;
}

INSTANTIATE_TEST_SUITE_P(All, WorkloadTest,
                         ::testing::Values(Losses{"tiny_mlp", 2.28818, 2.24809}, Losses{"mlp", 2.29849, 2.27302}, Losses{"lenet", 2.3013, 2.30076},
                                           Losses{"elementwise", 0.385585, 0.385585}, Losses{"layernorm_softmax", -2.65543, -2.65543},
                                           Losses{"adam_update", 0.0158628, 0.0159414}, Losses{"gmm_like", -7005.71, -7005.71}),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace adjoint::cli
