// vmap_test.cpp: vmap where its rows do not reach: gradients of each example, nesting, options, random keys, errors, and that every
// operation can be batched. Not each operation on several examples: src/check/batching.cpp derives that from the rows.
#include "adjoint/vmap.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "adjoint/custom.hpp"
#include "adjoint/grad.hpp"
#include "adjoint/key.hpp"
#include "adjoint/nn.hpp"
#include "adjoint/ops.hpp"
#include "graph/primitive.hpp"

namespace adjoint {
namespace {

Tensor drawn(std::uint64_t seed, const Shape& shape) { return uniform(Key(seed), shape, {.low = -1, .high = 1, .dtype = DType::f64}); }
Tensor labels(std::int64_t n, std::int64_t classes) { return randint(Key(99), {n}, 0, classes); }
std::vector<double> numbers(const Tensor& t) { return cast(t, DType::f64).to_vector<double>(); }
/// Slice b of axis 0.
Tensor at(const Tensor& t, std::int64_t b) { return select(t, 0, b); }
using Function = std::function<Tensors(const Tensors&)>;

/// f on all examples equals f on one after another, bit by bit.
void expect_loop(const Function& f, const Tensors& xs) {
  eval(xs);
  const Tensors all = vmap(f, xs);
  for (std::int64_t b = 0; b < xs[0].shape(0); ++b) {
    Tensors example;
    for (const auto& x : xs) example.push_back(at(x, b).detach());
    const Tensors one = f(example);
    ASSERT_EQ(one.size(), all.size());
    for (std::size_t k = 0; k < one.size(); ++k) EXPECT_EQ(numbers(at(all[k], b)), numbers(one[k])) << "result " << k << ", example " << b;
  }
}
std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.where().file).find("vmap_test"), std::string::npos) << e.what();
    EXPECT_FALSE(e.hint().empty()) << e.what();
    return e.what();
  }
  return "nothing was thrown";
}
void expect_error(const std::function<void()>& call, const std::string& part) {
  const std::string message = message_of(call);
  EXPECT_NE(message.find(part), std::string::npos) << message;
}

TEST(Vmap, GradientsOfEachExampleAreThoseOfALoop) {
  const Tensor w1 = drawn(1, {6, 5}), b1 = drawn(2, {6}), w2 = drawn(3, {3, 6});
  const Tensors parameters{w1, b1, w2};
  eval(parameters);
  const auto loss = [&](const Tensor& x, const Tensor& y) { return cross_entropy(matmul(w2, tanh(matmul(w1, x) + b1)), y); };
  const Function one = [&](const Tensors& e) { return grad(loss(e[0], e[1]), parameters); };
  const Tensor x = drawn(4, {7, 5}), y = labels(7, 3);
  expect_loop(one, {x, y});

  // Their mean is the gradient of the mean, up to the order of the sum over the examples.
  const Tensors each = vmap(one, {x, y});
  const Tensor batch = cross_entropy(matmul(tanh(matmul(x, transpose(w1)) + b1), transpose(w2)), y);
  const Tensors whole = grad(batch, parameters);
  for (std::size_t k = 0; k < whole.size(); ++k) {
    EXPECT_EQ(each[k].shape(0), 7);
    const auto a = numbers(mean(each[k], {0})), b = numbers(whole[k]);
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-12 * (1 + std::abs(b[i])));
  }
}

TEST(Vmap, GradientsOfEachExampleOfAConvolution) {
  const Tensor w = drawn(1, {4, 2, 3, 3}), head = drawn(2, {3, 16});
  const Tensors parameters{w, head};
  eval(parameters);
  const Function one = [&](const Tensors& e) {
    const Tensor h = max_pool2d(relu(conv2d(reshape(e[0], {1, 2, 6, 6}), w)), {2});
    return grad(cross_entropy(matmul(head, reshape(h, {16})), e[1]), parameters);
  };
  expect_loop(one, {drawn(3, {5, 2, 6, 6}), labels(5, 3)});
}

TEST(Vmap, ADerivativeOfTheResultsIsThatOfTheWhole) {
  const Tensor x = drawn(1, {4, 3}), w = drawn(2, {3, 3});
  const Tensor y = vmap([&](const Tensor& e) { return softmax(matmul(w, e)); }, x);
  const Tensor same = softmax(matmul(x, transpose(w)));
  const Tensor seed = drawn(3, {4, 3});
  const auto a = numbers(vjp(y, seed, w)), b = numbers(vjp(same, seed, w));
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-14);
}

