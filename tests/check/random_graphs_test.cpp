// random_graphs_test.cpp: the library against the minimal engine on 500 random graphs: every value
// and every gradient. Not a test of single operations: the rows do that. The engine shares no line
// with the library.
#include "random_graphs.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "adjoint/grad.hpp"
#include "check/reference.hpp"

namespace adjoint::check {
namespace {

constexpr int kGraphs = 500;

Recipe recipe(int i) {
  return RecipeMaker(static_cast<std::uint64_t>(i)).graph(8 + static_cast<std::size_t>(i) % 53);
}
std::vector<std::size_t> leaves(const Recipe& r) {
  std::vector<std::size_t> at;
  for (std::size_t i = 0; i < r.size(); ++i)
    if (r[i].op == "leaf") at.push_back(i);
  return at;
}
template <class T> void append(RefTensor<T>& all, const std::vector<T>& part) {
  all.data.insert(all.data.end(), part.begin(), part.end());
  all.shape = {static_cast<std::int64_t>(all.data.size())};
}
std::string named(const Recipe& r, int number) {
  std::string s = "graph " + std::to_string(number) + ':';
  for (std::size_t i = 0; i < r.size(); ++i)
    s += "\n  " + std::to_string(i) + " = " + std::string(r[i].op) + ' ' + std::to_string(r[i].a) +
         ' ' + std::to_string(r[i].b);
  return s;
}

TEST(RandomGraphs, CoverEveryOperationSharedAndDeadParts) {
  std::map<std::string_view, int> used;
  int shared = 0, dead = 0;
  for (int i = 0; i < kGraphs; ++i) {
    const Recipe r = recipe(i);
    std::vector<int> uses(r.size(), 0);
    for (const auto& s : r) {
      ++used[s.op];
      if (s.op != "leaf") ++uses[s.a], uses[s.b] += s.b != s.a;
    }
    for (std::size_t k = 0; k + 1 < r.size(); ++k) shared += uses[k] > 1, dead += uses[k] == 0;
  }
  for (const char* op :
       {"add",     "sub",          "mul",  "div",     "neg",      "exp",    "log",
        "sqrt",    "square",       "tanh", "sigmoid", "relu",     "matmul", "transpose",
        "reshape", "broadcast_to", "sum",  "mean",    "sum_axis", "mse",    "leaf"})
    EXPECT_GE(used[op], 100) << op;
  EXPECT_GT(shared, 1000);
  EXPECT_GT(dead, 1000);
}

// A8.2: values, and all gradients of a graph together, agree to 1e-13 in the norm.
TEST(RandomGraphs, AgreeWithTheMinimalEngineA8_2) {
  double worst_value = 0, worst_gradient = 0;
  for (int i = 0; i < kGraphs; ++i) {
    const Recipe r = recipe(i);
    const auto mine = build<mini::Var<double>>(r);
    const auto library = build<Tensor>(r);
    backward(mine.back());
    Tensors wrt;
    RefTensor<double> g, h;
    for (const auto k : leaves(r)) wrt.push_back(library[k]), append(h, mine[k]->grad.data);
    set_warning_sink(
        [](const char*) {});  // leaves of dead branches have a zero gradient, and a warning
    Tensors wanted = grad(library.back(), wrt);
    set_warning_sink(nullptr);
    wanted.insert(wanted.end(), library.begin(), library.end());
    eval(wanted);
    for (std::size_t k = 0; k < wrt.size(); ++k) append(g, wanted[k].to_vector<double>());
    for (std::size_t k = 0; k < r.size(); ++k) {
      const RefTensor<double> want{{}, DType::f64, mine[k]->value.data},
          got{{}, DType::f64, library[k].to_vector<double>()};
      EXPECT_EQ(library[k].shape(), library_shape(mine[k]->value.shape)) << named(r, i);
      const double off = norm_error(got, want);
      worst_value = std::max(worst_value, off);
      ASSERT_LE(off, 1e-13) << "value " << k << " of " << named(r, i);
    }
    const double off = norm_error(g, h);
    worst_gradient = std::max(worst_gradient, off);
    ASSERT_LE(off, 1e-13) << named(r, i);
  }
  RecordProperty("worst_value", std::to_string(worst_value * 1e16) + "e-16");
  RecordProperty("worst_gradient", std::to_string(worst_gradient * 1e16) + "e-16");
}

// The same in quad: the gradient GRAPH of the library is the engine's gradient to 28 digits, so no
// rounding hides a fault.
TEST(RandomGraphs, GradientGraphsAreExactInQuad) {
  for (int i = 0; i < kGraphs; ++i) {
    const Recipe r = recipe(i);
    const auto mine = build<mini::Var<Quad>>(r);
    const auto library = build<Tensor>(r);
    backward(mine.back());
    Tensors wrt;
    RefTensor<Quad> g, h;
    for (const auto k : leaves(r)) wrt.push_back(library[k]), append(h, mine[k]->grad.data);
    set_warning_sink([](const char*) {});
    const Tensors gradients = grad(library.back(), wrt);
    set_warning_sink(nullptr);
    for (const auto& t : evaluate<Quad>(gradients)) append(g, t.data);
    ASSERT_LE(norm_error(g, h), kHasQuad ? 1e-28 : 1e-15) << named(r, i);
  }
}

}  // namespace
}  // namespace adjoint::check
