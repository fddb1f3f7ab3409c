// branches.cpp: rows of choices and bounded repetitions. Not their rules: src/transform/branches.cpp.
#include "adjoint/branches.hpp"
#include "adjoint/ops.hpp"
#include "check/row.hpp"

namespace adjoint::check {
namespace {

Input number(double value, DType dtype = DType::i64) { return {.shape = {}, .dtype = dtype, .exact = {value}, .differentiable = false}; }

Tensor chosen(const Tensors& x) {
  return choose<Tensor>(x[0], {[&] { return x[1] * x[1]; }, [&] { return matmul(x[1], x[2]); }, [&] { return sin(x[2]) * 2.0; }});
}
Tensor halved(const Tensors& x) {
  return while_bounded([](const Tensor& y) { return gt(sum(y * y), 0.5); }, [&](const Tensor& y) { return y * 0.5 + x[1] * 0.1; }, x[0], 12);
}

const bool rows_ = add_rows({
    {.op = "switch", .in = {number(0), {{2, 2}}, {{2, 2}}}, .call = chosen},
    {.op = "switch", .in = {number(1, DType::i32), {{2, 2}}, {{2, 2}}}, .call = chosen},
    {.op = "switch", .in = {number(7), {{2, 2}}, {{2, 2}}}, .call = chosen},
    {.op = "cond", .in = {number(1, DType::bool_), {{3}}, {{3}}}, .call = [](const Tensors& x) { return cond(x[0], [&] { return x[1] * x[2]; }, [&] { return exp(x[2]); }); }},
    {.op = "cond", .in = {number(0, DType::bool_), {{3}}, {{3}}}, .call = [](const Tensors& x) { return cond(x[0], [&] { return x[1] * x[2]; }, [&] { return exp(x[2]); }); }},
    {.op = "while_bounded", .in = {{.shape = {3}, .exact = {1.5, -1.25, 0.75}}, {.shape = {3}, .exact = {0.5, 0.25, -0.5}}}, .call = halved},
});

const bool bad_ = add_bad_calls({
    {"switch", [] { choose<Tensor>(zeros({2}, DType::i64), {[] { return zeros({}); }}); }, "the choice is i64[2]"},
    {"switch", [] { choose<Tensor>(scalar_i64(0), {}); }, "no branch was given"},
    {"switch", [] { choose<Tensor>(scalar_i64(0), {[] { return zeros({2}); }, [] { return zeros({3}); }}); }, "result 0 is f32[2] from the first branch and f32[3] from another"},
    {"cond", [] { cond(Tensor(), [] { return zeros({2}); }, [] { return zeros({2}); }); }, "an operand has no value"},
    {"cond", [] { cond(scalar(1), [] { return zeros({2}); }, [] { return zeros({2}, DType::f64); }); }, "result 0 is f64[2] from the first branch and f32[2] from another"},
    {"while_bounded", [] { while_bounded([](const Tensor& x) { return lt(x, 3.0); }, [](const Tensor& x) { return x + 1.0; }, scalar(0), -1); }, "neither a sequence nor a length"},
});

}  // namespace
}  // namespace adjoint::check
