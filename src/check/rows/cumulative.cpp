// cumulative.cpp: rows of cumulative reductions and differences. Not their rules: src/transform/cumulative.cpp.
#include "adjoint/ops.hpp"
#include "adjoint/scan.hpp"
#include "check/row.hpp"

namespace adjoint::check {
namespace {

using Cumulative = Tensor (*)(const Arg&, int, CumulativeOptions);
template <Cumulative f> std::vector<Row> rows_of(const char* op, double low, double high) {
  return {{.op = op, .in = {{{4, 3}, low, high}}, .call = [](const Tensors& x) { return f(x[0], 0, {}); }},
          {.op = op, .in = {{{2, 3, 2}, low, high}}, .call = [](const Tensors& x) { return f(x[0], -2, {.reverse = true}); }},
          {.op = op, .in = {{{1, 2}, low, high}}, .call = [](const Tensors& x) { return f(x[0], 0, {}); }, .reason = "one element is its own result: no node is made"},
          {.op = op, .in = {{{3, 0}, low, high}}, .call = [](const Tensors& x) { return f(x[0], 1, {}); }, .reason = "nothing is joined: no node is made"}};
}

const bool rows_ = add_rows(rows_of<cumsum>("cumsum", -2, 2)) && add_rows(rows_of<cumprod>("cumprod", -2, 2)) && add_rows(rows_of<cummax>("cummax", -2, 2)) &&
                   add_rows(rows_of<cummin>("cummin", -2, 2)) && add_rows(rows_of<logcumsumexp>("logcumsumexp", -3, 3));
const bool more_ = add_rows({
    {.op = "cumprod", .in = {{.shape = {5, 2}, .exact = {2, -1, 0, 3, 0.5, 0, 0, 1, 4, 2}}}, .call = [](const Tensors& x) { return cumprod(x[0]); }},  // with zeros
    {.op = "cummax", .in = {{.shape = {6}, .exact = {1, 1, 0, 2, 2, -1}}}, .call = [](const Tensors& x) { return cummax(x[0]); }, .kink = true},
    {.op = "logcumsumexp", .in = {{{4}, 800, 803}}, .call = [](const Tensors& x) { return logcumsumexp(x[0]); }, .reason = "16-bit floats do not tell such numbers apart", .f32 = false},
    {.op = "diff", .in = {{{4, 3}}}, .call = [](const Tensors& x) { return diff(x[0]); }},
    {.op = "diff", .in = {{{2, 1, 2}}}, .call = [](const Tensors& x) { return diff(x[0], 1); }},
    {.op = "map_over", .in = {{{3, 2}}, {{2, 2}}}, .call = [](const Tensors& x) { return map_over([&](const Tensor& row) { return sin(mv(x[1], row)); }, x[0]); }},
});

const bool bad_ = add_bad_calls({
    {"cumsum", [] { cumsum(scalar(1)); }, "a scalar has no axis"},
    {"cumprod", [] { cumprod(zeros({2}), 1); }, "axis 1 is out of range"},
    {"cummax", [] { cummax(zeros({2}, DType::bool_)); }, "does not take bool"},
    {"cummin", [] { cummin(Tensor()); }, "an operand has no value"},
    {"logcumsumexp", [] { logcumsumexp(zeros({2}), -2); }, "axis -2 is out of range"},
    {"diff", [] { diff(zeros({2}, DType::bool_)); }, "does not take bool"},
    {"map_over", [] { map_over([](const Tensor& x) { return x; }, scalar(1)); }, "is a scalar"},
});

}  // namespace
}  // namespace adjoint::check
