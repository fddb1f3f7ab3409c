// control.cpp: rows of the operations that change or mark gradients. Those that by intention give another gradient than their
// value has are rows with a fixed meaning in tests/transform. Not their rules: src/ops/control.cpp.
#include "adjoint/custom.hpp"
#include "adjoint/ops.hpp"
#include "check/row.hpp"

namespace adjoint::check {

static const std::string kNotTheValues = "its gradient is not that of its value, by intention: no finite differences";

static Tensor cube_backward(const Tensor& x) {
  return custom_vjp({.name = "cube",
                     .forward = [](const Tensors& in) { return in[0] * in[0] * in[0]; },
                     .backward = [](const Tensors& in, const Tensor&, const Tensor& ct) -> Tensors { return {3.0 * square(in[0]) * ct}; }},
                    {x});
}
static Tensor cube_forward(const Tensor& x) {
  return custom_jvp({.name = "cube",
                     .forward = [](const Tensors& in) { return in[0] * in[0] * in[0]; },
                     .tangent = [](const Tensors& in, const Tensor&, const Tensors& dot) { return 3.0 * square(in[0]) * dot[0]; }},
                    {x});
}

static const bool rows_ = add_rows({
    {.op = "straight_through", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return straight_through(round(x[0]), x[0]); }, .reason = kNotTheValues, .kink = true},
    {.op = "scale_gradient", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return scale_gradient(x[0], 0.5); }, .reason = kNotTheValues, .kink = true},
    {.op = "reverse_gradient", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return reverse_gradient(x[0]); }, .reason = kNotTheValues, .kink = true},
    {.op = "clip_gradient", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return clip_gradient(x[0], 0.25); }, .reason = kNotTheValues, .kink = true, .linear_in_ct = false},
    {.op = "name_value", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return name_value(x[0] * x[0], "squares"); }},
    {.op = "identity_barrier", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return identity_barrier(x[0]) * x[0]; }},
    {.op = "checkpoint", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return checkpoint([](const Tensors& in) { return exp(in[0]) * in[0]; }, x); }},
    {.op = "custom_vjp", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return cube_backward(x[0]); }, .reason = "backward only: no forward mode", .one_mode = true},
    {.op = "custom_jvp", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return cube_forward(x[0]); }},
    {.op = "probe", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return probe(x[0] * x[0], [](const Tensor&) {}); }},
});

static const bool bad_ = add_bad_calls({
    {"straight_through", [] { straight_through(zeros({2}), zeros({3})); }, "operands differ: f32[2] and f32[3]"},
    {"scale_gradient", [] { scale_gradient(zeros({2}, DType::i32), 2); }, "has no gradient"},
    {"reverse_gradient", [] { reverse_gradient(Tensor()); }, "an operand has no value"},
    {"clip_gradient", [] { clip_gradient(zeros({2}), -1); }, "a limit of -1"},
    {"clip_gradient", [] { clip_gradient(zeros({2}, DType::i32), 1); }, "needs a floating element type"},
    {"name_value", [] { name_value(Tensor(), "x"); }, "an operand has no value"},
    {"identity_barrier", [] { identity_barrier(Tensor()); }, "an operand has no value"},
    {"checkpoint", [] { checkpoint({}, {}); }, "no region was given"},
    {"custom_vjp", [] { custom_vjp({.name = "half"}, {zeros({2})}); }, "the rule of half is not complete"},
    {"custom_jvp", [] { custom_jvp({.name = "half"}, {zeros({2})}); }, "the rule of half is not complete"},
    {"probe", [] { probe(zeros({2}), {}); }, "no function was given"},
});

}  // namespace adjoint::check
