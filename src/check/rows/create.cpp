// create.cpp: rows of tensors made from a rule, and of bytes read as another type. Not their rules: src/ops/create.cpp, src/ops/bitcast.cpp. What the elements are
// is asked element by element in tests/ops/create_test.cpp.
#include <cmath>

#include "adjoint/ops.hpp"
#include "check/row.hpp"

namespace adjoint::check {

static const char* const kWhole = "whole numbers: there is no other form of them";
static const char* const kConstant = "it makes no node";
static const char* const kBits = "the bits of another type are other numbers";
static Tensor wide(const Tensor& t) { return cast(t, DType::f64); }
static Tensor back(const Tensor& x, DType own, DType other) { return wide(bitcast(bitcast(cast(x, own), other), own)); }

// Each sequence is the factor of an operand, so that it takes part in derivatives, views, threads and batching.
static const bool rows_ = add_rows({
    {.op = "arange", .in = {{{8}}}, .call = [](const Tensors& x) { return x[0] * arange(-1, 3, 0.5, DType::f64); }},
    {.op = "arange", .in = {{{5}}}, .call = [](const Tensors& x) { return x[0] * arange(2, -3, -1, DType::f64); }},
    {.op = "arange", .in = {{{1}}}, .call = [](const Tensors& x) { return x[0] * arange(7, 7.5, 3, DType::f64); }},
    {.op = "arange", .in = {{{0}}}, .call = [](const Tensors& x) { return x[0] * arange(7, 7, 3, DType::f64); }},
    {.op = "arange", .in = {{{4}}}, .call = [](const Tensors& x) { return x[0] * wide(arange(9, -3, -3, DType::i8)); }, .reason = kWhole, .f32 = false},
    {.op = "linspace", .in = {{{7}}}, .call = [](const Tensors& x) { return x[0] * linspace(-1, 2, 7, DType::f64); }},
    {.op = "linspace", .in = {{{6}}}, .call = [](const Tensors& x) { return x[0] * linspace(3, 0.1, 6, DType::f64); }},
    {.op = "linspace", .in = {{{1}}}, .call = [](const Tensors& x) { return x[0] * linspace(3, 5, 1, DType::f64); }},
    {.op = "linspace", .in = {{{0}}}, .call = [](const Tensors& x) { return x[0] * linspace(3, 5, 0, DType::f64); }},
    {.op = "logspace", .in = {{{5}}}, .call = [](const Tensors& x) { return x[0] * logspace(-2, 2, 5, 10, DType::f64); }},
    {.op = "logspace", .in = {{{4}}}, .call = [](const Tensors& x) { return x[0] * logspace(3, -3, 4, 2, DType::f64); }},
    {.op = "logspace", .in = {{{1}}}, .call = [](const Tensors& x) { return x[0] * logspace(3, 5, 1, 2, DType::f64); }},
    {.op = "logspace", .in = {{{0}}}, .call = [](const Tensors& x) { return x[0] * logspace(3, 5, 0, 2, DType::f64); }},
    {.op = "eye", .in = {{{3, 3}}}, .call = [](const Tensors& x) { return x[0] * eye(3, {}, DType::f64); }},
    {.op = "eye", .in = {{{2, 4}}}, .call = [](const Tensors& x) { return x[0] * eye(2, 4, DType::f64); }},
    {.op = "eye", .in = {{{1, 1}}}, .call = [](const Tensors& x) { return x[0] * eye(1, 1, DType::f64); }},
    {.op = "eye", .in = {{{0, 2}}}, .call = [](const Tensors& x) { return x[0] * eye(0, 2, DType::f64); }},
    {.op = "empty", .in = {{{2, 3}, -2, 2, DType::f64, {}, false}}, .call = [](const Tensors& x) { return x[0] + empty({2, 3}, DType::f64); }, .reason = kConstant},
    {.op = "empty", .in = {{{0}, -2, 2, DType::f64, {}, false}}, .call = [](const Tensors& x) { return x[0] + empty({0}, DType::f64); }, .reason = kConstant},

    {.op = "bitcast", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return bitcast(x[0], DType::i64); }, .reason = kBits, .f32 = false},
    {.op = "bitcast", .in = {{{}}}, .call = [](const Tensors& x) { return back(x[0], DType::f64, DType::i64); }, .reason = kBits, .f32 = false},
    {.op = "bitcast", .in = {{{0, 2}}}, .call = [](const Tensors& x) { return bitcast(x[0], DType::i64); }, .reason = kBits, .f32 = false},
    {.op = "bitcast", .in = {{{6}, -9, 9, DType::f32}}, .call = [](const Tensors& x) { return bitcast(x[0], DType::i32); }, .reason = kBits, .f32 = false},
    {.op = "bitcast", .in = {{.shape = {4}, .dtype = DType::i32, .exact = {0x3F800000, 0, 0x40490FDB, -1082130432}}},
     .call = [](const Tensors& x) { return bitcast(x[0], DType::f32); }, .reason = kBits, .f32 = false},
    {.op = "bitcast", .in = {{{6}, -9, 9, DType::bf16}}, .call = [](const Tensors& x) { return wide(bitcast(x[0], DType::f16)); }, .reason = kBits, .f32 = false},
    {.op = "bitcast", .in = {{{6}, -9, 9, DType::f16}}, .call = [](const Tensors& x) { return wide(bitcast(x[0], DType::bf16)); }, .reason = kBits, .f32 = false},
    {.op = "bitcast", .in = {{{6}, -128, 127, DType::i8}}, .call = [](const Tensors& x) { return bitcast(x[0], DType::u8); }},
    {.op = "bitcast", .in = {{{6}, 0, 255, DType::u8}}, .call = [](const Tensors& x) { return bitcast(x[0], DType::i8); }},
    {.op = "bitcast", .in = {{{6}, 0, 1, DType::bool_}}, .call = [](const Tensors& x) { return bitcast(x[0], DType::u8); }},
});

