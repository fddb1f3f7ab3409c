// activations.cpp: rows of activations.hpp. Not their rules: src/ops.
#include "check/rows/patterns.hpp"

namespace adjoint::check {
namespace {

struct Function1 {
  const char* op;
  Call call;
  double low, high;
};

const Function1 functions[] = {
    {"relu", call1<relu>, -2, 2},
    {"relu6", call1<relu6>, -3, 9},
    {"relu_squared", call1<relu_squared>, -2, 2},
    {"leaky_relu", [](const Tensors& x) { return leaky_relu(x[0], 0.1); }, -2, 2},
    {"hardtanh", [](const Tensors& x) { return hardtanh(x[0], -0.5, 1); }, -2, 2},
    {"hardsigmoid", call1<hardsigmoid>, -5, 5},
    {"hardswish", call1<hardswish>, -5, 5},
    {"hardshrink", [](const Tensors& x) { return hardshrink(x[0], 0.5); }, -2, 2},
    {"softshrink", [](const Tensors& x) { return softshrink(x[0], 0.5); }, -2, 2},
    {"threshold", [](const Tensors& x) { return threshold(x[0], 0.25, -7); }, -2, 2},
    {"gelu", call1<gelu>, -4, 4},
    {"gelu_erf", call1<gelu_erf>, -4, 4},
    {"gelu_tanh", call1<gelu_tanh>, -4, 4},
    {"quick_gelu", call1<quick_gelu>, -4, 4},
    {"silu", call1<silu>, -6, 6},
    {"mish", call1<mish>, -5, 5},
    {"softplus", [](const Tensors& x) { return softplus(x[0]); }, -6, 6},
    {"softplus", [](const Tensors& x) { return softplus(x[0], 2.5); }, -3, 3},
    {"softsign", call1<softsign>, 0.1, 4},
    {"softsign", call1<softsign>, -4, -0.1},
    {"log_sigmoid", call1<log_sigmoid>, -6, 6},
    {"tanhshrink", call1<tanhshrink>, -3, 3},
    {"elu", [](const Tensors& x) { return elu(x[0], 0.75); }, -3, 3},
    {"selu", call1<selu>, -3, 3},
    {"celu", [](const Tensors& x) { return celu(x[0], 0.75); }, -3, 3},
};

std::vector<Row> all() {
  std::vector<Row> rows;
  for (const auto& f : functions)
    for (auto& row : unary_rows(f.op, f.call, f.low, f.high)) rows.push_back(std::move(row));
  return rows;
}
Input exactly(std::vector<double> values) { return {{static_cast<std::int64_t>(values.size())}, 0, 0, DType::f64, std::move(values)}; }

const bool rows_ = add_rows(all());

const bool more_ = add_rows({
    {.op = "prelu", .in = {{{2, 3, 2}}, {{3, 1}, 0.1, 0.5}}, .call = call2<prelu>},
    {.op = "prelu", .in = {{{4}}, {{}, 0.1, 0.5}}, .call = call2<prelu>},
    {.op = "prelu", .in = {{{0}}, {{1}, 0.1, 0.5}}, .call = call2<prelu>},
    {.op = "relu", .in = {{{5}, -9, 9, DType::i32}}, .call = call1<relu>},
    {.op = "glu", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return glu(x[0]); }},
    {.op = "glu", .in = {{{4, 3}}}, .call = [](const Tensors& x) { return glu(x[0], 0); }},
    {.op = "glu", .in = {{{2, 0}}}, .call = [](const Tensors& x) { return glu(x[0]); }},
    {.op = "swiglu", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return swiglu(x[0]); }},
    {.op = "swiglu", .in = {{{2, 2, 3}}}, .call = [](const Tensors& x) { return swiglu(x[0], 1); }},
    {.op = "geglu", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return geglu(x[0]); }},
    {.op = "geglu", .in = {{{2}}}, .call = [](const Tensors& x) { return geglu(x[0]); }},
    {.op = "reglu", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return reglu(x[0]); }},
    {.op = "reglu", .in = {{{4, 1}}}, .call = [](const Tensors& x) { return reglu(x[0], -2); }},
    {.op = "step", .in = {{{3, 4}}}, .call = call1<step>},
    {.op = "step", .in = {{{}}}, .call = call1<step>},
    {.op = "step", .in = {exactly({0, -0.0, 1, -1})}, .call = call1<step>},
    // Far out: no overflow of a branch that is not taken.
    {.op = "elu", .in = {exactly({800, -700, 1})}, .call = [](const Tensors& x) { return elu(x[0]); }},
    {.op = "celu", .in = {exactly({800, -700, 1})}, .call = [](const Tensors& x) { return celu(x[0]); }},
    {.op = "selu", .in = {exactly({800, -700, 1})}, .call = call1<selu>},
    {.op = "softplus", .in = {exactly({800, -800, 0})}, .call = [](const Tensors& x) { return softplus(x[0]); }},
    {.op = "log_sigmoid", .in = {exactly({800, -800, 0})}, .call = call1<log_sigmoid>},
    {.op = "gelu", .in = {exactly({100, -100, 0})}, .call = call1<gelu>},
    {.op = "mish", .in = {exactly({100, -100, 0})}, .call = call1<mish>},
    {.op = "tanhshrink", .in = {exactly({1e-2, -3e-2, 5e-2})}, .call = call1<tanhshrink>, .reason = "x - tanh(x) loses x^-2 / 3 of its digits: none are left in 16 bits", .f32 = false},
});

