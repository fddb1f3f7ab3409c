// verify_test.cpp: strict validation: what it compares, when, and what it says. Not the search for faults: tests/plan.
#include "adjoint/verify.hpp"

#include <gtest/gtest.h>

#include "adjoint/adjoint.hpp"
#include "runtime/executor.hpp"
#include "runtime/verify.hpp"

namespace adjoint {
namespace {

struct VerifyOn {
  explicit VerifyOn(const VerifyOptions& options) { set_verify(options); }
  ~VerifyOn() { stop_verify(); }
};

TEST(Verify, ComparesTheFirstRunsOfAPlanAndThenSamples) {
  const Tensor x = tensor({1, 2, 3});
  runtime::VerifyCount count;
  std::string which;
  {
    const VerifyOn on({.first = 2, .every = 4});
    for (int k = 0; k < 14; ++k) which += runtime::verification_due(count) ? 'x' : '.';
  }
  EXPECT_EQ(which, "xx...x...x...x");
  EXPECT_FALSE(runtime::verification_due(count));
}

TEST(Verify, CountsWhatItCompared) {
  const VerifyOn on({.first = 1000});
  const Verified before = verified();
  Tensor p = ones({4, 3});
  for (int k = 0; k < 5; ++k) {
    p.requires_grad();
    const Tensor loss = sum(square(p - 3.0));
    p = optim::SGD{.learning_rate = 0.1}.update(Tensors{p}, Tensors{grad(loss, p)}, optim::SGD{}.init(Tensors{p})).first[0];
    eval(p);
  }
  const Verified now = verified();
  EXPECT_EQ(now.compared - before.compared, now.runs - before.runs);
  EXPECT_GE(now.compared - before.compared, 5);
  EXPECT_GE(now.elements - before.elements, 5 * 12);
}

TEST(Verify, RefusesNegativeNumbers) { EXPECT_THROW(set_verify({.first = -1}), Error); }

TEST(Verify, AnOperationThatFailsIsItsOwnErrorNotAFault) {
  const VerifyOn on({.first = 1000});
  try {
    eval(take(tensor({1, 2, 3}), tensor<std::int64_t>({7}, {1})));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(std::string(e.what()).find("strict validation"), std::string::npos) << e.what();
  }
}

TEST(FirstDifference, IsOneOfBitsAndAllNaNsAreOne) {
  const auto at = [](std::vector<float> a, std::vector<float> b) {
    return runtime::first_difference(DType::f32, reinterpret_cast<std::byte*>(a.data()), reinterpret_cast<std::byte*>(b.data()), static_cast<std::int64_t>(a.size()));
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(at({1, nan, 0}, {1, -nan, 0}));
  EXPECT_EQ(at({1, nan, 0}, {1, nan, -0.0f}), 2);
  EXPECT_EQ(at({1, nan}, {1, 1}), 1);
  EXPECT_EQ(at({std::numeric_limits<float>::infinity()}, {nan}), 0);
}

/// A graph, its request and a run of any plan for it.
struct Bench {
  Tensors roots;
  Order order;
  std::vector<char> update, donatable;
  std::vector<Buffer*> leaves, outputs;
  std::vector<std::int64_t> literals;
  explicit Bench(Tensors r, std::vector<char> u) : roots(std::move(r)), update(std::move(u)) {
    std::vector<Node*> nodes;
    for (const auto& t : roots) nodes.push_back(t.node());
    order = topological_order(nodes);
    for (Node* n : order.nodes) {
      if (n->kind == Kind::literal && !n->computed()) literals.push_back(literal_bits(*n));
      else if (n->arity == 0 || n->computed()) leaves.push_back(n->data.load());
    }
    donatable.assign(leaves.size(), 1);
  }
};

TEST(Verify, ADifferenceNamesTheValueTheStepTheLineAndTheBitsAndRestoresParameters) {
  std::lock_guard lock(graph_mutex());
  const Tensor p = tensor({1, 2, 3});
  const Tensor q = exp(p) - 1.0;
  const int line = __LINE__ - 1;
  Bench b({q}, {1});
  const runtime::Interpreter reference(plan::Request{b.order, b.update, b.donatable});
  plan::Plan plan = plan::make_plan({b.order, b.update, b.donatable});
  ASSERT_EQ(plan.takes_over[0], 0);
  const runtime::Verification v(reference, plan, b.leaves, b.literals);
  auto* parameter = reinterpret_cast<float*>(b.leaves[0]->data);
  Buffer* output[] = {b.leaves[0]};
  parameter[0] = 1.71828175f, parameter[1] = 6.38905621f, parameter[2] = -4;
  const auto fault = v.fault(output, nullptr);
  ASSERT_TRUE(fault);
  const std::string text = fault->what();
  for (const char* part : {"sub: strict validation: value 0, written by step 0 of the plan (exp+sub), differs from the reference at [2]: -4 (0xc0800000), the reference has 19.0855",
                           "parameters are unchanged"})
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  EXPECT_EQ(fault->where().line, line);
  EXPECT_EQ(parameter[0], 1);
  EXPECT_EQ(parameter[2], 3);
}

TEST(Interpreter, ComputesAfterTheGraphIsGone) {
  std::optional<runtime::Interpreter> program;
  Buffer* leaf_buffer = nullptr;
  std::vector<std::int64_t> literals;
  {
    const Tensor x = tensor<double>({1, 2, 3, 4}, {2, 2});
    std::lock_guard lock(graph_mutex());
    Bench b({softmax(transpose(x), 0) + 1.0, x}, {0, 0});
    program.emplace(b.order);
    leaf_buffer = b.leaves[0];
    retain(leaf_buffer);
    literals = b.literals;
  }
  const Tensors y = program->run(std::span(&leaf_buffer, 1), literals);
  EXPECT_EQ(y[0].to_vector<double>(), (softmax(tensor<double>({1, 3, 2, 4}, {2, 2}), 0) + 1.0).to_vector<double>());
  EXPECT_EQ(y[1].to_vector<double>(), (std::vector<double>{1, 2, 3, 4}));
  release(leaf_buffer);
}

}  // namespace
}  // namespace adjoint
