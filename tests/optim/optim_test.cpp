// optim_test.cpp: each optimizer against its formula in double, swapped without a change of the model, in place, with tied and
// frozen parameters; schedules, clipping, accumulation, averages. Not speed.
#include <gtest/gtest.h>

#include <cmath>

#include "adjoint/ops.hpp"
#include "adjoint/optim.hpp"
#include "graph/buffer.hpp"
#include "graph/node.hpp"

namespace adjoint {
namespace {

struct Model {
  Tensor a, b;
};
const std::vector<double> kStartA{1, -2, 0.5}, kStartB{3, -1};
Model start() { return {tensor(kStartA, {3}).requires_grad(), tensor(kStartB, {2}).requires_grad()}; }
Tensor loss_of(const Model& m) { return sum(square(m.a) * tensor(std::vector<double>{1, 2, 3}, {3})) + sum(exp(m.b)); }
double gradient(bool of_a, std::size_t i, double p) { return of_a ? 2 * p * static_cast<double>(i + 1) : std::exp(p); }

/// Runs `steps` steps and compares with rule(p, g, state of the element, t) -> new p, for every element by itself.
template <class Optimizer, class Rule> void compare(const Optimizer& optimizer, Rule rule, int steps = 4) {
  Model m = start();
  auto state = optimizer.init(m);
  for (int t = 1; t <= steps; ++t) {
    const Model g = grad(loss_of(m), m);
    std::tie(m, state) = optimizer.update(m, g, state);
  }
  const auto a = m.a.to_vector<double>(), b = m.b.to_vector<double>();
  for (std::size_t i = 0; i < 5; ++i) {
    const bool of_a = i < 3;
    const std::size_t k = of_a ? i : i - 3;
    double p = of_a ? kStartA[k] : kStartB[k], s[3] = {0, 0, 0};
    for (int t = 1; t <= steps; ++t) p = rule(p, gradient(of_a, k, p), s, t);
    EXPECT_NEAR(of_a ? a[k] : b[k], p, 1e-13 * std::max(1.0, std::abs(p))) << "element " << i;
  }
  EXPECT_EQ(state.step.item(), steps);
  EXPECT_TRUE(m.a.wants_grad());
}

TEST(Optim, SgdIsItsFormula) {
  compare(optim::SGD{.learning_rate = 0.1}, [](double p, double g, double*, int) { return p - 0.1 * g; });
  compare(optim::SGD{.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 0.01}, [](double p, double g, double* s, int) {
    s[0] = 0.9 * s[0] + g + 0.01 * p;
    return p - 0.1 * s[0];
  });
  compare(optim::SGD{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true}, [](double p, double g, double* s, int) {
    s[0] = 0.9 * s[0] + g;
    return p - 0.1 * (g + 0.9 * s[0]);
  });
}

double adam(double p, double g, double* s, int t, bool amsgrad) {
  s[0] = 0.9 * s[0] + 0.1 * g;
  s[1] = 0.999 * s[1] + 0.001 * g * g;
  s[2] = std::max(s[2], s[1]);
  return p - 0.01 * (s[0] / (1 - std::pow(0.9, t))) / (std::sqrt((amsgrad ? s[2] : s[1]) / (1 - std::pow(0.999, t))) + 1e-8);
}
TEST(Optim, AdamIsItsFormula) {
  compare(optim::Adam{.learning_rate = 0.01}, [](double p, double g, double* s, int t) { return adam(p, g, s, t, false); });
  compare(optim::Adam{.learning_rate = 0.01, .amsgrad = true}, [](double p, double g, double* s, int t) { return adam(p, g, s, t, true); });
  compare(optim::Adam{.learning_rate = 0.01, .weight_decay = 0.1}, [](double p, double g, double* s, int t) { return adam(p, g + 0.1 * p, s, t, false); });
  compare(optim::adamw(0.01, 0.1), [](double p, double g, double* s, int t) { return adam(p, g, s, t, false) - 0.01 * 0.1 * p; });
}

TEST(Optim, RmspropAdagradLionAreTheirFormulas) {
  compare(optim::RMSprop{.learning_rate = 0.01}, [](double p, double g, double* s, int) {
    s[0] = 0.99 * s[0] + 0.01 * g * g;
    return p - 0.01 * g / (std::sqrt(s[0]) + 1e-8);
  });
  compare(optim::RMSprop{.learning_rate = 0.01, .momentum = 0.5, .centred = true}, [](double p, double g, double* s, int) {
    s[0] = 0.99 * s[0] + 0.01 * g * g;
    s[2] = 0.99 * s[2] + 0.01 * g;
    s[1] = 0.5 * s[1] + g / (std::sqrt(s[0] - s[2] * s[2]) + 1e-8);
    return p - 0.01 * s[1];
  });
  compare(optim::Adagrad{.learning_rate = 0.1, .rate_decay = 0.5}, [](double p, double g, double* s, int t) {
    s[0] += g * g;
    return p - 0.1 / (1 + (t - 1) * 0.5) * g / (std::sqrt(s[0]) + 1e-10);
  });
  compare(optim::Lion{.learning_rate = 0.01, .weight_decay = 0.1}, [](double p, double g, double* s, int) {
    const double u = 0.9 * s[0] + 0.1 * g;
    s[0] = 0.99 * s[0] + 0.01 * g;
    return p * (1 - 0.01 * 0.1) - 0.01 * (u > 0 ? 1 : u < 0 ? -1 : 0);
  });
}

TEST(Optim, LambScalesTheStepToTheParameter) {
  Model m = start();
  const optim::LAMB lamb{.learning_rate = 0.1, .weight_decay = 0};
  auto state = lamb.init(m);
  std::tie(m, state) = lamb.update(m, grad(loss_of(m), m), state);
  // In the first step m' / sqrt(v') is the sign of g: |r| = sqrt(3), and the step has the length 0.1 |p|.
  const auto a = m.a.to_vector<double>();
  const double norm = std::sqrt(1 + 4 + 0.25);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(a[i], kStartA[i] - 0.1 * norm / std::sqrt(3.0) * (kStartA[i] > 0 ? 1 : -1), 1e-5);
}

template <class Optimizer> double trained(const Optimizer& optimizer) {
  Model m = start();
  auto state = optimizer.init(m);
  double last = 0;
  for (int i = 0; i < 60; ++i) {
    const Tensor loss = loss_of(m);
    std::tie(m, state) = optimizer.update(m, grad(loss, m), state);
    last = loss.item();
  }
  return last;
}

TEST(Optim, A10_1_OneOptimizerReplacesAnotherWithoutAChangeOfTheModel) {
  const double first = loss_of(start()).item();
  EXPECT_LT(trained(optim::SGD{.learning_rate = 0.02}), 0.5 * first);
  EXPECT_LT(trained(optim::Adam{.learning_rate = 0.05}), 0.5 * first);
  EXPECT_LT(trained(optim::adamw(0.05)), 0.5 * first);
  EXPECT_LT(trained(optim::RMSprop{.learning_rate = 0.05}), 0.5 * first);
  EXPECT_LT(trained(optim::Adagrad{.learning_rate = 0.5}), 0.5 * first);
  EXPECT_LT(trained(optim::Lion{.learning_rate = 0.05}), 0.5 * first);
  EXPECT_LT(trained(optim::LAMB{.learning_rate = 0.05}), 0.5 * first);
}

TEST(Optim, NothingGrowsOverAHundredSteps) {
  Model m = start();
  optim::Adam adam{.learning_rate = 0.01};
  auto state = adam.init(m);
  std::size_t bytes = 0;
  std::int64_t nodes = 0;
  for (int i = 0; i < 110; ++i) {
    adam.learning_rate = optim::cosine(i, {.rate = 0.01, .steps = 110});
    const Tensor loss = loss_of(m);
    std::tie(m, state) = adam.update(m, grad(loss, m), state);
    loss.item();
    if (i == 109) {
      EXPECT_EQ(buffer_bytes_live(), bytes);
      EXPECT_EQ(live_nodes(), nodes);
    }
    if (i == 9) bytes = buffer_bytes_live(), nodes = live_nodes();
  }
}

TEST(Optim, ATiedParameterHasOneStateAndStaysTied) {
  const Tensor shared = tensor(kStartA, {3}).requires_grad();
  Model m{shared, shared};
  const optim::SGD sgd{.learning_rate = 0.1, .momentum = 0.9};
  auto state = sgd.init(m);
  EXPECT_EQ(state.velocity.a.node(), state.velocity.b.node());
  for (int i = 0; i < 2; ++i) std::tie(m, state) = sgd.update(m, grad(sum(m.a * m.b), m), state);
  EXPECT_EQ(m.a.node(), m.b.node());
  EXPECT_EQ(state.velocity.a.node(), state.velocity.b.node());
  EXPECT_NEAR(m.a.to_vector<double>()[0], 0.8 - 0.1 * (0.9 * 2 + 1.6), 1e-14);
}

TEST(Optim, FrozenParametersAndOtherGroupsArePassedBy) {
  Model m = start();
  const Tensor before = m.b;
  tree::freeze(m.b);
  const optim::SGD sgd{.learning_rate = 0.1, .weight_decay = 0.5};
  auto state = sgd.init(m);
  std::tie(m, state) = sgd.update(m, grad(loss_of(m), m), state);
  EXPECT_EQ(m.b.node(), before.node());
  EXPECT_NE(m.a.to_vector<double>(), kStartA);

  m = start();
  const Model g = grad(loss_of(m), m);
  auto for_b = sgd.init(m);
  std::tie(m, for_b) = sgd.update(m, optim::only(g, [](const std::string& path) { return path == "b"; }), for_b);
  EXPECT_EQ(m.a.to_vector<double>(), kStartA);
  EXPECT_NE(m.b.to_vector<double>(), kStartB);
}

TEST(Optim, MistakesAreNamed) {
  const Model m = start();
  const optim::SGD plain{}, heavy{.momentum = 0.9};
  const auto state = plain.init(m);
  EXPECT_THROW(heavy.update(m, grad(loss_of(m), m), state), Error);
  EXPECT_THROW(plain.update(m, grad(loss_of(m), m), optim::SGD::State<Model>{}), Error);
  EXPECT_THROW(plain.update(m, Model{zeros({4}), zeros({2})}, state), Error);
}

TEST(Clip, ByValueByNormAndByGlobalNorm) {
  const Model g{tensor({3, -4, 0}), tensor({12, 0})};
  EXPECT_EQ(optim::clip_by_value(g, 2.5).a.to_vector<float>(), (std::vector<float>{2.5, -2.5, 0}));
  const Model each = optim::clip_by_norm(g, 6.0);
  EXPECT_EQ(each.a.to_vector<float>(), (std::vector<float>{3, -4, 0}));
  EXPECT_EQ(each.b.to_vector<float>(), (std::vector<float>{6, 0}));
  const auto all = optim::clip_by_global_norm(g, 6.5);
  EXPECT_EQ(all.norm.item(), 13);
  EXPECT_EQ(all.grads.b.to_vector<float>(), (std::vector<float>{6, 0}));
  const auto none = optim::clip_by_global_norm(g, 13);
  EXPECT_EQ(none.grads.a.to_vector<float>(), g.a.to_vector<float>());
  EXPECT_THROW(optim::clip_by_value(g, 0), Error);
}

TEST(Accumulation, MicroBatchesAddUpToTheBatch) {
  const Model m = start();
  const Model g = grad(loss_of(m), m);
  const Model mean = optim::mean_of(optim::add(optim::add(g, g), g), 3);
  const auto a = mean.a.to_vector<double>(), want = g.a.to_vector<double>();
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(a[i], want[i], 1e-14);
}

TEST(Average, MovesTowardsTheModelInPlace) {
  const Model m{tensor({1, 2, 3}), tensor({4, 5})};
  Model average = optim::start_average(m);
  const Model moved{tensor({2, 2, 2}), tensor({0, 0})};
  average = optim::update_average(average, moved, 0.75);
  EXPECT_EQ(average.a.to_vector<float>(), (std::vector<float>{1.25, 2, 2.75}));
  EXPECT_EQ(average.b.to_vector<float>(), (std::vector<float>{3, 3.75}));
  EXPECT_THROW(optim::update_average(average, moved, 1.5), Error);
}

TEST(Schedules, ValuesAtTheKnees) {
  using namespace optim;
  EXPECT_EQ(optim::constant(7, 0.1), 0.1);
  EXPECT_DOUBLE_EQ(linear(5, {.from = 0, .to = 1, .steps = 10}), 0.5);
  EXPECT_EQ(linear(50, {.from = 0, .to = 1, .steps = 10}), 1);
  EXPECT_DOUBLE_EQ(step_decay(5, {.rate = 1, .factor = 0.5, .every = 2}), 0.25);
  EXPECT_DOUBLE_EQ(multi_step(30, {.rate = 1, .factor = 0.1, .at = {10, 30, 40}}), 0.01);
  EXPECT_DOUBLE_EQ(exponential_decay(2, {.rate = 1, .factor = 0.5}), 0.25);
  EXPECT_DOUBLE_EQ(polynomial(5, {.rate = 1, .power = 2, .steps = 10}), 0.25);
  EXPECT_DOUBLE_EQ(cosine(0, {.rate = 1, .steps = 10}), 1);
  EXPECT_NEAR(cosine(5, {.rate = 1, .steps = 10}), 0.5, 1e-15);
  EXPECT_EQ(cosine(11, {.rate = 1, .final_rate = 0.1, .steps = 10}), 0.1);
  EXPECT_DOUBLE_EQ(cosine_restarts(10, {.rate = 1, .steps = 10, .growth = 2}), 1);
  EXPECT_NEAR(cosine_restarts(20, {.rate = 1, .steps = 10, .growth = 2}), 0.5, 1e-15);
  EXPECT_DOUBLE_EQ(cosine_restarts(30, {.rate = 1, .steps = 10, .growth = 2}), 1);
  EXPECT_DOUBLE_EQ(inverse_sqrt(3, {.rate = 1, .warmup = 8}), 0.5);
  EXPECT_DOUBLE_EQ(inverse_sqrt(31, {.rate = 1, .warmup = 8}), 0.5);
  EXPECT_NEAR(one_cycle(0, {.peak = 1, .steps = 10}), 1.0 / 25, 1e-15);
  EXPECT_NEAR(one_cycle(3, {.peak = 1, .steps = 10}), 1, 1e-12);
  EXPECT_NEAR(one_cycle(10, {.peak = 1, .steps = 10}), 1.0 / 25 / 1e4, 1e-18);
  EXPECT_DOUBLE_EQ(warmup_stable_decay(15, {.rate = 1, .warmup = 4, .stable = 6, .decay = 10}), 0.5);
  EXPECT_DOUBLE_EQ(warm_up(1, 3, [](std::int64_t) { return 2.0; }), 1.0);
  EXPECT_THROW(cosine(1, {.steps = 0}), Error);
}

TEST(Schedules, PlateauLowersTheRateAfterPatience) {
  optim::Plateau p{.rate = 1, .factor = 0.5, .least = 0.3, .patience = 1};
  EXPECT_EQ(p.observe(1.0), 1);
  EXPECT_EQ(p.observe(1.0), 1);
  EXPECT_EQ(p.observe(NAN), 0.5);
  EXPECT_EQ(p.observe(0.5), 0.5);
  p.observe(0.6);
  EXPECT_EQ(p.observe(0.6), 0.3);
}

}  // namespace
}  // namespace adjoint
