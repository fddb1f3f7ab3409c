// models.hpp: the networks of `adjoint train image` as plain structs. Not layers: those are adjoint::nn.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "adjoint/adjoint.hpp"
#include "adjoint/data/images.hpp"
#include "adjoint/nn.hpp"

namespace adjoint::cli {

/// input - 256 - 128 - classes, relu.
struct Mlp {
  nn::Linear first, second, head;
  Tensor operator()(const Tensor& x, nn::Context&) const {
    return head(relu(second(relu(first(flatten(x, 1))))));
  }
};

/// The LeNet of the benchmarks: conv 5x5 to 6, pool, conv 5x5 to 16, pool, 120 - 84 - classes, relu.
struct LeNet {
  nn::Conv2d conv1, conv2;
  nn::Linear fc1, fc2, head;
  Tensor operator()(const Tensor& x, nn::Context&) const {
    Tensor h = max_pool2d(relu(conv1(x)), {2, 2});
    h = max_pool2d(relu(conv2(h)), {2, 2});
    return head(relu(fc2(relu(fc1(flatten(h, 1))))));
  }
};

using ImageModel = std::variant<Mlp, LeNet>;

/// By name ("mlp", "lenet", "resnet18"), for pictures of this shape; start values are a function of the seed alone.
///   throws    Error for a name that is none of these, or pictures too small for the model
ImageModel make_image_model(const std::string& name, const data::ImageShape& shape, std::int64_t classes, std::uint64_t seed);

}  // namespace adjoint::cli
