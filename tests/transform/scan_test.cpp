// scan_test.cpp: a loop as an operation against the same loop written out and differentiated by hand, bit for bit; memory, trees,
// captured values, derivatives of derivatives, batching, errors. Not each rule against the reference: its row in src/check does that.
#include "adjoint/scan.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "adjoint/compile.hpp"
#include "adjoint/explain.hpp"
#include "adjoint/optim.hpp"
#include "adjoint/vmap.hpp"
#include "graph/node.hpp"
#include "recurrences.hpp"
#include "runtime/interpreter.hpp"
#include "support/same_bits.hpp"

namespace adjoint {
namespace {

using test::Gru, test::Lstm, test::Rnn;

Tensor drawn(std::uint64_t seed, const Shape& shape, DType dtype = DType::f64) {
  return uniform(Key(seed), shape, {.low = -1, .high = 1, .dtype = dtype}).detach();
}
std::vector<double> numbers(const Tensor& t) { return cast(t, DType::f64).to_vector<double>(); }

void expect_same(const Tensors& a, const Tensors& b, const std::string& what) {
  ASSERT_EQ(a.size(), b.size()) << what;
  eval(a), eval(b);
  for (std::size_t k = 0; k < a.size(); ++k) {
    ASSERT_EQ(to_string(a[k].type()), to_string(b[k].type())) << what << ", value " << k;
    const auto x = numbers(a[k]), y = numbers(b[k]);
    for (std::size_t i = 0; i < x.size(); ++i)
      ASSERT_TRUE(test::same_bits(x[i], y[i])) << what << ", value " << k << ", element " << i << ": " << x[i] << " and " << y[i] << ", off by " << x[i] - y[i];
  }
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.where().file).find("scan_test"), std::string::npos) << e.what();
    EXPECT_FALSE(e.hint().empty()) << e.what();
    return e.what();
  }
  return "nothing was thrown";
}
void expect_error(const std::function<void()>& call, const std::string& part) {
  const std::string message = message_of(call);
  EXPECT_NE(message.find(part), std::string::npos) << message;
}

template <class Cell> void all_ways(const char* name) {
  set_warning_sink([](const char*) {});  // with no steps the loss reaches no weight, and says so
  for (const DType dtype : {DType::f64, DType::f32})
    for (const std::int64_t steps : {0, 1, 5, 64}) {
      const auto p = test::problem<Cell>(steps, dtype);
      const std::string what = std::string(name) + " in " + std::string(name_of(dtype)) + ", " + std::to_string(steps) + " steps";
      const Tensors expected = test::unrolled<Cell>(p);
      expect_same(test::by_hand<Cell>(p), expected, what + ", by hand");
      for (const char* memory : {"save-all", "sqrt", "4KiB", "checkpoint:1", "checkpoint:7", "checkpoint:16,4", "checkpoint:20,7,2"})
        expect_same(test::scanned<Cell>(p, {.memory = memory}), expected, what + ", " + memory);
    }
  set_warning_sink(nullptr);
}
TEST(Scan, AnRnnIsItsLoopAndItsGradientByHand) { all_ways<Rnn>("rnn"); }
TEST(Scan, AnLstmIsItsLoopAndItsGradientByHand) { all_ways<Lstm>("lstm"); }
TEST(Scan, AGruIsItsLoopAndItsGradientByHand) { all_ways<Gru>("gru"); }

TEST(Scan, ThreadsChangeNoBit) {
  const int before = threads();
  const auto p = test::problem<Lstm>(9, DType::f32, 33, 40, 64);
  set_threads(1);
  const Tensors one = test::scanned<Lstm>(p);
  eval(one);
  for (const int n : {2, 3, 8}) {
    set_threads(n);
    expect_same(test::scanned<Lstm>(p, {.memory = "sqrt"}), one, std::to_string(n) + " threads");
  }
  set_threads(before);
}

