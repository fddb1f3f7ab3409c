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

/// Two 3x3 convolutions with batch norm around a shortcut, which is a 1x1 convolution where the shape changes.
struct ResidualBlock {
  nn::Conv2d conv1;
  nn::BatchNorm norm1;
  nn::Conv2d conv2;
  nn::BatchNorm norm2;
  std::optional<nn::Conv2d> skip = {};
  std::optional<nn::BatchNorm> skip_norm = {};
  Tensor operator()(const Tensor& x, nn::Context& context) const {
    const Tensor y = norm2(conv2(relu(norm1(conv1(x), context))), context);
    return relu(y + (skip ? (*skip_norm)((*skip)(x), context) : x));
  }
};

/// ResNet-18 with a 3x3 stem, as on small pictures.
struct ResNet18 {
  nn::Conv2d stem;
  nn::BatchNorm stem_norm;
  std::vector<ResidualBlock> blocks;
  nn::Linear head;
  Tensor operator()(const Tensor& x, nn::Context& context) const {
    Tensor h = relu(stem_norm(stem(x), context));
    for (const auto& block : blocks) h = block(h, context);
    return head(mean(h, {2, 3}));
  }
};

using ImageModel = std::variant<Mlp, LeNet, ResNet18>;

/// By name ("mlp", "lenet", "resnet18"), for pictures of this shape; start values are a function of the seed alone.
///   throws    Error for a name that is none of these, or pictures too small for the model
ImageModel make_image_model(const std::string& name, const data::ImageShape& shape, std::int64_t classes, std::uint64_t seed);

}  // namespace adjoint::cli
