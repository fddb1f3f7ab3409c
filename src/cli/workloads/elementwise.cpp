// elementwise.cpp: the workload of that name: value and gradient of a chain of functions over three arrays of 4 Mi elements.
// Not a workbench of single functions.
#include "cli/workloads/steps.hpp"

namespace adjoint::cli {
namespace {

Workload elementwise(bool compiled) {
  const Shape n{1 << 22};
  return value_and_gradient({uniform(1, n, -2, 2), uniform(11, n, -2, 2), uniform(21, n, -2, 2)}, [](const Tensors& leaves) {
    const Tensor &x = leaves[0], &w = leaves[1], &b = leaves[2];
    return mean(tanh(x * w + b) * sigmoid(x) + gelu(x));
  }, compiled, {.steps = 30});
}

const bool defined = define_workload({"elementwise", elementwise});

}  // namespace
}  // namespace adjoint::cli