TEST(Vmap, JacobianFromOneGradient) {
  const Tensor x = tensor<double>({1, 2, 3}, {3}), y = x * x * x;
  const Tensor eye = tensor<double>({1, 0, 0, 0, 1, 0, 0, 0, 1}, {3, 3});
  const Tensor rows = vmap([&](const Tensor& seed) { return vjp(y, seed, x); }, eye);
  EXPECT_EQ(numbers(rows), (std::vector<double>{3, 0, 0, 0, 12, 0, 0, 0, 27}));
}

TEST(Vmap, Nests) {
  const Tensor a = drawn(1, {3, 4}), b = drawn(2, {5, 4});
  const Tensor table = vmap([&](const Tensor& p) { return vmap([&](const Tensor& q) { return sum(p * q); }, b); }, a);
  EXPECT_EQ(table.shape(), (Shape{3, 5}));
  eval(Tensors{a, b});
  for (std::int64_t i = 0; i < 3; ++i)
    for (std::int64_t j = 0; j < 5; ++j) EXPECT_EQ(at(at(table, i), j).item(), sum(at(a, i) * at(b, j)).item());
}

TEST(Vmap, AxesOfInputsAndResults) {
  const Tensor x = drawn(1, {2, 5}), y = drawn(2, {5, 3});
  const Tensor z = vmap([](const Tensors& e) -> Tensors { return {reshape(e[0], {2, 1}) * e[1]}; }, {x, y}, {.axes = {-1, 0}, .out_axis = -1})[0];
  EXPECT_EQ(z.shape(), (Shape{2, 3, 5}));
  const Tensor expected = permute(reshape(transpose(x), {5, 2, 1}) * reshape(y, {5, 1, 3}), {1, 2, 0});
  EXPECT_EQ(numbers(z), numbers(expected));
}

TEST(Vmap, TheFunctionRunsOnce) {
  int runs = 0;
  const Tensor y = vmap([&](const Tensor& e) { return ++runs, e * 2.0; }, tensor({1, 2, 3}));
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{2, 4, 6}));
}

TEST(Vmap, AResultThatAllExamplesShareIsRepeated) {
  const Tensor same = tensor({1, 2});
  const Tensors y = vmap([&](const Tensors& e) -> Tensors { return {same, e[0], iota({2}, 0, DType::i64)}; }, {tensor({5, 6, 7})});
  EXPECT_EQ(y[0].to_vector<float>(), (std::vector<float>{1, 2, 1, 2, 1, 2}));
  EXPECT_EQ(y[1].to_vector<float>(), (std::vector<float>{5, 6, 7}));
  EXPECT_EQ(y[2].to_vector<std::int64_t>(), (std::vector<std::int64_t>{0, 1, 0, 1, 0, 1}));
}

TEST(Vmap, NoExamplesGiveEmptyResults) {
  const Tensor w = drawn(1, {3, 3});
  const Tensors y = vmap([&](const Tensors& e) -> Tensors { return {matmul(w, e[0]), grad(sum(tanh(e[0])), e[0])}; }, {zeros({0, 3}, DType::f64)});
  EXPECT_EQ(y[0].shape(), (Shape{0, 3}));
  EXPECT_TRUE(numbers(y[1]).empty());
}

TEST(Vmap, AKeyForEachExampleDrawsWhatItDrawsAlone) {
  const Tensor numbers_of_examples = iota({4}, 0, DType::i64);
  expect_loop(
      [](const Tensors& e) -> Tensors {
        const Key key = Key(5).fold_in(e[0]);
        return {uniform(key, {2, 3}), normal(key, {5}, {.dtype = DType::f64}), random_bits(key, {7}), permutation(key, 6), bernoulli(key, {9}, 0.4),
                poisson(key, tensor({1, 2, 30})), uniform(Key::of(e[0]), {2})};
      },
      {numbers_of_examples});
  const Tensor same = vmap([](const Tensor& e) { return e + uniform(Key(3), {2}); }, zeros({3, 2}));
  EXPECT_EQ(numbers(at(same, 0)), numbers(at(same, 2)));
}

TEST(Vmap, PoissonCountsTheElementsOfEachExampleAnew) {
  expect_loop([](const Tensors& e) -> Tensors { return {poisson(Key(8), e[0])}; }, {uniform(Key(1), {3, 5}, {.low = 1, .high = 9, .dtype = DType::f64})});
}

