// fold_constants_test.cpp: functions of known numbers are numbers in the plan, with the bits of a run. Not simplification:
// simplify_test.cpp.
#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "adjoint/adjoint.hpp"
#include "planned.hpp"
#include "programs.hpp"

namespace adjoint::plan {
namespace {

const Shape kShape{3, 5};
Tensor known(double number, DType dtype = DType::f32, const Shape& shape = kShape) { return rule_number(number, {shape, dtype}); }

Program folded(const Tensor& t) {
  Imported g({t});
  fold_constants(g.program);
  verify(g.program, "fold_constants");
  return g.program;
}
/// The one number that is left of t.
std::int64_t number_left(const Tensor& t) {
  const Program p = folded(t);
  EXPECT_EQ(operations(p), 0);
  EXPECT_EQ(p.values.back().role, Role::constant);
  return p.constants.empty() ? 0 : p.constants.back();
}
template <class T> std::int64_t bits(T x) {
  std::int64_t b = 0;
  std::memcpy(&b, &x, sizeof x);
  return b;
}

TEST(FoldConstants, AFunctionOfKnownNumbersIsANumber) {
  EXPECT_EQ(number_left(exp(known(1))), bits(exp(tensor(std::vector<float>{1}, {1})).to_vector<float>()[0]));
  EXPECT_EQ(number_left(known(1) + known(1)), bits(2.0f));
  EXPECT_EQ(number_left(known(1) / known(0)), bits(std::numeric_limits<float>::infinity()));
  EXPECT_EQ(number_left(known(-1, DType::f64) * known(0, DType::f64)), bits(-0.0));
  EXPECT_EQ(number_left(-known(1, DType::i64)), -1);
  EXPECT_EQ(number_left(known(1, DType::i32) - known(-1, DType::i32)), 2);
}

TEST(FoldConstants, GoesThroughViewsAndWholeChains) {
  const Tensor one = known(1, DType::f32, {});
  EXPECT_EQ(operations(folded(exp(broadcast_to(one, kShape)) * known(1) + tanh(known(1)))), 0);
  const Tensor x = ones({2, 2}).detach();
  EXPECT_EQ(count(folded(x * exp(known(1, DType::f32, {2, 2}))), "exp"), 0);
  EXPECT_EQ(count(folded(x * exp(known(1, DType::f32, {2, 2}))), "mul"), 1);
}

TEST(FoldConstants, NeverReadsANumberOfTheUser) {
  const Tensor x = ones({2, 2}).detach();
  EXPECT_EQ(count(folded(x * exp(full({2, 2}, 1.0))), "exp"), 1);
}

// Every function of one and two operands that has an executor, on every type, folded against the interpreter.
TEST(FoldConstants, HasTheBitsOfARun) {
  std::lock_guard lock(graph_mutex());
  int compared = 0;
  const std::pair<const char*, int> functions[] = {{"neg", 1}, {"abs", 1}, {"exp", 1}, {"log", 1}, {"tanh", 1}, {"sigmoid", 1}, {"erf", 1}, {"gelu", 1}, {"sqrt", 1}, {"sin", 1},
                                                   {"softplus", 1}, {"add", 2}, {"sub", 2}, {"mul", 2}, {"div", 2}, {"pow", 2}, {"atan2", 2}, {"maximum", 2}};
  for (const auto& [name, arity] : functions)
    for (const DType dtype : {DType::f32, DType::f64, DType::bf16, DType::f16})
      for (const double a : {0.0, -0.0, 1.0, -1.0}) {
        const Primitive* prim = find_primitive(name);
        ASSERT_TRUE(prim) << name;
        const Tensor t = apply(*prim, arity == 2 ? Tensors{known(a, dtype), known(1, dtype)} : Tensors{known(a, dtype)}, {}, {});
        EXPECT_EQ(operations(folded(t)), 0) << name;
        const planned::Graph g({t}, {0}, {}, [](const Node&) { return false; });
        EXPECT_EQ(planned::compared(g, false).fault, "") << name << ' ' << name_of(dtype) << ' ' << a;
        ++compared;
      }
  EXPECT_GE(compared, 18 * 16);
}

}  // namespace
}  // namespace adjoint::plan
