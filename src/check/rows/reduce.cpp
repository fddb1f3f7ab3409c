// reduce.cpp: rows of the reductions. Not their rules: src/ops.
#include <cmath>

#include "adjoint/ops.hpp"
#include "check/row.hpp"

namespace adjoint::check {

constexpr DType kInt = DType::i64;
static const char* const kIds = "the segment of each row";

static Tensor joined(const Tensor& a, const Tensor& b) { return concat({reshape(a, {-1}), reshape(b, {-1})}); }

static const bool sums_ = add_rows({
    {.op = "sum", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return sum(x[0]); }},
    {.op = "sum", .in = {{{2, 3, 4}}}, .call = [](const Tensors& x) { return sum(x[0], {0, -1}, true); }},
    {.op = "sum", .in = {{{3, 3}}}, .call = [](const Tensors& x) { return sum(x[0], {1}); }},
    {.op = "sum", .in = {{{3, 3}}}, .call = [](const Tensors& x) { return sum(x[0], {0}, true); }},
    {.op = "sum", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return sum(x[0], {0}); }},
    {.op = "sum", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return sum(x[0], {0}, true); }},
    {.op = "sum", .in = {{{3, 0}}}, .call = [](const Tensors& x) { return sum(x[0], {1}); }},
    {.op = "sum", .in = {{{}}}, .call = [](const Tensors& x) { return sum(x[0]); }},
    {.op = "mean", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return mean(x[0], {1}); }},
    {.op = "mean", .in = {{{1}}}, .call = [](const Tensors& x) { return mean(x[0]); }},
    {.op = "nansum", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return nansum(x[0], {0}); }},
    {.op = "nansum", .in = {{.shape = {4}, .exact = {1, NAN, -2, 0.5}}}, .call = [](const Tensors& x) { return nansum(x[0]); }, .reason = "NaN has no differences", .kink = true},
    {.op = "nanmean", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return nanmean(x[0], {0}, true); }},
    {.op = "nanmean", .in = {{.shape = {4}, .exact = {1, NAN, -2, 0.5}}}, .call = [](const Tensors& x) { return nanmean(x[0]); }, .reason = "NaN has no differences", .kink = true},
    {.op = "count_nonzero", .in = {{.shape = {2, 3}, .exact = {0, 1, -2}}}, .call = [](const Tensors& x) { return count_nonzero(x[0], {1}); }},
    {.op = "any", .in = {{.shape = {2, 3}, .exact = {0, 0, 0, 0, 3, 0}}}, .call = [](const Tensors& x) { return any(x[0], {1}); }},
    {.op = "all", .in = {{.shape = {2, 3}, .exact = {1, 2, 0, -1, 3, 1}}}, .call = [](const Tensors& x) { return all(x[0], {-1}, true); }},
});

static const bool products_ = add_rows({
    {.op = "prod", .in = {{{3, 5}}}, .call = [](const Tensors& x) { return prod(x[0], {1}); }},
    {.op = "prod", .in = {{{2, 3, 2}}}, .call = [](const Tensors& x) { return prod(x[0], {0, 2}, true); }},
    {.op = "prod", .in = {{.shape = {6}, .exact = {2, 0, -1.5, 1, 0.5, 3}}}, .call = [](const Tensors& x) { return prod(x[0]); }},
    {.op = "prod", .in = {{.shape = {5}, .exact = {2, 0, 3, 0, 1}}}, .call = [](const Tensors& x) { return prod(x[0]); },
     .reason = "two zeros: the gradient is 0, the second derivative is not"},
    {.op = "prod", .in = {{{6}}}, .call = [](const Tensors& x) { return prod(x[0]); }},
    {.op = "prod", .in = {{{3, 3}}}, .call = [](const Tensors& x) { return prod(x[0], {0}); }},
    {.op = "prod", .in = {{{1}}}, .call = [](const Tensors& x) { return prod(x[0]); }},
    {.op = "prod", .in = {{{0, 2}}}, .call = [](const Tensors& x) { return prod(x[0], {0}); }},
});

