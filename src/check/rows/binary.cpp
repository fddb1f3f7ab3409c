// binary.cpp: rows of the elementwise operations of two and three operands that have a gradient. Not their rules: src/ops.
#include <limits>

#include "check/rows/patterns.hpp"

namespace adjoint::check {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity(), kNaN = std::numeric_limits<double>::quiet_NaN();

struct Function2 {
  const char* op;
  Call call;
  std::pair<double, double> x, y;
};

const Function2 functions[] = {
    {"add", call2<add>, {-2, 2}, {-2, 2}},
    {"sub", call2<sub>, {-2, 2}, {-2, 2}},
    {"mul", call2<mul>, {-2, 2}, {-2, 2}},
    {"div", call2<div>, {-2, 2}, {0.5, 2}},
    {"pow", call2<pow>, {0.3, 2}, {-2, 2}},
    {"maximum", call2<maximum>, {-2, 2}, {-2, 2}},
    {"minimum", call2<minimum>, {-2, 2}, {-2, 2}},
    {"atan2", call2<atan2>, {-2, 2}, {0.3, 2}},
    {"atan2", call2<atan2>, {0.3, 2}, {-2, -0.3}},
    {"hypot", call2<hypot>, {-2, 2}, {0.3, 2}},
    {"logaddexp", call2<logaddexp>, {-2, 2}, {-2, 2}},
    {"logaddexp2", call2<logaddexp2>, {-2, 2}, {-2, 2}},
    {"xlogy", call2<xlogy>, {-2, 2}, {0.3, 2}},
    {"xlog1py", call2<xlog1py>, {-2, 2}, {-0.7, 2}},
    {"ldexp", call2<ldexp>, {-2, 2}, {-2, 2}},
    {"squared_difference", call2<squared_difference>, {-2, 2}, {-2, 2}},
};

std::vector<Row> all() {
  std::vector<Row> rows;
  for (const auto& f : functions)
    for (auto& row : binary_rows(f.op, f.call, f.x, f.y)) rows.push_back(std::move(row));
  return rows;
}
Input exactly(std::vector<double> values) { return {{static_cast<std::int64_t>(values.size())}, 0, 0, DType::f64, std::move(values)}; }

const bool rows_ = add_rows(all());

const bool more_ = add_rows({
    {.op = "mul", .in = {{{2, 3}}}, .call = [](const Tensors& x) { return x[0] * x[0]; }},
    {.op = "add", .in = {{{2, 3}}}, .call = [](const Tensors& x) { return 1.5 + x[0]; }},
    {.op = "sub", .in = {{{2, 3}}}, .call = [](const Tensors& x) { return 1.5 - x[0]; }},
    {.op = "div", .in = {{{2, 3}, 0.5, 2}}, .call = [](const Tensors& x) { return 1.5 / x[0]; }},
    {.op = "add", .in = {{{3}, -9, 9, DType::i64}, {{3}, -9, 9, DType::i64}}, .call = call2<add>},
    {.op = "sub", .in = {{{3}, -99, 99, DType::i8}, {{3}, -99, 99, DType::i8}}, .call = call2<sub>},
    {.op = "mul", .in = {{{3}, -9, 9, DType::i32}, {{3}, -9, 9, DType::i32}}, .call = call2<mul>},
    {.op = "pow", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return pow(x[0], 3); }},
    {.op = "pow", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return pow(x[0], -2); }, .reason = "x may lie near the pole", .f32 = false},
    {.op = "pow", .in = {{{4}, -3, 3, DType::i32}, {{4}, 0, 3, DType::i32}}, .call = call2<pow>},
    // Away from multiples: the quotient's integer part is constant.
    {.op = "fmod", .in = {exactly({5.3, -5.3, 7.9, 0.4}), exactly({2, 2, -3, 1.5})}, .call = call2<fmod>},
    {.op = "fmod", .in = {{{2, 1}, 4.1, 4.9}, {{3}, 0.81, 0.82}}, .call = call2<fmod>},
    {.op = "remainder", .in = {exactly({5.3, -5.3, 7.9, 0.4}), exactly({2, 2, -3, 1.5})}, .call = call2<remainder>},
    {.op = "remainder", .in = {{{2, 1}, 4.1, 4.9}, {{3}, 0.81, 0.82}}, .call = call2<remainder>},
    {.op = "fmod", .in = {{{5}, -9, 9, DType::i64}, {{5}, -3, 3, DType::i64}}, .call = call2<fmod>},
    {.op = "remainder", .in = {{{5}, -9, 9, DType::i64}, {{5}, -3, 3, DType::i64}}, .call = call2<remainder>},
    {.op = "copysign", .in = {exactly({1.5, -1.5, 0.5, -2}), exactly({-1, 2, 3, -1})}, .call = call2<copysign>},
    {.op = "copysign", .in = {{{3, 1}, 0.2, 2}, {{1, 4}, -2, 2, DType::f64, {}, false}}, .call = call2<copysign>},
    {.op = "ldexp", .in = {{{3}}, {{3}, -3, 3, DType::i32}}, .call = call2<ldexp>},
    {.op = "hypot", .in = {exactly({0, 3, -1}), exactly({2, 0, 0})}, .call = call2<hypot>},  // one leg is 0: no corner
    {.op = "fma", .in = {{{3, 4}}, {{4}}, {{3, 1}}}, .call = call3<fma>},
    {.op = "fma", .in = {{{3, 4}}, {{3, 4}}, {{3, 4}}}, .call = call3<fma>},
    {.op = "fma", .in = {{{}}, {{}}, {{}}}, .call = call3<fma>},
    {.op = "fma", .in = {{{0}}, {{1}}, {{1}}}, .call = call3<fma>},
    {.op = "lerp", .in = {{{3, 4}}, {{4}}, {{3, 1}, 0, 1}}, .call = call3<lerp>},
    {.op = "lerp", .in = {{{4}}, {{4}}, {{4}, 0.6, 1}}, .call = call3<lerp>},
    {.op = "lerp", .in = {{{3}}, {{3}}}, .call = [](const Tensors& x) { return lerp(x[0], x[1], 0.25); }},
    {.op = "addcmul", .in = {{{3, 4}}, {{4}}, {{3, 1}}}, .call = [](const Tensors& x) { return addcmul(x[0], x[1], x[2], 0.5); }},
    {.op = "addcmul", .in = {{{}}, {{2}}, {{2}}}, .call = [](const Tensors& x) { return addcmul(x[0], x[1], x[2]); }},
    {.op = "addcdiv", .in = {{{3, 4}}, {{4}}, {{3, 1}, 0.5, 2}}, .call = [](const Tensors& x) { return addcdiv(x[0], x[1], x[2], 0.5); }},
    {.op = "addcdiv", .in = {{{0}}, {{1}}, {{1}, 1, 2}}, .call = [](const Tensors& x) { return addcdiv(x[0], x[1], x[2]); }},
    {.op = "clamp", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return clamp(x[0], -1, 1); }},
    {.op = "clamp", .in = {{{3, 4}}, {{4}, -1.5, -0.5}, {{3, 1}, 0.5, 1.5}}, .call = call3<clamp>},
    {.op = "clamp", .in = {{{6}}, {{6}, 0.6, 1}, {{6}, -1, 0.5}}, .call = call3<clamp>},  // crossed bounds: high wins
    {.op = "clamp", .in = {{{6}, -9, 9, DType::i32}}, .call = [](const Tensors& x) { return clamp(x[0], -3, 3); }},
});

