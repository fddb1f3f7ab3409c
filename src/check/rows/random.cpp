// random.cpp: rows of the random operations: what they draw is compared with the definitions, and the gradient of what they
// mask with its own. Not tests of distributions: tests/ops/random_test.cpp.
#include "adjoint/ops.hpp"
#include "check/row.hpp"

namespace adjoint::check {

static const Key kKey(11);
static Tensor wide(const Tensor& t) { return cast(t, DType::f64); }
static const char* const kOtherDraws = "what is drawn is whole or f32 already: there is no other form of it";
static const UniformOptions kF64{.low = -1, .high = 2, .dtype = DType::f64};

static const bool rows_ = add_rows({
    {.op = "fold_in", .in = {{{3}}}, .call = [](const Tensors& x) { return x[0] * uniform(kKey.fold_in(scalar_i64(5)), {3}, kF64); }},
    {.op = "random_bits", .in = {{{2, 5}}}, .call = [](const Tensors& x) { return x[0] * wide(random_bits(kKey, {2, 5})); }, .reason = kOtherDraws, .f32 = false},
    {.op = "random_uniform", .in = {{{2, 5}}}, .call = [](const Tensors& x) { return x[0] * uniform(kKey, {2, 5}, {.dtype = DType::f64}); }},
    {.op = "uniform", .in = {{{2, 5}}}, .call = [](const Tensors& x) { return x[0] * uniform(kKey, {2, 5}, kF64); }},
    {.op = "uniform", .in = {{{7}}}, .call = [](const Tensors& x) { return x[0] * wide(uniform(kKey, {7})); }, .reason = kOtherDraws, .f32 = false},
    {.op = "uniform", .in = {{{0}}}, .call = [](const Tensors& x) { return x[0] * uniform(kKey, {0}, kF64); }},
    {.op = "normal", .in = {{{9}}}, .call = [](const Tensors& x) { return x[0] * normal(kKey, {9}, {.mean = 1, .deviation = 2, .dtype = DType::f64}); }},
    {.op = "truncated_normal", .in = {{{9}}}, .call = [](const Tensors& x) { return x[0] * truncated_normal(kKey, {9}, {.dtype = DType::f64}); }},
    {.op = "bernoulli", .in = {{{9}}}, .call = [](const Tensors& x) { return where(bernoulli(kKey, {9}, 0.3), x[0], 0.0); }},
    {.op = "bernoulli", .in = {{{9}, 0, 1}}, .call = [](const Tensors& x) { return wide(bernoulli(kKey, x[0])); }, .reason = "which side of p a number lies depends on the digits", .f32 = false},
    {.op = "randint", .in = {{{9}}}, .call = [](const Tensors& x) { return x[0] * wide(randint(kKey, {9}, -3, 12)); }, .reason = kOtherDraws, .f32 = false},
    {.op = "permutation", .in = {{{9}}}, .call = [](const Tensors& x) { return take(x[0], permutation(kKey, 9)); }},
    {.op = "categorical", .in = {{{4, 5}}}, .call = [](const Tensors& x) { return wide(categorical(kKey, x[0])); }, .reason = kOtherDraws, .f32 = false},
    {.op = "multinomial", .in = {{{4, 5}, 0.1, 1}}, .call = [](const Tensors& x) { return wide(multinomial(kKey, x[0], 3, false)); }, .reason = kOtherDraws, .f32 = false},
    {.op = "multinomial", .in = {{{4, 5}, 0.1, 1}}, .call = [](const Tensors& x) { return wide(multinomial(kKey, x[0], 6)); }, .reason = kOtherDraws, .f32 = false},
    {.op = "poisson", .in = {{{5}, 0.5, 9, DType::f64, {}, false}}, .call = [](const Tensors& x) { return wide(poisson(kKey, x[0])); }, .reason = kOtherDraws, .f32 = false},
    {.op = "exponential", .in = {{{5}}}, .call = [](const Tensors& x) { return x[0] * exponential(kKey, {5}, 2, DType::f64); }},
    {.op = "laplace", .in = {{{5}}}, .call = [](const Tensors& x) { return x[0] * laplace(kKey, {5}, {.dtype = DType::f64}); }},
    {.op = "gumbel", .in = {{{5}}}, .call = [](const Tensors& x) { return x[0] * gumbel(kKey, {5}, {.mean = 1, .dtype = DType::f64}); }},
    {.op = "dropout", .in = {{{3, 5}}}, .call = [](const Tensors& x) { return dropout(kKey, x[0], 0.4); }},
    {.op = "dropout", .in = {{{3, 5}}}, .call = [](const Tensors& x) { return dropout(kKey, x[0], 0); }, .reason = "nothing is dropped: the operand itself"},
    {.op = "dropout", .in = {{{3, 5}}}, .call = [](const Tensors& x) { return dropout(kKey, x[0], 1); }, .reason = "all is dropped: zeros"},
    {.op = "dropout1d", .in = {{{2, 3, 4}}}, .call = [](const Tensors& x) { return dropout1d(kKey, x[0], 0.4); }},
    {.op = "dropout2d", .in = {{{2, 3, 2, 2}}}, .call = [](const Tensors& x) { return dropout2d(kKey, x[0], 0.4); }},
    {.op = "dropout3d", .in = {{{2, 3, 1, 2, 2}}}, .call = [](const Tensors& x) { return dropout3d(kKey, x[0], 0.4); }},
    {.op = "alpha_dropout", .in = {{{3, 5}}}, .call = [](const Tensors& x) { return alpha_dropout(kKey, x[0], 0.4); }},
    {.op = "drop_path", .in = {{{5, 3}}}, .call = [](const Tensors& x) { return drop_path(kKey, x[0], 0.4); }},
});

static const bool bad_ = add_bad_calls({
    {"random_bits", [] { random_bits(kKey, {-1}); }, "not a possible shape: [-1]"},
    {"uniform", [] { uniform(kKey, {2}, {.low = 1, .high = 0}); }, "is empty"},
    {"uniform", [] { uniform(kKey, {2}, {.dtype = DType::i32}); }, "draws floating numbers, not i32"},
    {"uniform", [] { uniform(kKey, {std::int64_t{1} << 40, std::int64_t{1} << 40}); }, "not a possible shape"},
    {"fold_in", [] { uniform(kKey.fold_in(scalar(1)), {2}); }, "needs scalars of type i64"},
    {"normal", [] { normal(kKey, {2}, {.deviation = -1}); }, "a deviation of -1"},
    {"truncated_normal", [] { truncated_normal(kKey, {2}, {.low = 2, .high = 2}); }, "is empty"},
    {"bernoulli", [] { bernoulli(kKey, {2}, 1.5); }, "a probability of 1.5"},
    {"randint", [] { randint(kKey, {2}, 3, 3); }, "the range [3, 3)"},
    {"randint", [] { randint(kKey, {2}, 0, 3, DType::f32); }, "draws integers, not f32"},
    {"permutation", [] { permutation(kKey, -2); }, "not a possible shape"},
    {"categorical", [] { categorical(kKey, zeros({2, 0})); }, "nothing to choose from"},
    {"categorical", [] { categorical(kKey, zeros({2}, DType::i32)); }, "logits are floating"},
    {"multinomial", [] { multinomial(kKey, ones({3}), 4, false); }, "4 draws from 3 entries"},
    {"multinomial", [] { multinomial(kKey, ones({1, 1, 1, 1, 1, 1, 1, 3}), 2); }, "needs at most 7 axes"},
    {"multinomial", [] { multinomial(kKey, ones({1 << 20}), std::int64_t{1} << 50); }, "too many elements"},
    {"poisson", [] { poisson(kKey, -1.0).item(); }, "the rate of element 0 is not in [0, 700]"},
    {"exponential", [] { exponential(kKey, {2}, 0); }, "a rate of 0"},
    {"laplace", [] { laplace(kKey, {2}, {.scale = -1}); }, "a scale of -1"},
    {"gumbel", [] { gumbel(kKey, {2}, {.scale = -1}); }, "a scale of -1"},
    {"dropout", [] { dropout(kKey, zeros({2}), 1.1); }, "a probability of 1.1"},
    {"dropout", [] { dropout(kKey, zeros({2}, DType::i32), 0.5); }, "needs a floating element type"},
    {"dropout1d", [] { dropout1d(kKey, zeros({2, 3}), 0.5); }, "needs [n, channels] and 1 spatial axes"},
    {"dropout2d", [] { dropout2d(kKey, zeros({2, 3}), 0.5); }, "needs [n, channels] and 2 spatial axes"},
    {"dropout3d", [] { dropout3d(kKey, zeros({2, 3}), 0.5); }, "needs [n, channels] and 3 spatial axes"},
    {"alpha_dropout", [] { alpha_dropout(kKey, zeros({2}), -0.1); }, "a probability of -0.1"},
    {"drop_path", [] { drop_path(kKey, Tensor(), 0.1); }, "an operand has no value"},
});

}  // namespace adjoint::check
