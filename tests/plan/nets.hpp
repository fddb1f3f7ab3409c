// nets.hpp: the networks on which plans are compared: an MLP, LeNet, ResNet-18 and a transformer block with dropout, each with a
// small batch and the loss of a pass. Not layers and not training.
#pragma once

#include <cmath>

#include "adjoint/adjoint.hpp"

namespace adjoint::nets {

inline Tensor drawn(const char* name, const Shape& shape) { return normal(Key(9).fold_in(name), shape).detach(); }
inline Tensor classes(std::int64_t n, std::int64_t count) { return randint(Key(9).fold_in("classes"), {n}, 0, count).detach(); }

struct Mlp {
  nn::Linear first, second, head;
  Tensor loss(nn::Context&) const { return cross_entropy(head(relu(second(relu(first(drawn("x", {64, 784})))))), classes(64, 10)); }
  static Mlp make() {
    const Key key(1);
    return {nn::linear(784, 256, key.fold_in("first")), nn::linear(256, 128, key.fold_in("second")), nn::linear(128, 10, key.fold_in("head"))};
  }
};

struct LeNet {
  nn::Conv2d conv1, conv2;
  nn::Linear fc1, fc2, head;
  Tensor loss(nn::Context&) const {
    Tensor h = max_pool2d(relu(conv1(drawn("x", {4, 1, 28, 28}))), {2, 2});
    h = max_pool2d(relu(conv2(h)), {2, 2});
    return cross_entropy(head(relu(fc2(relu(fc1(flatten(h, 1)))))), classes(4, 10));
  }
  static LeNet make() {
    const Key key(2);
    return {nn::conv2d(1, 6, {5, 5}, key.fold_in("conv1")), nn::conv2d(6, 16, {5, 5}, key.fold_in("conv2")), nn::linear(256, 120, key.fold_in("fc1")),
            nn::linear(120, 84, key.fold_in("fc2")), nn::linear(84, 10, key.fold_in("head"))};
  }
};

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

/// On pictures of 8 x 8, with a quarter of the channels.
struct ResNet18 {
  nn::Conv2d stem;
  nn::BatchNorm stem_norm;
  std::vector<ResidualBlock> blocks;
  nn::Linear head;
  Tensor loss(nn::Context& context) const {
    Tensor h = relu(stem_norm(stem(drawn("x", {2, 3, 8, 8})), context));
    for (const auto& block : blocks) h = block(h, context);
    return cross_entropy(head(mean(h, {2, 3})), classes(2, 10));
  }
  static ResNet18 make() {
    const Key key(3);
    const auto conv = [](std::int64_t in, std::int64_t out, std::int64_t side, std::int64_t stride, const Key& k) {
      return nn::conv2d(in, out, {side, side}, k, {.stride = {stride, stride}, .padding = {side / 2, side / 2}, .bias = false});
    };
    ResNet18 m{conv(3, 16, 3, 1, key.fold_in("stem")), nn::batch_norm_layer(16), {}, nn::linear(128, 10, key.fold_in("head"))};
    std::int64_t in = 16;
    for (const std::int64_t out : {16, 16, 32, 32, 64, 64, 128, 128}) {
      const Key k = key.fold_in(m.blocks.size());
      const std::int64_t stride = out == in ? 1 : 2;
      ResidualBlock b{conv(in, out, 3, stride, k.fold_in("conv1")), nn::batch_norm_layer(out), conv(out, out, 3, 1, k.fold_in("conv2")), nn::batch_norm_layer(out)};
      if (stride != 1) b.skip = conv(in, out, 1, stride, k.fold_in("skip")), b.skip_norm = nn::batch_norm_layer(out);
      m.blocks.push_back(std::move(b));
      in = out;
    }
    return m;
  }
};

/// Pre-norm: attention with a causal mask and dropout on its weights, then gelu, each with dropout in front of the residual sum.
struct Transformer {
  nn::LayerNorm norm1, norm2;
  nn::Linear qkv, out, up, down;
  nn::Dropout drop{0.1};
  Tensor loss(nn::Context& context) const {
    constexpr std::int64_t B = 4, T = 32, H = 4, D = 16, C = H * D;  // batch, time, heads, width of a head, channels
    const Tensor x = drawn("x", {B, T, C});
    const Tensor all = permute(reshape(qkv(norm1(x)), {B, T, 3, H, D}), {2, 0, 3, 1, 4});
    const Tensor q = select(all, 0, 0), k = select(all, 0, 1), v = select(all, 0, 2);
    const Tensor causal = tril(ones({T, T}));
    const Tensor scores = matmul(q, transpose(k, -1, -2)) / std::sqrt(static_cast<double>(D));
    const Tensor weights = drop(softmax(where(broadcast_to(gt(causal, 0.5), scores.shape()), scores, -1e9)), context);
    const Tensor mixed = reshape(permute(matmul(weights, v), {0, 2, 1, 3}), {B, T, C});
    const Tensor h = x + drop(out(mixed), context);
    const Tensor y = h + drop(down(gelu_erf(up(norm2(h)))), context);
    return mean(square(y - drawn("target", {B, T, C})));
  }
  static Transformer make() {
    const Key key(4);
    return {nn::layer_norm_layer({64}), nn::layer_norm_layer({64}), nn::linear(64, 192, key.fold_in("qkv")), nn::linear(64, 64, key.fold_in("out")),
            nn::linear(64, 256, key.fold_in("up")), nn::linear(256, 64, key.fold_in("down"))};
  }
};

}  // namespace adjoint::nets
