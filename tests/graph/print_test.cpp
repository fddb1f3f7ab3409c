// print_test.cpp: a graph and its gradient graph as text and as DOT. Not the printing of values.
#include "adjoint/print.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "adjoint/grad.hpp"
#include "adjoint/ops.hpp"

namespace adjoint {
namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

struct Small {
  Tensor x, w, loss;
  int line;
};
Small small() {
  Small s{tensor<double>({1, 2, 3}, {3}), tensor<double>({1, 1, 1}, {3}).requires_grad(), {}, __LINE__ + 1};
  s.loss = sum(tanh(s.x * s.w) * 2.0);
  return s;
}

TEST(Print, AGraphAsText) {
  const Small s = small();
  const std::string text = graph_text(s.loss);
  EXPECT_EQ(count(text, "\n"), 7u) << text;
  EXPECT_EQ(text.find("%0 f64[3] data  at print_test.cpp:"), 0u) << text;
  EXPECT_EQ(count(text, "%1 f64[3] parameter"), 1u) << text;
  EXPECT_EQ(count(text, "%2 f64[3] mul(%0, %1)"), 1u) << text;
  EXPECT_EQ(count(text, "%3 f64[3] tanh(%2)"), 1u) << text;
  EXPECT_EQ(count(text, "sum("), 1u) << text;
}

TEST(Print, AGradientGraphAsTextIsMarkedBackwardAndKeepsTheForwardLines) {
  const Small s = small();
  const Tensor g = grad(s.loss, s.w);
  const std::string text = graph_text(g);
  EXPECT_GE(count(text, "  backward"), 3u) << text;
  EXPECT_EQ(count(text, "tanh("), 1u) << text;  // shared with the forward part
  EXPECT_GE(count(text, "print_test.cpp:" + std::to_string(s.line)), 4u) << text;
  const Tensor both[] = {s.loss, g};
  EXPECT_EQ(count(graph_text(both), "tanh("), 1u);
}

TEST(Print, AGraphAndItsGradientAsDot) {
  const Small s = small();
  const Tensor both[] = {s.loss, grad(s.loss, s.w)};
  const std::string forward = graph_dot(s.loss), all = graph_dot(both);
  EXPECT_EQ(forward.find("digraph adjoint {\n"), 0u);
  EXPECT_EQ(forward.substr(forward.size() - 2), "}\n");
  EXPECT_EQ(count(forward, "[label="), count(graph_text(s.loss), "\n"));
  EXPECT_EQ(count(forward, "style=dashed"), 0u);
  EXPECT_GE(count(all, "style=dashed"), 3u) << all;
  EXPECT_EQ(count(forward, "n0 -> n2;") + count(forward, "n1 -> n2;"), 2u) << forward;
  EXPECT_EQ(count(all, "{"), 1u);
}

TEST(Print, PrintingComputesNothing) {
  const Small s = small();
  const std::string before = graph_text(s.loss);
  graph_dot(s.loss);
  EXPECT_EQ(graph_text(s.loss), before);
  EXPECT_EQ(s.loss.item(), 2 * (std::tanh(1.0) + std::tanh(2.0) + std::tanh(3.0)));
}

}  // namespace
}  // namespace adjoint
