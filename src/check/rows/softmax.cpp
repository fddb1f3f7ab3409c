// softmax.cpp: rows of the softmax family. Not its rules: src/ops/softmax.cpp.
#include "adjoint/ops.hpp"
#include "check/row.hpp"

namespace adjoint::check {

static Tensor third_row_masked(const Tensor& x) {  // bool [3, 5]: a mixed row, a full row, an empty row
  return tensor(std::vector<std::int32_t>{1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0}, {3, 5}).shape() == x.shape()
             ? gt(tensor(std::vector<std::int32_t>{1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0}, {3, 5}), 0.0)
             : gt(x, 0.0);
}
static const char* kSaturated = "saturated: first order only, since second derivatives lie below the rounding of the first; those are held from 800 to 803";

static const bool rows_ = add_rows({
    {.op = "softmax", .in = {{{4, 7}}}, .call = [](const Tensors& x) { return softmax(x[0]); }},
    {.op = "softmax", .in = {{{4, 7}}}, .call = [](const Tensors& x) { return softmax(x[0], 0); }},
    {.op = "softmax", .in = {{{2, 3, 4}}}, .call = [](const Tensors& x) { return softmax(x[0], 1); }},
    {.op = "softmax", .in = {{{4, 7}, 300, 400}}, .call = [](const Tensors& x) { return softmax(x[0]); }, .reason = kSaturated, .kink = true, .f32 = false},
    {.op = "softmax", .in = {{{4, 7}, 800, 803}}, .call = [](const Tensors& x) { return softmax(x[0]); }},
    {.op = "softmax", .in = {{{3, 3}}}, .call = [](const Tensors& x) { return softmax(x[0], 0); }},
    {.op = "softmax", .in = {{{3, 1}}}, .call = [](const Tensors& x) { return softmax(x[0]); }},
    {.op = "softmax", .in = {{{0, 7}}}, .call = [](const Tensors& x) { return softmax(x[0]); }},
    {.op = "softmax", .in = {{{3, 0}}}, .call = [](const Tensors& x) { return softmax(x[0]); }},
    {.op = "softmax", .in = {{{2, 3}, 0, 0, DType::f64, {1, 1, 1, 2, 2, 0}}}, .call = [](const Tensors& x) { return softmax(x[0]); }},
    {.op = "log_softmax", .in = {{{4, 7}}}, .call = [](const Tensors& x) { return log_softmax(x[0]); }},
    {.op = "log_softmax", .in = {{{4, 7}, -400, 400}}, .call = [](const Tensors& x) { return log_softmax(x[0], 0); }, .reason = kSaturated, .kink = true, .f32 = false},
    {.op = "log_softmax", .in = {{{4, 7}, 800, 803}}, .call = [](const Tensors& x) { return log_softmax(x[0]); }},
    {.op = "log_softmax", .in = {{{3, 3}}}, .call = [](const Tensors& x) { return log_softmax(x[0]); }},
    {.op = "log_softmax", .in = {{{3, 1}}}, .call = [](const Tensors& x) { return log_softmax(x[0]); }},
    {.op = "log_softmax", .in = {{{0, 2}}}, .call = [](const Tensors& x) { return log_softmax(x[0]); }},
    {.op = "softmin", .in = {{{4, 7}}}, .call = [](const Tensors& x) { return softmin(x[0]); }},
    {.op = "masked_softmax", .in = {{{3, 5}}}, .call = [](const Tensors& x) { return masked_softmax(x[0], third_row_masked(x[0])); }},
    {.op = "masked_softmax", .in = {{{3, 3}, 800, 803}}, .call = [](const Tensors& x) { return masked_softmax(x[0], gt(tensor({1, 0, 1}), 0.0)); }},
    {.op = "masked_softmax", .in = {{{4, 3}}}, .call = [](const Tensors& x) { return masked_softmax(x[0], gt(tensor({1, 0, 1}), 0.0)); }},
    {.op = "gumbel_softmax", .in = {{{4, 7}}}, .call = [](const Tensors& x) { return gumbel_softmax(Key(3), x[0], {.temperature = 0.7}); }, .reason = "the noise is drawn in the type of the operand", .f32 = false},
    {.op = "logsumexp_pair", .in = {{{4, 5}}, {{5}}}, .call = [](const Tensors& x) { return logsumexp_pair(x[0], x[1]); }},
    {.op = "logsumexp_pair", .in = {{{4, 5}, 800, 803}, {{5}, 800, 803}}, .call = [](const Tensors& x) { return logsumexp_pair(x[0], x[1]); }},
    {.op = "logsumexp_pair", .in = {{{3}, 500, 900}, {{3}, 500, 900}}, .call = [](const Tensors& x) { return logsumexp_pair(x[0], x[1]); }, .reason = kSaturated, .kink = true, .f32 = false},
});

static const bool bad_ = add_bad_calls({
    {"softmax", [] { softmax(zeros({2, 3}), 2); }, "axis 2 is out of range for rank 2"},
    {"softmax", [] { softmax(Tensor()); }, "an operand has no value"},
    {"softmax", [] { softmax(zeros({})); }, "a scalar has no axes"},
    {"log_softmax", [] { log_softmax(zeros({2, 3}), -3); }, "axis -3 is out of range for rank 2"},
    {"softmin", [] { softmin(zeros({2}), 1); }, "axis 1 is out of range for rank 1"},
    {"masked_softmax", [] { masked_softmax(zeros({2, 3}), zeros({2, 3})); }, "the mask must be bool"},
    {"masked_softmax", [] { masked_softmax(zeros({2, 3}), gt(zeros({2, 4}), 0.0)); }, "cannot broadcast"},
    {"gumbel_softmax", [] { gumbel_softmax(Key(1), zeros({2, 3}), {.temperature = 0}); }, "a temperature of 0"},
    {"gumbel_softmax", [] { gumbel_softmax(Key(1), zeros({2}, DType::i32)); }, "logits are floating, got i32[2]"},
    {"logsumexp_pair", [] { logsumexp_pair(zeros({2}), zeros({3})); }, "cannot broadcast f32[2] with f32[3]"},
    {"logsumexp_pair", [] { logsumexp_pair(zeros({2}, DType::i32), zeros({2}, DType::i32)); }, "needs a floating element type"},
});

}  // namespace adjoint::check