const bool ties_ = add_rows({
    at_ties("relu", call1<relu>, {exactly({0, -0.0, 1, -1})}),
    at_ties("relu6", call1<relu6>, {exactly({0, 6, 3, -1, 7})}),
    at_ties("relu_squared", call1<relu_squared>, {exactly({0, 1, -1})}),
    at_ties("leaky_relu", [](const Tensors& x) { return leaky_relu(x[0]); }, {exactly({0, 1, -1})}),
    at_ties("prelu", call2<prelu>, {exactly({0, 1, -1}), exactly({0.5, 0.25, 0.25})}),
    at_ties("hardtanh", [](const Tensors& x) { return hardtanh(x[0]); }, {exactly({-1, 1, 0, 2, -2})}),
    at_ties("hardsigmoid", call1<hardsigmoid>, {exactly({-3, 3, 0, 4, -4})}),
    at_ties("hardswish", call1<hardswish>, {exactly({-3, 3, 0, 4, -4})}),
    at_ties("hardshrink", [](const Tensors& x) { return hardshrink(x[0]); }, {exactly({-0.5, 0.5, 0, 1})}),
    at_ties("softshrink", [](const Tensors& x) { return softshrink(x[0]); }, {exactly({-0.5, 0.5, 0, 1})}),
    at_ties("threshold", [](const Tensors& x) { return threshold(x[0], 0.5, 2); }, {exactly({0.5, 1, 0})}),
    at_ties("softsign", call1<softsign>, {exactly({0, 1, -1})}),
    at_ties("elu", [](const Tensors& x) { return elu(x[0], 0.5); }, {exactly({0, 1, -1})}),
    at_ties("selu", call1<selu>, {exactly({0, 1, -1})}),
    at_ties("celu", [](const Tensors& x) { return celu(x[0], 0.5); }, {exactly({0, 1, -1})}),
    at_ties("reglu", [](const Tensors& x) { return reglu(x[0]); }, {exactly({0, 2, 1, 3})}),
});

const bool bad_ = add_bad_calls({
    {"relu", [] { relu(Tensor()); }, "an operand has no value"},
    {"relu", [] { relu(gt(ones({2}), 0)); }, "has no meaning for bool[2]"},
    {"gelu", [] { gelu(Tensor()); }, "an operand has no value"},
    {"prelu", [] { prelu(zeros({2, 3}), zeros({2})); }, "cannot broadcast"},
    {"hardtanh", [] { hardtanh(zeros({2}), 1, -1); }, "the bounds are 1.000000 and -1.000000"},
    {"hardshrink", [] { hardshrink(zeros({2}), -1); }, "lambda is -1.000000"},
    {"softshrink", [] { softshrink(zeros({2}), -0.5); }, "lambda is -0.500000"},
    {"celu", [] { celu(zeros({2}), 0); }, "alpha is 0.000000"},
    {"softplus", [] { softplus(zeros({2}), 0); }, "beta is 0.000000"},
    {"glu", [] { glu(zeros({2, 3})); }, "axis 1 of f32[2,3] cannot be halved"},
    {"glu", [] { glu(zeros({2, 4}), 2); }, "axis 2 is out of range for rank 2"},
    {"swiglu", [] { swiglu(zeros({})); }, "axis -1 is out of range for rank 0"},
    {"geglu", [] { geglu(zeros({5})); }, "cannot be halved"},
    {"reglu", [] { reglu(zeros({1, 2}), 0); }, "axis 0 of f32[1,2] cannot be halved"},
    {"step", [] { step(Tensor()); }, "an operand has no value"},
});

}  // namespace
}  // namespace adjoint::check
