// a2_residuals_test.cpp: rows A2: what a backward pass keeps, that masks can be counted again, when kept values are born and die, and
// that they are let go. Not budgets: strategies of memory have rows of their own.
#include <algorithm>
#include <string>

#include "features/support.hpp"
#include "graph/buffer.hpp"
#include "graph/node.hpp"

namespace adjoint::features {
namespace {

using Kept = std::vector<Residual>;

bool is(const Tensor& a, const Tensor& b) { return a.node() == b.node(); }
bool has(const Kept& kept, const Tensor& t) {
  return std::ranges::any_of(kept, [&](const Residual& r) { return is(r.value, t); });
}
int count(const PlanReport& plan, const std::string& name) {
  int n = 0;
  for (const auto& s : plan.steps) n += s.name == name;
  return n;
}

TEST(Features, A2_1_AddSavesNothing) {
  const Tensor x = noise(1, {8}), y = noise(2, {8});
  const Tensor wrt[] = {x, y};
  EXPECT_TRUE(explain_residuals(sum((x + y) - 2.0 * x), wrt).empty());
}

// f(2 x) is the output of f, and nothing else is kept: not 2 x, and no mask beside it.
void expect_saves_its_output(Tensor (*f)(const Arg&), const char* name) {
  const Tensor x = noise(1, {6, 8}), z = 2.0 * x, h = f(z);
  const Tensor loss = sum(h);
  const Kept kept = explain_residuals(loss, x);
  ASSERT_EQ(kept.size(), 1u) << name << "\n" << to_string(kept);
  EXPECT_TRUE(is(kept[0].value, h)) << to_string(kept);
  EXPECT_EQ(kept[0].producer, name);
  EXPECT_EQ(kept[0].bytes, 6 * 8 * 8);
  EXPECT_FALSE(kept[0].held);
  ASSERT_FALSE(kept[0].consumers.empty());
  EXPECT_EQ(kept[0].consumers[0].find(name), 0u) << kept[0].consumers[0];
}
TEST(Features, A2_1_ActivationsSaveTheirOutput) {
  expect_saves_its_output(relu, "relu");
  expect_saves_its_output(sigmoid, "sigmoid");
  expect_saves_its_output(tanh, "tanh");
  expect_saves_its_output(exp, "exp");
  expect_saves_its_output([](const Arg& x) { return softmax(x); }, "softmax");
}

TEST(Features, A2_1_AFrozenWeightSavesNoOperand) {
  const Tensor W = noise(1, {4, 6}), a = noise(2, {3, 6}), h = tanh(a);
  const Tensor loss = sum(linear(h, W));
  const Kept frozen = explain_residuals(loss, a);  // W gets no gradient
  EXPECT_TRUE(has(frozen, W)) << to_string(frozen);
  EXPECT_TRUE(has(frozen, h));                     // by tanh, and by nobody else
  for (const auto& r : frozen)
    for (const auto& c : r.consumers) EXPECT_EQ(c.find(is(r.value, h) ? "tanh" : "linear"), 0u) << to_string(frozen);
  const Kept only_weight = explain_residuals(loss, W);
  EXPECT_TRUE(has(only_weight, h)) << to_string(only_weight);
  EXPECT_FALSE(has(only_weight, W));
  EXPECT_FALSE(has(explain_residuals(sum(linear(a * 2.0, W)), a), a));
}

TEST(Features, A2_1_TheListNamesTensorBytesProducerAndConsumer) {
  const Mlp net = mlp(12, 16, 5, DType::f32);
  const Tensor x = noise(1, {10, 12}, DType::f32);
  tree::name_leaves(net);
  const Tensor loss = mean(square(net(x)));
  const Kept kept = explain_residuals(loss, net);
  const std::string text = to_string(kept);
  EXPECT_NE(text.find("f32[10,16]  relu  at support.hpp"), text.npos) << text;
  EXPECT_NE(text.find("640 bytes  read by the backward of relu at"), text.npos) << text;
  EXPECT_NE(text.find("second.weight"), text.npos) << text;
  EXPECT_NE(text.find("f32[10,12]  data"), text.npos) << text;
  EXPECT_EQ(text.find("first.weight"), text.npos) << "nobody asked for the gradient of x\n" << text;
  // Two hidden layers and the prediction: 2 * 10 * 16 + 10 * 5 floats.
  EXPECT_NE(text.find("kept for the backward pass: 1480 bytes"), text.npos) << text;
}

// The plan follows the list: a mask or a slope that can be made from kept values is made in the backward pass. Where its source is not
// kept, the smaller of the two is: a bool in place of a float.
TEST(Features, A2_1_ThePlanKeepsNothingBesideTheOutput) {
  const Tensor W = noise(1, {5, 6}, DType::f32), V = noise(2, {4, 5}, DType::f32), x = noise(3, {7, 6}, DType::f32);
  const std::int64_t hidden = 7 * 5 * 4;
  const auto kept_by = [&](const Tensor& loss, const Tensors& wrt) { return explain_plan(with_loss(loss, grad(loss, wrt))).residual_bytes; };
  Tensor (*const activations[])(const Arg&) = {relu, tanh, sigmoid};
  for (const auto f : activations) EXPECT_EQ(kept_by(sum(linear(f(linear(x, W)), V)), {W, V}), hidden);
  EXPECT_EQ(kept_by(sum(linear(relu(linear(x, W)), V)), {W}), 0);  // V is frozen: nobody needs the output, and the step that makes it uses up its mask
  const Tensor pictures = noise(4, {2, 3, 8, 8}, DType::f32), A = noise(5, {4, 3, 3, 3}, DType::f32), B = noise(6, {5, 4, 3, 3}, DType::f32);
  EXPECT_EQ(kept_by(sum(conv2d(relu(conv2d(pictures, A)), B)), {A, B}), 2 * 4 * 6 * 6 * 4);
}

// One plan for both passes keeps the mask; a plan for the gradient alone counts it again from the key. A mask given as data is the third.
TEST(Features, A2_2_DropoutCountsItsMaskAgainOrKeepsIt) {
  const Tensor x = noise(1, {37, 53}, DType::f32), w = noise(2, {37, 53}, DType::f32);
  const auto loss_of = [&] { return sum(dropout(Key(5), x, 0.3) * w); };
  const Tensor kept_loss = loss_of(), kept = grad(kept_loss, x);
  const Tensor both[] = {kept_loss, kept};
  const PlanReport one_plan = explain_plan(both);
  EXPECT_EQ(count(one_plan, "random_uniform"), 1) << to_string(one_plan);
  eval(both);

  const Tensor counted_loss = loss_of(), counted = grad(counted_loss, x);
  eval(counted_loss);  // the forward pass is over and its mask is gone
  EXPECT_EQ(count(explain_plan(counted), "random_uniform"), 1);
  EXPECT_EQ(values(counted), values(kept));

  const Tensor mask = ne(dropout(Key(5), ones({37, 53}), 0.3), 0.0).detach();
  EXPECT_EQ(mask.dtype(), DType::bool_);
  const Tensor from_mask = grad(sum(where(mask, x * (1 / 0.7), 0.0) * w), x);
  EXPECT_EQ(count(explain_plan(from_mask), "random_uniform"), 0);
  EXPECT_EQ(values(from_mask), values(kept));
  double zeros = 0;
  for (double v : values(kept)) zeros += v == 0;
  EXPECT_NEAR(zeros / (37 * 53), 0.3, 0.03);
}

TEST(Features, A2_2_MaxPoolSavesItsIndicesOnce) {
  const Tensor x = noise(1, {2, 3, 8, 8}, DType::f32);
  const Tensor loss = sum(max_pool2d(x * 1.0, {2, 2}));
  const Kept kept = explain_residuals(loss, x);
  ASSERT_EQ(kept.size(), 1u) << to_string(kept);
  EXPECT_EQ(kept[0].producer, "max_pool_index");
  EXPECT_EQ(kept[0].bytes, 2 * 3 * 4 * 4 * 4);
  EXPECT_EQ(count(explain_plan(with_loss(loss, {grad(loss, x)})), "max_pool_index"), 1);
}

TEST(Features, A2_3_TheTimelineShowsWhereEachResidualIsBornAndDies) {
  const Mlp net = mlp(12, 16, 5, DType::f32);
  const Tensor x = noise(1, {10, 12}, DType::f32);
  const Tensor loss = mean(square(net(x)));
  const PlanReport plan = explain_plan(with_loss(loss, grad(loss, tree::flatten(net))));
  std::int64_t kept = 0;
  for (const auto& life : plan.lives) {
    EXPECT_LE(life.born, life.dies);
    if (!life.residual) continue;
    kept += life.bytes;
    const auto &born = plan.steps[static_cast<std::size_t>(life.born)], &dies = plan.steps[static_cast<std::size_t>(life.dies)];
    EXPECT_FALSE(born.backward) << to_string(plan);
    EXPECT_TRUE(dies.backward) << to_string(plan);
    EXPECT_EQ(life.value.find(born.name), 0u);
  }
  // The plan keeps both hidden layers, to the byte. The third residual of the graph's analysis, the network's output, is used up by the
  // step that makes it: loss and its adjoint are one group.
  EXPECT_EQ(kept, plan.residual_bytes);
  EXPECT_EQ(kept, 4 * 2 * 10 * 16) << to_string(plan);
  const std::string text = to_string(plan);
  EXPECT_NE(text.find("  residual  "), text.npos) << text;
  EXPECT_NE(text.find("born 0, dies "), text.npos) << text;
  EXPECT_NE(text.find("a result"), text.npos) << text;
}

TEST(Features, A2_4_BackwardLetsGoOfWhatItHasRead) {
  Mlp net = mlp(12, 16, 5, DType::f32);
  tree::requires_grad(net);
  const Tensor x = noise(1, {10, 12}, DType::f32);
  std::size_t gradient_bytes = 0;
  for (const auto& t : tree::flatten(net)) gradient_bytes += static_cast<std::size_t>(t.numel()) * 4;
  const auto bytes = buffer_bytes_live();
  const auto nodes = live_nodes();
  Tensor loss = mean(square(net(x)));
  const auto planned = explain_plan(with_loss(loss, grad(loss, tree::flatten(net))));
  const auto arena_before = largest_arena_bytes();
  backward(loss);
  EXPECT_GT(planned.arena_bytes, 0);
  EXPECT_LE(largest_arena_bytes(), std::max(arena_before, planned.arena_bytes));  // the peak is the planned one
  // Only the loss, a float, and the gradients are there: no activation, no node of the graph.
  EXPECT_EQ(buffer_bytes_live(), bytes + gradient_bytes + 4);
  EXPECT_EQ(live_nodes(), nodes + 1 + static_cast<std::int64_t>(tree::flatten(net).size()));
  try {
    backward(loss);
    ADD_FAILURE() << "a second backward needs retain";
  } catch (const Error& e) {
    const std::string text = e.what();
    EXPECT_NE(text.find("released"), text.npos) << text;
    EXPECT_NE(text.find("a2_residuals_test.cpp:"), text.npos) << text;
    EXPECT_NE(text.find("mean"), text.npos) << text;  // the freed value, by what made it
    EXPECT_NE(e.hint().find(".retain = true"), std::string::npos) << text;
  }
}

TEST(Features, A2_4_RetainIsExplicit) {
  Tensor a = scalar(3, DType::f64);
  a.requires_grad();
  const Tensor c = square(square(a));
  backward(c, {.retain = true});
  EXPECT_EQ(a.grad().item(), 108);
  backward(c);
  EXPECT_EQ(a.grad().item(), 216);
  EXPECT_THROW(backward(c), Error);
}

}  // namespace
}  // namespace adjoint::features
