// layernorm_softmax.cpp: the workload of that name: value and gradient of row reductions over 4,096 rows of 1,024.
// Not a workbench of the two kernels by themselves.
#include "cli/workloads/steps.hpp"

namespace adjoint::cli {
namespace {

Workload layernorm_softmax(bool compiled) {
  constexpr std::int64_t kRows = 4096, kColumns = 1024;
  const Tensor r = uniform(2, {kRows, kColumns});
  return value_and_gradient({uniform(1, {kRows, kColumns}, -2, 2), adjoint::tensor(std::vector<float>(kColumns, 1.0f), {kColumns}),
                             adjoint::tensor(std::vector<float>(kColumns, 0.0f), {kColumns})},
                            [r](const Tensors& leaves) {
                              return sum(softmax(layer_norm(leaves[0], {.weight = leaves[1], .bias = leaves[2]})) * r);
                            },
                            compiled, {.steps = 50});
}

const bool defined = define_workload({"layernorm_softmax", layernorm_softmax});

}  // namespace
}  // namespace adjoint::cli