/// What the interpreter computes: the loop written out, node by node.
TEST(Scan, PlannedIsInterpreted) {
  const auto p = test::problem<Gru>(5, DType::f32);
  for (const char* memory : {"save-all", "checkpoint:2"}) {
    const Tensors out = test::scanned<Gru>(p, {.memory = memory});
    std::unique_lock lock(graph_mutex());
    std::vector<Node*> roots;
    for (const auto& t : out) roots.push_back(t.node());
    const Order order = topological_order(roots);
    std::vector<Buffer*> leaves;
    std::vector<std::int64_t> literals;
    for (const Node* n : order.nodes) {
      if (n->kind == Kind::literal && !n->computed()) literals.push_back(literal_bits(*n));
      else if (n->arity == 0 || n->computed()) leaves.push_back(n->data.load());
    }
    const Tensors interpreted = runtime::Interpreter(order).run(leaves, literals);
    lock.unlock();
    expect_same(out, interpreted, memory);
  }
}

TEST(Scan, RunsBackwardThroughTime) {
  const Tensor xs = drawn(1, {6, 3}), w = drawn(2, {3}), first = drawn(3, {3});
  const auto loss_of = [&](const Tensor& h, const Tensor& ys) { return sum(h) + sum(ys * drawn(4, {6, 3})); };
  Tensor h = first;
  Tensors ys(6);
  for (std::size_t t = 6; t-- > 0;) {
    h = tanh(h * w + select(xs, 0, static_cast<std::int64_t>(t)));
    ys[t] = h * 2.0;
  }
  const Tensors expected = grad(loss_of(h, stack(ys)), Tensors{xs, w, first});
  for (const char* memory : {"save-all", "checkpoint:1", "checkpoint:4"}) {
    const auto [last, out] = scan([&](const Tensor& c, const Tensor& x) {
      const Tensor n = tanh(c * w + x);
      return std::pair(n, n * 2.0);
    }, first, xs, {.reverse = true, .memory = memory});
    const Tensors d = grad(loss_of(last, out), Tensors{xs, w, first});
    expect_same({last, out}, {h, stack(ys)}, memory);
    expect_same({d[1], d[2]}, {expected[1], expected[2]}, memory);
    expect_same({d[0] + 0.0}, {expected[0] + 0.0}, memory);  // slices add zeros to each other
  }
}

struct Carry {
  Tensor h;
  std::vector<Tensor> more;
  std::optional<Tensor> bias;
  Tensor count;
};
struct Seen {
  Tensor norm;
  std::pair<Tensor, Tensor> both;
};
TEST(Scan, CarriesAndResultsAreTrees) {
  const Carry first{drawn(1, {2}), {drawn(2, {3}), drawn(3, {1})}, std::nullopt, scalar_i64(0)};
  const auto [last, seen] = scan([&](const Carry& c) {
    Carry next = c;
    next.h = c.h * 0.5 + sum(c.more[0]);
    next.more[1] = c.more[1] + 1.0;
    next.count = c.count + 1;
    return std::pair(next, Seen{sum(c.h * c.h), {c.count, next.h}});
  }, first, {.length = 4});
  EXPECT_EQ(last.count.item(), 4);
  EXPECT_FALSE(last.bias);
  EXPECT_EQ(to_string(seen.both.second.type()), "f64[4,2]");
  EXPECT_EQ(numbers(seen.both.first), (std::vector<double>{0, 1, 2, 3}));
  const Tensors d = grad(sum(last.h) + sum(seen.norm), Tensors{first.h, first.more[0]});
  EXPECT_EQ(d[0].shape(), (Shape{2}));
  const Tensor only = scan([](const Tensor& x) { return x * 2.0; }, scalar(1, DType::f64), {.length = 10});
  EXPECT_EQ(only.item(), 1024);
}

TEST(Scan, ScalarRecurrencesAreExactPowers) {
  for (const double a : {0.9, 1.0, 1.1})
    for (const std::int64_t steps : {10, 100, 1000, 10000}) {
      const Tensor h0 = scalar(1, DType::f64), by = scalar(a, DType::f64);
      const Tensor h = scan([&](const Tensor& x) { return x * by; }, h0, {.length = steps});
      const double d = grad(h, h0).item();
      const long double exact = std::pow(static_cast<long double>(a), static_cast<long double>(steps));
      if (!std::isnormal(static_cast<double>(exact))) continue;  // vanished, or overflowed: honest zeros and infinities
      const long double ulp = std::ldexp(1.0L, std::ilogb(static_cast<double>(exact)) - 52);
      EXPECT_LE(std::fabs(static_cast<long double>(d) - exact), static_cast<long double>(steps) / 2 * ulp) << a << " to the power " << steps;
    }
}

