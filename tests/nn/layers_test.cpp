// layers_test.cpp: layers and initialisers: shapes, values against the operations, running statistics, random layers in and out
// of training, how layers are put together. Not gradients of operations: src/check/rows.
#include <gtest/gtest.h>

#include <cmath>

#include "adjoint/nn.hpp"
#include "adjoint/ops.hpp"
#include "adjoint/optim.hpp"
#include "graph/buffer.hpp"
#include "graph/node.hpp"

namespace adjoint {
namespace {

using Floats = std::vector<float>;
double deviation(const Tensor& t) {
  double s = 0;
  const auto v = t.to_vector<double>();
  for (double x : v) s += x * x / static_cast<double>(v.size());
  return std::sqrt(s);
}

TEST(Init, FansAndScales) {
  EXPECT_EQ(nn::fan_of({8, 3, 5, 5}, nn::Fan::in), 75);
  EXPECT_EQ(nn::fan_of({8, 3, 5, 5}, nn::Fan::out), 200);
  EXPECT_EQ(nn::fan_of({8, 3, 5, 5}, nn::Fan::average), 137.5);
  EXPECT_THROW(nn::fan_of({8}, nn::Fan::in), Error);
  const Key key(1);
  const Shape shape{200, 300};
  EXPECT_NEAR(deviation(nn::kaiming_uniform(key, shape)), std::sqrt(2.0 / 300), 1e-3);
  EXPECT_NEAR(deviation(nn::kaiming_normal(key, shape)), std::sqrt(2.0 / 300), 1e-3);
  EXPECT_NEAR(deviation(nn::xavier_uniform(key, shape)), std::sqrt(1.0 / 250), 1e-3);
  EXPECT_NEAR(deviation(nn::xavier_normal(key, shape)), std::sqrt(1.0 / 250), 1e-3);
  EXPECT_NEAR(deviation(nn::lecun_uniform(key, shape)), std::sqrt(1.0 / 300), 1e-3);
  EXPECT_NEAR(deviation(nn::lecun_normal(key, shape)), std::sqrt(1.0 / 300), 1e-3);
  const Tensor w = nn::kaiming_uniform(key, shape);
  EXPECT_TRUE(w.wants_grad());
  EXPECT_EQ(w.node()->arity, 0u);
  EXPECT_EQ(w.to_vector<float>(), nn::kaiming_uniform(key, shape).to_vector<float>());
}

TEST(Layers, LinearIsItsFormula) {
  nn::Linear l{tensor(Floats{1, 2, 3, 4, 5, 6}, {2, 3}), tensor({10, 20})};
  EXPECT_EQ(l(tensor(Floats{1, 0, -1}, {1, 3})).to_vector<float>(), (Floats{8, 18}));
  l.bias.reset();
  EXPECT_EQ(l(tensor({1, 0, -1})).to_vector<float>(), (Floats{-2, -2}));
  const auto made = nn::linear(3, 4, Key(1), {.bias = false, .dtype = DType::f64});
  EXPECT_FALSE(made.bias);
  EXPECT_EQ(to_string(made.weight.type()), "f64[4,3]");
  EXPECT_THROW(nn::linear(-1, 2, Key(1)), Error);
}

TEST(Layers, AnErrorNamesTheUsersLine) {
  const auto l = nn::linear(3, 4, Key(1));
  const Tensor x = zeros({2, 5});
  int line = 0;
  try {
    line = __LINE__ + 1;
    l(x);
    FAIL() << "nothing was thrown";
  } catch (const Error& e) {
    EXPECT_EQ(e.where().line, line) << e.what();
    EXPECT_EQ(to_string(e.where()).substr(0, 15), "layers_test.cpp");
  }
}

TEST(Layers, ConvolutionsHaveTheirShapes) {
  const Key key(2);
  EXPECT_EQ(nn::conv2d(1, 6, {5}, key)(zeros({2, 1, 28, 28})).shape(), (Shape{2, 6, 24, 24}));
  EXPECT_EQ(nn::conv2d(4, 6, {3, 3}, key, {.stride = {2}, .padding = {1}, .groups = 2})(zeros({2, 4, 8, 8})).shape(), (Shape{2, 6, 4, 4}));
  EXPECT_EQ(nn::conv1d(3, 5, 3, key, {.same = true})(zeros({2, 3, 9})).shape(), (Shape{2, 5, 9}));
  EXPECT_EQ(nn::conv_transpose2d(4, 6, {2}, key, {.stride = {2}})(zeros({1, 4, 3, 3})).shape(), (Shape{1, 6, 6, 6}));
  EXPECT_THROW(nn::conv2d(3, 4, {3}, key, {.groups = 2}), Error);
  EXPECT_THROW(nn::conv2d(3, 4, {0}, key), Error);
  EXPECT_THROW(nn::conv2d(3, 4, {3, 3, 3}, key), Error);
}

struct Normed {
  nn::BatchNorm norm;
};

TEST(Layers, BatchNormLearnsItsRunningStatisticsInPlace) {
  Normed m{nn::batch_norm_layer(2)};
  const Tensor x = tensor(Floats{1, 10, 3, 30, 5, 20}, {3, 2});
  const void* where = m.norm.running_mean.value.node()->data.load()->data;
  {
    nn::Context training{.training = true};
    const Tensor y = m.norm(x, training);
    training.apply(m);
    EXPECT_NEAR(y.to_vector<float>()[0], -1.2247, 1e-3);
  }
  EXPECT_NEAR(m.norm.running_mean.value.to_vector<float>()[0], 0.3, 1e-6);
  EXPECT_NEAR(m.norm.running_var.value.to_vector<float>()[0], 0.9 + 0.1 * 4, 1e-6);
  EXPECT_EQ(m.norm.running_mean.value.node()->data.load()->data, where);
  nn::Context evaluation;
  const auto y = m.norm(x, evaluation).to_vector<float>();
  EXPECT_NEAR(y[0], (1 - 0.3) / std::sqrt(1.3 + 1e-5), 1e-5);
  evaluation.apply(m);
  EXPECT_NEAR(m.norm.running_mean.value.to_vector<float>()[0], 0.3, 1e-6);
}

TEST(Layers, ASharedBatchNormBuildsOnItsFirstUpdate) {
  Normed m{nn::batch_norm_layer(1)};
  nn::Context training{.training = true};
  m.norm(full({4, 1}, 1), training);
  m.norm(full({4, 1}, 2), training);
  training.apply(m);
  EXPECT_NEAR(m.norm.running_mean.value.item(), 0.1 * 0.9 + 0.2, 1e-6);
}

TEST(Layers, NormalisationsOfTheLastAxes) {
  const Tensor x = tensor(Floats{1, 2, 3, 4}, {1, 4});
  EXPECT_NEAR(nn::layer_norm_layer({4})(x).to_vector<float>()[3], 1.5 / std::sqrt(1.25 + 1e-5), 1e-6);
  EXPECT_NEAR(nn::rms_norm_layer({4})(x).to_vector<float>()[3], 4 / std::sqrt(7.5 + 1e-6), 1e-6);
  EXPECT_NEAR(nn::group_norm_layer(2, 4)(x).to_vector<float>()[3], 0.5 / std::sqrt(0.25 + 1e-5), 1e-4);
  EXPECT_EQ(nn::instance_norm_layer(3)(ones({2, 3, 4})).to_vector<float>(), Floats(24, 0));
  EXPECT_EQ(nn::LayerNorm{}(x).shape(), x.shape());
}

TEST(Layers, RandomLayersDrawInTrainingOnlyAndTheSameForTheSameKey) {
  const Tensor x = ones({100});
  const nn::Dropout drop{0.5};
  nn::Context evaluation, a{.training = true, .key = Key(5)}, b{.training = true, .key = Key(5)};
  EXPECT_EQ(drop(x, evaluation).node(), x.node());
  const auto first = drop(x, a).to_vector<float>(), second = drop(x, a).to_vector<float>();
  EXPECT_NE(first, second);
  EXPECT_EQ(drop(x, b).to_vector<float>(), first);
  EXPECT_EQ(drop(x, b).to_vector<float>(), second);
}

TEST(Layers, EmbeddingTakesRows) {
  const nn::Embedding e{tensor(Floats{1, 2, 3, 4, 5, 6}, {3, 2})};
  EXPECT_EQ(e(tensor(std::vector<std::int64_t>{2, 0}, {2})).to_vector<float>(), (Floats{5, 6, 1, 2}));
  EXPECT_NEAR(deviation(nn::embedding(200, 50, Key(1), {.deviation = 0.02}).weight), 0.02, 1e-3);
}

TEST(Layers, PutTogether) {
  const Key key(3);
  const auto plain = nn::sequential(nn::linear(4, 8, key.fold_in(0)), nn::Relu{}, nn::linear(8, 2, key.fold_in(1)));
  EXPECT_EQ(plain(zeros({3, 4})).shape(), (Shape{3, 2}));
  auto model = nn::sequential(nn::conv2d(1, 4, {3}, key, {.same = true}), nn::batch_norm_layer(4), nn::Relu{}, nn::residual(nn::sequential(nn::conv2d(4, 4, {3}, key, {.same = true}), nn::Gelu{})),
                              nn::MaxPool2d{{2}}, nn::Flatten{}, nn::Dropout{0.1}, nn::linear(4 * 4 * 4, 10, key));
  nn::Context context{.training = true, .key = Key(9)};
  const Tensor loss = cross_entropy(model(uniform(key, {2, 1, 8, 8}), context), zeros({2}, DType::i64));
  const auto g = grad(loss, model);
  EXPECT_EQ(std::get<0>(g.layers).weight.shape(), std::get<0>(model.layers).weight.shape());
  EXPECT_EQ(tree::leaves(model)[0].path, "layers[0].weight");
  EXPECT_TRUE(std::isfinite(loss.item()));
}

TEST(Layers, ActivationsAreTheOperations) {
  const Tensor x = tensor({-1, 0.5, 2});
  EXPECT_EQ(nn::Relu{}(x).to_vector<float>(), relu(x).to_vector<float>());
  EXPECT_EQ(nn::LeakyRelu{0.2}(x).to_vector<float>(), leaky_relu(x, 0.2).to_vector<float>());
  EXPECT_EQ(nn::Elu{}(x).to_vector<float>(), elu(x).to_vector<float>());
  EXPECT_EQ(nn::Selu{}(x).to_vector<float>(), selu(x).to_vector<float>());
  EXPECT_EQ(nn::Gelu{}(x).to_vector<float>(), gelu_erf(x).to_vector<float>());
  EXPECT_EQ(nn::GeluTanh{}(x).to_vector<float>(), gelu_tanh(x).to_vector<float>());
  EXPECT_EQ(nn::Silu{}(x).to_vector<float>(), silu(x).to_vector<float>());
  EXPECT_EQ(nn::Mish{}(x).to_vector<float>(), mish(x).to_vector<float>());
  EXPECT_EQ(nn::Tanh{}(x).to_vector<float>(), tanh(x).to_vector<float>());
  EXPECT_EQ(nn::Sigmoid{}(x).to_vector<float>(), sigmoid(x).to_vector<float>());
  EXPECT_EQ(nn::Softplus{}(x).to_vector<float>(), softplus(x).to_vector<float>());
  EXPECT_EQ(nn::AvgPool2d{{2}}(ones({1, 1, 4, 4})).shape(), (Shape{1, 1, 2, 2}));
  EXPECT_EQ(nn::GlobalAvgPool{}(ones({1, 3, 4, 4})).numel(), 3);
}

}  // namespace
}  // namespace adjoint