const bool ties_ = add_rows({
    at_ties("maximum", call2<maximum>, {exactly({1, 2, 0, -0.0, 1e300}), exactly({1, 1, -0.0, 0, 1e300})}),
    at_ties("minimum", call2<minimum>, {exactly({1, 2, 0, -0.0, 1e300}), exactly({1, 1, -0.0, 0, 1e300})}),
    at_ties("clamp", [](const Tensors& x) { return clamp(x[0], -1, 1); }, {exactly({-1, 1, 0, -2, 2})}),
    at_ties("clamp", call3<clamp>, {exactly({1, 1, 1, 2}), exactly({1, 0, 1, 3}), exactly({2, 1, 1, 1})}),
    at_ties("clamp", call3<clamp>, {exactly({1, 2, 1.5}), exactly({2, 2, 2}), exactly({1, 1, 1})}),  // crossed, x on a bound
    at_ties("clamp", call3<clamp>, {exactly({1, 1, 3, kNaN, kNaN}), exactly({kNaN, 0, kNaN, 0, 2}), exactly({2, kNaN, 2, 1, 1})}),
    at_ties("pow", call2<pow>, {exactly({0, 0, 0, 2}), exactly({2, 1, 0, 0})}),
    at_ties("pow", call2<pow>, {exactly({0, 2}), exactly({0.5, 0})}),
    at_ties("pow", call2<pow>, {{{3}, 0, 0, DType::f64, {0, 0, 0}, false}, exactly({-1, 0, 2})}),
    at_ties("pow", [](const Tensors& x) { return pow(x[0], 2); }, {exactly({0, -1, -2, 1})}),
    at_ties("atan2", call2<atan2>, {exactly({0, 0, 1}), exactly({0, 1, 0})}),
    at_ties("pow", call2<pow>, {exactly({0}), exactly({-1})}),
    at_ties("pow", call2<pow>, {exactly({1, 0}), exactly({2, -1})}),
    at_ties("pow", call2<pow>, {exactly({1, 1, 0}), exactly({2, 1, -1})}),
    at_ties("hypot", call2<hypot>, {exactly({0, 0, 3, 1e200}), exactly({0, 2, 4, 1e200})}),
    at_ties("fmod", call2<fmod>, {exactly({4, -4, 6, 0}), exactly({2, 2, -3, 1})}),
    at_ties("remainder", call2<remainder>, {exactly({4, -4, 6, 0}), exactly({2, 2, -3, 1})}),
    at_ties("copysign", call2<copysign>, {exactly({0, -0.0, 1, -1}), exactly({1, -1, 0, -0.0})}),
    at_ties("logaddexp", call2<logaddexp>, {exactly({1, -800, 800}), exactly({1, 800, 800})}),
    at_ties("logaddexp", call2<logaddexp>, {exactly({kInf, kInf, 1}), exactly({kInf, 3, kInf})}),
    at_ties("logaddexp", call2<logaddexp>, {exactly({-kInf, -kInf, 1}), exactly({-kInf, 3, -kInf})}),
    at_ties("xlogy", call2<xlogy>, {exactly({0, 0, 0}), exactly({0, 2, -1})}),
    at_ties("xlog1py", call2<xlog1py>, {exactly({0, 0, 0}), exactly({-1, 2, -3})}),
    at_ties("lerp", call3<lerp>, {exactly({1, 1, 1}), exactly({3, 3, 3}), exactly({0, 0.5, 1})}),
});

