// compile_threads_test.cpp: one compiled step called from several threads: with trees of their own it runs, with one tree the second call
// is a typed error and no race. Run under ThreadSanitizer by scripts/test --all. Not the rules of compile() on one thread.
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "adjoint/compile.hpp"
#include "adjoint/ops.hpp"
#include "adjoint/optim.hpp"

namespace adjoint {
namespace {

struct Model {
  Tensor w;
};
struct Pair {
  Model a, b;
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
  const auto step = compile(body);
  std::atomic<int> right{0};
  on_threads(4, [&](int i) {  // beside the same without compile
    Model a = start(), b = start();
    State sa = kSgd.init(a), sb = kSgd.init(b);
    bool same = true;
    for (int k = 0; k < 20; ++k) same &= step(a, sa, input(i)).item() == body(b, sb, input(i)).item();
    right += same && a.w.to_vector<double>() == b.w.to_vector<double>();
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

TEST(CompileThreads, OneTreeInTwoThreadsIsATypedErrorAndNoRace) {
  const auto step = compile([](Model& m, const Tensor& x) { m.w = m.w + sum(matmul(x, m.w)) * 0.0 + 1.0; });
  Model m = start();
  const Tensor x = input(0);
  step(m, x);
  std::atomic<int> steps{0}, errors{0}, others{0};
  on_threads(2, [&](int) {
    for (int k = 0; k < 2000; ++k) {
      try {
        step(m, x);
        ++steps;
      } catch (const Error& e) {
        if (e.message().find("another thread") != std::string::npos) ++errors;
        else ++others;
      }
    }
  });
  EXPECT_EQ(steps + errors, 4000);
  EXPECT_EQ(others, 0);
  for (const double v : m.w.to_vector<double>()) EXPECT_EQ(v, 1.5 + steps);  // each step that was taken was taken as a whole
}

// Where a replay hands out new nodes (someone holds the old bytes), handles in the tree are written: the case that needs the claim.
TEST(CompileThreads, OneTreeInTwoThreadsThatHandsOutNewNodes) {
  const auto step = compile([](Model& m) {
    const Tensor old = m.w;
    m.w = m.w + 1.0;
    return old;
  });
  Model m = start();
  step(m);
  std::atomic<int> steps{0}, errors{0};
  on_threads(2, [&](int) {
    Tensor kept;
    for (int k = 0; k < 1000; ++k) {
      try {
        kept = step(m);
        ++steps;
      } catch (const Error& e) {
        errors += e.message().find("another thread") != std::string::npos;
      }
    }
  });
  EXPECT_EQ(steps + errors, 2000);
  EXPECT_EQ(m.w.to_vector<double>()[0], 1.5 + steps);
}

TEST(CompileThreads, APartOfATreeThatIsInUseIsInUse) {
  std::atomic<bool> inside{false}, go_on{false};
  const auto slow = compile([&](Pair& p) {  // traced, and so called, on the first thread only
    inside = true;
    while (!go_on) std::this_thread::yield();
    p.a.w = p.a.w + 1.0;
  });
  const auto part = compile([](Model& m) { m.w = m.w * 2.0; });
  const auto reads = compile([](const Model& m) { return sum(m.w); });
  Pair p{start(), start()};
  std::thread other([&] { slow(p); });
  while (!inside) std::this_thread::yield();
  for (int k = 0; k < 2; ++k) {
    try {
      if (k == 0) part(p.b);
      else reads(p.b);
      ADD_FAILURE() << k;
    } catch (const Error& e) {
      EXPECT_NE(e.message().find("argument 0 is in use by a compiled step on another thread"), std::string::npos) << e.what();
    }
  }
  Model third = start();
  part(third);  // others go on
  go_on = true;
  other.join();
  part(p.b);
  EXPECT_EQ(p.a.w.to_vector<double>()[0], 1.5);
  EXPECT_EQ(p.b.w.to_vector<double>()[0], 1.0);
}

// A step writes the handles in its trees, so another thread reads a copy of a handle: it holds the value that it was made of.
TEST(CompileThreads, AReaderWithAHandleOfItsOwnSeesWholeValues) {
  const auto step = compile([](Model& m) { m.w = m.w + 1.0; });
  Model m{full({1 << 14}, 0, DType::f64).detach()};
  step(m);
  std::mutex mutex;
  Tensor shown = m.w;
  std::atomic<bool> stop{false};
  std::atomic<int> torn{0}, values{0}, errors{0};
  std::thread reader([&] {
    double last = 0;
    while (!stop || values == 0) {
      Tensor mine;
      {
        const std::lock_guard lock(mutex);
        mine = shown;
      }
      try {
        const auto v = mine.to_vector<double>();
        torn += v.front() != v.back() || v.front() < last;
        last = v.front();
        ++values;
      } catch (const Error&) {
        ++errors;
      }
    }
  });
  for (int k = 0; k < 2000; ++k) {
    step(m);
    const std::lock_guard lock(mutex);
    shown = m.w;
  }
  stop = true;
  reader.join();
  EXPECT_EQ(torn, 0);
  EXPECT_EQ(errors, 0);
  EXPECT_GT(values, 0);
  EXPECT_EQ(m.w.to_vector<double>()[0], 2001);
}

}  // namespace adjoint