TEST(Vmap, RulesOfTheUsersOwn) {
  const CustomVjp halved{.name = "halved",
                         .forward = [](const Tensors& in) { return sum(in[0]) * in[1]; },
                         .backward = [](const Tensors& in, const Tensor&, const Tensor& ct) -> Tensors {
                           if (in[0].rank() != 1) throw std::logic_error("a rule sees one example");
                           return {broadcast_to(ct * 0.5, {3}), Tensor()};
                         }};
  const CustomJvp cube{.name = "cube",
                       .forward = [](const Tensors& in) { return in[0] * in[0] * in[0]; },
                       .tangent = [](const Tensors& in, const Tensor&, const Tensors& dot) { return 3.0 * square(in[0]) * dot[0]; }};
  const Tensor x = drawn(1, {4, 3}), c = scalar(2, DType::f64);
  eval(x);
  const auto f = [&](const Tensors& e) -> Tensors { return {custom_vjp(halved, {e[0], c}), sum(custom_jvp(cube, {e[0]}))}; };
  const Tensors y = vmap(f, {x});
  EXPECT_EQ(numbers(grad(sum(y[0]), x)), std::vector<double>(12, 0.5));
  const auto d = numbers(grad(sum(y[1]), x)), v = numbers(x);
  for (std::size_t i = 0; i < d.size(); ++i) EXPECT_EQ(d[i], 3.0 * (v[i] * v[i]));
  expect_loop([&](const Tensors& e) { return Tensors{grad(f(e)[0], e[0]), grad(f(e)[1], e[0])}; }, {x});
}

TEST(Vmap, BadIndicesOfOneExampleStayErrors) {
  // 3 is no index of a row of 3 elements, though the next example's elements may lie there in memory.
  const Tensor x = drawn(1, {2, 3}), idx = tensor<std::int64_t>({0, 3, 1, 2}, {2, 2});
  const Tensor taken = vmap([](const Tensors& e) -> Tensors { return {take(e[0], e[1])}; }, {x, idx})[0];
  EXPECT_THROW(eval(taken), Error);
  const Tensor below = tensor<std::int64_t>({0, 2, -1, 2}, {2, 2});
  for (const Tensor& bad : {idx, below}) {
    const Tensor added = vmap([&](const Tensors& e) -> Tensors { return {scatter_add(e[0], e[1], drawn(2, {2}))}; }, {x, bad})[0];
    EXPECT_THROW(eval(added), Error);
  }
}

TEST(Vmap, EveryOperationCanBeBatched) {
  int own = 0, common = 0, derived = 0;
  for (const Primitive* p : primitives()) {
    if (p->traits.inlined || p->name == "example") continue;  // no node of its own; what vmap itself puts in the place of examples
    if (p->batch) ++own;
    else if (p->traits.elementwise) ++common;
    else if (p->decompose) ++derived;
    else ADD_FAILURE() << p->name << " has neither a batching rule nor a definition";
  }
  EXPECT_GT(own, 35);  // no rule loops over the examples
  EXPECT_GT(common, 60);
  EXPECT_GT(derived, 15);
}

TEST(Vmap, ErrorsNameTheCall) {
  const auto same = [](const Tensors& e) { return e; };
  expect_error([&] { vmap(same, {}); }, "no input was given");
  expect_error([&] { vmap(Function(), {zeros({2})}); }, "no function was given");
  expect_error([&] { vmap(same, {Tensor()}); }, "input 0 has no value");
  expect_error([&] { vmap(same, {zeros({2}), scalar(1)}); }, "input 1 is a scalar");
  expect_error([&] { vmap(same, {zeros({2, 3}), zeros({3, 2})}); }, "input 0 has 2 examples, input 1 has 3");
  expect_error([&] { vmap(same, {zeros({2, 3})}, {.axes = {2}}); }, "axis 2 is out of range for rank 2");
  expect_error([&] { vmap(same, {zeros({2, 3})}, {.axes = {0, 0}}); }, "2 axes for 1 inputs");
  expect_error([&] { vmap(same, {zeros({2, 3})}, {.out_axis = 2}); }, "axis 2 is out of range for rank 2");
  expect_error([&] { vmap([](const Tensors&) { return Tensors{Tensor()}; }, {zeros({2})}); }, "result 0 of the function has no value");
  expect_error([&] { vmap([](const Tensor& e) { return e * e.item(); }, zeros({2})); }, "an example has no value");
  expect_error([&] { vmap([](const Tensor& e) { return broadcast_to(e, {1, 1, 1, 1, 1, 1, 1, 1}); }, zeros({2})); }, "no axis is left");
  expect_error([&] { vmap([](const Tensor& e) { return e + zeros({4}); }, zeros({2, 3})); }, "cannot broadcast");
  Tensor kept;
  vmap([&](const Tensor& e) { return kept = e; }, zeros({2}));
  expect_error([&] { kept.item(); }, "kept beyond it");
}

}  // namespace
}  // namespace adjoint
