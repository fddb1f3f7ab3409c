// functions.cpp: rows of the functions of one operand in math.hpp, and of abs, neg. Not their rules: src/ops.
#include "check/rows/patterns.hpp"

namespace adjoint::check {
namespace {

struct Function1 {
  const char* op;
  Call call;
  double low, high;
};

// The ranges stay clear of poles, where every condition number is infinite.
const Function1 functions[] = {
    {"neg", call1<neg>, -2, 2},
    {"abs", call1<abs>, 0.1, 2},
    {"abs", call1<abs>, -2, -0.1},
    {"square", call1<square>, -2, 2},
    {"sqrt", call1<sqrt>, 0.1, 4},
    {"rsqrt", call1<rsqrt>, 0.2, 4},
    {"cbrt", call1<cbrt>, 0.2, 4},
    {"cbrt", call1<cbrt>, -4, -0.2},
    {"reciprocal", call1<reciprocal>, 0.3, 3},
    {"exp", call1<exp>, -5, 5},
    {"exp2", call1<exp2>, -5, 5},
    {"expm1", call1<expm1>, -3, 3},
    {"expm1", call1<expm1>, -12, -8},
    {"log", call1<log>, 0.1, 5},
    {"log2", call1<log2>, 0.1, 5},
    {"log10", call1<log10>, 0.1, 5},
    {"log1p", call1<log1p>, -0.9, 4},
    {"log1p", call1<log1p>, -1e-6, 1e-6},
    {"sin", call1<sin>, -6, 6},
    {"cos", call1<cos>, -6, 6},
    {"tan", call1<tan>, -1.3, 1.3},
    {"asin", call1<asin>, -0.9, 0.9},
    {"acos", call1<acos>, -0.9, 0.9},
    {"atan", call1<atan>, -5, 5},
    {"sinc", call1<sinc>, -2, 2},
    {"sinc", call1<sinc>, -1e-3, 1e-3},
    {"sinh", call1<sinh>, -4, 4},
    {"cosh", call1<cosh>, -4, 4},
    {"tanh", call1<tanh>, -1.2, 1.2},  // the derivative has the result's absolute digits: see below
    {"asinh", call1<asinh>, -5, 5},
    {"acosh", call1<acosh>, 1.1, 5},
    {"atanh", call1<atanh>, -0.9, 0.9},
    {"sigmoid", call1<sigmoid>, -3, 3},
    {"logit", call1<logit>, 0.05, 0.95},
    {"erf", call1<erf>, -3, 3},
    {"erfc", call1<erfc>, -3, 3},
    {"erfinv", call1<erfinv>, -0.9, 0.9},
};

std::vector<Row> all() {
  std::vector<Row> rows;
  for (const auto& f : functions)
    for (auto& row : unary_rows(f.op, f.call, f.low, f.high)) rows.push_back(std::move(row));
  return rows;
}

const bool rows_ = add_rows(all());
const bool special_ = add_rows({
    // Both sides of the place where the series of sinc ends, and 0.
    {.op = "sinc", .in = {{{5}, 0, 0, DType::f64, {0, 0.3183, -0.3184, 1e-9, 1}}}, .call = call1<sinc>, .reason = "sin(pi x) at x = 1 is the rounding of pi", .f32 = false},
    {.op = "tanh", .in = {{{30}, -8, 8}}, .call = call1<tanh>},
    {.op = "sigmoid", .in = {{{30}, -12, 12}}, .call = call1<sigmoid>},
    {.op = "abs", .in = {{{3}, 0, 0, DType::f64, {0, -0.0, 1}}}, .call = call1<abs>, .kink = true},
    {.op = "sqrt", .in = {{{2}, 0, 0, DType::f64, {0, 1}}}, .call = call1<sqrt>, .kink = true},
    {.op = "cbrt", .in = {{{2}, 0, 0, DType::f64, {0, -1}}}, .call = call1<cbrt>, .kink = true},
    {.op = "log", .in = {{{3}, 0, 0, DType::f64, {1e-300, 1, 1e300}}}, .call = call1<log>, .reason = "beyond the range of f32, and too near to 0 for differences", .kink = true, .f32 = false},
    {.op = "exp", .in = {{{3}, 0, 0, DType::f64, {-700, 0, 700}}}, .call = call1<exp>, .reason = "beyond the range of f32", .f32 = false},
    {.op = "asinh", .in = {{{2}, 0, 0, DType::f64, {1e200, -1e200}}}, .call = call1<asinh>, .reason = "beyond the range of f32; the second derivative underflows", .kink = true, .f32 = false},
    {.op = "acosh", .in = {{{2}, 0, 0, DType::f64, {1e200, 3}}}, .call = call1<acosh>, .reason = "beyond the range of f32", .f32 = false},
    {.op = "sigmoid", .in = {{{5}, 0, 0, DType::f64, {-750, -40, 0, 40, 750}}}, .call = call1<sigmoid>, .reason = "saturated: first order only, since y (1 - y) has lost its digits there", .kink = true, .f32 = false},
    {.op = "tanh", .in = {{{4}, 0, 0, DType::f64, {-400, -1e-9, 0, 400}}}, .call = call1<tanh>, .reason = "the second derivative near 0 has the digits of 1 only", .kink = true},
    // Integers: as they are where the function stays among them, else in f32.
    {.op = "abs", .in = {{{4}, -9, 9, DType::i64}}, .call = call1<abs>},
    {.op = "neg", .in = {{{4}, -9, 9, DType::i8}}, .call = call1<neg>},
    {.op = "square", .in = {{{4}, -9, 9, DType::i32}}, .call = call1<square>},
    {.op = "sin", .in = {{{4}, -9, 9, DType::i32}}, .call = call1<sin>, .condition = 1e6, .reason = "computed in f32"},
    {.op = "sqrt", .in = {{{4}, 0, 9, DType::u8}}, .call = call1<sqrt>, .condition = 1e6, .reason = "computed in f32"},
});

const bool bad_ = add_bad_calls({
    {"neg", [] { neg(Tensor()); }, "an operand has no value"},
    {"neg", [] { neg(gt(ones({2}), 0)); }, "has no meaning for bool[2]"},
    {"abs", [] { abs(gt(ones({2}), 0)); }, "has no meaning for bool[2]"},
    {"square", [] { square(Tensor()); }, "an operand has no value"},
    {"sin", [] { sin(Tensor()); }, "an operand has no value"},
    {"exp", [] { exp(Tensor()); }, "an operand has no value"},
    {"log", [] { log(Tensor()); }, "an operand has no value"},
    {"sinc", [] { sinc(Tensor()); }, "an operand has no value"},
    {"tanh", [] { tanh(Tensor()); }, "an operand has no value"},
    {"erfinv", [] { erfinv(Tensor()); }, "an operand has no value"},
    {"logit", [] { logit(Tensor()); }, "an operand has no value"},
});

}  // namespace
}  // namespace adjoint::check
