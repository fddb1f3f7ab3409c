// simplify_test.cpp: what simplification takes away, what it must leave because one input in all would differ, and that the bits of whole
// plans stay. Not the random programs: random_programs_test.cpp.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "adjoint/adjoint.hpp"
#include "planned.hpp"
#include "programs.hpp"

namespace adjoint::plan {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();
const Shape kShape{2, 6};

Tensor special(DType dtype) {
  return cast(tensor(std::vector<double>{0.0, -0.0, 1, -1, kInf, -kInf, kNan, 5e-324, 1e-40, -3.7, 1e308, 0.1}, kShape), dtype).detach();
}
Tensor known(double number, const Tensor& like) { return rule_number(number, like.type()); }
using Form = std::function<Tensor(const Tensor&)>;
struct Case {
  const char* name;
  Form form;
};

std::int64_t left(const Tensor& t) {
  Imported g({t});
  simplify(g.program);
  verify(g.program, "simplify");
  return operations(g.program);
}
void expect_bits(const Case& c, const Tensor& t) {
  std::lock_guard lock(graph_mutex());
  const planned::Graph g({t}, {0}, {}, [](const Node&) { return false; });
  EXPECT_EQ(planned::compared(g, false).fault, "") << c.name;
}

const std::vector<Case>& equal_forms() {
  static const auto* all = new std::vector<Case>{
      {"x 1", [](const Tensor& x) { return x * known(1, x); }},
      {"1 x", [](const Tensor& x) { return known(1, x) * x; }},
      {"x / 1", [](const Tensor& x) { return x / known(1, x); }},
      {"x - 0", [](const Tensor& x) { return x - known(0, x); }},
      {"x + -0", [](const Tensor& x) { return x + known(-0.0, x); }},
      {"-0 + x", [](const Tensor& x) { return known(-0.0, x) + x; }},
      {"- -x", [](const Tensor& x) { return -(-x); }},
      {"a chain of them", [](const Tensor& x) { return -(-((x * known(1, x) - known(0, x)) / known(1, x))); }},
      {"transposed twice", [](const Tensor& x) { return transpose(transpose(x)); }},
      {"reshaped there and back", [](const Tensor& x) { return reshape(reshape(x, {3, 4}), kShape); }},
      {"squeezed there and back", [](const Tensor& x) { return squeeze(unsqueeze(x, 0), {0}); }},
      {"wider and back", [](const Tensor& x) { return x.dtype() == DType::f64 ? x : cast(cast(x, DType::f64), x.dtype()); }},
      {"the larger of x and x", [](const Tensor& x) { return maximum(x, x); }},
      {"a choice of x and x", [](const Tensor& x) { return where(gt(x, 0.5), x, x); }},
      {"a choice that is known", [](const Tensor& x) { return where(rule_number(1, {kShape, DType::bool_}), x, x * 2.0); }},
      {"the other one", [](const Tensor& x) { return where(rule_number(0, {kShape, DType::bool_}), x * 2.0, x); }},
  };
  return *all;
}

TEST(Simplify, TakesAwayWhatChangesNoBit) {
  for (const DType dtype : {DType::f32, DType::f64, DType::bf16, DType::f16})
    for (const auto& c : equal_forms()) {
      const Tensor x = special(dtype), t = c.form(x);
      EXPECT_EQ(left(t), 0) << c.name << " of " << name_of(dtype);
      expect_bits(c, abs(t));
      expect_bits(c, reciprocal(t));  // tells 0 from -0
    }
}

TEST(Simplify, AFunctionTwiceIsOnceWhereOnceIsEnough) {
  for (const auto& c : std::vector<Case>{{"abs", [](const Tensor& x) { return abs(abs(x)); }},
                                         {"relu", [](const Tensor& x) { return relu(relu(x)); }},
                                         {"floor", [](const Tensor& x) { return floor(floor(x)); }},
                                         {"round", [](const Tensor& x) { return round(round(x)); }},
                                         {"abs of the opposite", [](const Tensor& x) { return abs(-x); }}}) {
    const Tensor t = c.form(special(DType::f32));
    EXPECT_EQ(left(t), 1) << c.name;
    expect_bits(c, reciprocal(t));
  }
}

// Each would be wrong for one of the numbers of special().
TEST(Simplify, LeavesWhatDiffersForOneInput) {
  const Tensor x = special(DType::f32);
  for (const auto& c : std::vector<Case>{{"x + 0", [](const Tensor& a) { return a + known(0, a); }},
                                         {"0 + x", [](const Tensor& a) { return known(0, a) + a; }},
                                         {"x - -0", [](const Tensor& a) { return a - known(-0.0, a); }},
                                         {"0 - x", [](const Tensor& a) { return known(0, a) - a; }},
                                         {"x 0", [](const Tensor& a) { return a * known(0, a); }},
                                         {"0 / x", [](const Tensor& a) { return known(0, a) / a; }},
                                         {"x - x", [](const Tensor& a) { return a - a; }},
                                         {"x / x", [](const Tensor& a) { return a / a; }},
                                         {"x -1", [](const Tensor& a) { return a * known(-1, a); }},
                                         {"1 / x", [](const Tensor& a) { return known(1, a) / a; }}}) {
    const Tensor t = c.form(x);
    EXPECT_EQ(left(t), 1) << c.name;
    expect_bits(c, t);
    expect_bits(c, reciprocal(t));
  }
  EXPECT_EQ(left(cast(cast(x, DType::bf16), DType::f32)), 2) << "digits are lost on the way";
  EXPECT_EQ(left(cast(cast(x, DType::i64), DType::f32)), 2);
  EXPECT_EQ(left(transpose(reshape(x, {6, 2}))), 2) << "another order of the elements";
  EXPECT_EQ(left(identity_barrier(identity_barrier(x))), 2) << "asked to stay";
  EXPECT_EQ(left(logaddexp(x, x)), 1);
}

// The comparison of plans with the interpreter sees each of those rewrites, and each slip that a rule of the pass could have.
TEST(Simplify, EachWrongRewriteIsSeen) {
  struct Wrong {
    const char* name;
    Form right, wrong;
  };
  const auto itself = [](const Tensor& a) { return a; };
  const auto shape = [](const Tensor& a) { return a.shape(); };
  std::lock_guard lock(graph_mutex());
  const Tensor x = special(DType::f32);
  for (const auto& c : std::vector<Wrong>{
           {"x + 0 as x", [](const Tensor& a) { return a + known(0, a); }, itself},
           {"x - -0 as x", [](const Tensor& a) { return a - known(-0.0, a); }, itself},
           {"0 - x as -x", [](const Tensor& a) { return known(0, a) - a; }, [](const Tensor& a) { return -a; }},
           {"x 0 as 0", [](const Tensor& a) { return a * known(0, a); }, [&](const Tensor& a) { return zeros(shape(a)); }},
           {"x - x as 0", [](const Tensor& a) { return a - a; }, [&](const Tensor& a) { return zeros(shape(a)); }},
           {"x / x as 1", [](const Tensor& a) { return a / a; }, [&](const Tensor& a) { return ones(shape(a)); }},
           {"x -1 as x", [](const Tensor& a) { return a * known(-1, a); }, itself},
           {"1 / x as x", [](const Tensor& a) { return known(1, a) / a; }, itself},
           {"there and back through fewer digits", [](const Tensor& a) { return cast(cast(a, DType::bf16), DType::f32); }, itself},
           {"abs of abs as x", [](const Tensor& a) { return abs(abs(a)); }, itself},
           {"relu of relu as x", [](const Tensor& a) { return relu(relu(a)); }, itself},
           {"transposed and reshaped as x", [](const Tensor& a) { return reshape(transpose(a), kShape); }, itself},
           {"the wrong one of two branches", [](const Tensor& a) { return where(rule_number(0, {kShape, DType::bool_}), a, exp(a)); }, itself},
           {"the opposite once more", [](const Tensor& a) { return -(-a); }, [](const Tensor& a) { return -a; }},
       }) {
    const auto none = [](const Node&) { return false; };
    const planned::Graph right({reciprocal(c.right(x))}, {0}, {}, none), wrong({reciprocal(c.wrong(x))}, {0}, {}, none);
    EXPECT_NE(planned::compared(right, wrong, [&] { return make_plan(wrong.request()); }, false).fault, "") << c.name;
    EXPECT_EQ(planned::compared(right, false).fault, "") << c.name;
  }
}

// The user's numbers are inputs of the plan: the next step may bring others.
TEST(Simplify, NeverReadsANumberOfTheUser) {
  const Tensor x = special(DType::f32);
  EXPECT_EQ(left(x * 1.0), 1);
  EXPECT_EQ(left(x - 0.0), 1);
  const auto before = plans_made();
  for (const double number : {1.0, 3.0, 0.0, 1.0}) {
    const Tensor y = x * number;
    const auto v = y.to_vector<float>();
    EXPECT_EQ(v[9], -3.7f * static_cast<float>(number));
  }
  EXPECT_LE(plans_made() - before, 1);
}

// A number that a backward rule of the user's own makes may change too: what the plan reads of it is in the plan's key.
TEST(Simplify, AKnownNumberIsPartOfThePlansKey) {
  const Tensor x = special(DType::f32);
  for (const double number : {1.0, 3.0, 1.0, -1.0, 0.5}) {
    const Tensor y = x * known(number, x);
    EXPECT_EQ(y.to_vector<float>()[9], -3.7f * static_cast<float>(number)) << number;
  }
}

TEST(Simplify, AResultMayBecomeALeafOrAnotherResult) {
  const Tensor x = special(DType::f32), y = exp(x), z = y * known(1, x), same = x * known(1, x);
  eval(Tensors{y, z, same});
  EXPECT_EQ(z.to_vector<float>()[2], y.to_vector<float>()[2]);
  EXPECT_EQ(same.to_vector<float>()[9], -3.7f);
}

}  // namespace
}  // namespace adjoint::plan
