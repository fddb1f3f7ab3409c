// compile_threads_test.cpp: one compiled step called from several threads: with trees of their own it runs, with one tree the second call
// is a typed error and no race. Run under ThreadSanitizer by scripts/test --all. Not the rules of compile() on one thread.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "adjoint/compile.hpp"
#include "adjoint/ops.hpp"
#include "adjoint/optim.hpp"

namespace adjoint {
namespace {

struct Model {
  Tensor w;
};
using State = optim::SGD::State<Model>;
const optim::SGD kSgd{.learning_rate = 0.01, .momentum = 0.5};

Tensor body(Model& m, State& s, const Tensor& x) {
  const Tensor loss = sum(square(matmul(x, m.w)));
  std::tie(m, s) = kSgd.update(m, grad(loss, m), s);
  return loss;
}
Tensor input(int i) { return full({24, 24}, 0.01 * (i + 1), DType::f64).detach(); }
Model start() { return {full({24, 8}, 0.5, DType::f64).detach()}; }

template <class F> void on_threads(int n, F f) {
  std::vector<std::thread> all;
  for (int i = 0; i < n; ++i) all.emplace_back([&f, i] { f(i); });
  for (auto& t : all) t.join();
}

}  // namespace

TEST(CompileThreads, EachThreadWithItsOwnTrees) {
  // Without compile first and on one thread: there any evaluation takes every pending update along, those of other threads too.
  std::vector<std::vector<double>> losses(4), weights(4);
  for (int i = 0; i < 4; ++i) {
    Model m = start();
    State s = kSgd.init(m);
    for (int k = 0; k < 20; ++k) losses[static_cast<std::size_t>(i)].push_back(body(m, s, input(i)).item());
    weights[static_cast<std::size_t>(i)] = m.w.to_vector<double>();
  }
  const auto step = compile(body);
  std::atomic<int> right{0};
  on_threads(4, [&](int i) {
    Model m = start();
    State s = kSgd.init(m);
    bool same = true;
    for (const double loss : losses[static_cast<std::size_t>(i)]) same &= step(m, s, input(i)).item() == loss;
    right += same && m.w.to_vector<double>() == weights[static_cast<std::size_t>(i)];
  });
  EXPECT_EQ(right, 4);
  EXPECT_EQ(step.traces(), 1);
}

TEST(CompileThreads, ShapesThatChangeOnSeveralThreadsUnderASmallBound) {
  auto f = compile([](const Tensor& x) { return sum(x * x); });
  f.keep(2);
  std::atomic<int> right{0};
  on_threads(4, [&](int i) {
    for (int k = 0; k < 100; ++k) {
      const auto n = 1 + (i + k) % 5;
      right += f(full({n}, 2, DType::f64).detach()).item() == 4 * n;
    }
  });
  EXPECT_EQ(right, 400);
  EXPECT_LE(f.traces(), 2);
}

TEST(CompileThreads, AReaderMeetsATypedErrorOrAWholeValue) {
  const auto step = compile([](Model& m) { m.w = m.w + 1.0; });
  Model m{full({1 << 14}, 0, DType::f64).detach()};
  step(m);
  std::atomic<bool> stop{false};
  std::atomic<int> torn{0}, values{0};
  std::thread reader([&] {
    while (!stop) {
      try {
        const auto v = m.w.to_vector<double>();
        torn += v.front() != v.back();
        ++values;
      } catch (const Error&) {
      }
    }
  });
  for (int k = 0; k < 2000; ++k) {
    try {
      step(m);
    } catch (const Error&) {
    }
  }
  stop = true;
  reader.join();
  EXPECT_EQ(torn, 0);
}

}  // namespace adjoint
