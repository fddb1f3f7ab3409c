// when_things_run_test.cpp: each sentence of "When things run": what runs when, what stays readable, what is an error that
// names its line. Not threads (threads_test.cpp) and not the values of operations.
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "adjoint/grad.hpp"
#include "adjoint/ops.hpp"
#include "adjoint/optim.hpp"
#include "graph/node.hpp"

namespace adjoint {
namespace {

std::vector<std::string> said;

class WhenThingsRun : public ::testing::Test {
 protected:
  void SetUp() override {
    said.clear();
    set_warning_sink([](const char* text) { said.emplace_back(text); });
  }
  void TearDown() override { set_warning_sink(nullptr); }
};

template <class F> std::string error_of(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}
bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
std::string line(int number) { return "when_things_run_test.cpp:" + std::to_string(number); }

struct Model {
  Tensor w;
};
const std::vector<double> kStart{1, -2, 3};
Model parameters() { return {tensor(kStart, {3}).requires_grad()}; }
Model plain() { return {tensor(kStart, {3})}; }
Tensor loss_of(const Model& m) { return sum(m.w * m.w * m.w); }
const optim::SGD kSgd{.learning_rate = 0.5};

TEST_F(WhenThingsRun, NothingIsComputedUntilSomethingAsks) {
  const Tensor y = loss_of(plain());
  EXPECT_FALSE(y.node()->computed());
  EXPECT_EQ(y.item(), 1 - 8 + 27);
  EXPECT_TRUE(y.node()->computed());
  std::ostringstream out;
  const Tensor z = loss_of(plain()), v = loss_of(plain());
  out << z;
  EXPECT_TRUE(z.node()->computed());
  EXPECT_EQ(v.to_vector<double>()[0], 20);
}

TEST_F(WhenThingsRun, APendingUpdateRunsWithAnyEvaluation) {
  Model m = parameters();
  auto state = kSgd.init(m);
  std::tie(m, state) = kSgd.update(m, grad(loss_of(m), m), state);
  EXPECT_FALSE(m.w.node()->computed());
  EXPECT_EQ((scalar(1.0, DType::f64) + 1.0).item(), 2);  // something else
  EXPECT_TRUE(m.w.node()->computed());
  EXPECT_TRUE(state.step.node()->computed());
}

TEST_F(WhenThingsRun, AfterABackwardThatFailsTheGradientsAreTheOldOnes) {
  const auto nodes = live_nodes();
  {
    const Tensor w = tensor<double>({1, -2, 3, 4}, {2, 2}).requires_grad();
    const auto wrong = [&] { return cross_entropy(w, tensor<std::int32_t>({1, 7}, {2})); };
    EXPECT_THROW(backward(wrong()), Error);
    EXPECT_FALSE(w.grad());
    backward(sum(w * w));
    EXPECT_THROW(backward(wrong()), Error);
    EXPECT_EQ(w.grad().to_vector<double>(), (std::vector<double>{2, -4, 6, 8}));
  }
  EXPECT_EQ(live_nodes(), nodes);  // no leaf is held by the graph of a gradient that it holds
}

TEST_F(WhenThingsRun, AnUpdateOfADeadTreeDoesNotRun) {
  const auto nodes = live_nodes();
  {
    const Model m = parameters();
    auto state = kSgd.init(m);
    const auto next = kSgd.update(m, grad(loss_of(m), m), state);
  }
  EXPECT_EQ((scalar(1.0, DType::f64) + 1.0).item(), 2);
  EXPECT_EQ(live_nodes(), nodes);
}

TEST_F(WhenThingsRun, AResultBecomesALeafAndItsGraphIsDropped) {
  const Tensor x = tensor(kStart, {3});
  const auto nodes = live_nodes();
  const Tensor y = sum(exp(x) * 2.0);
  EXPECT_GT(live_nodes(), nodes + 1);
  eval(y);
  EXPECT_EQ(live_nodes(), nodes + 1);
  EXPECT_EQ(y.node()->kind, Kind::leaf);
}

TEST_F(WhenThingsRun, ALeafThatAskedForGradientsKeepsTheGraphUntilBackward) {
  Tensor x = tensor(kStart, {3}).requires_grad();
  const Tensor y = sum(x * x);
  eval(y);
  EXPECT_EQ(y.node()->kind, Kind::op);
  backward(y);
  EXPECT_EQ(y.node()->kind, Kind::leaf);
  EXPECT_EQ(x.grad().to_vector<double>(), (std::vector<double>{2, -4, 6}));
  EXPECT_TRUE(holds(error_of([&] { backward(y); }), "the graph behind this value was released"));
}

TEST_F(WhenThingsRun, ASpentGraphIsReadableAndItsDerivativeNamesTheUpdate) {
  Model m = parameters();
  auto state = kSgd.init(m);
  const Tensor loss = loss_of(m), deep = exp(loss);
  const Model g = grad(loss, m);
  std::tie(m, state) = kSgd.update(m, g, state); const int update = __LINE__;
  const Tensor both[] = {loss, m.w};
  eval(both);
  EXPECT_EQ(loss.item(), 20);
  const Tensor x = scalar(1.0, DType::f64);
  for (const auto& message : {error_of([&] { grad(loss, x); }), error_of([&] { backward(loss); }), error_of([&] { vjp(loss, x, x); }),
                              error_of([&] { jvp(loss, x, x); })}) {
    EXPECT_TRUE(holds(message, "spent")) << message;
    EXPECT_TRUE(holds(message, line(update))) << message;
  }
  EXPECT_NEAR(deep.item() / std::exp(20.0), 1, 1e-14);  // over a computed value: nothing spent is read
}

TEST_F(WhenThingsRun, AValueThatWasNotComputedBeforeTheUpdateIsSpent) {
  Model m = parameters();
  auto state = kSgd.init(m);
  const Tensor h = m.w * m.w, loss = sum(h);
  std::tie(m, state) = kSgd.update(m, grad(loss, m), state); const int update = __LINE__;
  const Tensor both[] = {loss, m.w};
  eval(both);
  const auto message = error_of([&] { h.to_vector<double>(); });
  EXPECT_TRUE(holds(message, "spent") && holds(message, line(update))) << message;
}

TEST_F(WhenThingsRun, RetainKeepsACopyInsteadOfTheSpentParameter) {
  Model m = parameters();
  auto state = kSgd.init(m);
  const Tensor w = m.w;
  const Tensor loss = loss_of(m);
  backward(loss, {.retain = true});
  const Model g{w.grad()};
  std::tie(m, state) = kSgd.update(m, g, state);
  EXPECT_EQ(m.w.to_vector<double>(), (std::vector<double>{1 - 1.5, -2 - 6, 3 - 13.5}));
  backward(loss);  // once more, at the old parameters
  EXPECT_EQ(w.grad().to_vector<double>(), (std::vector<double>{6, 24, 54}));
}

TEST_F(WhenThingsRun, RetainKeepsACopyWithoutASecondHandle) {
  Model m = parameters();
  auto state = kSgd.init(m);
  const Tensor loss = loss_of(m);
  backward(loss, {.retain = true});
  std::tie(m, state) = kSgd.update(m, Model{m.w.grad()}, state);
  const Tensor both[] = {loss, m.w};
  eval(both);
  EXPECT_NO_THROW(backward(loss));
}

TEST_F(WhenThingsRun, ASecondHandleKeepsTheOldValue) {
  Model m = parameters();
  auto state = kSgd.init(m);
  const Tensor old = m.w;
  std::tie(m, state) = kSgd.update(m, grad(loss_of(m), m), state);
  EXPECT_EQ(m.w.to_vector<double>(), (std::vector<double>{1 - 1.5, -2 - 6, 3 - 13.5}));
  EXPECT_EQ(old.to_vector<double>(), kStart);
}

TEST_F(WhenThingsRun, ItemBeforeGradIsLegalAndWarnsOnce) {
  const Tensor x = tensor(kStart, {3}).requires_grad();
  for (int i = 0; i < 3; ++i) {
    const Tensor loss = sum(exp(x) * x);
    loss.item();
    EXPECT_NEAR(grad(loss, x).to_vector<double>()[0], std::exp(1.0) * 2, 1e-14);
  }
  ASSERT_EQ(said.size(), 1u);
  EXPECT_TRUE(holds(said[0], "runs twice")) << said[0];
  EXPECT_TRUE(holds(said[0], line(__LINE__ - 6))) << said[0];
}

TEST_F(WhenThingsRun, GradBeforeItemDoesNotWarn) {
  const Tensor x = tensor(kStart, {3}).requires_grad();
  const Tensor loss = sum(exp(x) * x), g = grad(loss, x);
  loss.item();
  g.to_vector<double>();
  EXPECT_TRUE(said.empty());
}

TEST_F(WhenThingsRun, MoreThanAMillionUnevaluatedNodesWarnOnceWithTheLine) {
  const Tensor x = scalar(1.0, DType::f64);
  Tensor total = x;
  int grows = 0;
  for (int round = 0; round < 2; ++round) {
    grows = __LINE__ + 1;
    for (int i = 0; i < 1'000'100; ++i) total = total + x;
    if (round == 0) total = x;
  }
  ASSERT_EQ(said.size(), 1u);
  EXPECT_TRUE(holds(said[0], "more than a million")) << said[0];
  EXPECT_TRUE(holds(said[0], line(grows))) << said[0];
}

TEST_F(WhenThingsRun, ComputedNodesAreNotCountedAsUnevaluated) {
  Tensor total = scalar(0.0, DType::f64);
  Tensors kept;
  for (int i = 0; i < 2000; ++i) {
    for (int k = 0; k < 600; ++k) total = total + 1.0;
    eval(total);
  }
  EXPECT_EQ(total.item(), 1'200'000);
  EXPECT_TRUE(said.empty());
}

TEST_F(WhenThingsRun, AnEvaluatedDataValueBetweenIsAnErrorAndNoSilentZero) {
  const Tensor x = tensor(kStart, {3});
  const Tensor h = x * x; const int made = __LINE__;
  h.to_vector<double>();
  const Tensor loss = sum(h);
  for (const auto& message : {error_of([&] { grad(loss, x); }), error_of([&] { vjp(loss, scalar(1.0, DType::f64), x); }),
                              error_of([&] { jvp(loss, x, x); })}) {
    EXPECT_TRUE(holds(message, "was released when it was computed")) << message;
    EXPECT_TRUE(holds(message, line(made))) << message;
    EXPECT_TRUE(holds(message, "requires_grad")) << message;
  }
}

TEST_F(WhenThingsRun, AnUnreachedValueStaysAnExplicitZeroWithItsWarning) {
  const Tensor x = tensor(kStart, {3}), y = tensor(kStart, {3});
  EXPECT_EQ(grad(sum(x), y).to_vector<double>(), (std::vector<double>{0, 0, 0}));
  ASSERT_EQ(said.size(), 1u);
  EXPECT_TRUE(holds(said[0], "does not reach"));
  // A leaf that asked for gradients keeps every graph over it: it is not behind computed data.
  const Tensor data = (x + 1.0), p = tensor(kStart, {3}).requires_grad();
  eval(data);
  EXPECT_EQ(grad(sum(data), p).to_vector<double>(), (std::vector<double>{0, 0, 0}));
  EXPECT_EQ(grad(sum(data.detach()), y).to_vector<double>(), (std::vector<double>{0, 0, 0}));
}

TEST_F(WhenThingsRun, AGraphLetGoOfByBackwardOrNoGradIsAnErrorToo) {
  const Tensor x = tensor(kStart, {3}).requires_grad();
  const Tensor loss = sum(x * x);
  backward(loss);
  EXPECT_TRUE(holds(error_of([&] { grad(loss * 2.0, x); }), "released by backward()"));
  Tensor h;
  {
    const NoGrad none;
    h = x * x;
  }
  eval(h);
  EXPECT_TRUE(holds(error_of([&] { grad(sum(h), x); }), "under NoGrad"));
}

TEST_F(WhenThingsRun, ADonatedHandleThrowsAndNamesTheLine) {
  Model m = parameters();
  const Tensor second = m.w;
  auto state = kSgd.init(m);
  const Model g = grad(loss_of(m), m);
  auto next = kSgd.update(std::move(m), g, std::move(state)); const int donation = __LINE__;
  for (int when = 0; when < 2; ++when) {  // before and after the update has run
    for (const auto& message : {error_of([&] { second + 1.0; }), error_of([&] { second.to_vector<double>(); }), error_of([&] { m.w * 2.0; }),
                                error_of([&] { second.detach(); }), error_of([&] { eval(second); }), error_of([&] { grad(sum(next.first.w), second); })}) {
      EXPECT_TRUE(holds(message, "donated")) << message;
      EXPECT_TRUE(holds(message, line(donation))) << message;
    }
    EXPECT_EQ(next.first.w.to_vector<double>(), (std::vector<double>{1 - 1.5, -2 - 6, 3 - 13.5}));
  }
}

TEST_F(WhenThingsRun, ADonatedBufferIsTakenOverThoughHandlesAreLeft) {
  Model m = parameters();
  const Tensor second = m.w;
  auto state = kSgd.init(m);
  const Buffer* before = m.w.node()->data.load();
  const Model g = grad(loss_of(m), m);
  auto next = kSgd.update(std::move(m), g, std::move(state));
  eval(next.first.w);
  EXPECT_EQ(next.first.w.node()->data.load(), before);
}

TEST_F(WhenThingsRun, NoWriteThroughOneLeafIsSeenThroughAnother) {
  // Leaves may share bytes while nobody writes to them (detach); whoever is updated then gets bytes of its own.
  Model m = parameters();
  const Tensor copy = m.w.detach();
  auto state = kSgd.init(m);
  std::tie(m, state) = kSgd.update(m, grad(loss_of(m), m), state);
  eval(m.w);
  EXPECT_EQ(copy.to_vector<double>(), kStart);
  EXPECT_NE(m.w.node()->data.load(), copy.node()->data.load());
  // Results of one plan never share: equal ones are copied.
  const Tensor a = copy * 2.0, b = copy * 2.0;
  const Tensor both[] = {a, b};
  eval(both);
  EXPECT_NE(a.node()->data.load()->data, b.node()->data.load()->data);
}

TEST_F(WhenThingsRun, TheFirstFailingNodeIsTheErrorAndTheParametersAreTheOldOnes) {
  Model m = parameters();
  auto state = kSgd.init(m);
  const Tensor old = m.w;
  const auto bad = [](std::int64_t at) { return tensor(std::vector<std::int64_t>{at}, {1}); };
  const Tensor picked = take(m.w, bad(7), 0); const int first = __LINE__;
  const Tensor loss = sum(picked) + sum(take(m.w, bad(9), 0)) + loss_of(m);
  const Model g = grad(loss, m);
  std::tie(m, state) = kSgd.update(m, g, state);
  const Tensor both[] = {loss, m.w};
  const auto message = error_of([&] { eval(both); });
  EXPECT_TRUE(holds(message, "take")) << message;
  EXPECT_TRUE(holds(message, line(first))) << message;
  EXPECT_EQ(old.to_vector<double>(), kStart);
  EXPECT_FALSE(m.w.node()->computed());
  EXPECT_EQ((scalar(1.0, DType::f64) + 1.0).item(), 2);  // a reported error does not come back with other evaluations
}

TEST_F(WhenThingsRun, AfterAnErrorParametersThatWereToBeOverwrittenAreTheOldOnes) {
  Model m = parameters();
  auto state = kSgd.init(m);
  Tensor alive = m.w * 1.0;  // a graph over the old parameters, with no handle of them
  const Tensor fails = sum(take(m.w, tensor(std::vector<std::int64_t>{7}, {1}), 0));
  const Model g = grad(loss_of(m), m);
  std::tie(m, state) = kSgd.update(m, g, state);
  const Tensor all[] = {alive, fails, m.w};
  EXPECT_THROW(eval(all), Error);
  EXPECT_EQ(alive.to_vector<double>(), kStart);
  EXPECT_EQ(m.w.to_vector<double>(), (std::vector<double>{1 - 1.5, -2 - 6, 3 - 13.5}));
}

}  // namespace
}  // namespace adjoint