const bool bad_ = add_bad_calls({
    {"add", [] { add(zeros({32, 10}), zeros({32, 12})); }, "cannot broadcast f32[32,10] with f32[32,12]: axis 1 is 10 vs 12"},
    {"add", [] { gt(ones({2}), 0) + gt(ones({2}), 0); }, "has no meaning for bool[2]"},
    {"sub", [] { zeros({2}) - zeros({3}); }, "cannot broadcast f32[2] with f32[3]"},
    {"mul", [] { Tensor() * zeros({3}); }, "an operand has no value"},
    {"mul", [] { zeros({3}) * Tensor(); }, "an operand has no value"},
    {"div", [] { zeros({2, 0}) / zeros({3, 2}); }, "cannot broadcast"},
    {"pow", [] { pow(zeros({2, 2}), zeros({3})); }, "cannot broadcast f32[2,2] with f32[3]"},
    {"maximum", [] { maximum(zeros({2}), zeros({3})); }, "cannot broadcast"},
    {"minimum", [] { minimum(gt(ones({2}), 0), gt(ones({2}), 0)); }, "has no meaning for bool"},
    {"clamp", [] { clamp(zeros({2}), 1, -1); }, "the lower bound 1.000000 is not at most the upper one"},
    {"clamp", [] { clamp(zeros({2}), zeros({3}), 1); }, "cannot broadcast"},
    {"fma", [] { fma(zeros({2}), zeros({3}), 1); }, "cannot broadcast"},
    {"lerp", [] { lerp(zeros({2}), zeros({3}), 0.5); }, "cannot broadcast"},
    {"atan2", [] { atan2(zeros({2}), Tensor()); }, "an operand has no value"},
    {"hypot", [] { hypot(zeros({2}), zeros({3})); }, "cannot broadcast"},
    {"addcmul", [] { addcmul(zeros({2}), zeros({3}), zeros({3})); }, "cannot broadcast"},
    {"squared_difference", [] { squared_difference(zeros({2}), zeros({5})); }, "cannot broadcast"},
});

}  // namespace
}  // namespace adjoint::check
