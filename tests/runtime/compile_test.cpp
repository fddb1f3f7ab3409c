// compile_test.cpp: each rule of compile(): what is an input, what belongs to the key, what is rebound, what is given up, and what
// is an error. Not the steady state (steady_state_test.cpp) and not threads (compile_threads_test.cpp).
#include "adjoint/compile.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "adjoint/nn.hpp"
#include "adjoint/ops.hpp"
#include "adjoint/optim.hpp"
#include "adjoint/verify.hpp"
#include "graph/node.hpp"

namespace adjoint {
namespace {

struct Net {
  nn::Linear hidden, head;
  Tensor operator()(const Tensor& x) const { return head(relu(hidden(x))); }
};
using State = optim::Adam::State<Net>;

Net net(std::uint64_t seed = 1) { return {nn::linear(6, 8, Key(seed)), nn::linear(8, 3, Key(seed + 1))}; }
Tensor pictures(std::int64_t n = 4) { return normal(Key(7), {n, 6}).detach(); }
Tensor classes(std::int64_t n = 4) { return randint(Key(8), {n}, 0, 3, DType::i32).detach(); }

std::vector<float> flat(const auto& tree) {
  std::vector<float> all;
  for (const auto& l : tree::leaves(tree))
    for (const float v : l.tensor.template to_vector<float>()) all.push_back(v);
  return all;
}

Tensor one_step(Net& model, State& state, const optim::Adam& adam, const Tensor& x, const Tensor& y) {
  const Tensor loss = cross_entropy(model(x), y);
  std::tie(model, state) = adam.update(model, grad(loss, model), state);
  return loss;
}

template <class F> std::string error_of(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}
bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
std::string line(int number) { return "compile_test.cpp:" + std::to_string(number); }

struct Pair {
  Tensor a, b;
};
Pair pair_of(double a, double b) { return {scalar(a, DType::f64).detach(), scalar(b, DType::f64).detach()}; }
std::vector<double> values(const Pair& p) { return {p.a.item(), p.b.item()}; }

std::vector<std::string> said;

}  // namespace

TEST(Compile, AStepGivesTheBitsOfTheSameStepWithoutIt) {
  const auto step = compile(one_step);
  Net a = net(), b = net();
  optim::Adam adam{.learning_rate = 0.01};
  State sa = adam.init(a), sb = adam.init(b);
  std::int64_t plans = 0;
  for (int i = 0; i < 20; ++i) {
    adam.learning_rate = 0.01 / (1 + i);
    if (i == 1) plans = plans_made();
    const Tensor x = normal(Key(static_cast<std::uint64_t>(i)), {4, 6}).detach(), y = classes();
    const double compiled = step(a, sa, adam, x, y).item();
    if (i > 0) {
      EXPECT_EQ(plans_made(), plans);
    }
    plans = plans_made();
    EXPECT_EQ(compiled, one_step(b, sb, adam, x, y).item()) << i;
    plans = plans_made();
  }
  EXPECT_EQ(flat(a), flat(b));
  EXPECT_EQ(flat(sa), flat(sb));
  EXPECT_EQ(step.traced(), 1);
}

TEST(Compile, EveryOptimizerTakesItsNumbersAsInputs) {
  const auto check = [](auto opt, auto change) {
    const auto body = [](Net& m, auto& state, const auto& o, const Tensor& x, const Tensor& y) {
      const Tensor loss = cross_entropy(m(x), y);
      std::tie(m, state) = o.update(m, grad(loss, m), state);
      return loss;
    };
    const auto step = compile(body);
    Net a = net(), b = net();
    auto sa = opt.init(a), sb = opt.init(b);
    for (int i = 0; i < 5; ++i) {
      change(opt, i);
      const Tensor x = pictures(), y = classes();
      const Tensor one = step(a, sa, opt, x, y), two = body(b, sb, opt, x, y);
      EXPECT_EQ(one.item(), two.item());
    }
    EXPECT_EQ(flat(a), flat(b));
    EXPECT_EQ(step.traced(), 1);
  };
  const auto rate = [](auto& o, int i) { o.learning_rate = 0.1 / (i + 1); };
  check(optim::SGD{.momentum = 0.9, .weight_decay = 0.1}, [](auto& o, int i) { o.learning_rate = 0.1 / (i + 1), o.momentum = 0.9 - 0.1 * i, o.weight_decay = 0.1 + i; });
  check(optim::Adam{.weight_decay = 0.1, .decoupled = true}, [](auto& o, int i) { o.learning_rate = 0.1 / (i + 1), o.beta1 = 0.9 - 0.1 * i, o.beta2 = 0.99 - 0.1 * i, o.eps = 1e-8 * (i + 1), o.weight_decay = 0.1 + i; });
  check(optim::RMSprop{.centred = true}, rate);
  check(optim::Adagrad{.rate_decay = 0.1}, [](auto& o, int i) { o.learning_rate = 0.1 / (i + 1), o.rate_decay = 0.1 + i; });
  check(optim::Lion{}, rate);
  check(optim::LAMB{}, [](auto& o, int i) { o.learning_rate = 0.1 / (i + 1), o.beta1 = 0.9 - 0.1 * i; });
}

TEST(Compile, CapturedNumbersAndTensorsAreConstantsOfTheTrace) {
  double factor = 2;
  Tensor offset = scalar(10.0, DType::f64).detach();
  const auto f = compile([&](const Tensor& x) { return factor * x + offset; });
  const Tensor x = scalar(3.0, DType::f64).detach();
  EXPECT_EQ(f(x).item(), 16);
  factor = 5, offset = scalar(0.0, DType::f64);
  EXPECT_EQ(f(x).item(), 16);
}

TEST(Compile, FloatingArgumentsAreInputs) {
  const auto f = compile([](const Tensor& x, Number a, double b) { return (1 - a) * x + (b - 2 * a) / 4; });
  const Tensor x = scalar(3.0, DType::f64).detach();
  for (const double a : {0.5, 0.25, -7.0}) EXPECT_EQ(f(x, a, 8.0).item(), (1 - a) * 3 + (8.0 - 2 * a) / 4);
  EXPECT_EQ(f.traced(), 1);
  EXPECT_EQ(f(x, 0.5, 9.0).item(), 0.5 * 3 + (9.0 - 1) / 4);  // b was converted to a double: it is a constant
  EXPECT_EQ(f.traced(), 2);
  const auto g = compile([](const auto& t, auto a) { return a * t; });
  double variable = 0.5;
  for (int i = 0; i < 4; ++i, variable += 1) EXPECT_EQ(g(x, variable).item(), 3 * variable);
  EXPECT_EQ(g.traced(), 1);
}

TEST(Compile, NumbersTakeTheTypeOfTheTensorTheyMeet) {
  const auto f = compile([](const Tensor& x, Number a) { return x * a; });
  for (const auto type : {DType::f64, DType::f32, DType::f16, DType::bf16}) {
    const Tensor x = full({3}, 1.25, type).detach();
    for (const double a : {0.1, 1e-3, 70000.0}) EXPECT_EQ(f(x, a).to_vector<double>(), (x * a).to_vector<double>());
  }
  EXPECT_EQ(f.traced(), 4);
  const Tensor whole = tensor<std::int32_t>({3, 4}, {2});
  EXPECT_EQ(f(whole, 2.0).dtype(), DType::i32);
  EXPECT_EQ(f(whole, 2.5).dtype(), DType::f32);  // whether a number is whole decides the type: traced again
  EXPECT_EQ(f(whole, 3.0).to_vector<double>(), (std::vector<double>{9, 12}));
}

TEST(Compile, AComparisonOfANumberIsLookedAtAgain) {
  const auto f = compile([](const Tensor& x, Number a) { return a > 1 ? x * a : x - a; });
  const Tensor x = scalar(3.0, DType::f64).detach();
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(f(x, 2.0).item(), 6);
    EXPECT_EQ(f(x, 4.0).item(), 12);
    EXPECT_EQ(f(x, 0.5).item(), 2.5);
    EXPECT_EQ(f(x, 1.0).item(), 2);
  }
  EXPECT_EQ(f.traced(), 2);
  const auto step = compile(one_step);  // Adam asks whether weight_decay is 0
  Net a = net(), b = net();
  optim::Adam adam{};
  State sa = adam.init(a), sb = adam.init(b);
  for (const double decay : {0.0, 0.1, 0.0, 0.2}) {
    adam.weight_decay = decay;
    EXPECT_EQ(step(a, sa, adam, pictures(), classes()).item(), one_step(b, sb, adam, pictures(), classes()).item());
  }
  EXPECT_EQ(flat(a), flat(b));
  EXPECT_EQ(step.traced(), 2);
}

