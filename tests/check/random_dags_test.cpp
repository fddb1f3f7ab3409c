// random_dags_test.cpp: reverse mode against forward mode and against differences on 200 random
// graphs of 10 to 10^4 nodes, with shared subexpressions and dead branches, as plain C++ control
// flow builds them. Not against the minimal engine: that is random_graphs_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "adjoint/grad.hpp"
#include "adjoint/ops.hpp"
#include "check/reference.hpp"
#include "graph/topo.hpp"
#include "random_graphs.hpp"

namespace adjoint::check {
namespace {

/// A graph of elementwise operations, selects and means over values that stay within [-2, 2] by
/// construction.
struct Dag {
  Tensors leaves, values;
  Tensor loss;
};

Tensor random_leaf(Dice& dice, std::int64_t n) {
  std::vector<double> v(static_cast<std::size_t>(n));
  for (auto& x : v) x = dice.real(-2, 2);
  return tensor(v, {n});
}
Tensor random_value(Dice& dice, const Tensor& x, const Tensor& y) {
  switch (dice.below(10)) {
    case 0:
      return 0.5 * (x + y);
    case 1:
      return 0.5 * (x - y);
    case 2:
      return 0.5 * x * y;
    case 3:
      return 2.0 * x / (1.0 + x * x);
    case 4:
      return log(1.0 + x * x);
    case 5:
      return exp(-(x * y) * (x * y));
    case 6:
      return relu(x) - 0.25 * y * relu(-x);
    case 7:
      return where(gt(x, y), x, -y);
    case 8:
      return 0.5 * (x - broadcast_to(mean(y), x.shape()));
    default:
      return -x;
  }
}
Dag random_dag(std::uint64_t seed, std::size_t values) {
  Dice dice(seed);
  Dag dag;
  const auto n = static_cast<std::int64_t>(1 + dice.below(3));
  for (std::size_t k = 2 + dice.below(3); k > 0; --k) dag.leaves.push_back(random_leaf(dice, n));
  dag.values = dag.leaves;
  const auto any = [&] {  // near the end, so that the graph is deep; now and then anywhere, so that
                          // values are shared
    const std::size_t size = dag.values.size();
    return dag.values[dice.below(4) ? size - 1 - dice.below(std::min<std::size_t>(size, 6))
                                    : dice.below(size)];
  };
  while (dag.values.size() < values) {
    const Tensor x = any(), y = any();
    dag.values.push_back(random_value(dice, x, y));
  }
  dag.loss = sum(dag.values.back());
  for (std::size_t k = 0; k < std::min<std::size_t>(6, values / 8); ++k)
    dag.loss = dag.loss + mean(any());
  return dag;
}

std::size_t size_of_graph(const Tensor& root) {
  std::lock_guard lock(graph_mutex());
  Node* const roots[] = {root.node()};
  return topological_order(roots, {.through_computed = true}).nodes.size();
}
double inner(const std::vector<double>& a, const std::vector<double>& b) {
  double s = 0;
  for (std::size_t i = 0; i < a.size(); ++i) s += a[i] * b[i];
  return s;
}

// Number 0 to 199: about 10 to 10^4 nodes, evenly in the logarithm.
Dag numbered(int i) {
  return random_dag(1000 + static_cast<std::uint64_t>(i),
                    static_cast<std::size_t>(5 * std::pow(740.0, i / 199.0)));
}

TEST(RandomDags, HaveTheSizesSharedAndDeadPartsThatAreMeant) {
  std::size_t least = ~std::size_t{0}, most = 0, dead = 0, shared = 0;
  for (int i = 0; i < 200; ++i) {
    const Dag dag = numbered(i);
    const std::size_t nodes = size_of_graph(dag.loss);
    least = std::min(least, nodes), most = std::max(most, nodes);
    std::lock_guard lock(graph_mutex());
    for (const auto& v : dag.values)
      shared += edges_of(*v.node()) > 1, dead += edges_of(*v.node()) == 0;
  }
  EXPECT_LE(least, 20u);
  EXPECT_GE(most, 7000u);
  EXPECT_GT(dead, 1000u);
  EXPECT_GT(shared, 10000u);
}

TEST(RandomDags, ReverseForwardAndDifferencesAgreeA3_4) {
  int flat = 0;
  double worst_exact = 0, worst_difference = 0, worst_f64 = 0;
  set_warning_sink(
      [](const char*) {});  // a leaf that only dead branches use has a zero gradient, and a warning
  for (int i = 0; i < 200; ++i) {
    const Dag dag = numbered(i);
    SCOPED_TRACE("graph " + std::to_string(i));
    Dice dice(static_cast<std::uint64_t>(i));
    Tensors along;  // a random direction
    for (const auto& x : dag.leaves) along.push_back(random_leaf(dice, x.numel()));
    Tensors wanted = grad(dag.loss, dag.leaves);
    wanted.push_back(jvp(std::span(&dag.loss, 1), dag.leaves, along)[0]);

    // In quad: reverse = forward to 28 digits, and both equal the difference quotient.
    const auto exact = evaluate<Quad>(wanted);
    std::vector<Override<Quad>> at;
    Quad dot = 0, size = 0;
    for (std::size_t k = 0; k < dag.leaves.size(); ++k) {
      at.push_back({dag.leaves[k], value_of<Quad>(dag.leaves[k])});
      const auto u = value_of<Quad>(along[k]);
      for (std::size_t e = 0; e < u.data.size(); ++e) {
        dot += exact[k].data[e] * u.data[e];
        size += Elementary<Quad>::abs(exact[k].data[e] * u.data[e]);
      }
    }
    flat += size == 0;  // as (x - x) / 2 makes it: then all must be 0
    if (size == 0) size = 1;
    const auto off = [&](Quad a, Quad b) {
      return static_cast<double>(Elementary<Quad>::abs(a - b) / size);
    };
    worst_exact = std::max(worst_exact, off(dot, exact.back().data[0]));
    ASSERT_LE(off(dot, exact.back().data[0]), kHasQuad ? 1e-26 : 1e-12);

    const Quad h = Elementary<Quad>::scale(Quad(1), kHasQuad ? -45 : -14);
    const auto moved = [&](Quad by) {
      auto there = at;
      for (std::size_t k = 0; k < there.size(); ++k) {
        const auto u = value_of<Quad>(along[k]);
        for (std::size_t e = 0; e < u.data.size(); ++e) there[k].value.data[e] += by * u.data[e];
      }
      return evaluate<Quad>(std::span(&dag.loss, 1), there)[0].data[0];
    };
    const Quad near = moved(h) - moved(-h), far = moved(2 * h) - moved(-2 * h);
    const Quad quotient = (8 * near - far) / (12 * h);  // of order 4
    worst_difference = std::max(worst_difference, off(dot, quotient));
    ASSERT_LE(off(dot, quotient), kHasQuad ? 1e-14 : 1e-6);

    // As executed in f64: each gradient against the exact one, and forward against reverse.
    eval(wanted);
    RefTensor<Quad> g, q;
    double forward = wanted.back().item(), reverse = 0;
    for (std::size_t k = 0; k < dag.leaves.size(); ++k) {
      const auto v = wanted[k].to_vector<double>();
      reverse += inner(v, along[k].to_vector<double>());
      g.data.insert(g.data.end(), v.begin(), v.end());
      q.data.insert(q.data.end(), exact[k].data.begin(), exact[k].data.end());
    }
    worst_f64 = std::max(worst_f64, norm_error(g, q));
    ASSERT_LE(norm_error(g, q), 1e-12);
    ASSERT_LE(std::abs(forward - reverse), 1e-12 * static_cast<double>(size));
  }
  set_warning_sink(nullptr);
  EXPECT_LE(flat, 8);
  const auto record = [](const char* name, double v) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2g", v);
    ::testing::Test::RecordProperty(name, text);
    std::printf("%s %s\n", name, text);
  };
  record("forward_against_reverse_in_quad", worst_exact);
  record("differences_in_quad", worst_difference);
  record("f64_against_quad", worst_f64);
}

}  // namespace
}  // namespace adjoint::check
