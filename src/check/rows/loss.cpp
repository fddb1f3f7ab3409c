// loss.cpp: rows of the losses. Not their rules: src/ops/cross_entropy.cpp, losses.cpp, class_losses.cpp.
#include "adjoint/ops.hpp"
#include "check/row.hpp"

namespace adjoint::check {

static const Input kTargets{{4}, 0, 6, DType::i64, {2, 0, 6, 2}, false};
static const Input kSome{{4}, 0, 6, DType::i32, {2, -1, 6, -1}, false};
static const Input kSigns{{3, 4}, -1, 1, DType::f64, {1, -1, -1, 1, 1}, false};
constexpr auto kSum = LossReduction::sum, kNone = LossReduction::none;

static const char* const kSaturated = "saturated: first order only, since second derivatives lie below the rounding of the first; those are held from 800 to 803";

static const bool far_ = add_rows({
    {.op = "cross_entropy", .in = {{{4, 7}, -900, 900}, kTargets}, .call = [](const Tensors& x) { return cross_entropy(x[0], x[1]); },
     .reason = kSaturated, .kink = true, .f32 = false},
    {.op = "cross_entropy", .in = {{{4, 7}, -900, 900}, kTargets}, .call = [](const Tensors& x) { return cross_entropy(x[0], x[1], {.label_smoothing = 0.1}); },
     .reason = kSaturated, .kink = true, .f32 = false},
    {.op = "cross_entropy", .in = {{{4, 7}, -900, 900}, kSome}, .call = [](const Tensors& x) { return cross_entropy(x[0], x[1], {.ignore_index = -1}); },
     .reason = kSaturated, .kink = true, .f32 = false},
    {.op = "cross_entropy", .in = {{{4, 7}, -900, 900}, kTargets, {{7}, 0.5, 2}}, .call = [](const Tensors& x) { return cross_entropy(x[0], x[1], {.weight = x[2]}); },
     .reason = kSaturated, .kink = true, .f32 = false},
    {.op = "cross_entropy", .in = {{{4, 7}, -900, 900}, kSome, {{7}, 0.5, 2}}, .call = [](const Tensors& x) { return cross_entropy(x[0], x[1], {.ignore_index = -1, .weight = x[2]}); },
     .reason = kSaturated, .kink = true, .f32 = false},
    {.op = "cross_entropy", .in = {{{4, 7}, -900, 900}, kSome, {{7}, 0.5, 2}}, .call = [](const Tensors& x) { return cross_entropy(x[0], x[1], {.label_smoothing = 0.2, .ignore_index = -1, .weight = x[2]}); },
     .reason = kSaturated, .kink = true, .f32 = false},
    {.op = "cross_entropy", .in = {{{4, 7}, 800, 803}, kTargets}, .call = [](const Tensors& x) { return cross_entropy(x[0], x[1]); }},
    {.op = "cross_entropy", .in = {{{4, 7}, 800, 803}, kTargets}, .call = [](const Tensors& x) { return cross_entropy(x[0], x[1], {.label_smoothing = 0.1}); }},
    {.op = "soft_cross_entropy", .in = {{{4, 7}, 800, 803}, {{4, 7}, 0.1, 1}}, .call = [](const Tensors& x) { return soft_cross_entropy(x[0], x[1]); }},
    {.op = "soft_cross_entropy", .in = {{{4, 4}, -900, 900}, {{4, 4}, 0.1, 1}}, .call = [](const Tensors& x) { return soft_cross_entropy(x[0], x[1]); },
     .reason = kSaturated, .kink = true, .f32 = false},
});

static const bool rows_ = add_rows({
    {.op = "cross_entropy", .in = {{{4, 7}}, kTargets}, .call = [](const Tensors& x) { return cross_entropy(x[0], x[1]); }},
    {.op = "cross_entropy", .in = {{{4, 7}}, kTargets}, .call = [](const Tensors& x) { return cross_entropy(x[0], x[1], {.reduction = kNone}); }},
    {.op = "cross_entropy", .in = {{{4, 4}}, {{4}, 0, 3, DType::i64, {2, 0, 3, 2}, false}}, .call = [](const Tensors& x) { return cross_entropy(x[0], x[1], {.reduction = kSum}); }},
    {.op = "cross_entropy", .in = {{{7, 4}}, kTargets}, .call = [](const Tensors& x) { return cross_entropy(x[0], x[1], {.axis = 0}); }},
    {.op = "cross_entropy", .in = {{{4, 7}}, kTargets}, .call = [](const Tensors& x) { return cross_entropy(x[0], x[1], {.label_smoothing = 0.1}); }},
    {.op = "cross_entropy", .in = {{{4, 7}}, kSome}, .call = [](const Tensors& x) { return cross_entropy(x[0], x[1], {.ignore_index = -1}); }},
    {.op = "cross_entropy", .in = {{{4, 7}}, kSome, {{7}, 0.5, 2}},
     .call = [](const Tensors& x) { return cross_entropy(x[0], x[1], {.ignore_index = -1, .weight = x[2]}); }},
    {.op = "cross_entropy", .in = {{{4, 7}}, kSome, {{7}, 0.5, 2}},
     .call = [](const Tensors& x) { return cross_entropy(x[0], x[1], {.label_smoothing = 0.2, .ignore_index = -1, .weight = x[2]}); }},
    {.op = "cross_entropy", .in = {{{2, 3, 2}}, {{2, 2}, 0, 2, DType::i64, {0, 2, 1, 1}, false}}, .call = [](const Tensors& x) { return cross_entropy(x[0], x[1], {.axis = 1}); }},
    {.op = "cross_entropy", .in = {{{3, 1}}, {{3}, 0, 0, DType::i64, {0}, false}}, .call = [](const Tensors& x) { return cross_entropy(x[0], x[1]); }},
    {.op = "cross_entropy", .in = {{{0, 5}}, {{0}, 0, 0, DType::i64, {}, false}}, .call = [](const Tensors& x) { return cross_entropy(x[0], x[1]); }},
    {.op = "cross_entropy", .in = {{{5}}, {{}, 0, 4, DType::i64, {3}, false}}, .call = [](const Tensors& x) { return cross_entropy(x[0], x[1]); }},
    {.op = "cross_entropy", .in = {{{2, 3}}, {{2}, 0, 0, DType::i64, {9}, false}}, .call = [](const Tensors& x) { return cross_entropy(x[0], x[1], {.ignore_index = 9}); }},
    {.op = "class_mask", .in = {{{4, 7}}, kTargets}, .call = [](const Tensors& x) { return nll(x[0], x[1], {.reduction = kSum}); }},
    {.op = "soft_cross_entropy", .in = {{{4, 7}}, {{4, 7}, 0.1, 1}}, .call = [](const Tensors& x) { return soft_cross_entropy(x[0], x[1]); }},
    {.op = "soft_cross_entropy", .in = {{{3, 4}}, {{3, 4}, 0.1, 1}}, .call = [](const Tensors& x) { return soft_cross_entropy(x[0], x[1], {.axis = 0, .reduction = kNone}); }},
    {.op = "fused_linear_cross_entropy", .in = {{{4, 3}}, {{7, 3}}, kTargets, {{7}}},
     .call = [](const Tensors& x) { return fused_linear_cross_entropy(x[0], x[1], x[2], {.bias = x[3], .label_smoothing = 0.1, .chunk = 3}); }},
    {.op = "fused_linear_cross_entropy", .in = {{{4, 3}}, {{7, 3}}, kTargets},
     .call = [](const Tensors& x) { return fused_linear_cross_entropy(x[0], x[1], x[2], {.reduction = kNone, .chunk = 2}); }},
    {.op = "nll", .in = {{{4, 7}}, kTargets}, .call = [](const Tensors& x) { return nll(x[0], x[1]); }},
    {.op = "nll", .in = {{{4, 7}}, kSome, {{7}, 0.5, 2}}, .call = [](const Tensors& x) { return nll(x[0], x[1], {.ignore_index = -1, .weight = x[2]}); }},
    {.op = "bce", .in = {{{3, 4}, 0.05, 0.95}, {{3, 4}, 0, 1}}, .call = [](const Tensors& x) { return bce(x[0], x[1]); }, .reason = "1 / (p (1 - p)) up to 21", .f32_tolerance = 128},
    {.op = "bce", .in = {{{4}, 0, 1, DType::f64, {0, 1, 0, 1}}, {{4}, 0, 1, DType::f64, {0, 1, 1, 0}, false}},
     .call = [](const Tensors& x) { return bce(x[0], x[1]); }, .reason = "at the bounds: logarithms of at least -100", .kink = true, .f32 = false},
    {.op = "bce_with_logits", .in = {{{3, 4}}, {{3, 4}, 0, 1}}, .call = [](const Tensors& x) { return bce_with_logits(x[0], x[1]); }},
    {.op = "bce_with_logits", .in = {{{3, 4}, -3, 3}, {{3, 4}, 0, 1}}, .call = [](const Tensors& x) { return bce_with_logits(x[0], x[1], {.reduction = kNone, .positive_weight = 3}); }},
    {.op = "bce_with_logits", .in = {{{3, 4}, -900, 900}, {{3, 4}, 0, 1}}, .call = [](const Tensors& x) { return bce_with_logits(x[0], x[1], {.reduction = kNone, .positive_weight = 3}); },
     .reason = "saturated: first order only, since y (1 - y) has lost its digits there", .kink = true, .f32 = false},
    {.op = "mse", .in = {{{3, 4}}, {{3, 4}}}, .call = [](const Tensors& x) { return mse(x[0], x[1]); }},
    {.op = "mse", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return mse(x[0], 1.0, {.reduction = kSum}); }},
    {.op = "mse", .in = {{{0}}, {{0}}}, .call = [](const Tensors& x) { return mse(x[0], x[1]); }},
    {.op = "l1", .in = {{{3, 4}}, {{3, 4}}}, .call = [](const Tensors& x) { return l1(x[0], x[1]); }},
    {.op = "l1", .in = {{{2}, 0, 0, DType::f64, {1, 2}}, {{2}, 0, 0, DType::f64, {1, 3}}}, .call = [](const Tensors& x) { return l1(x[0], x[1]); }, .kink = true},
    {.op = "smooth_l1", .in = {{{3, 4}}, {{3, 4}}}, .call = [](const Tensors& x) { return smooth_l1(x[0], x[1], {.beta = 0.7}); }},
    {.op = "smooth_l1", .in = {{{3}, 0, 0, DType::f64, {1, -1, 0}}, {{3}, 0, 0, DType::f64, {0}}}, .call = [](const Tensors& x) { return smooth_l1(x[0], x[1]); }, .kink = true},
    {.op = "huber", .in = {{{3, 4}}, {{3, 4}}}, .call = [](const Tensors& x) { return huber(x[0], x[1], {.delta = 1.5}); }},
    {.op = "huber", .in = {{{3}, 0, 0, DType::f64, {1, -1, 0}}, {{3}, 0, 0, DType::f64, {0}}}, .call = [](const Tensors& x) { return huber(x[0], x[1]); }, .kink = true},
    {.op = "log_cosh", .in = {{{3, 4}}, {{3, 4}}}, .call = [](const Tensors& x) { return log_cosh(x[0], x[1]); }},
    {.op = "log_cosh", .in = {{{4}, -900, 900}, {{4}, -1e-3, 1e-3}}, .call = [](const Tensors& x) { return log_cosh(x[0], x[1], {.reduction = kNone}); }},
    {.op = "kl_div", .in = {{{3, 4}, -3, -0.1}, {{3, 4}, 0.1, 1}}, .call = [](const Tensors& x) { return kl_div(x[0], x[1]); }},
    {.op = "kl_div", .in = {{{3, 4}, -3, -0.1}, {{3, 4}, -3, -0.1}}, .call = [](const Tensors& x) { return kl_div(x[0], x[1], {.reduction = kNone, .log_target = true}); }},
    {.op = "kl_div", .in = {{{3}, -3, -0.1}, {{3}, 0, 1, DType::f64, {0, 1, 0.5}, false}}, .call = [](const Tensors& x) { return kl_div(x[0], x[1], {.reduction = kSum}); }},
    {.op = "hinge", .in = {{{3, 4}}, kSigns}, .call = [](const Tensors& x) { return hinge(x[0], x[1]); }},
    {.op = "hinge", .in = {{{2}, 0, 0, DType::f64, {1, -1}}, {{2}, 0, 0, DType::f64, {1, -1}, false}}, .call = [](const Tensors& x) { return hinge(x[0], x[1]); }, .kink = true},
    {.op = "cosine_similarity", .in = {{{3, 5}}, {{3, 5}}}, .call = [](const Tensors& x) { return cosine_similarity(x[0], x[1]); }},
    {.op = "cosine_similarity", .in = {{{2, 2}, 0, 0, DType::f64, {0, 0, 1, 2}}, {{2, 2}}}, .call = [](const Tensors& x) { return cosine_similarity(x[0], x[1], -1, 0.5); }, .kink = true},
    {.op = "accuracy", .in = {{{4, 7}}, kTargets}, .call = [](const Tensors& x) { return accuracy(x[0], x[1]); }},
    {.op = "perplexity", .in = {{{}, 0.5, 2}}, .call = [](const Tensors& x) { return perplexity(x[0]); }},
});