TEST(Compile, ASettingThatIsAFloatTracesAgainAndMakesNoPlan) {
  struct Settings {
    double slope;
  };
  const auto f = compile([](const Tensor& x, const Settings& s) { return x * s.slope; });
  const Tensor x = scalar(3.0, DType::f64).detach();
  EXPECT_EQ(f(x, Settings{2}).item(), 6);
  const auto plans = plans_made();
  EXPECT_EQ(f(x, Settings{5}).item(), 15);
  EXPECT_EQ(plans_made(), plans);
  EXPECT_EQ(f.traced(), 2);
}

TEST(Compile, IntegersEnumsAndStringsBelongToTheKey) {
  enum class Kinds { sum, mean };
  const auto f = compile([](const Tensor& x, int times, Kinds kind, const std::string& name, const Shape& shape) {
    Tensor y = reshape(x, shape) * (name == "twice" ? 2.0 : 1.0);
    for (int i = 0; i < times; ++i) y = y + 1.0;
    return kind == Kinds::sum ? sum(y) : mean(y);
  });
  const Tensor x = tensor<double>({1, 2, 3, 6}, {4});
  const std::string once = "once", twice = "twice";
  EXPECT_EQ(f(x, 0, Kinds::sum, once, Shape{4}).item(), 12);
  EXPECT_EQ(f(x, 2, Kinds::sum, once, Shape{4}).item(), 20);
  EXPECT_EQ(f(x, 2, Kinds::mean, once, Shape{4}).item(), 5);
  EXPECT_EQ(f(x, 2, Kinds::mean, twice, Shape{4}).item(), 8);
  EXPECT_EQ(f(x, 2, Kinds::mean, twice, Shape{2, 2}).item(), 8);
  EXPECT_EQ(f(x, 0, Kinds::sum, once, Shape{4}).item(), 12);
  EXPECT_EQ(f.traced(), 5);
}

