// a1_forward_backward_test.cpp: rows A1: training, gradients by structure, one layer against its closed form, seeds, batches,
// the products of a backward pass. Not the speed of those products: bench/gemm measures it.
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <string>

#include "features/support.hpp"
#include "support/paths.hpp"
#include "support/quad.hpp"

namespace adjoint::features {
namespace {

using test::Quad, test::ulp_error;

std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = popen(command.c_str(), "r");
  std::array<char, 4096> part;
  while (pipe && std::fgets(part.data(), part.size(), pipe)) text += part.data();
  EXPECT_EQ(pipe ? pclose(pipe) : -1, 0) << command << "\n" << text;
  return text;
}

// README's program: at most thirty lines, trains on Fashion-MNIST, prints its loss curve; a second run prints the same digits, which
// are enough to tell any two floats apart, with one thread as with all.
TEST(Features, A1_1_ThirtyLinesTrainAndRepeatToTheBit) {
  std::ifstream readme(ADJOINT_SOURCE_DIR "/README.md");
  int lines = 0;
  bool inside = false;
  for (std::string line; std::getline(readme, line);) {
    if (line == "```cpp") inside = true;
    else if (line == "```") inside = false;
    else lines += inside && !line.empty();
  }
  EXPECT_GT(lines, 10);
  EXPECT_LE(lines, 30);
  const auto build = std::filesystem::path(ADJOINT_COMMAND).parent_path().parent_path();
  const std::string program = (build / "tests/house/docs_README").string();
  const std::string once = output_of(program);
  EXPECT_NE(once.find("step 100: loss "), once.npos) << once;
  EXPECT_NE(once.find("step 400: loss "), once.npos) << once;
  const auto accuracy = once.find("test accuracy ");
  ASSERT_NE(accuracy, once.npos) << once;
  EXPECT_GE(std::stod(once.substr(accuracy + 14)), 0.82) << once;  // after one epoch
  EXPECT_EQ(output_of("taskset -c 0 " + program), once);
}

std::vector<std::string> warnings;
struct Warnings {
  Warnings() { warnings.clear(), set_warning_sink([](const char* text) { warnings.emplace_back(text); }); }
  ~Warnings() { set_warning_sink(nullptr); }
};

struct TwoHeads {
  nn::Linear trunk, used, unused;
};

TEST(Features, A1_2_GradientsHaveTheStructureOfTheParameters) {
  const Warnings sink;
  const TwoHeads net{nn::linear(3, 4, Key(1), {.dtype = DType::f64}), nn::linear(4, 2, Key(2), {.dtype = DType::f64}),
                     nn::linear(4, 2, Key(3), {.dtype = DType::f64})};
  const Tensor loss = sum(square(net.used(tanh(net.trunk(noise(4, {5, 3}))))));
  const TwoHeads g = grad(loss, net);
  EXPECT_EQ(g.trunk.weight.type(), net.trunk.weight.type());
  EXPECT_EQ(tree::paths(g), tree::paths(net));
  EXPECT_EQ(values(g.unused.weight), std::vector<double>(8, 0.0));  // explicit, of the parameter's own type
  EXPECT_EQ(g.unused.bias->type(), net.unused.bias->type());
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_NE(warnings[0].find("unused.weight"), std::string::npos) << warnings[0];
  EXPECT_NE(warnings[1].find("unused.bias"), std::string::npos) << warnings[1];

  EXPECT_EQ(values(grad(loss, net.trunk.weight)), values(g.trunk.weight));  // subsets have the bits of the whole
  const nn::Linear head = grad(loss, net.used);
  EXPECT_EQ(values(head.weight), values(g.used.weight));
  EXPECT_EQ(values(*head.bias), values(*g.used.bias));
}

TEST(Features, A1_3_InteriorAdjointsAreTheTailsDerivative) {
  const Mlp net = mlp();
  const Tensor a1 = tanh(net.first(noise(5, {3, 12}))), a2 = tanh(net.second(a1));
  const auto tail2 = [&](const Tensor& a) { return sum(square(net.head(a))); };
  const auto tail1 = [&](const Tensor& a) { return tail2(tanh(net.second(a))); };
  const Tensor loss = tail2(a2);
  const auto compare = [](const Tensor& a, const Tensor& adjoint, auto tail) {
    auto at = values(a);
    std::vector<double> difference;
    for (auto& v : at) {
      const double x = v, h = 1e-5;
      const auto moved = [&](double by) { return v = x + by, tail(tensor(at, a.shape())).item(); };
      difference.push_back((8 * (moved(h) - moved(-h)) - (moved(2 * h) - moved(-2 * h))) / (12 * h));
      v = x;
    }
    EXPECT_LE(off(difference, values(adjoint)), 1e-9);
  };
  const Tensor interior[] = {a1, a2};
  const Tensors g = grad(loss, interior);
  compare(a2, g[1], tail2);
  compare(a1, g[0], tail1);
}

// One layer, one example: z = W a + b, h = s(z), loss = c . h. From the f64 pre-activation, where |z| <= 1/2 keeps 1 - s(z) free of
// cancellation, everything else is compared with 113 bits.
template <class Slope> void expect_closed_form(Tensor (*activation)(const Arg&), Slope slope) {
  constexpr std::int64_t kIn = 7, kOut = 5;
  const Tensor W = noise(1, {kOut, kIn}, DType::f64, -0.05, 0.05), a = noise(2, {kIn}), b = noise(3, {kOut}, DType::f64, -0.1, 0.1);
  const Tensor c = noise(4, {kOut});
  const Tensor z = mv(W, a) + b, h = activation(z), loss = sum(h * c);
  const Tensor wrt[] = {z, W, b, a};
  const Tensors g = grad(loss, wrt);
  eval(with_loss(z, g));  // fused, in one plan
  const auto zv = values(z), cv = values(c), Wv = values(W), av = values(a);
  const auto dz = values(g[0]), dW = values(g[1]), db = values(g[2]), da = values(g[3]);
  std::vector<Quad> exact;
  for (std::size_t i = 0; i < kOut; ++i) exact.push_back(static_cast<Quad>(cv[i]) * slope(static_cast<Quad>(zv[i])));
  for (std::size_t i = 0; i < kOut; ++i) {
    EXPECT_LE(std::abs(zv[i]), 0.5);
    EXPECT_LE(ulp_error(dz[i], exact[i]), 4) << i;
    EXPECT_LE(ulp_error(db[i], exact[i]), 4) << i;
    for (std::size_t k = 0; k < kIn; ++k) EXPECT_LE(ulp_error(dW[i * kIn + k], exact[i] * av[k]), 4) << i << ' ' << k;
  }
  for (std::size_t k = 0; k < kIn; ++k) {
    Quad sum = 0, size = 0;
    for (std::size_t i = 0; i < kOut; ++i) sum += Wv[i * kIn + k] * exact[i], size += fabsq(Wv[i * kIn + k] * exact[i]);
    const double unit = std::ldexp(1.0, std::ilogb(static_cast<double>(size)) - 52);
    EXPECT_LE(static_cast<double>(fabsq(da[k] - sum)), 4 * unit) << k;
  }
  // Unfused: every value evaluated by itself, in a graph of its own.
  const Tensor z2 = mv(W, a) + b;
  eval(z2);
  const Tensor h2 = activation(z2);
  eval(h2);
  const Tensor loss2 = sum(h2 * c);
  const Tensor wrt2[] = {z2, W, b, a};
  const Tensors g2 = grad(sum(activation(mv(W, a) + b) * c), std::span(wrt2).subspan(1));
  eval(loss2);
  EXPECT_EQ(loss2.item(), loss.item());
  for (std::size_t k = 0; k < 3; ++k) {
    eval(g2[k]);
    EXPECT_EQ(values(g2[k]), values(g[k + 1])) << k;
  }
}
TEST(Features, A1_4_LinearLayerClosedForm) {
  expect_closed_form(sigmoid, [](Quad z) { const Quad s = 1 / (1 + expq(-z)); return s * (1 - s); });
  expect_closed_form(tanh, [](Quad z) { const Quad t = tanhq(z); return 1 - t * t; });
  expect_closed_form(relu, [](Quad z) { return static_cast<Quad>(z > 0); });
}

TEST(Features, A1_5_AVectorNeedsASeed) {
  Tensor x = noise(1, {3});
  x.requires_grad();
  const Tensor y = tanh(mv(noise(2, {4, 3}), x));
  for (const auto fails : {+[](const Tensor& v, const Tensor& at) { grad(v, at); }, +[](const Tensor& v, const Tensor&) { backward(v); }}) {
    try {
      fails(y, x);
      ADD_FAILURE() << "no error";
    } catch (const Error& e) {
      EXPECT_NE(e.message().find("scalar"), std::string::npos) << e.what();
      EXPECT_NE(e.hint().find("seed"), std::string::npos) << e.what();
      EXPECT_NE(std::string(e.what()).find("f64[4]"), std::string::npos) << e.what();
    }
  }
  const Tensor w = noise(3, {4});
  std::vector<double> wJ(3, 0.0);
  const auto weights = values(w);
  for (std::int64_t i = 0; i < 4; ++i) {
    const auto row = values(grad(sum(slice(y, {i}, {i + 1})), x));
    for (std::size_t k = 0; k < 3; ++k) wJ[k] += weights[static_cast<std::size_t>(i)] * row[k];
  }
  EXPECT_LE(off(values(vjp(y, w, x)), wJ), 1e-15);
  backward(y, w);
  EXPECT_EQ(values(x.grad()), values(vjp(tanh(mv(noise(2, {4, 3}), x)), w, x)));
}

TEST(Features, A1_6_TheFirstAdjointIsOneAndScalesToTheBit) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Mlp net = mlp(12, 16, 5, dtype);
    const Tensor loss = mean(square(net(noise(5, {9, 12}, dtype))));
    const Tensors wrt = tree::flatten(net), plain = grad(loss, wrt);
    EXPECT_EQ(grad(loss, loss).dtype(), dtype);
    EXPECT_EQ(grad(loss, loss).item(), 1);
    for (const int k : {-9, -1, 1, 13}) {
      const Tensor seed = scalar(std::ldexp(1.0, k), dtype);
      const Tensors scaled = vjp(std::span(&loss, 1), std::span(&seed, 1), wrt);
      for (std::size_t i = 0; i < wrt.size(); ++i) {
        EXPECT_EQ(plain[i].dtype(), dtype);
        auto expected = values(plain[i]);
        for (auto& v : expected) v = std::ldexp(v, k);
        EXPECT_EQ(values(scaled[i]), expected) << k;
      }
    }
  }
}

