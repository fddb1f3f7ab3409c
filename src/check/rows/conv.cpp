// conv.cpp: rows of the convolutions. Not their rules: src/ops.
#include "adjoint/grad.hpp"
#include "adjoint/ops.hpp"
#include "check/row.hpp"

namespace adjoint::check {

static const bool plain_ = add_rows({
    {.op = "conv", .in = {{{1, 1, 4, 4}}, {{1, 1, 2, 2}}}, .call = [](const Tensors& x) { return conv2d(x[0], x[1]); }, .reason = "the primitive, through conv2d"},
    {.op = "conv_input_grad", .in = {{{1, 2, 3}}, {{2, 1, 2}}}, .call = [](const Tensors& x) { return conv_transpose1d(x[0], x[1]); },
     .reason = "the primitive, through conv_transpose1d"},
    {.op = "conv", .in = {{{1, 2, 5, 5}}, {{2, 2, 2, 2}}}, .call = [](const Tensors& x) {
       return conv2d(x[0], x[1], {.stride = {2, 1}, .padding = {1, 0}, .dilation = {1, 2}});
     }, .reason = "the primitive, through conv2d"},
    {.op = "conv_input_grad", .in = {{{1, 2, 3, 3}}, {{2, 2, 2, 2}}}, .call = [](const Tensors& x) {
       return conv_transpose2d(x[0], x[1], {.stride = {2, 1}, .padding = {0, 1}, .dilation = {1, 2}});
     }, .reason = "the primitive, through conv_transpose2d"},
    {.op = "conv_weight_grad", .in = {{{2, 1, 5, 5}}, {{2, 1, 2, 2}}}, .call = [](const Tensors& x) {
       const Tensor y = conv2d(x[0], x[1], {.stride = {2, 1}, .padding = {1, 0}}), one = ones_like(y);
       return vjp(y, y * one, x[1]);
     }, .reason = "the gradient of conv by its weight"},
    {.op = "conv_weight_grad", .in = {{{1, 1, 5}}, {{1, 1, 2}}}, .call = [](const Tensors& x) { return conv1d(x[0], x[1] * x[1]); },
     .reason = "reached as a gradient of conv"},
    {.op = "conv1d", .in = {{{2, 3, 7}}, {{4, 3, 3}}, {{4}}}, .call = [](const Tensors& x) { return conv1d(x[0], x[1], x[2], {.stride = {2}, .padding = {1}}); }},
    {.op = "conv1d", .in = {{{3, 5}}, {{2, 3, 2}}}, .call = [](const Tensors& x) { return conv1d(x[0], x[1]); }},
    {.op = "conv2d", .in = {{{2, 3, 5, 4}}, {{4, 3, 3, 2}}, {{4}}}, .call = [](const Tensors& x) { return conv2d(x[0], x[1], x[2]); }},
    {.op = "conv2d", .in = {{{1, 2, 6, 5}}, {{2, 2, 3, 2}}}, .call = [](const Tensors& x) {
       return conv2d(x[0], x[1], {.stride = {2, 1}, .padding = {2, 0}, .padding_end = {0, 1}, .dilation = {1, 2}});
     }},
    {.op = "conv2d", .in = {{{1, 2, 5, 4}}, {{2, 2, 3, 2}}}, .call = [](const Tensors& x) { return conv2d(x[0], x[1], {.stride = {2}, .same = true}); }},
    {.op = "conv2d", .in = {{{1, 4, 3, 3}}, {{6, 2, 1, 1}}}, .call = [](const Tensors& x) { return conv2d(x[0], x[1], {.groups = 2}); }},
    {.op = "conv2d", .in = {{{0, 2, 3, 3}}, {{2, 2, 2, 2}}}, .call = [](const Tensors& x) { return conv2d(x[0], x[1]); }},
    {.op = "conv2d", .in = {{{1, 3, 3, 2}}, {{2, 2, 2, 2}}}, .call = [](const Tensors& x) { return conv2d(permute(x[0], {0, 3, 1, 2}), x[1]); }},
    {.op = "conv3d", .in = {{{1, 2, 3, 4, 3}}, {{2, 2, 2, 2, 2}}, {{2}}}, .call = [](const Tensors& x) { return conv3d(x[0], x[1], x[2], {.padding = {1, 0, 0}}); }},
});

static const bool transposed_ = add_rows({
    {.op = "conv_transpose1d", .in = {{{2, 3, 4}}, {{3, 2, 3}}, {{2}}}, .call = [](const Tensors& x) {
       return conv_transpose1d(x[0], x[1], x[2], {.stride = {2}, .padding = {1}, .output_padding = {1}});
     }},
    {.op = "conv_transpose2d", .in = {{{1, 2, 3, 2}}, {{2, 2, 3, 2}}}, .call = [](const Tensors& x) {
       return conv_transpose2d(x[0], x[1], {.stride = {2, 1}, .padding = {0, 1}, .dilation = {1, 2}});
     }},
    {.op = "conv_transpose2d", .in = {{{1, 4, 2, 2}}, {{4, 1, 2, 2}}}, .call = [](const Tensors& x) { return conv_transpose2d(x[0], x[1], {.groups = 2}); }},
    {.op = "conv_transpose3d", .in = {{{1, 2, 2, 2, 2}}, {{2, 1, 2, 1, 2}}}, .call = [](const Tensors& x) { return conv_transpose3d(x[0], x[1], {.stride = {2}}); }},
});

static const bool special_ = add_rows({
    {.op = "depthwise_conv", .in = {{{2, 3, 4, 4}}, {{6, 1, 2, 2}}}, .call = [](const Tensors& x) { return depthwise_conv(x[0], x[1]); }},
    {.op = "grouped_conv", .in = {{{1, 4, 5}}, {{2, 2, 2}}}, .call = [](const Tensors& x) { return grouped_conv(x[0], x[1], 2); }},
    {.op = "dilated_conv", .in = {{{1, 2, 6}}, {{2, 2, 2}}}, .call = [](const Tensors& x) { return dilated_conv(x[0], x[1], {3}); }},
    {.op = "causal_conv1d", .in = {{{2, 2, 5}}, {{3, 2, 3}}}, .call = [](const Tensors& x) { return causal_conv1d(x[0], x[1], {.dilation = {2}}); }},
    {.op = "im2col", .in = {{{2, 2, 4, 5}}}, .call = [](const Tensors& x) { return im2col(x[0], {2, 3}, {.stride = {2, 1}, .padding = {1, 0}}); }},
    {.op = "im2col", .in = {{{1, 2, 6}}}, .call = [](const Tensors& x) { return im2col(x[0], {2}, {.dilation = {2}}); }},
    {.op = "col2im", .in = {{{2, 12, 9}}}, .call = [](const Tensors& x) { return col2im(x[0], {4, 5}, {2, 3}, {.stride = {2, 1}, .padding = {1, 0}}); }},
});

static const bool bad_ = add_bad_calls({
    {"conv1d", [] { conv1d(zeros({2, 3, 5}), zeros({4, 2, 3})); }, "the input has 3 channels, the weight [4,2,3] expects 2 in each of 1 group"},
    {"conv1d", [] { conv1d(zeros({2, 3, 2}), zeros({4, 3, 3})); }, "a window over 3 elements does not fit spatial axis 0 of size 2"},
    {"conv2d", [] { conv2d(zeros({2, 3}), zeros({4, 3, 1, 1})); }, "the input must have 4 axes, got f32[2,3]"},
    {"conv2d", [] { conv2d(zeros({1, 3, 4, 4}), zeros({4, 3, 3})); }, "the weight must have 4 axes, got f32[4,3,3]"},
    {"conv2d", [] { conv2d(zeros({1, 3, 4, 4}), zeros({4, 3, 1, 1}), {.stride = {0}}); }, "stride [0] is out of range"},
    {"conv2d", [] { conv2d(zeros({1, 3, 4, 4}), zeros({4, 3, 1, 1}), {.stride = {1, 1, 1}}); }, "stride [1,1,1] does not fit 2 spatial axes"},
    {"conv2d", [] { conv2d(zeros({1, 4, 4, 4}), zeros({3, 2, 1, 1}), {.groups = 2}); }, "2 groups do not divide 3 output channels"},
    {"conv2d", [] { conv2d(zeros({1, 3, 4, 4}), zeros({4, 3, 1, 1}), {.padding = {1}, .same = true}); }, "both same and padding are given"},
    {"conv2d", [] { conv2d(zeros({1, 3, 4, 4}), zeros({4, 3, 1, 1}), zeros({3})); }, "the bias is f32[3], expected [4]"},
    {"conv2d", [] { conv2d(zeros({1, 3, 4, 4}), zeros({4, 3, 0, 1})); }, "has no elements"},
    {"conv3d", [] { conv3d(zeros({1, 1, 2, 2, 2}), zeros({1, 1, 1, 1, 1}), {.dilation = {-1}}); }, "dilation [-1] is out of range"},
    {"conv_transpose1d", [] { conv_transpose1d(zeros({1, 2, 3}), zeros({3, 1, 2})); }, "the input has 2 channels, the weight [3,1,2] expects 3"},
    {"conv_transpose2d", [] { conv_transpose2d(zeros({1, 2, 3, 3}), zeros({2, 1, 2, 2}), {.output_padding = {1}}); }, "output_padding [1,1] must be smaller"},
    {"conv_transpose3d", [] { conv_transpose3d(zeros({1, 1, 1, 1, 1}), zeros({1, 1, 1, 1, 1}), {.padding = {1}}); }, "the result would have size -1"},
    {"depthwise_conv", [] { depthwise_conv(zeros({1, 2, 4, 4}), zeros({2, 2, 1, 1})); }, "the weight must be [channels * m, 1, taps..]"},
    {"grouped_conv", [] { grouped_conv(zeros({1, 4, 5}), zeros({2, 2, 2}), 0); }, "in each of 0 groups"},
    {"dilated_conv", [] { dilated_conv(zeros({1, 2, 3}), zeros({2, 2, 2}), {3}); }, "a window over 4 elements does not fit"},
    {"causal_conv1d", [] { causal_conv1d(zeros({1, 2, 3}), zeros({2, 2, 2}), {.padding = {1}}); }, "padding is fixed by the taps"},
    {"im2col", [] { im2col(zeros({1, 2, 3}), {2, 2}); }, "windows of [2,2] do not fit f32[1,2,3]"},
    {"im2col", [] { im2col(zeros({1, 2, 3}), {0}); }, "has no taps"},
    {"col2im", [] { col2im(zeros({1, 4, 3}), {4}, {3}); }, "do not hold 2 windows of [3] over [4]"},
});

}  // namespace adjoint::check