TEST(Compile, NewShapesAndTypesMakeNewTracesAndOldOnesAreKeptToABound) {
  auto f = compile([](const Tensor& x) { return sum(x * x); });
  f.keep(3);
  const auto run = [&](std::int64_t n, DType type) { return f(full({n}, 2, type).detach()).item(); };
  for (std::int64_t n = 1; n <= 3; ++n) EXPECT_EQ(run(n, DType::f32), 4.0 * static_cast<double>(n));
  EXPECT_EQ(f.traces(), 3);
  EXPECT_EQ(run(1, DType::f32), 4);
  EXPECT_EQ(f.traced(), 3);
  EXPECT_EQ(run(2, DType::f64), 8);   // a new one: that of 2 x f32 was not used for longest, and goes
  EXPECT_EQ(f.traces(), 3);
  EXPECT_EQ(run(1, DType::f32) + run(3, DType::f32), 16);
  EXPECT_EQ(f.traced(), 4);
  EXPECT_EQ(run(2, DType::f32), 8);
  EXPECT_EQ(f.traced(), 5);
  f.keep(1);
  EXPECT_EQ(f.traces(), 1);
  EXPECT_TRUE(holds(error_of([&] { f.keep(0); }), "cannot keep 0 traces"));
}

TEST(Compile, AValueAskedForInTheTraceIsAnErrorAtItsLine) {
  const Tensor x = tensor<double>({1, 2}, {2});
  const int at = __LINE__ + 1;
  const auto item = compile([](const Tensor& t) { return sum(t).item() > 0 ? t : -t; });
  const std::string text = error_of([&] { item(x); });
  EXPECT_TRUE(holds(text, line(at))) << text;
  for (const char* part : {"the step is traced", "cond", "where(condition, a, b)"}) EXPECT_TRUE(holds(text, part)) << text;
  EXPECT_TRUE(holds(error_of([&] { compile([](const Tensor& t) { eval(t); return t; })(x); }), "the step is traced"));
  EXPECT_TRUE(holds(error_of([&] { compile([](const Tensor& t) { eval(t * 2.0); return t; })(x); }), "the step is traced"));
  EXPECT_TRUE(holds(error_of([&] { compile([](const Tensor& t) { t.to_vector<double>(); return t; })(x); }), "the step is traced"));
  EXPECT_TRUE(holds(error_of([&] { compile([](const Tensor& t) { return (t + 1.0).detach(); })(x); }), "the step is traced"));
  EXPECT_TRUE(holds(error_of([&] { compile([](const Tensor& t) { std::ostringstream() << t; return t; })(x); }), "the step is traced"));
  EXPECT_TRUE(holds(error_of([&] { compile([](const Tensor& t, Number a) { return t * Number((a * ones({}, DType::f64)).item()); })(x, 2.0); }), "the step is traced"));
  EXPECT_TRUE(holds(error_of([&] {
    compile([](Tensor& t) {
      t.requires_grad();
      backward(sum(t * t));
      return t;
    })(*std::make_unique<Tensor>(x));
  }), "the step is traced"));
  EXPECT_EQ(compile([](const Tensor& t) { return t * tensor<double>({3}, {}).item(); })(x).to_vector<double>(), (std::vector<double>{3, 6}));  // a constant has a value
}

