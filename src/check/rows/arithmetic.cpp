// arithmetic.cpp: rows of add, sub, mul, div, neg. Not their rules: src/ops/arithmetic.cpp.
#include "adjoint/ops.hpp"
#include "check/row.hpp"

namespace adjoint::check {

static const bool rows_ = add_rows({
    {.op = "add", .in = {{{4, 5}}, {{5}}}, .call = [](const Tensors& x) { return x[0] + x[1]; }},
    {.op = "sub", .in = {{{4, 1}}, {{4, 5}}}, .call = [](const Tensors& x) { return x[0] - x[1]; }},
    {.op = "mul", .in = {{{3, 4}}, {{3, 4}}}, .call = [](const Tensors& x) { return x[0] * x[1]; }},
    {.op = "mul", .in = {{{2, 3}}}, .call = [](const Tensors& x) { return x[0] * x[0]; }},
    {.op = "div", .in = {{{3, 4}}, {{4}, 0.5, 2}}, .call = [](const Tensors& x) { return x[0] / x[1]; }},
    {.op = "neg", .in = {{{7}}}, .call = [](const Tensors& x) { return -x[0]; }},
});

static const bool bad_ = add_bad_calls({
    {"add", [] { add(zeros({32, 10}), zeros({32, 12})); }, "cannot broadcast f32[32,10] with f32[32,12]: axis 1 is 10 vs 12"},
    {"neg", [] { neg(Tensor()); }, "an operand has no value"},
});

}  // namespace adjoint::check
