// mini_test.cpp: the minimal engine against closed forms, finite differences and the chapter's own
// text. Not the comparison of the library with the engine: that is
// tests/check/random_graphs_test.cpp.
#include "adjoint/mini.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <string>

#include "support/paths.hpp"

namespace adjoint {
namespace {

using mini::Array, mini::leaf, mini::Leaves, mini::Shape;
using Var = mini::Var<>;
using Vars = std::vector<Var>;
using Data = std::vector<double>;

Data ramp(std::size_t n, double from, double step) {
  Data d(n);
  for (std::size_t i = 0; i < n; ++i) d[i] = from + step * static_cast<double>(i);
  return d;
}
// Deterministic values in (-2, 2) without any structure that could hide a wrong axis.
Var noise(const Shape& shape, unsigned seed) {
  Data d(mini::count(shape));
  for (auto& v : d) {
    seed = seed * 1664525u + 1013904223u;
    v = static_cast<double>(seed >> 8) / (1 << 22) - 2.0;
  }
  return leaf(shape, d);
}

// ---- the text of the chapter, compiled

TEST(Mini, SeedPseudocodeA8_1) {
  using namespace mini;
  auto W = leaf({2, 3}, {0.1, -0.2, 0.3, 0.4, 0.5, -0.6});
  auto x = leaf({3, 1}, {1, 2, 3});
  auto b = leaf({2, 1}, {0.05, 2});
  auto y = leaf({2, 1}, {1, 0});

  auto z = add(matmul(W, x), b);
  auto a = relu(z);
  auto loss = mse(a, y);

  auto topological_order = sort_graph(loss);

  loss->grad = 1;

  for (auto node : reverse(topological_order)) node->backward(node->grad);

  // By hand: z = (0.65, 1.6), a = z, loss = ((a0 - 1)^2 + a1^2) / 2, z-bar = (a0 - 1, a1).
  EXPECT_NEAR(loss->value.data[0], (0.35 * 0.35 + 1.6 * 1.6) / 2, 1e-15);
  const double bar[] = {-0.35, 1.6};
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_NEAR(z->grad.data[i], bar[i], 1e-15);
    EXPECT_NEAR(b->grad.data[i], bar[i], 1e-15);
    for (std::size_t j = 0; j < 3; ++j)
      EXPECT_NEAR(W->grad.data[i * 3 + j], bar[i] * x->value.data[j], 4e-15);
  }
  for (std::size_t j = 0; j < 3; ++j)
    EXPECT_NEAR(x->grad.data[j], W->value.data[j] * bar[0] + W->value.data[3 + j] * bar[1], 1e-15);
}

TEST(Mini, TheSeedsLoopRunTwiceIsNotStale) {
  using namespace mini;
  const auto a = leaf<double>(3.0), c = square(square(a));
  for (int call = 0; call < 2; ++call) {
    auto topological_order = sort_graph(c);
    c->grad = 1;
    for (auto node : reverse(topological_order)) node->backward(node->grad);
    EXPECT_EQ(a->grad.data[0], 108.0);
  }
}

// ---- adjoints belong to the call

TEST(Mini, DoubleCallGives108TwiceA0_2) {
  const Var a = leaf<double>(3.0), c = square(square(a));
  backward(c);
  EXPECT_EQ(a->grad.data[0], 108.0);
  backward(c);
  EXPECT_EQ(a->grad.data[0], 108.0);
}

TEST(Mini, LeavesAccumulateOnRequestOnly) {
  const Var a = leaf<double>(3.0), c = square(square(a));
  backward(c);
  backward(c, Leaves::accumulate);
  EXPECT_EQ(a->grad.data[0], 216.0);  // asked for: 108 + 108, not 108 + 2 * 108
  backward(square(a), Leaves::accumulate);
  EXPECT_EQ(a->grad.data[0], 222.0);
  backward(c);
  EXPECT_EQ(a->grad.data[0], 108.0);
}

TEST(Mini, TwoLossesOverOneGraphDoNotMix) {
  const Var a = leaf<double>(2.0), shared = square(a);
  const Var p = mul(shared, a), q = add(shared, shared);
  backward(p);
  EXPECT_EQ(a->grad.data[0], 12.0);
  backward(q);
  EXPECT_EQ(a->grad.data[0], 8.0);
  backward(p);
  EXPECT_EQ(a->grad.data[0], 12.0);
}

TEST(Mini, ALossThatIsALeaf) {
  const Var a = leaf<double>(3.0);
  backward(a);
  EXPECT_EQ(a->grad.data[0], 1.0);
  backward(a);
  EXPECT_EQ(a->grad.data[0], 1.0);
  backward(a, Leaves::accumulate);
  EXPECT_EQ(a->grad.data[0], 2.0);
}

TEST(Mini, InteriorAdjointsCanBeRead) {
  const Var x = leaf<double>(2.0), u = square(x), loss = mul(u, u);
  backward(loss);
  EXPECT_EQ(u->grad.data[0], 8.0);
}

TEST(Mini, AnUnreachedLeafKeepsItsExplicitZero) {
  const Var a = leaf({2}, {1, 2}), b = leaf({3}, {1, 2, 3});
  backward(sum(a));
  EXPECT_EQ(b->grad.data, Data(3, 0.0));
}

// ---- graph order and size

TEST(Mini, ChainOf100000Nodes) {
  const Var x = leaf<double>(1.0);
  const Var one = leaf<double>(1.0);
  Var y = x;
  for (int i = 0; i < 100000; ++i) y = add(y, one);
  backward(y);
  EXPECT_EQ(y->value.data[0], 100001.0);
  EXPECT_EQ(x->grad.data[0], 1.0);
  EXPECT_EQ(one->grad.data[0], 100000.0);
  EXPECT_EQ(mini::sort_graph(y).size(), 100002u);
}  // releasing y here must not overflow the stack either

TEST(Mini, ReleaseKeepsWhatIsStillHeld) {
  Var top = leaf<double>(1.5);
  Var middle;
  for (int i = 0; i < 1000; ++i) {
    top = square(sqrt(top));
    if (i == 500) middle = top;
  }
  top.reset();
  backward(middle);
  EXPECT_NEAR(middle->value.data[0], 1.5, 1e-12);
  EXPECT_EQ(mini::sort_graph(middle).size(), 1003u);
}

TEST(Mini, DiamondLadderOf2To100PathsIsLinear) {
  const Var x = leaf<double>(1.0);
  Var y = x;
  for (int i = 0; i < 100; ++i) y = add(y, y);
  EXPECT_EQ(mini::sort_graph(y).size(), 101u);
  backward(y);
  EXPECT_EQ(x->grad.data[0], std::ldexp(1.0, 100));
}

TEST(Mini, ParentsComeBeforeUsersAndOnce) {
  const Var x = leaf<double>(1.0), a = square(x), b = mul(a, x), c = add(b, a);
  const auto order = mini::sort_graph(c);
  ASSERT_EQ(order.size(), 4u);
  EXPECT_EQ(order[0], x.get());
  EXPECT_EQ(order[1], a.get());
  EXPECT_EQ(order[2], b.get());
  EXPECT_EQ(order[3], c.get());
}

TEST(Mini, FanInSumsEveryUse) {
  const Var x = leaf<double>(0.25);
  Var y = leaf<double>(0.0);
  for (int i = 0; i < 1000; ++i) y = add(y, mul(x, leaf<double>(i)));
  backward(y);
  EXPECT_EQ(x->grad.data[0], 999.0 * 1000 / 2);
}

TEST(Mini, SharedParameterIsTheSumOverUsesA0_3) {
  // One W in three steps, one loss at the last: equal to the sum over three untied copies.
  const Var W = noise({3, 3}, 7), h0 = noise({3, 2}, 8);
  const auto run = [&](const Vars& w) {
    Var h = h0;
    for (const auto& u : w) h = tanh(matmul(u, h));
    return mean(square(h));
  };
  backward(run({W, W, W}));
  const auto tied = W->grad.data;
  const Vars copies = {noise({3, 3}, 7), noise({3, 3}, 7), noise({3, 3}, 7)};
  backward(run(copies));
  for (std::size_t i = 0; i < tied.size(); ++i) {
    double untied = 0;
    for (const auto& c : copies) untied += c->grad.data[i];
    EXPECT_NEAR(tied[i], untied, 1e-15);
    EXPECT_NE(copies[0]->grad.data[i], 0.0);
  }
}

// ---- closed forms

TEST(Mini, BatchedLinearLayerA0_1) {
  // Z = W A + b 1^T, H = sigmoid(Z): with Z-bar the adjoint BEFORE the activation, W-bar = Z-bar
  // A^T, b-bar = Z-bar 1, A-bar = W^T Z-bar.
  const Var W = noise({3, 4}, 1), A = noise({4, 5}, 2), b = noise({3, 1}, 3),
            target = noise({3, 5}, 4);
  const Var Z = add(matmul(W, A), b), H = sigmoid(Z);
  backward(sum(mul(H, target)));
  Data bar(15);
  for (std::size_t i = 0; i < 15; ++i) {
    const double h = H->value.data[i];
    bar[i] = target->value.data[i] * h * (1 - h);
    EXPECT_NEAR(Z->grad.data[i], bar[i], 1e-15);
  }
  const Var Zb = leaf({3, 5}, bar);
  const auto dW = matmul(Zb, transpose(A))->value.data, dA = matmul(transpose(W), Zb)->value.data;
  for (std::size_t i = 0; i < dW.size(); ++i) EXPECT_NEAR(W->grad.data[i], dW[i], 2e-15);
  for (std::size_t i = 0; i < dA.size(); ++i) EXPECT_NEAR(A->grad.data[i], dA[i], 2e-15);
  const auto db = sum(Zb, 1)->value.data;
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(b->grad.data[i], db[i], 2e-15);
}

TEST(Mini, SoftmaxCrossEntropyFromSmallerParts) {
  // log(sum exp z) - z[label], averaged; the gradient is (softmax - one hot) / rows.
  const Var z = noise({4, 3}, 11);
  const std::vector<std::size_t> label = {0, 2, 1, 2};
  const Var hit = pick(z, {4}, [&](std::size_t r) { return r * 3 + label[r]; });
  backward(mean(sub(log(sum(exp(z), 1)), hit)));
  for (std::size_t r = 0; r < 4; ++r) {
    double total = 0;
    for (std::size_t c = 0; c < 3; ++c) total += std::exp(z->value.data[r * 3 + c]);
    for (std::size_t c = 0; c < 3; ++c) {
      const double p = std::exp(z->value.data[r * 3 + c]) / total;
      EXPECT_NEAR(z->grad.data[r * 3 + c], (p - (c == label[r])) / 4, 1e-15);
    }
  }
}

TEST(Mini, ValuesOfEachOp) {
  const Var x = leaf({2, 3}, {1, 2, 3, 4, 5, 6}), y = leaf({3}, {2, 4, 8});
  EXPECT_EQ(add(x, y)->value.data, (Data{3, 6, 11, 6, 9, 14}));
  EXPECT_EQ(sub(x, y)->value.data, (Data{-1, -2, -5, 2, 1, -2}));
  EXPECT_EQ(mul(x, y)->value.data, (Data{2, 8, 24, 8, 20, 48}));
  EXPECT_EQ(div(x, y)->value.data, (Data{0.5, 0.5, 0.375, 2, 1.25, 0.75}));
  EXPECT_EQ(neg(y)->value.data, (Data{-2, -4, -8}));
  EXPECT_EQ(square(y)->value.data, (Data{4, 16, 64}));
  EXPECT_EQ(relu(sub(y, leaf<double>(4.0)))->value.data, (Data{0, 0, 4}));
  EXPECT_EQ(transpose(x)->value.data, (Data{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(transpose(x)->value.shape, (Shape{3, 2}));
  EXPECT_EQ(matmul(x, reshape(y, {3, 1}))->value.data, (Data{34, 76}));
  EXPECT_EQ(sum(x)->value.data, Data{21});
  EXPECT_EQ(sum(x)->value.shape, Shape{});
  EXPECT_EQ(mean(x)->value.data, Data{3.5});
  EXPECT_EQ(sum(x, 0)->value.data, (Data{5, 7, 9}));
  EXPECT_EQ(sum(x, -1)->value.data, (Data{6, 15}));
  EXPECT_EQ(broadcast_to(leaf({2, 1}, {1, 2}), {2, 2, 3})->value.data,
            (Data{1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2}));
  EXPECT_EQ(mse(y, leaf<double>(2.0))->value.data, Data{40.0 / 3});
  EXPECT_EQ(sigmoid(leaf<double>(0.0))->value.data, Data{0.5});
  EXPECT_EQ(sigmoid(leaf<double>(-800.0))->value.data, Data{0});
  EXPECT_EQ(sigmoid(leaf<double>(800.0))->value.data, Data{1});
}

TEST(Mini, EmptyShapesAreValid) {
  const Var x = leaf({0, 3}, {}), w = leaf({3, 2}, ramp(6, 0, 1));
  const Var y = matmul(x, w);
  EXPECT_EQ(y->value.shape, (Shape{0, 2}));
  backward(sum(add(y, leaf({2}, {1, 2}))));
  EXPECT_EQ(w->grad.data, Data(6, 0.0));
  EXPECT_EQ(sum(x, 0)->value.data, Data(3, 0.0));
  EXPECT_EQ(matmul(leaf({2, 0}, {}), leaf({0, 2}, {}))->value.data, Data(4, 0.0));
}

TEST(Mini, KinksTakeTheValuesOfTheTable) {
  const Var x = leaf({3}, {-1, 0, 1});
  backward(sum(relu(x)));
  EXPECT_EQ(x->grad.data, (Data{0, 0, 1}));
}

// ---- every op against central differences

struct Case {
  const char* name;
  std::function<Var(const Vars&)> f;
  std::vector<Shape> shapes;
  bool positive = false;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class MiniGradient : public testing::TestWithParam<Case> {};

TEST_P(MiniGradient, MatchesCentralDifferences) {
  const Case& c = GetParam();
  Vars in;
  for (std::size_t i = 0; i < c.shapes.size(); ++i) {
    in.push_back(noise(c.shapes[i], 100 + static_cast<unsigned>(i)));
    for (auto& v : in.back()->value.data) v = c.positive ? std::abs(v) + 0.5 : v;
  }
  const Var weight = noise(c.f(in)->value.shape, 99);  // an uneven cotangent: a swapped axis shows
  const auto loss = [&] { return sum(mul(c.f(in), weight)); };
  backward(loss());
  for (const auto& x : in) {
    const auto got = x->grad.data;
    for (std::size_t i = 0; i < got.size(); ++i) {
      const double h = 1e-5, at = x->value.data[i];
      x->value.data[i] = at + h;
      const double up = loss()->value.data[0];
      x->value.data[i] = at - h;
      const double down = loss()->value.data[0];
      x->value.data[i] = at;
      EXPECT_NEAR(got[i], (up - down) / (2 * h), 2e-8 * (1 + std::abs(got[i]))) << "element " << i;
    }
  }
}

#define UNARY(op) [](const Vars& v) { return op(v[0]); }
#define BINARY(op) [](const Vars& v) { return op(v[0], v[1]); }
INSTANTIATE_TEST_SUITE_P(
    Ops, MiniGradient,
    testing::Values(
        Case{"neg", UNARY(neg), {{2, 3}}}, Case{"relu", UNARY(relu), {{2, 3}}},
        Case{"tanh", UNARY(tanh), {{2, 3}}}, Case{"sigmoid", UNARY(sigmoid), {{2, 3}}},
        Case{"exp", UNARY(exp), {{2, 3}}}, Case{"log", UNARY(log), {{2, 3}}, true},
        Case{"sqrt", UNARY(sqrt), {{2, 3}}, true}, Case{"square", UNARY(square), {{2, 3}}},
        Case{"add", BINARY(add), {{2, 3}, {2, 3}}}, Case{"add_row", BINARY(add), {{2, 3}, {3}}},
        Case{"add_column", BINARY(add), {{2, 3}, {2, 1}}},
        Case{"add_number", BINARY(add), {{}, {4}}},
        Case{"add_both", BINARY(add), {{2, 1, 3}, {4, 1}}}, Case{"sub", BINARY(sub), {{3}, {2, 3}}},
        Case{"mul", BINARY(mul), {{2, 3}, {2, 3}}}, Case{"mul_row", BINARY(mul), {{1, 3}, {2, 3}}},
        Case{"div", BINARY(div), {{2, 3}, {2, 3}}, true},
        Case{"div_number", BINARY(div), {{2, 2}, {}}, true},
        Case{"matmul", BINARY(matmul), {{2, 3}, {3, 4}}},
        Case{"mse", BINARY(mse), {{2, 3}, {2, 3}}}, Case{"transpose", UNARY(transpose), {{2, 3}}},
        Case{"sum", UNARY(sum), {{2, 3}}}, Case{"mean", UNARY(mean), {{2, 3}}},
        Case{"sum_axis", [](const Vars& v) { return sum(v[0], 1); }, {{2, 3, 4}}},
        Case{"reshape",
             [](const Vars& v) {
               return reshape(v[0], {3, 2});
             },
             {{2, 3}}},
        Case{"broadcast",
             [](const Vars& v) {
               return broadcast_to(v[0], {2, 2, 3});
             },
             {{2, 1}}},
        Case{"square_of_itself", [](const Vars& v) { return mul(v[0], v[0]); }, {{3}}},
        Case{"pick",
             [](const Vars& v) { return pick(v[0], {5}, [](auto i) { return i % 3; }); },
             {{4}}}),
    [](const auto& test) { return std::string(test.param.name); });
#undef UNARY
#undef BINARY

// ---- bad input

TEST(MiniErrors, AreTypedAndSayWhat) {
  const auto says = [](const std::function<void()>& call, const std::string& what) {
    try {
      call();
      ADD_FAILURE() << "accepted: " << what;
    } catch (const std::invalid_argument& e) {
      EXPECT_EQ(std::string(e.what()), "mini: " + what);
    }
  };
  const Var x = leaf({2, 3}, ramp(6, 1, 1)), y = leaf({4}, ramp(4, 1, 1));
  says([&] { matmul(x, x); }, "matmul: [2, 3] by [2, 3]");
  says([&] { matmul(x, y); }, "matmul: [2, 3] by [4]");
  says([&] { add(x, y); }, "cannot broadcast [4] to [2, 3]");
  says([&] { broadcast_to(x, {3}); }, "cannot broadcast [2, 3] to [3]");
  says([&] { reshape(x, {7}); }, "reshape: [2, 3] to [7]");
  says([&] { transpose(y); }, "transpose: [4] is no matrix");
  says([&] { sum(x, 2); }, "sum: no such axis of [2, 3]");
  says([&] { sum(x, -3); }, "sum: no such axis of [2, 3]");
  says([&] { backward(x); }, "backward: a loss of shape [2, 3]");
  says([&] { leaf({2, 2}, {1, 2, 3}); }, "wrong number of values for [2, 2]");
  says([&] { leaf(Shape(3, std::size_t{1} << 40), {}); },
       "too large: [1099511627776, 1099511627776, 1099511627776]");
  EXPECT_THROW(pick(y, {2}, [](auto i) { return i + 3; }), std::out_of_range);
}

TEST(Mini, HeaderStaysWithin250Lines) {
  std::ifstream file(ADJOINT_SOURCE_DIR "/include/adjoint/mini.hpp");
  ASSERT_TRUE(file);
  int lines = 0;
  for (std::string line; std::getline(file, line);) ++lines;
  EXPECT_GT(lines, 100);
  EXPECT_LE(lines, 250);
}

}  // namespace
}  // namespace adjoint
