// resnet18_cifar.cpp: the workload of that name: ResNet-18 with a 3x3 stem on a batch of 32 pictures. Not the network: models.hpp.
#include "cli/workloads/steps.hpp"

namespace adjoint::cli {
namespace {

Workload resnet18_cifar(bool compiled) {
  auto t = classifier(filled(std::get<ResNet18>(make_image_model("resnet18", {32, 32, 3}, 10, 0))), optim::SGD{.learning_rate = 0.05, .momentum = 0.9}, compiled);
  return on_batch(t, pictures({32, 3, 32, 32}), labels(32), {.steps = 10, .warmup = 2});
}

const bool defined = define_workload({"resnet18_cifar", resnet18_cifar});

}  // namespace
}  // namespace adjoint::cli
