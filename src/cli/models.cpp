// models.cpp: building the image models from a name, a picture shape and a seed. Not training.
#include "cli/models.hpp"

namespace adjoint::cli {

static nn::Conv2d conv3x3(std::int64_t in, std::int64_t out, std::int64_t stride, const Key& key) {
  return nn::conv2d(in, out, {3, 3}, key, {.stride = {stride, stride}, .padding = {1, 1}, .bias = false});
}

static ResNet18 resnet18(std::int64_t channels, std::int64_t classes, const Key& key) {
  struct Stage { std::int64_t in, out, stride; };
  constexpr Stage stages[] = {{64, 64, 1}, {64, 64, 1}, {64, 128, 2}, {128, 128, 1}, {128, 256, 2}, {256, 256, 1}, {256, 512, 2}, {512, 512, 1}};
  ResNet18 m{conv3x3(channels, 64, 1, key.fold_in("stem")), nn::batch_norm_layer(64), {}, nn::linear(512, classes, key.fold_in("head"))};
  for (const auto& [in, out, stride] : stages) {
    const Key k = key.fold_in("blocks").fold_in(m.blocks.size());
    ResidualBlock b{conv3x3(in, out, stride, k.fold_in("conv1")), nn::batch_norm_layer(out), conv3x3(out, out, 1, k.fold_in("conv2")), nn::batch_norm_layer(out)};
    if (stride != 1) {
      b.skip = nn::conv2d(in, out, {1, 1}, k.fold_in("skip"), {.stride = {stride, stride}, .bias = false});
      b.skip_norm = nn::batch_norm_layer(out);
    }
    m.blocks.push_back(std::move(b));
  }
  return m;
}

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
  if (name == "resnet18") return resnet18(shape.channels, classes, key);
  throw Error({.op = "train", .message = "there is no model \"" + name + "\"", .hint = "use mlp, lenet or resnet18"});
}

}  // namespace adjoint::cli