TEST(Compile, AValueThatLeavesTheTraceIsAnError) {
  Tensor leaked;
  const auto f = compile([&](const Tensor& x) {
    leaked = x + 1.0;
    return x;
  });
  f(scalar(1.0, DType::f64));
  EXPECT_TRUE(holds(error_of([&] { leaked.item(); }), "is an argument of it, not a captured variable"));
  EXPECT_TRUE(holds(error_of([&] { (leaked * 2.0).item(); }), "the step is traced"));
  EXPECT_EQ((scalar(1.0, DType::f64) + 1.0).item(), 2);  // nothing that the trace left behind is in the way
}

TEST(Compile, WhatIsPassedAsAnLvalueIsChangedInPlace) {
  const auto f = compile([](Pair& p, const Tensor& x) { p.a = p.a + x; });
  Pair p = pair_of(1, 2);
  f(p, p.b);
  const Node* before = p.a.node();
  const std::byte* bytes = before->data.load()->data;
  const auto buffers = buffer_bytes_live();
  f(p, p.b);
  EXPECT_EQ(p.a.node(), before);
  f(p, p.b);
  EXPECT_EQ(values(p), (std::vector<double>{7, 2}));
  EXPECT_EQ(buffer_bytes_live(), buffers);
  static_cast<void>(bytes);
}

TEST(Compile, AnotherHandleKeepsTheOldValue) {
  const auto f = compile([](Pair& p) { p.a = p.a * 2.0; });
  Pair p = pair_of(1, 2);
  f(p);
  const Tensor old = p.a;
  f(p);
  EXPECT_EQ(old.item(), 2);
  EXPECT_EQ(p.a.item(), 4);
  const Tensor graph = p.a + 1.0;  // not computed yet
  f(p);
  EXPECT_EQ(graph.item(), 5);
  EXPECT_EQ(p.a.item(), 8);
  const Tensor same_bytes = p.a.detach();
  f(p);
  EXPECT_EQ(same_bytes.item(), 8);
  EXPECT_EQ(p.a.item(), 16);
}