/// Second derivatives: through the loop, and through the loop written out.
TEST(Scan, IsDifferentiatedTwice) {
  const Tensor xs = drawn(1, {4, 3}), w = drawn(2, {3, 3}), h0 = drawn(3, {3});
  const auto twice = [&](const auto& loop) {
    const Tensors g = grad(loop(), Tensors{w, h0});
    return grad(sum(g[0] * g[0]) + sum(g[1]), Tensors{w, h0, xs});
  };
  const Tensors expected = twice([&] {
    Tensor h = h0;
    for (std::int64_t t = 0; t < 4; ++t) h = tanh(mv(w, h) + select(xs, 0, t));
    return sum(h);
  });
  eval(expected);
  for (const char* memory : {"save-all", "checkpoint:1", "checkpoint:3"}) {
    const Tensors found = twice([&] { return sum(scan([&](const Tensor& h, const Tensor& x) { return tanh(mv(w, h) + x); }, h0, xs, {.memory = memory})); });
    eval(found);
    for (std::size_t k = 0; k < found.size(); ++k) {
      const auto a = numbers(found[k]), b = numbers(expected[k]);
      for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-13) << memory << ", value " << k;
    }
  }
}

TEST(Scan, LoopsStandInLoops) {
  const Tensor table = drawn(1, {3, 4, 2}), w = drawn(2, {2});
  const auto [rows, sums] = scan([&](const Tensor& total, const Tensor& row) {
    const Tensor h = scan([&](const Tensor& c, const Tensor& x) { return tanh(c * w + x); }, total, row);
    return std::pair(h, sum(h));
  }, zeros({2}, DType::f64), table);
  Tensor h = zeros({2}, DType::f64);
  Tensors each;
  for (std::int64_t i = 0; i < 3; ++i) {
    for (std::int64_t j = 0; j < 4; ++j) h = tanh(h * w + select(select(table, 0, i), 0, j));
    each.push_back(sum(h));
  }
  const Tensor found = grad(sum(sums), w), expected = grad(sum(stack(each)), w);
  expect_same({rows, sums}, {h, stack(each)}, "nested");
  EXPECT_EQ(numbers(found).size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_NEAR(numbers(found)[i], numbers(expected)[i], 1e-13);  // an inner loop's sum is added as one
}

TEST(Scan, TheForwardLoopRunsOnce) {
  const auto p = test::problem<Lstm>(256, DType::f32, 8, 16, 32);
  const Tensors out = test::scanned<Lstm>(p);
  const PlanReport plan = explain_plan(out);
  EXPECT_EQ(std::ranges::count_if(plan.steps, [](const auto& s) { return s.name.starts_with("scan (256 times: "); }), 2);
  const Tensors few = test::scanned<Lstm>(p, {.memory = "sqrt"});
  EXPECT_LT(explain_plan(few).arena_bytes, plan.arena_bytes / 2);
}

/// The loss of an LSTM at every step, by its weights.
Tensors lstm_losses(const test::Problem& p, const LoopMemory& memory) {
  const auto [last, losses] = scan([&](const test::State& s, const Tensor& x) {
    const test::State next = Lstm::step(p.w, s, x);
    return std::pair(next, sum(next.h * next.h));
  }, p.first, p.xs, {.memory = memory});
  const Tensor loss = sum(losses);
  Tensors out = grad(loss, Tensors{p.w.x, p.w.h, p.w.b});
  out.push_back(loss);
  return out;
}

// The arena of a plan that keeps everything grows by what a step keeps, and by nothing else.
TEST(Scan, MemoryGrowsByTheTapeOfAStep) {
  const auto arena = [](std::int64_t steps, const LoopMemory& memory) { return explain_plan(lstm_losses(test::problem<Lstm>(steps, DType::f32, 16, 8, 64), memory)).arena_bytes; };
  const std::int64_t state = 16 * 64 * 4, tape = 8 * state;  // h and c before the step, four gates, their tanh; and the sum over h is made of h
  const auto a = arena(256, "save-all"), b = arena(512, "save-all"), c = arena(1024, "save-all");
  EXPECT_EQ(b - a, (c - b) / 2);
  EXPECT_NEAR(static_cast<double>(b - a) / 256, static_cast<double>(tape), 0.02 * static_cast<double>(tape));
}

TEST(Scan, LongSequencesTakeLittleMemory) {
  const auto p = test::problem<Lstm>(4096, DType::f32, 16, 8, 128);
  const auto all = explain_plan(lstm_losses(p, "save-all")).arena_bytes, root = explain_plan(lstm_losses(p, "sqrt")).arena_bytes;
  EXPECT_LT(static_cast<double>(root), 0.05 * static_cast<double>(all));
  const auto longer = test::problem<Lstm>(100'000, DType::f32, 16, 4, 128);
  constexpr std::int64_t kMost = 64 << 20;
  EXPECT_LT(explain_plan(lstm_losses(longer, "sqrt")).arena_bytes, kMost);
  EXPECT_LT(explain_plan(lstm_losses(longer, "8MiB")).arena_bytes, kMost / 4);
}

TEST(Scan, ABudgetOfThePlanReachesIntoLoops) {
  const auto p = test::problem<Lstm>(400, DType::f32, 8, 8, 32);
  const Tensors out = lstm_losses(p, {});
  const auto all = explain_plan(out).arena_bytes;
  for (const std::int64_t share : {2, 5, 10}) {
    const PlanReport report = explain_plan(out, {.memory = Memory::budget(all / share)});
    EXPECT_LE(report.arena_bytes, all / share);
  }
  EXPECT_LT(explain_plan(out, {.memory = "recompute"}).arena_bytes, all / 5);
  set_plan_options({.memory = Memory::budget(all / 8)});
  const Tensors small = lstm_losses(p, {});
  eval(small);
  set_plan_options({});
  expect_same(small, out, "within an eighth");
}

TEST(Scan, ABudgetThatCannotBeMetNamesTheSmallest) {
  const auto p = test::problem<Lstm>(400, DType::f32, 8, 8, 32);
  expect_error([&] { eval(lstm_losses(p, "1KiB")); }, "cannot be met: the smallest possible is ");
}

TEST(Scan, MapOverIsALoopAndVmap) {
  const Tensor xs = drawn(1, {7, 3}), w = drawn(2, {3, 3});
  const auto f = [&](const Tensor& x) { return tanh(mv(w, x)); };
  const Tensor mapped = map_over(f, xs), all = vmap(f, xs);
  const Tensor d = grad(sum(mapped * mapped), xs), e = grad(sum(all * all), xs);
  expect_same({mapped, d}, {all, e}, "map_over");
  const auto [a, b] = map_over([](const std::pair<Tensor, Tensor>& x) { return std::pair(x.first + x.second, sum(x.second)); }, std::pair(xs, xs));
  expect_same({a, b}, {xs + xs, sum(xs, {1})}, "trees");
}

TEST(Scan, ACompiledStepHasOnePlanForALoop) {
  struct Model {
    Tensor w, u;
  };
  Model model{detail::parameter(drawn(1, {3, 3}, DType::f32), Loc::current()), detail::parameter(drawn(2, {3, 3}, DType::f32), Loc::current())};
  const Tensor xs = drawn(3, {6, 2, 3}, DType::f32);
  const auto loss_of = [](const Model& m, const Tensor& x) {
    const Tensor h = scan([&](const Tensor& c, const Tensor& e) { return tanh(matmul(c, m.w) + matmul(e, m.u)); }, zeros({2, 3}), x);
    return sum(h * h);
  };
  Model plain = model;
  const optim::SGD sgd{.learning_rate = 0.1};
  auto state = sgd.init(model), plain_state = sgd.init(plain);
  const auto train = [&](Model& m, optim::SGD::State<Model>& s, const Tensor& x) {
    const auto [loss, g] = value_and_grad(loss_of(m, x), m);
    std::tie(m, s) = sgd.update(m, g, s);
    return loss;
  };
  const auto step = compile([&](Model& m, optim::SGD::State<Model>& s, const Tensor& x) { return train(m, s, x); });
  for (int i = 0; i < 5; ++i) {
    const Tensor a = step(model, state, xs), b = train(plain, plain_state, xs);
    EXPECT_EQ(a.item(), b.item()) << "step " << i;
  }
  expect_same({model.w, model.u}, {plain.w, plain.u}, "parameters");
}

TEST(Scan, BatchedIsLooped) {
  const Tensor xs = drawn(1, {5, 4, 3}), w = drawn(2, {3}), h0 = drawn(3, {3});
  const auto f = [&](const Tensors& x) {
    const auto [h, ys] = scan([&](const Tensor& c, const Tensor& e) {
      const Tensor n = tanh(c * w + e);
      return std::pair(n, sum(n));
    }, h0, x[0]);
    const Tensors d = grad(sum(ys), Tensors{w, h0});
    return Tensors{h, ys, d[0], d[1]};
  };
  const Tensors all = vmap(f, {xs});
  for (std::int64_t b = 0; b < 5; ++b) {
    const Tensors one = f({select(xs, 0, b).detach()});
    Tensors slices;
    for (const auto& t : all) slices.push_back(select(t, 0, b));
    expect_same(slices, one, "example " + std::to_string(b));
  }
}

TEST(Scan, ErrorsNameTheCarryAndTheLine) {
  const Tensor xs = zeros({4, 2});
  struct Two {
    Tensor h, c;
  };
  expect_error([&] { scan([](const Two& s, const Tensor& x) { return Two{s.h, concat({s.c, x})}; }, Two{zeros({2}), zeros({2})}, xs); },
               "carry.c is f32[2] before the step and f32[4] after it");
  expect_error([&] { scan([](const Tensor& c, const Tensor&) { return cast(c, DType::f64); }, zeros({2}), xs); }, "carry is f32[2] before the step and f64[2] after it");
  expect_error([&] { scan([](const Tensor& c, const Tensor& x) { return c + x.item(); }, zeros({2}), zeros({4})); }, "a value inside the function was asked for");
  expect_error([&] { scan([](const Tensor& c, const std::pair<Tensor, Tensor>&) { return c; }, zeros({2}), std::pair(xs, zeros({3}))); }, "sequence x[1] has 3 steps, expected 4");
  expect_error([&] { scan([](const Tensor& c) { return c; }, zeros({2}), ScanOptions{}); }, "neither a sequence nor a length was given");
  expect_error([&] { scan([](const Tensor& c, const Tensor&) { return c; }, Tensor(), xs); }, "carry has no value");
  expect_error([&] { scan([](const Tensor& c, const Tensor&) { return c; }, zeros({2}), scalar(1)); }, "is a scalar");
  expect_error([&] { scan([](const Tensor& c, const Tensor& x) { return c + matmul(x, zeros({3, 3})); }, zeros({2}), xs); }, "matmul");
  expect_error([&] { LoopMemory("checkpoint:0"); }, "whole number");
  expect_error([&] { LoopMemory("recompute"); }, "is no memory of a loop");
  expect_error([&] { LoopMemory("12 apples"); }, "is no unit of bytes");
}

TEST(Scan, LeavesNoNodeBehind) {
  const auto before = live_nodes();
  {
    const auto p = test::problem<Rnn>(3, DType::f32);
    eval(test::scanned<Rnn>(p));
  }
  const auto kept = live_nodes();  // bodies live as long as their nodes
  EXPECT_EQ(kept, before);
}

}  // namespace
TEST(Scan, ANumberThatTheStepCapturesHasItsGradient) {
  const Tensor a = scalar(0.5, DType::f64), x = tensor<double>({1, 2, 3}, {3});
  const auto step = [&](const Tensor& h, const Tensor& in) { return h * a + in; };
  const Tensor scanned = scan(step, scalar(2.0, DType::f64), x);
  Tensor h = scalar(2.0, DType::f64);
  for (std::int64_t t = 0; t < 3; ++t) h = step(h, select(x, 0, t));
  EXPECT_EQ(grad(scanned, a).item(), grad(h, a).item());
  EXPECT_EQ(grad(scanned, a).item(), 3 * 2 * 0.25 + 2 * 0.5 + 2);  // d(2 a^3 + a^2 + 2 a + 3)
}

}  // namespace adjoint