static const bool bad_ = add_bad_calls({
    {"arange", [] { arange(0, 3, 0); }, "a step of 0.000000"},
    {"arange", [] { arange(0, 3, -1); }, "a step of -1.000000 leads away, from 0.000000 to 3.000000"},
    {"arange", [] { arange(0, 3, NAN); }, "a step of nan"},
    {"arange", [] { arange(NAN, 3); }, "from nan to 3.000000"},
    {"arange", [] { arange(0, INFINITY); }, "from 0.000000 to inf"},
    {"arange", [] { arange(-1e308, 1e308); }, "is further than f64 holds"},
    {"arange", [] { arange(0, 1e300, 1e-3); }, "elements from 0.000000 to"},
    {"arange", [] { arange(0, 3, 0.5, DType::i64); }, "start 0.000000 and step 0.500000 make no i64"},
    {"arange", [] { arange(0.5, 3, 1, DType::i32); }, "start 0.500000 and step 1.000000 make no i32"},
    {"arange", [] { arange(0, 129, 1, DType::i8); }, "from 0.000000 to 128.000000 does not fit into i8"},
    {"arange", [] { arange(3, -2, -1, DType::u8); }, "from 3.000000 to -1.000000 does not fit into u8"},
    {"arange", [] { arange(0, 2, 1, DType::bool_); }, "bool has no counting"},
    {"linspace", [] { linspace(0, 1, -1); }, "a count of -1"},
    {"linspace", [] { linspace(0, NAN, 3); }, "from 0.000000 to nan"},
    {"linspace", [] { linspace(-1e308, 1e308, 3); }, "is further than f64 holds"},
    {"linspace", [] { linspace(0, 1, 3, DType::i64); }, "equal distances are no i64"},
    {"linspace", [] { linspace(0, 1, INT64_MAX); }, "too many elements"},
    {"logspace", [] { logspace(0, 1, 3, 0); }, "a base of 0.000000"},
    {"logspace", [] { logspace(0, 1, 3, -2); }, "a base of -2.000000"},
    {"logspace", [] { logspace(0, 1, 3, NAN); }, "a base of nan"},
    {"logspace", [] { logspace(0, 1, -3); }, "a count of -3"},
    {"eye", [] { eye(-1); }, "a negative size in [-1,-1]"},
    {"eye", [] { eye(2, -1); }, "a negative size in [2,-1]"},
    {"eye", [] { eye(std::int64_t{1} << 30); }, "too many elements"},
    {"empty", [] { empty({2, -1}); }, "a negative size in [2,-1]"},
    {"bitcast", [] { bitcast(Tensor(), DType::i32); }, "an operand has no value"},
    {"bitcast", [] { bitcast(zeros({2}), DType::i64); }, "elements of f32[2] have 4 bytes, those of i64 have 8"},
    {"bitcast", [] { bitcast(zeros({2}, DType::u8), DType::bool_); }, "a byte of u8 may be no bool"},
});

}  // namespace adjoint::check
