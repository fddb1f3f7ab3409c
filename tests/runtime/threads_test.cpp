// threads_test.cpp: graphs built, handles read and values computed from several threads, and what meets a running update.
// Run under ThreadSanitizer by scripts/test --all. Not the pool's own cases.
#include <gtest/gtest.h>

#include <atomic>
#include <cfenv>
#include <cfloat>
#include <cmath>
#include <thread>

#include "adjoint/grad.hpp"
#include "adjoint/ops.hpp"
#include "adjoint/optim.hpp"
#include "graph/log.hpp"
#include "graph/node.hpp"

namespace adjoint {
namespace {

template <class F> void on_threads(int n, F f) {
  std::vector<std::thread> threads;
  for (int i = 0; i < n; ++i) threads.emplace_back([&f, i] { f(i); });
  for (auto& t : threads) t.join();
}

struct Model {
  Tensor w;
};

TEST(RuntimeThreads, GraphsAreBuiltAndHandlesReadFromSeveralThreads) {
  const Tensor shared = tensor(std::vector<double>{1, 2, 3}, {3}), y = shared * shared + 1.0;
  std::atomic<int> right{0};
  on_threads(4, [&](int i) {
    for (int k = 0; k < 50; ++k) {
      const Tensor mine = sum(y * static_cast<double>(i + 1));
      const Tensor g = grad(mine, y);
      right += mine.item() == 17.0 * (i + 1) && y.to_vector<double>()[2] == 10 && g.to_vector<double>()[0] == i + 1 && shared.where().line > 0;
    }
  });
  EXPECT_EQ(right, 200);
}

TEST(RuntimeThreads, OnePlanRunsOnSeveralThreadsEachWithItsOwnArena) {
  std::atomic<int> right{0};
  on_threads(4, [&](int i) {
    for (int k = 0; k < 50; ++k) {
      const Tensor x = full({64, 64}, i + 1, DType::f64).detach();
      right += sum(matmul(x, x) * x).item() == 64.0 * 64 * 64 * (i + 1) * (i + 1) * (i + 1);
    }
  });
  EXPECT_EQ(right, 200);
}

TEST(RuntimeThreads, EvaluatingWhileAnotherThreadOverwritesIsATypedErrorOrTheOldValue) {
  const optim::SGD sgd{.learning_rate = 1};
  std::atomic<int> values{0}, errors{0}, wrong{0};
  for (int round = 0; round < 60; ++round) {
    Model m{ones({1 << 14}, DType::f64).detach().requires_grad()};
    auto state = sgd.init(m);
    const Tensor loss = sum(m.w * m.w);
    const Model g = grad(loss, m);
    std::tie(m, state) = sgd.update(m, g, state);
    on_threads(2, [&](int i) {
      if (i == 0) return eval(m.w);
      try {
        wrong += loss.item() != 1 << 14;
        ++values;
      } catch (const Error& e) {
        wrong += std::string(e.what()).find("spent") == std::string::npos;
        ++errors;
      }
    });
    wrong += m.w.to_vector<double>()[77] != -1;
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(values + errors, 60);
}

TEST(RuntimeThreads, AValidationThreadDoesNotDisturbTraining) {
  const optim::SGD sgd{.learning_rate = 0.25};
  Model m{ones({256}, DType::f64).detach().requires_grad()};
  auto state = sgd.init(m);
  const Tensor data = full({256}, 2.0, DType::f64).detach();
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::thread other([&] {
    while (!stop) wrong += sum(data * data).item() != 1024;
  });
  for (int step = 0; step < 200; ++step) {
    std::tie(m, state) = sgd.update(m, grad(sum(m.w * m.w), m), state);
    eval(m.w);
  }
  stop = true;
  other.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(m.w.to_vector<double>()[5], std::ldexp(1.0, -200));
}

/// Losses that are computed after the updates were made, and so are still to come while other threads evaluate.
TEST(RuntimeThreads, TrainingOnSeveralThreadsWithoutCompile) {
  const optim::SGD sgd{.learning_rate = 0.25, .momentum = 0.5};
  const auto train = [&](int i) {
    Model m{full({64}, 1.0 + i, DType::f64).detach().requires_grad()};
    auto state = sgd.init(m);
    std::vector<double> losses;
    for (int step = 0; step < 100; ++step) {
      const Tensor loss = sum(m.w * m.w);
      std::tie(m, state) = sgd.update(m, grad(loss, m), state);
      std::this_thread::yield();
      losses.push_back(loss.item());
    }
    losses.push_back(m.w.to_vector<double>()[5]);
    return losses;
  };
  std::vector<std::vector<double>> alone, together(4);
  for (int i = 0; i < 4; ++i) alone.push_back(train(i));
  on_threads(4, [&](int i) { together[static_cast<std::size_t>(i)] = train(i); });
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(together[i], alone[i]);
}

TEST(RuntimeThreads, WhoReadsAnothersUpdateTakesAllOfThem) {
  const optim::SGD sgd{.learning_rate = 0.25, .momentum = 0.5};
  Model m{full({64}, 1.0, DType::f64).detach().requires_grad()};
  auto state = sgd.init(m);
  const Tensor loss = sum(m.w * m.w);
  std::tie(m, state) = sgd.update(m, grad(loss, m), state);
  on_threads(1, [&](int) { EXPECT_EQ(m.w.to_vector<double>()[0], 0.5); });
  EXPECT_EQ(state.velocity.w.to_vector<double>()[0], 2);  // had it waited, the weights that it reads would be gone
  std::tie(m, state) = sgd.update(m, grad(sum(m.w * m.w), m), state);
  on_threads(1, [&](int) { EXPECT_EQ(sum(m.w).item(), 64 * (0.5 - 0.25 * (2 * 0.5 + 0.5 * 2))); });  // behind what is read
  EXPECT_EQ(state.velocity.w.to_vector<double>()[0], 2);
}

TEST(RuntimeThreads, UpdatesOfAThreadThatEndedAreEverybodys) {
  const optim::SGD sgd{.learning_rate = 0.25};
  Model m{full({64}, 1.0, DType::f64).detach().requires_grad()};
  auto state = sgd.init(m);
  Tensor held = m.w;
  on_threads(1, [&](int) { std::tie(m, state) = sgd.update(m, grad(sum(m.w * m.w), m), state); });
  held = Tensor();
  EXPECT_EQ(scalar(2.0).item(), 2);  // reading what is there runs nothing
  EXPECT_EQ((scalar(2.0) + 1.0).item(), 3);
  EXPECT_TRUE(m.w.node()->computed());
}

TEST(RuntimeThreads, KernelsTakeTheCallersRounding) {
  const int before = threads();
  set_threads(3);
  const auto sum_of = [] {
    const Tensor x = full({1 << 16}, 1.0, DType::f64).detach(), y = full({1 << 16}, DBL_EPSILON / 4, DType::f64).detach();
    return (x + y).to_vector<double>();
  };
  EXPECT_EQ(sum_of(), std::vector<double>(1 << 16, 1.0));
  std::fesetround(FE_UPWARD);
  const auto up = sum_of();
  std::fesetround(FE_TONEAREST);
  EXPECT_EQ(up, std::vector<double>(1 << 16, 1.0 + DBL_EPSILON));
  set_threads(before);
}

std::atomic<int> heard{0};

TEST(WarningSink, MayBeSetAndCalledFromAnyThreadAndMayUseTheLibrary) {
  set_warning_sink([](const char*) { heard += static_cast<int>((scalar(0.5, DType::f64) * 2.0).item()); });
  on_threads(4, [&](int i) {
    for (int k = 0; k < 50; ++k) {
      warn("text");
      warn_once("threads", {"some.cpp", "f", k}, "text");
      if (i == 0) set_warning_sink([](const char*) { ++heard; });
    }
  });
  set_warning_sink(nullptr);
  EXPECT_EQ(heard, 4 * 50 + 50);
}

TEST(WarningSink, NullGoesBackToStandardError) {
  set_warning_sink([](const char*) {});
  set_warning_sink(nullptr);
  ::testing::internal::CaptureStderr();
  warn("something to know");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "adjoint: warning: something to know\n");
}

}  // namespace
}  // namespace adjoint