TEST(Compile, TheUsersMemoryIsNotOverwritten) {
  std::vector<double> mine{1, 2, 3};
  Tensor x = from_data(std::span<const double>(mine), Shape{3});
  const auto f = compile([](Tensor& t) { t = t + 1.0; });
  f(x), f(x);
  EXPECT_EQ(mine, (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(x.to_vector<double>(), (std::vector<double>{3, 4, 5}));
}

TEST(Compile, TwoLeavesNeverShareABuffer) {
  const auto both = compile([](Pair& p) { p.a = p.b = p.a + p.b; });
  Pair p = pair_of(1, 2);
  both(p);
  EXPECT_EQ(values(p), (std::vector<double>{3, 3}));
  const auto one = compile([](Pair& q) { q.a = q.a + 1.0; });
  one(p);  // one tensor at two places until now
  EXPECT_EQ(values(p), (std::vector<double>{4, 3}));
  const auto unchanged = compile([](Pair& q, const Tensor& x) { q.a = x; });
  const Tensor x = scalar(9.0, DType::f64).detach();
  unchanged(p, x);
  one(p);
  EXPECT_EQ(values(p), (std::vector<double>{10, 3}));
  EXPECT_EQ(x.item(), 9);
  const auto swap = compile([](Pair& q) { std::swap(q.a, q.b); });
  swap(p);
  EXPECT_EQ(values(p), (std::vector<double>{3, 10}));
  one(p), swap(p), one(p);
  EXPECT_EQ(values(p), (std::vector<double>{11, 4}));
  const auto rotate = compile([](Pair& q) {
    const Tensor a = q.a;
    q.a = q.b * 2.0, q.b = a;
  });
  rotate(p), rotate(p);
  EXPECT_EQ(values(p), (std::vector<double>{22, 8}));
}

TEST(Compile, TheOldValueMayBeReturned) {
  const auto f = compile([](Pair& p) {
    const Tensor old = p.a;
    p.a = p.a + 1.0;
    return std::pair(old, p.a);
  });
  Pair p = pair_of(1, 2);
  const auto [a, b] = f(p);
  const auto [c, d] = f(p);
  EXPECT_EQ((std::vector<double>{a.item(), b.item(), c.item(), d.item(), p.a.item()}), (std::vector<double>{1, 2, 2, 3, 3}));
}

TEST(Compile, ResultsAreTreesOfLeaves) {
  struct Out {
    Tensor loss;
    std::vector<Tensor> parts;
    std::optional<Tensor> none, some;
    Number rate;
    int count = 0;
  };
  const auto f = compile([](const Tensor& x, Number r) {
    return Out{sum(x), {x, x * 2.0, ones({2}, DType::f64)}, {}, x - 1.0, r * 2, 3};
  });
  const Tensor x = tensor<double>({1, 2}, {2});
  for (const double rate : {1.0, 4.0}) {
    const Out o = f(x, rate);
    EXPECT_EQ(o.loss.node()->kind, Kind::leaf);
    EXPECT_TRUE(o.loss.node()->computed());
    EXPECT_EQ(o.parts.at(0).node(), x.node());
    EXPECT_EQ(o.parts.at(1).to_vector<double>(), (std::vector<double>{2, 4}));
    EXPECT_EQ(o.parts.at(2).to_vector<double>(), (std::vector<double>{1, 1}));
    EXPECT_FALSE(o.none);
    EXPECT_EQ(o.some->to_vector<double>(), (std::vector<double>{0, 1}));
    EXPECT_EQ(static_cast<double>(o.rate), 2 * rate);
    EXPECT_EQ(o.count, 3);
  }
}

TEST(Compile, ResultsThatAreKeptAreNotOverwritten) {
  const auto f = compile([](const Tensor& x) { return x * 2.0; });
  std::vector<Tensor> kept;
  for (int i = 0; i < 20; ++i) kept.push_back(f(full({}, i, DType::f64)));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(kept[static_cast<std::size_t>(i)].item(), 2 * i);
  Tensor last;
  for (int i = 0; i < 20; ++i) {
    const Tensor now = f(full({}, i, DType::f64));
    if (i) {
      EXPECT_EQ(last.item(), 2 * (i - 1));
    }
    last = now;
  }
  const Tensor sum_of_last = last + 1.0;  // a graph over it
  last = Tensor();
  for (int i = 0; i < 20; ++i) f(full({}, 100, DType::f64));
  EXPECT_EQ(sum_of_last.item(), 39);
}

TEST(Compile, ATreePassedAsAnRvalueIsGivenUp) {
  const auto step = compile([](Net model, State state, const optim::Adam& adam, const Tensor& x, const Tensor& y) {
    const Tensor loss = cross_entropy(model(x), y);
    const Net gradient = grad(loss, model);
    auto next = adam.update(model, gradient, state);
    return std::tuple(std::move(next.first), std::move(next.second), loss);
  });
  const optim::Adam adam{};
  Net a = net(), b = net();
  State sa = adam.init(a), sb = adam.init(b);
  Tensor loss;
  for (int i = 0; i < 5; ++i) {
    std::tie(a, sa, loss) = step(std::move(a), std::move(sa), adam, pictures(), classes());
    EXPECT_EQ(loss.item(), one_step(b, sb, adam, pictures(), classes()).item());
  }
  EXPECT_EQ(flat(a), flat(b));
  EXPECT_TRUE(a.hidden.weight.wants_grad());
  const Tensor other = a.head.weight;
  const int at = __LINE__ + 1;
  const auto [c, sc, l] = step(std::move(a), std::move(sa), adam, pictures(), classes());
  for (const auto& text : {error_of([&] { a.hidden.weight.to_vector<float>(); }), error_of([&] { a.hidden.weight + 1.0; }), error_of([&] { flat(a); }),
                           error_of([&] { other.to_vector<float>(); }), error_of([&] { step(std::move(a), std::move(sa), adam, pictures(), classes()); })})
    EXPECT_TRUE(holds(text, "donated") && holds(text, line(at))) << text;
  one_step(b, sb, adam, pictures(), classes());
  EXPECT_EQ(flat(c), flat(b));
}

TEST(Compile, ATreePassedByCopyIsNotGivenUp) {
  const auto f = compile([](Pair p) { return Pair{p.a + 1.0, p.b}; });
  Pair p = pair_of(1, 2);
  const Pair q = f(p);
  EXPECT_EQ(values(p), (std::vector<double>{1, 2}));
  EXPECT_EQ(values(q), (std::vector<double>{2, 2}));
  const Pair r = f(std::move(p));
  EXPECT_EQ(values(r), (std::vector<double>{2, 2}));
  EXPECT_EQ(p.b.item(), 2);  // it came back as it was
  EXPECT_TRUE(holds(error_of([&] { p.a.item(); }), "donated"));
}

TEST(Compile, TiedLeavesAreOneLeaf) {
  const auto f = compile([](const Tensor& x, const Tensor& y) { return grad(x * y, x); });
  const Tensor x = scalar(3.0, DType::f64).detach(), y = scalar(5.0, DType::f64).detach();
  EXPECT_EQ(f(x, y).item(), 5);
  EXPECT_EQ(f(x, x).item(), 6);
  EXPECT_EQ(f(x, y).item(), 5);
  EXPECT_EQ(f(y, x).item(), 3);
  EXPECT_EQ(f.traced(), 2);
  const auto g = compile([](Pair& p) {
    const Pair d = grad(p.a * p.b, p);
    std::tie(p, std::ignore) = optim::SGD{.learning_rate = 1}.update(p, d, optim::SGD{}.init(p));
  });
  Pair tied = pair_of(3, 0);
  tied.b = tied.a;
  g(tied);
  EXPECT_EQ(values(tied), (std::vector<double>{-3, -3}));
  EXPECT_EQ(tied.a.node(), tied.b.node());
  g(tied);
  EXPECT_EQ(values(tied), (std::vector<double>{3, 3}));
}

TEST(Compile, FrozenLeavesBelongToTheKey) {
  const auto step = compile(one_step);
  Net m = net();
  const optim::Adam adam{};
  State s = adam.init(m);
  step(m, s, adam, pictures(), classes());
  tree::freeze(m.hidden);
  const auto before = flat(m.hidden), head = flat(m.head);
  step(m, s, adam, pictures(), classes());
  EXPECT_EQ(flat(m.hidden), before);
  EXPECT_NE(flat(m.head), head);
  tree::unfreeze(m.hidden);
  step(m, s, adam, pictures(), classes());
  EXPECT_NE(flat(m.hidden), before);
}

TEST(Compile, ArgumentsAreComputedFirst) {
  const auto f = compile([](Pair& p) { p.a = p.a + p.b; });
  Pair p{zeros({}, DType::f64), scalar(1.0, DType::f64) + 1.0};
  f(p), f(p);
  EXPECT_EQ(values(p), (std::vector<double>{4, 2}));
  Net m = net(), n = net();  // updates that are pending when the step is called
  const optim::Adam adam{};
  State s = adam.init(m), t = adam.init(n);
  const auto step = compile(one_step);
  one_step(m, s, adam, pictures(), classes());
  step(m, s, adam, pictures(), classes());
  one_step(n, t, adam, pictures(), classes()).item();
  one_step(n, t, adam, pictures(), classes()).item();
  EXPECT_EQ(flat(m), flat(n));
}

TEST(Compile, RunningStatisticsAndRandomNumbersAdvance) {
  struct Noisy {
    nn::BatchNorm norm;
    nn::Linear head;
  };
  const auto body = [](Noisy& m, Tensor& count, const Key& key, const Tensor& x) {
    nn::Context context{.training = true, .key = key.fold_in(count)};
    const Tensor h = dropout(context.next_key(), m.norm(x, context), 0.5);
    context.apply(m);
    count = count + 1.0;
    return m.head(h);
  };
  const auto start = [] { return Noisy{nn::batch_norm_layer(6), nn::linear(6, 2, Key(3))}; };
  const auto f = compile(body);
  Noisy a = start(), b = start();
  Tensor ca = scalar_i64(0), cb = scalar_i64(0);
  std::vector<std::vector<float>> seen;
  for (std::uint64_t i = 0; i < 6; ++i) {
    const Tensor x = normal(Key(i), {8, 6}).detach(), y = f(a, ca, Key(i / 3), x), z = body(b, cb, Key(i / 3), x);
    seen.push_back(y.to_vector<float>());
    EXPECT_EQ(seen.back(), z.to_vector<float>());
  }
  EXPECT_EQ(flat(a), flat(b));
  EXPECT_EQ(ca.item(), 6);
  EXPECT_EQ(f.traced(), 1);
  const auto again = compile([](const Key& key) { return uniform(key, {4}); });
  EXPECT_NE(again(Key(1)).to_vector<float>(), again(Key(2)).to_vector<float>());
  EXPECT_EQ(again(Key(1)).to_vector<float>(), uniform(Key(1), {4}).to_vector<float>());
  EXPECT_EQ(again.traced(), 1);
}

TEST(Compile, AConstantKeyIsWarnedAbout) {
  said.clear();
  set_warning_sink([](const char* text) { said.emplace_back(text); });
  const auto f = compile([](const Tensor& x) { return x + uniform(Key(1), {2}); });
  const Tensor x = tensor<float>({1, 2}, {2});
  EXPECT_EQ(f(x).to_vector<float>(), f(x).to_vector<float>());
  set_warning_sink(nullptr);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_TRUE(holds(said[0], "are the same in each step")) << said[0];
}

TEST(Compile, WarningsAreGivenOnce) {
  said.clear();
  set_warning_sink([](const char* text) { said.emplace_back(text); });
  const auto f = compile([](const Pair& p, const Tensor& x) { return grad(sum(p.a * x), p); });  // p.b is not reached
  const Pair p = pair_of(1, 2);
  for (int i = 0; i < 3; ++i) f(p, tensor<double>({1, 2}, {2}));
  f(p, tensor<double>({1, 2, 3}, {3}));
  set_warning_sink(nullptr);
  EXPECT_EQ(said.size(), 1u);
}

TEST(Compile, AFailingKernelNamesItsLineAndLeavesTheTreesAlone) {
  Net m = net();
  const optim::Adam adam{};
  State s = adam.init(m);
  const auto step = compile(one_step);
  step(m, s, adam, pictures(), classes());
  const auto before = flat(m), state = flat(s);
  const Tensor wrong = tensor<std::int32_t>({0, 1, 7, 2}, {4});
  const std::string text = error_of([&] { step(m, s, adam, pictures(), wrong); });
  EXPECT_TRUE(holds(text, "compile_test.cpp") && holds(text, "the step was not taken")) << text;
  EXPECT_EQ(flat(m), before);
  EXPECT_EQ(flat(s), state);
  EXPECT_NO_THROW(step(m, s, adam, pictures(), classes()));
  EXPECT_NE(flat(m), before);
}

TEST(Compile, AStepWithinAStepIsPartOfIt) {
  const auto inner = compile([](Pair& p, Number a) {
    p.a = p.a * a;
    return p.a + p.b;
  });
  const auto outer = compile([&](Pair& p, Number a) { 
    const Tensor first = inner(p, a + 1);
    return first + inner(p, 2.0);
  });
  Pair p = pair_of(1, 10);
  EXPECT_EQ(outer(p, 2.0).item(), 3 + 10 + 6 + 10);
  EXPECT_EQ(p.a.item(), 6);
  EXPECT_EQ(outer(p, 1.0).item(), 12 + 10 + 24 + 10);
  EXPECT_EQ(outer.traced(), 1);
  EXPECT_EQ(inner.traced(), 0);
}

TEST(Compile, AStructureThatChangesIsAnError) {
  struct Counted {
    Tensor x;
    int count = 0;
    std::optional<Tensor> more = {};
  };
  Counted c{scalar(1.0, DType::f64)};
  EXPECT_TRUE(holds(error_of([&] { compile([](Counted& t) { ++t.count; })(c); }), "changes a setting"));
  EXPECT_TRUE(holds(error_of([&] { compile([](Counted& t) { t.more = t.x; })(c); }), "changes a setting"));
  EXPECT_TRUE(holds(error_of([&] { compile([](std::vector<Tensor>& t) { t.push_back(t[0]); })(*std::make_unique<std::vector<Tensor>>(1, c.x)); }), "changes a setting"));
  EXPECT_EQ(c.count, 0);
}

TEST(Compile, NumbersOfAnArgumentMayChange) {
  const auto f = compile([](optim::SGD& o, const Tensor& x) {
    o.learning_rate *= 0.5;
    return x * o.learning_rate;
  });
  optim::SGD sgd{.learning_rate = 1};
  const Tensor x = scalar(8.0, DType::f64).detach();
  for (const double want : {4.0, 2.0, 1.0}) EXPECT_EQ(f(sgd, x).item(), want);
  EXPECT_EQ(sgd.learning_rate, 0.125);
  EXPECT_EQ(f.traced(), 1);
}

TEST(Compile, AScheduleIsAFunctionOfTheStepTensor) {
  const auto body = [](Net& m, State& s, const Tensor& x, const Tensor& y) {
    optim::Adam adam{};
    adam.learning_rate = 0.1 / (1.0 + cast(s.step, DType::f64));
    return one_step(m, s, adam, x, y);
  };
  const auto step = compile(body);
  Net a = net(), b = net(), c = net();
  optim::Adam adam{};
  State sa = adam.init(a), sb = adam.init(b), sc = adam.init(c);
  for (int i = 0; i < 4; ++i) {
    const Tensor one = step(a, sa, pictures(), classes());
    adam.learning_rate = 0.1 / (1.0 + i);
    EXPECT_EQ(one.item(), one_step(b, sb, adam, pictures(), classes()).item());
    body(c, sc, pictures(), classes()).item();
  }
  EXPECT_EQ(flat(a), flat(b));
  EXPECT_EQ(flat(a), flat(c));
  EXPECT_TRUE(holds(error_of([] { const Number n(tensor<double>({1, 2}, {2})); }), "a setting is a floating scalar"));
}

TEST(Compile, AStepIsTracedOnceAShapeHoweverOftenItRuns) {
  int calls = 0;
  const auto f = compile([&](const Tensor& x) {
    ++calls;
    return x * 2.0;
  });
  for (int i = 0; i < 10; ++i) f(full({1 + i % 2}, i, DType::f64));
  EXPECT_EQ(calls, 2);
}

TEST(Compile, StrictValidationHoldsForReplays) {
  const auto before = verified().compared;
  set_verify({.first = 2, .every = 3});
  const auto step = compile(one_step);
  Net a = net(), b = net();
  const optim::Adam adam{};
  State sa = adam.init(a), sb = adam.init(b);
  for (int i = 0; i < 8; ++i) step(a, sa, adam, pictures(5), classes(5));
  stop_verify();
  EXPECT_GE(verified().compared, before + 4);
  for (int i = 0; i < 8; ++i) one_step(b, sb, adam, pictures(5), classes(5)).item();
  EXPECT_EQ(flat(a), flat(b));
}

TEST(Compile, ThePlanCanBeReadAndItsOptionsChosen) {
  auto f = compile([](const Tensor& x) { return sum(exp(x) * x); }, {.fuse = false});
  EXPECT_TRUE(holds(error_of([&] { f.plan(); }), "has no plan yet"));
  const Tensor x = tensor<double>({1, 2}, {2});
  f(x);
  EXPECT_EQ(f.plan().steps.size(), 3u);  // exp, mul and sum each by itself
  auto fused = compile([](const Tensor& a) { return sum(exp(a) * a); }, {.fuse = true});
  fused(x);
  EXPECT_LT(fused.plan().steps.size(), 3u);
}

TEST(Compile, NothingIsLeftBehind) {
  const auto nodes = live_nodes();
  const auto bytes = buffer_bytes_live();
  {
    const auto step = compile(one_step);
    Net m = net();
    const optim::Adam adam{};
    State s = adam.init(m);
    for (int i = 0; i < 3; ++i) step(m, s, adam, pictures(3 + i), classes(3 + i));
    EXPECT_THROW(step(m, s, adam, pictures(), tensor<std::int32_t>({0, 1, 7, 2}, {4})), Error);
    EXPECT_GT(live_nodes(), nodes);
  }
  EXPECT_EQ(live_nodes(), nodes);
  EXPECT_EQ(buffer_bytes_live(), bytes);
}

}  // namespace adjoint