static const bool extremes_ = add_rows({
    {.op = "amax", .in = {{{3, 5}}}, .call = [](const Tensors& x) { return amax(x[0], {1}); }},
    {.op = "amax", .in = {{.shape = {2, 3}, .exact = {3, 1, 3, 2, 2, 2}}}, .call = [](const Tensors& x) { return amax(x[0], {1}); }, .kink = true},
    {.op = "amin", .in = {{{2, 3, 2}}}, .call = [](const Tensors& x) { return amin(x[0], {0, 2}, true); }},
    {.op = "amin", .in = {{.shape = {4}, .exact = {0, -1, 5, -1}}}, .call = [](const Tensors& x) { return amin(x[0]); }, .kink = true},
    {.op = "amin", .in = {{.shape = {2, 3, 2}, .exact = {2, 0, 1, 0, 0, 3, 1}}}, .call = [](const Tensors& x) { return amin(x[0], {0, 2}, true); }, .kink = true},
    {.op = "amax", .in = {{.shape = {3, 3}, .exact = {3, 1, 3, 3, 2, 2, 3, 2, 1}}}, .call = [](const Tensors& x) { return amax(x[0], {0}); }, .kink = true},
    {.op = "amax", .in = {{{3, 3}}}, .call = [](const Tensors& x) { return amax(x[0], {0}); }},
    {.op = "amin", .in = {{{3, 3}}}, .call = [](const Tensors& x) { return amin(x[0], {1}, true); }},
    {.op = "argmax", .in = {{{3, 5}}}, .call = [](const Tensors& x) { return argmax(x[0], {1}); }},
    {.op = "argmax", .in = {{.shape = {2, 3}, .exact = {3, 3, 1, 0, 2, 2}}}, .call = [](const Tensors& x) { return argmax(x[0], {1}, true); }},
    {.op = "argmin", .in = {{{3, 5}}}, .call = [](const Tensors& x) { return argmin(x[0]); }},
});

static const bool exponentials_ = add_rows({
    {.op = "logsumexp", .in = {{{3, 4}, -3, 3}}, .call = [](const Tensors& x) { return logsumexp(x[0], {1}); }},
    {.op = "logsumexp", .in = {{{3, 3}, -3, 3}}, .call = [](const Tensors& x) { return logsumexp(x[0], {0}); }},
    {.op = "logsumexp", .in = {{.shape = {3, 2}, .low = 800, .high = 803}}, .call = [](const Tensors& x) { return logsumexp(x[0], {0}, true); },
     .reason = "in f32 a result near 800 is rounded to 2^-14, and the weights e^(x - y) carry that", .f32_tolerance = 256},
    {.op = "logmeanexp", .in = {{{3, 4}, -3, 3}}, .call = [](const Tensors& x) { return logmeanexp(x[0], {1}); }},
});

static const bool moments_ = add_rows({
    {.op = "var", .in = {{{3, 5}}}, .call = [](const Tensors& x) { return var(x[0], {1}); }},
    {.op = "var", .in = {{{3, 5}}}, .call = [](const Tensors& x) { return var(x[0], {}, {.correction = 0}); }},
    {.op = "std", .in = {{{3, 5}}}, .call = [](const Tensors& x) { return std(x[0], {1}, {.keepdim = true}); }},
    {.op = "std", .in = {{.shape = {4}, .exact = {2, 2, 2, 2}}}, .call = [](const Tensors& x) { return std(x[0]); }, .kink = true},
    {.op = "var_mean", .in = {{{3, 5}}}, .call = [](const Tensors& x) {
       const auto [v, m] = var_mean(x[0], {0});
       return joined(v, m);
     }},
});

static const bool norms_ = add_rows({
    {.op = "norm_2", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return norm_2(x[0], {1}); }},
    {.op = "norm_2", .in = {{.shape = {3}, .exact = {0, 0, 0}}}, .call = [](const Tensors& x) { return norm_2(x[0]); }, .kink = true},
    {.op = "norm_2", .in = {{.shape = {3}, .low = 1e200, .high = 2e200}}, .call = [](const Tensors& x) { return norm_2(x[0]); }, .reason = "beyond the range of f32", .f32 = false},
    {.op = "norm_p", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return norm_p(x[0], 3, {1}); }},
    {.op = "norm_p", .in = {{{3, 3}}}, .call = [](const Tensors& x) { return norm_p(x[0], 3, {0}); }},
    {.op = "norm_p", .in = {{{6}}}, .call = [](const Tensors& x) { return norm_p(x[0], 1); }},
    {.op = "norm_p", .in = {{.shape = {4}, .exact = {1, 0, -2, -0.0}}}, .call = [](const Tensors& x) { return norm_p(x[0], 1); }, .kink = true},
    {.op = "norm_p", .in = {{{6}}}, .call = [](const Tensors& x) { return norm_p(x[0], INFINITY); }},
    {.op = "norm_p", .in = {{{6}}}, .call = [](const Tensors& x) { return norm_p(x[0], 2.5, {}, true); }},
    {.op = "global_norm", .in = {{{3}}, {{2, 2}}}, .call = [](const Tensors& x) { return global_norm(x); }},
});

