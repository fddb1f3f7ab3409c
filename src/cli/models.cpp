// models.cpp: building the image models from a name, a picture shape and a seed. Not training.
#include "cli/models.hpp"

namespace adjoint::cli {

ImageModel make_image_model(const std::string& name, const data::ImageShape& shape, std::int64_t classes, std::uint64_t seed) {
  const Key key = Key(seed).fold_in("model");
  if (name == "mlp")
    return Mlp{nn::linear(shape.size(), 256, key.fold_in("first")), nn::linear(256, 128, key.fold_in("second")), nn::linear(128, classes, key.fold_in("head"))};
  if (name == "lenet") {
    const auto after = [](std::int64_t side) { return ((side - 4) / 2 - 4) / 2; };
    const auto h = after(shape.height), w = after(shape.width);
    if (h < 1 || w < 1)
      throw Error({.op = "train", .message = "lenet needs pictures of at least 16x16, these are " + std::to_string(shape.height) + "x" + std::to_string(shape.width),
                   .hint = "use --model mlp"});
    return LeNet{nn::conv2d(shape.channels, 6, {5, 5}, key.fold_in("conv1")), nn::conv2d(6, 16, {5, 5}, key.fold_in("conv2")),
                 nn::linear(16 * h * w, 120, key.fold_in("fc1")), nn::linear(120, 84, key.fold_in("fc2")), nn::linear(84, classes, key.fold_in("head"))};
  }
  throw Error({.op = "train", .message = "there is no model \"" + name + "\"", .hint = "use mlp, lenet or resnet18"});
}

}  // namespace adjoint::cli