static const bool bad_ = add_bad_calls({
    {"cross_entropy", [] { cross_entropy(zeros({4, 7}), zeros({5}, DType::i64)); }, "have rows [4], the targets are i64[5]"},
    {"cross_entropy", [] { cross_entropy(zeros({4, 7}), zeros({4})); }, "targets are classes of type i64 or i32, got f32[4]"},
    {"cross_entropy", [] { cross_entropy(zeros({4}, DType::i64), zeros({4, 7})); }, "logits are floating, got i64[4]"},
    {"cross_entropy", [] { cross_entropy(zeros({4, 0}), zeros({4}, DType::i64)); }, "no classes in f32[4,0]"},
    {"cross_entropy", [] { cross_entropy(zeros({4, 7}), zeros({4}, DType::i64), {.label_smoothing = 1.5}); }, "label_smoothing is 1.5"},
    {"cross_entropy", [] { cross_entropy(zeros({4, 7}), zeros({4}, DType::i64), {.weight = ones({4})}); }, "weights are f32[4] for 7 classes"},
    {"cross_entropy", [] { cross_entropy(zeros({4, 7}), zeros({4}, DType::i64), {.axis = 2}); }, "axis 2 is out of range for rank 2"},
    {"class_mask", [] { cross_entropy(zeros({4, 7}), full({4}, 7, DType::i64)).item(); }, "target 7 at row 0 is not a class: classes are 0 to 6"},
    {"class_mask", [] { nll(zeros({4, 7}), full({4}, -1, DType::i32)).item(); }, "target -1 at row 0 is not a class"},
    {"soft_cross_entropy", [] { soft_cross_entropy(zeros({4, 7}), zeros({4}, DType::i64)); }, "needs floating logits and distributions of one shape"},
    {"soft_cross_entropy", [] { soft_cross_entropy(zeros({4, 0}), zeros({4, 0})); }, "no classes in f32[4,0]"},
    {"fused_linear_cross_entropy", [] { fused_linear_cross_entropy(zeros({4, 3}), zeros({7, 2}), zeros({4}, DType::i64)); }, "needs x [rows, features]"},
    {"fused_linear_cross_entropy", [] { fused_linear_cross_entropy(zeros({4, 3}), zeros({7, 3}), zeros({4}, DType::i64), {.chunk = 0}); }, "a chunk of 0 rows"},
    {"nll", [] { nll(zeros({4, 7}), zeros({3}, DType::i64)); }, "have rows [4], the targets are i64[3]"},
    {"nll", [] { nll(zeros({4, 7}, DType::i32), zeros({4}, DType::i64)); }, "log-probabilities are floating"},
    {"bce", [] { bce(zeros({4}), zeros({5})); }, "predictions are f32[4], targets f32[5]"},
    {"bce_with_logits", [] { bce_with_logits(zeros({4}), zeros({4, 1})); }, "a loss does not broadcast"},
    {"mse", [] { mse(zeros({4, 1}), zeros({4})); }, "predictions are f32[4,1], targets f32[4]"},
    {"mse", [] { mse(zeros({4}, DType::i64), zeros({4})); }, "predictions are floating, got i64[4]"},
    {"l1", [] { l1(zeros({4}), Tensor()); }, "an operand has no value"},
    {"smooth_l1", [] { smooth_l1(zeros({4}), zeros({4}), {.beta = 0}); }, "beta is 0"},
    {"huber", [] { huber(zeros({4}), zeros({4}), {.delta = -1}); }, "delta is -1"},
    {"log_cosh", [] { log_cosh(zeros({4}), zeros({2, 2})); }, "predictions are f32[4], targets f32[2,2]"},
    {"kl_div", [] { kl_div(zeros({4}), zeros({5})); }, "predictions are f32[4], targets f32[5]"},
    {"hinge", [] { hinge(zeros({4}), zeros({5})); }, "predictions are f32[4], targets f32[5]"},
    {"cosine_similarity", [] { cosine_similarity(zeros({4}), zeros({4}), 1); }, "axis 1 is out of range for rank 1"},
    {"accuracy", [] { accuracy(zeros({4, 7}), zeros({5}, DType::i64)); }, "have rows [4], the targets are i64[5]"},
    {"perplexity", [] { perplexity(Tensor()); }, "an operand has no value"},
});

}  // namespace adjoint::check