// The same layer on rows [B, d] and, as the chapter writes it, on columns [d, B]: both give the sum over single examples.
TEST(Features, A1_7_BatchGradientsAreSumsOfExamples) {
  const nn::Linear layer = nn::linear(6, 4, Key(1), {.dtype = DType::f64});
  const auto row_loss = [&](const Tensor& x) { return sum(square(tanh(layer(x)))); };
  for (const std::int64_t B : {0, 1, 7, 13}) {
    const Tensor wide = noise(2, {6, B});                  // one example a column
    const Tensor rows = transpose(wide);                   // a view with other strides
    const Tensor every_other = slice(noise(3, {2 * B, 6}), {0, 0}, {2 * B, 6}, {2, 1});
    const Tensor column_loss = sum(square(tanh(matmul(layer.weight, wide) + reshape(*layer.bias, {4, 1}))));
    const nn::Linear by_columns = grad(column_loss, layer);
    for (const Tensor& x : {rows, rows.detach(), every_other}) {
      const nn::Linear whole = grad(row_loss(x), layer);
      std::vector<double> weight(24, 0.0), bias(4, 0.0);
      for (std::int64_t i = 0; i < B; ++i) {
        const nn::Linear one = grad(row_loss(slice(x, {i, 0}, {i + 1, 6})), layer);
        const auto w = values(one.weight), b = values(*one.bias);
        for (std::size_t k = 0; k < 24; ++k) weight[k] += w[k];
        for (std::size_t k = 0; k < 4; ++k) bias[k] += b[k];
      }
      EXPECT_LE(off(values(whole.weight), weight), 1e-12) << B;
      EXPECT_LE(off(values(*whole.bias), bias), 1e-12) << B;
    }
    const nn::Linear by_rows = grad(row_loss(rows), layer);
    EXPECT_LE(off(values(by_columns.weight), values(by_rows.weight)), 1e-12) << B;
    EXPECT_LE(off(values(*by_columns.bias), values(*by_rows.bias)), 1e-12) << B;
  }
}

// No step of the plan copies an operand to transpose it, and the backward pass costs twice the forward pass.
TEST(Features, A1_8_BackwardProductsNeedNoTransposedCopies) {
  const Mlp net = mlp(64, 96, 10, DType::f32);
  const Tensor x = noise(5, {32, 64}, DType::f32);
  const Tensor loss = sum(square(net(x)));
  const PlanReport forward = explain_plan(loss);
  Tensors wrt = tree::flatten(net);
  wrt.push_back(x);
  const PlanReport both = explain_plan(with_loss(loss, grad(loss, wrt)));
  int products = 0;
  for (const auto& s : both.steps) {
    EXPECT_NE(s.name, "copy") << to_string(both);
    products += s.name == "dot";
  }
  EXPECT_EQ(products, 9);
  EXPECT_EQ(forward.flops, 2 * 32 * (64 * 96 + 96 * 96 + 96 * 10));
  EXPECT_NEAR(static_cast<double>(both.flops - forward.flops) / static_cast<double>(forward.flops), 2.0, 0.1);
}

}  // namespace
}  // namespace adjoint::features
