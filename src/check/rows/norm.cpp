// norm.cpp: rows of the normalisations. Not their rules: src/ops/normalize.cpp and its neighbours.
#include "adjoint/ops.hpp"
#include "check/row.hpp"

namespace adjoint::check {

static const char* const kPairs = "two elements a group: their normalised values are +-1 but for eps / variance, in which all derivatives lie; in f32 the gradient is off by 6,691 epsilons";

static const bool rows_ = add_rows({
    {.op = "layer_norm", .in = {{{4, 9}}, {{9}}, {{9}}}, .call = [](const Tensors& x) { return layer_norm(x[0], {.weight = x[1], .bias = x[2]}); }},
    {.op = "layer_norm", .in = {{{2, 3, 4}}, {{3, 4}}}, .call = [](const Tensors& x) { return layer_norm(x[0], {.weight = x[1], .axes = 2}); }},
    {.op = "layer_norm", .in = {{{3, 1}}}, .call = [](const Tensors& x) { return layer_norm(x[0]); }},
    {.op = "layer_norm", .in = {{{0, 5}}}, .call = [](const Tensors& x) { return layer_norm(x[0]); }},
    {.op = "layer_norm", .in = {{{2, 4}, 0, 0, DType::f64, {3, 3, 3, 3, 1, 2, 3, 4}}}, .call = [](const Tensors& x) { return layer_norm(x[0], {.eps = 0}); },
     .reason = "a row without variance is 0 by definition, and so is its gradient", .kink = true},
    {.op = "centre", .in = {{{4, 6}}}, .call = [](const Tensors& x) { return layer_norm(x[0], {.eps = 1}); }, .reason = "reached through layer_norm"},
    {.op = "inverse_deviation", .in = {{{4, 6}}}, .call = [](const Tensors& x) { return layer_norm(x[0], {.eps = 1e-3}); }, .reason = "reached through layer_norm"},
    {.op = "normalize", .in = {{{4, 4}}}, .call = [](const Tensors& x) { return layer_norm(x[0]); }},
    {.op = "normalize", .in = {{{5, 3}}}, .call = [](const Tensors& x) { return layer_norm(transpose(x[0])); }},
    {.op = "rms_norm", .in = {{{4, 9}}, {{9}}}, .call = [](const Tensors& x) { return rms_norm(x[0], {.weight = x[1]}); }},
    {.op = "rms_norm", .in = {{{2, 3, 4}}}, .call = [](const Tensors& x) { return rms_norm(x[0], {.axes = 2}); }},
    {.op = "rms_normalize", .in = {{{4, 4}}}, .call = [](const Tensors& x) { return rms_norm(x[0]); }},
    {.op = "rms_normalize", .in = {{{3, 1}}}, .call = [](const Tensors& x) { return rms_norm(x[0]); }},
    {.op = "inverse_rms", .in = {{{3, 8}}}, .call = [](const Tensors& x) { return rms_norm(x[0], {.eps = 0.5}); }, .reason = "reached through rms_norm"},
    {.op = "group_norm", .in = {{{2, 4, 3}}, {{4}}, {{4}}}, .call = [](const Tensors& x) { return group_norm(x[0], 2, {.weight = x[1], .bias = x[2]}); }},
    {.op = "group_norm", .in = {{{3, 6}}}, .call = [](const Tensors& x) { return group_norm(x[0], 3); }, .condition = 2, .reason = kPairs, .f32 = false},
    {.op = "instance_norm", .in = {{{2, 3, 2, 3}}, {{3}}, {{3}}}, .call = [](const Tensors& x) { return instance_norm(x[0], {.weight = x[1], .bias = x[2]}); }},
    {.op = "batch_norm", .in = {{{5, 3, 4}}, {{3}}, {{3}}},
     .call = [](const Tensors& x) { return batch_norm(x[0], zeros({3}, DType::f64), ones({3}, DType::f64), {.weight = x[1], .bias = x[2]}).y; }},
    {.op = "batch_norm", .in = {{{5, 3}}, {{3}}, {{3}}, {{3}, 0.5, 2}},
     .call = [](const Tensors& x) { return batch_norm(x[0], x[2], x[3], {.weight = x[1], .training = false}).y; }},
    {.op = "batch_norm", .in = {{{4, 3}, -2, 2, DType::f64, {}, false}, {{3}}, {{3}, 0.5, 2}},
     .call = [](const Tensors& x) {
       const auto r = batch_norm(x[0], x[1], x[2]);
       return concat({r.running_mean, r.running_var});
     }},
    {.op = "local_response_norm", .in = {{{2, 5, 3}}}, .call = [](const Tensors& x) { return local_response_norm(x[0], 3, {.alpha = 0.3}); }},
    {.op = "local_response_norm", .in = {{{1, 2}}}, .call = [](const Tensors& x) { return local_response_norm(x[0], 6, {.alpha = 0.3, .k = 2}); }},
    {.op = "weight_norm", .in = {{{4, 3, 2}}, {{4}}}, .call = [](const Tensors& x) { return weight_norm(x[0], x[1]); }},
    {.op = "weight_norm", .in = {{{4, 3}}, {{3}}}, .call = [](const Tensors& x) { return weight_norm(x[0], x[1], 1); }},
    {.op = "weight_norm", .in = {{{2, 2}, 0, 0, DType::f64, {0, 0, 1, 2}}, {{2}}}, .call = [](const Tensors& x) { return weight_norm(x[0], x[1]); },
     .reason = "a slice of norm 0 is 0 by definition, and so is its gradient", .kink = true},
    {.op = "spectral_norm", .in = {{{4, 3}}, {{4}, -2, 2, DType::f64, {}, false}},
     .call = [](const Tensors& x) { return spectral_norm(x[0], x[1], 0).weight; },
     .reason = "the singular vectors are constants of the rule, which the reference cannot see in second order", .kink = true},
    {.op = "l2_normalize", .in = {{{4, 5}}}, .call = [](const Tensors& x) { return l2_normalize(x[0]); }},
    {.op = "l2_normalize", .in = {{{4, 5}}}, .call = [](const Tensors& x) { return l2_normalize(x[0], 0); }},
    {.op = "l2_normalize", .in = {{{2, 3}, 0, 0, DType::f64, {0, 0, 0, 3, 0, 4}}}, .call = [](const Tensors& x) { return l2_normalize(x[0], -1, 0.5); }},
});

static const bool bad_ = add_bad_calls({
    {"layer_norm", [] { layer_norm(zeros({2, 3}), {.weight = ones({2})}); }, "the weight is f32[2], needs the shape [3]"},
    {"layer_norm", [] { layer_norm(zeros({2, 3}), {.axes = 3}); }, "3 normalised axes of f32[2,3]"},
    {"layer_norm", [] { layer_norm(zeros({2, 3}), {.eps = -1}); }, "eps is -1"},
    {"layer_norm", [] { layer_norm(zeros({2, 3}, DType::i32)); }, "needs a floating element type"},
    {"rms_norm", [] { rms_norm(zeros({}), {}); }, "1 normalised axes of f32[]"},
    {"rms_norm", [] { rms_norm(zeros({2, 3}), {.weight = ones({4})}); }, "needs the shape [3]"},
    {"group_norm", [] { group_norm(zeros({2, 5, 3}), 2); }, "5 channels do not divide into 2 groups"},
    {"group_norm", [] { group_norm(zeros({5}), 1); }, "needs [n, channels, ..]"},
    {"instance_norm", [] { instance_norm(zeros({5})); }, "needs [n, channels, ..]"},
    {"instance_norm", [] { instance_norm(zeros({2, 3, 4}), {.weight = ones({4})}); }, "the weight is f32[4], needs the shape [3]"},
    {"batch_norm", [] { batch_norm(zeros({1, 3}), zeros({3}), ones({3})); }, "a batch of 1 values a channel has no variance"},
    {"batch_norm", [] { batch_norm(zeros({4, 3}), zeros({4}), ones({3})); }, "running_mean is f32[4], needs the shape [3]"},
    {"batch_norm", [] { batch_norm(zeros({4, 3}), Tensor(), ones({3})); }, "the running statistics have no value"},
    {"local_response_norm", [] { local_response_norm(zeros({2, 3}), 0); }, "a window of 0 channels"},
    {"weight_norm", [] { weight_norm(zeros({2, 3}), ones({3})); }, "g is f32[3] for axis 0 of f32[2,3]"},
    {"spectral_norm", [] { spectral_norm(zeros({2, 3}), ones({3})); }, "u is f32[3] for a weight f32[2,3]"},
    {"spectral_norm", [] { spectral_norm(zeros({2}), ones({2})); }, "needs a matrix"},
    {"l2_normalize", [] { l2_normalize(zeros({2, 3}), 2); }, "axis 2 is out of range for rank 2"},
});

}  // namespace adjoint::check