static const bool segments_ = add_rows({
    {.op = "segment_sum", .in = {{{5, 2}}, {.shape = {5}, .dtype = kInt, .exact = {2, 0, 2, 1, 0}, .differentiable = false}},
     .call = [](const Tensors& x) { return segment_sum(x[0], x[1], 4); }, .reason = kIds},
    {.op = "segment_mean", .in = {{{5, 2}}, {.shape = {5}, .dtype = kInt, .exact = {2, 0, 2, 1, 0}, .differentiable = false}},
     .call = [](const Tensors& x) { return segment_mean(x[0], x[1], 4); }, .reason = kIds},
    {.op = "segment_max", .in = {{{5, 2}}, {.shape = {5}, .dtype = kInt, .exact = {2, 0, 2, 1, 0}, .differentiable = false}},
     .call = [](const Tensors& x) { return segment_max(x[0], x[1], 3); }, .reason = kIds},
    {.op = "segment_max", .in = {{.shape = {4}, .exact = {1, 1, 0, 1}}, {.shape = {4}, .dtype = kInt, .exact = {0, 0, 1, 0}, .differentiable = false}},
     .call = [](const Tensors& x) { return segment_max(x[0], x[1], 2); }, .reason = kIds, .kink = true},
    {.op = "segment_prod", .in = {{{5, 2}}, {.shape = {5}, .dtype = kInt, .exact = {2, 0, 2, 1, 0}, .differentiable = false}},
     .call = [](const Tensors& x) { return segment_prod(x[0], x[1], 4); }, .reason = kIds},
    {.op = "segment_prod", .in = {{.shape = {4}, .exact = {2, 0, 3, 0}}, {.shape = {4}, .dtype = kInt, .exact = {0, 0, 0, 1}, .differentiable = false}},
     .call = [](const Tensors& x) { return segment_prod(x[0], x[1], 2); }, .reason = kIds},
});

static const bool bad_ = add_bad_calls({
    {"sum", [] { sum(zeros({2, 3}), {2}); }, "axis 2 is out of range for rank 2"},
    {"sum", [] { sum(zeros({2, 3}), {0, -2}); }, "named twice"},
    {"mean", [] { mean(Tensor()); }, "an operand has no value"},
    {"prod", [] { prod(zeros({2}, DType::bool_)); }, "cannot reduce bool[2] arithmetically"},
    {"amax", [] { amax(zeros({2, 3}), {3}); }, "axis 3 is out of range"},
    {"amin", [] { amin(Tensor()); }, "an operand has no value"},
    {"argmax", [] { argmax(zeros({2, 0}), {1}); }, "nothing to choose from in f32[2,0]"},
    {"argmin", [] { argmin(zeros({0})); }, "nothing to choose from in f32[0]"},
    {"any", [] { any(zeros({2}), {1}); }, "axis 1 is out of range"},
    {"all", [] { all(zeros({2}), {-2}); }, "axis -2 is out of range"},
    {"count_nonzero", [] { count_nonzero(zeros({2}), {7}); }, "axis 7 is out of range"},
    {"logsumexp", [] { logsumexp(zeros({2}), {1}); }, "axis 1 is out of range"},
    {"logmeanexp", [] { logmeanexp(zeros({2, 2}), {1, 1}); }, "named twice"},
    {"var", [] { var(zeros({1})); }, "1 elements less a correction of 1.000000 leave nothing"},
    {"std", [] { std(zeros({4, 0}), {1}); }, "leave nothing to divide by"},
    {"var_mean", [] { var_mean(zeros({3}), {}, {.correction = 5}); }, "leave nothing to divide by"},
    {"norm_2", [] { norm_2(zeros({3}), {4}); }, "axis 4 is out of range"},
    {"norm_p", [] { norm_p(zeros({3}), 0.5); }, "p = 0.500000 gives no norm"},
    {"global_norm", [] { global_norm(Tensors{}); }, "no tensors given"},
    {"nansum", [] { nansum(zeros({3}), {1}); }, "axis 1 is out of range"},
    {"nanmean", [] { nanmean(zeros({3}), {0, 0}); }, "named twice"},
    {"segment_sum", [] { segment_sum(zeros({3, 2}), zeros({4}, DType::i64), 2); }, "do not fit f32[3,2]"},
    {"segment_sum", [] { eval(segment_sum(zeros({2}), full({2}, 5, DType::i64), 2)); }, "index 5 at position 0 is outside an axis of size 2"},
    {"segment_mean", [] { segment_mean(zeros({3}), zeros({3}), 2); }, "an index must be i64 or i32"},
    {"segment_max", [] { segment_max(zeros({3}), zeros({3}, DType::i64), -1); }, "-1 segments"},
    {"segment_max", [] { eval(segment_max(zeros({2}), full({2}, -1, DType::i64), 2)); }, "index -1 at position 0 is outside"},
    {"segment_prod", [] { segment_prod(zeros({}), zeros({1}, DType::i64), 1); }, "do not fit f32[]"},
});

}  // namespace adjoint::check
