// tree_test.cpp: walks over models: names, order, identity, buffers, settings, freezing; gradients of a model's own type.
// Not training: training_test.cpp.
#include <gtest/gtest.h>

#include "adjoint/nn.hpp"
#include "adjoint/ops.hpp"
#include "graph/node.hpp"

namespace adjoint {
namespace {

enum class Style { plain, fancy };
struct Block {
  Tensor weight;
  std::optional<Tensor> bias = {};
  double slope = 0.1;
};
struct Model {
  std::vector<Block> hidden;
  std::tuple<Block, Tensor> pair;
  std::variant<std::monostate, Block> choice;
  nn::Buffer<Tensor> mean;
  Tensor count;
  Style style = Style::plain;
  std::string name = "model";
  Ints stride = {1, 2};
};
Tensor ones_of(std::int64_t n) { return ones({n}).detach(); }
Model make() {
  return {{{ones_of(2), ones_of(3)}, {ones_of(4)}}, {{ones_of(5)}, ones_of(6)}, Block{ones_of(7)}, {ones_of(8)}, scalar_i64(3).detach()};
}
std::vector<std::string> names(const Model& m) {
  std::vector<std::string> out;
  for (const auto& l : tree::leaves(m)) out.push_back(l.path);
  return out;
}

TEST(Tree, PathsAreNamesAndIndicesInDeclarationOrder) {
  const Model m = make();
  EXPECT_EQ(names(m), (std::vector<std::string>{"hidden[0].weight", "hidden[0].bias", "hidden[1].weight", "pair[0].weight", "pair[1]", "choice.weight", "mean", "count"}));
  EXPECT_EQ(tree::count(m), 2 + 3 + 4 + 5 + 6 + 7);  // neither the buffer nor the integer
  EXPECT_EQ(tree::flatten(m).size(), 6u);
}

TEST(Tree, UnflattenPutsBackWhatFlattenTook) {
  const Model m = make();
  Tensors t = tree::flatten(m);
  for (auto& x : t) x = x * 2.0;
  const Model doubled = tree::unflatten(m, t);
  EXPECT_EQ(doubled.hidden[1].weight.to_vector<float>(), std::vector<float>(4, 2));
  EXPECT_EQ(doubled.mean.value.node(), m.mean.value.node());
  t.pop_back();
  EXPECT_THROW(tree::unflatten(m, t), Error);
}

TEST(Tree, MapWalksSeveralTreesAndRefusesOtherStructures) {
  const Model m = make();
  const Model s = tree::map([](const Tensor& a, const Tensor& b) { return is_floating(a.dtype()) ? a + b : a; }, m, m);
  EXPECT_EQ(std::get<1>(s.pair).to_vector<float>(), std::vector<float>(6, 2));
  Model other = make();
  other.hidden.pop_back();
  EXPECT_THROW(tree::map([](const Tensor& a, const Tensor&) { return a; }, m, other), Error);
}

struct Tied {
  Tensor embedding, free, head;
};

TEST(Tree, ATiedParameterIsOneLeafWithOneGradient) {
  const Tensor shared = tensor({1, 2}).requires_grad();
  Tied m{shared, tensor({3, 4}).requires_grad(), shared};
  ASSERT_EQ(tree::leaves(m).size(), 2u);
  ASSERT_EQ(tree::aliases(m).size(), 1u);
  EXPECT_EQ(tree::aliases(m)[0].path, "head");
  EXPECT_EQ(tree::aliases(m)[0].of, "embedding");
  const Tied g = grad(sum(m.embedding * m.free + m.head * m.head), m);
  EXPECT_EQ(g.embedding.node(), g.head.node());
  EXPECT_EQ(g.head.to_vector<float>(), (std::vector<float>{5, 8}));  // free + 2 shared
  tree::for_each([](const std::string& path, Tensor& t) { if (path == "embedding") t = t * 2.0; }, m);
  EXPECT_EQ(m.embedding.node(), m.head.node());
}

TEST(Tree, ParametersThatShareACotangentKeepGradientsOfTheirOwn) {
  const Tied m{tensor({1, 2}), tensor({3, 4}), tensor({5, 6})};
  const Tied g = grad(sum(m.embedding + m.free + m.head), m);
  EXPECT_EQ(tree::leaves(g).size(), 3u);
  EXPECT_EQ(g.head.to_vector<float>(), (std::vector<float>{1, 1}));
}

TEST(Tree, FrozenLeavesAndBuffersHaveNoGradient) {
  const Model m = make();
  tree::freeze(m.hidden);
  const Tensor loss = sum(m.hidden[0].weight) * sum(m.hidden[1].weight) * sum(std::get<1>(m.pair)) * sum(m.mean.value) * sum(std::get<0>(m.pair).weight) *
                      sum(std::get<1>(m.choice).weight);
  const Model g = grad(loss, m);
  EXPECT_FALSE(g.hidden[0].weight);
  EXPECT_FALSE(g.mean.value);
  EXPECT_FALSE(g.count);
  EXPECT_TRUE(std::get<1>(g.pair));
  tree::unfreeze(m.hidden);
  EXPECT_TRUE(grad(loss * sum(*m.hidden[0].bias), m).hidden[0].weight);
}

TEST(Tree, UnreachedParametersAreNamedInTheWarning) {
  static std::string said;
  set_warning_sink([](const char* text) { said += text; });
  const Tied m{tensor({1, 2}), tensor({3, 4}), tensor({5, 6})};
  const Tied g = grad(sum(m.embedding * m.free), m);
  set_warning_sink(nullptr);
  EXPECT_NE(said.find("head"), std::string::npos) << said;
  EXPECT_EQ(g.head.to_vector<float>(), (std::vector<float>{0, 0}));
}

TEST(Tree, ForwardAndReverseModeAgreeOnTrees) {
  const Tied m{tensor({1, 2}), tensor({3, 4}), tensor({5, 6})};
  const Tensor y = m.embedding * m.free + square(m.head);
  const Tied v{tensor({1, -1}), Tensor(), tensor({2, 0.5})};
  const auto along = jvp(y, m, v).to_vector<float>();
  EXPECT_EQ(along, (std::vector<float>{3 + 20, -4 + 6}));
  const Tied d = vjp(y, tensor({1, 2}), m);
  EXPECT_EQ(d.head.to_vector<float>(), (std::vector<float>{10, 24}));
}

TEST(Tree, NoGradKeepsNoGraph) {
  const Tensor w = tensor({1, 2}).requires_grad();
  Tensor with = sum(w * w), without;
  {
    const NoGrad scope;
    without = sum(w * w);
  }
  with.item(), without.item();
  EXPECT_GT(with.node()->arity, 0u);
  EXPECT_EQ(without.node()->arity, 0u);
}

}  // namespace
}  // namespace adjoint
