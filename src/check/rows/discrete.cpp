// discrete.cpp: rows of comparisons, logic, selection, rounding, bits and casts. Not their rules: src/ops.
#include <limits>

#include "check/rows/patterns.hpp"

namespace adjoint::check {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity(), kNaN = std::numeric_limits<double>::quiet_NaN();

Input exactly(std::vector<double> values, DType dtype = DType::f64) {
  return {{static_cast<std::int64_t>(values.size())}, 0, 0, dtype, std::move(values)};
}
Input whole(const Shape& shape, DType dtype = DType::i64, double low = -9, double high = 9) { return {shape, low, high, dtype}; }
Input mask(const Shape& shape) { return {shape, 0, 1, DType::bool_}; }

/// A function of one operand whose gradient is zero.
std::vector<Row> flat_rows(const char* op, Call call) {
  return {{.op = op, .in = {{{3, 4}, -3, 3}}, .call = call},
          {.op = op, .in = {{{}, -3, 3}}, .call = call},
          {.op = op, .in = {{{0, 2}}}, .call = call},
          {.op = op, .in = {exactly({0, -0.0, 0.5, 1.5, -0.5, -2.5, kInf, -kInf, kNaN, 1e300})}, .call = call, .reason = "beyond the range of f32", .f32 = false}};
}
std::vector<Row> compare_rows(const char* op, Call call) {
  return {{.op = op, .in = {{{3, 4}}, {{4}}}, .call = call},
          {.op = op, .in = {{{}}, {{2, 1}}}, .call = call},
          {.op = op, .in = {{{2, 0}}, {{1, 1}}}, .call = call},
          {.op = op, .in = {exactly({1, 1, 0, -0.0, kNaN, kInf, 2}), exactly({1, 2, -0.0, 0, kNaN, kInf, kNaN})}, .call = call},
          {.op = op, .in = {whole({8}, DType::i32, -2, 2), whole({8}, DType::i32, -2, 2)}, .call = call},
          {.op = op, .in = {mask({8}), mask({8})}, .call = call}};
}
std::vector<Row> bit_rows(const char* op, Call call, bool with_bool = true) {
  std::vector<Row> rows{{.op = op, .in = {whole({3, 4}), whole({4})}, .call = call},
                        {.op = op, .in = {whole({6}, DType::u8, 0, 255), whole({6}, DType::u8, 0, 7)}, .call = call},
                        {.op = op, .in = {whole({6}, DType::i8, -128, 127), whole({6}, DType::i8, 0, 9)}, .call = call},
                        {.op = op, .in = {whole({}, DType::i32), whole({2, 0}, DType::i32)}, .call = call}};
  if (with_bool) rows.push_back({.op = op, .in = {mask({8}), mask({8})}, .call = call});
  return rows;
}

std::vector<Row> all() {
  std::vector<Row> rows;
  const auto take = [&](std::vector<Row> more) {
    for (auto& row : more) rows.push_back(std::move(row));
  };
  take(flat_rows("sign", call1<sign>));
  take(flat_rows("floor", call1<floor>));
  take(flat_rows("ceil", call1<ceil>));
  take(flat_rows("round", call1<round>));
  take(flat_rows("trunc", call1<trunc>));
  take(flat_rows("isnan", call1<isnan>));
  take(flat_rows("isinf", call1<isinf>));
  take(flat_rows("isfinite", call1<isfinite>));
  take(flat_rows("logical_not", call1<logical_not>));
  take(compare_rows("eq", call2<eq>));
  take(compare_rows("ne", call2<ne>));
  take(compare_rows("lt", call2<lt>));
  take(compare_rows("le", call2<le>));
  take(compare_rows("gt", call2<gt>));
  take(compare_rows("ge", call2<ge>));
  take(compare_rows("logical_and", call2<logical_and>));
  take(compare_rows("logical_or", call2<logical_or>));
  take(compare_rows("logical_xor", call2<logical_xor>));
  take(bit_rows("bitwise_and", call2<bitwise_and>));
  take(bit_rows("bitwise_or", call2<bitwise_or>));
  take(bit_rows("bitwise_xor", call2<bitwise_xor>));
  take(bit_rows("shift_left", call2<shift_left>, false));
  take(bit_rows("shift_right", call2<shift_right>, false));
  take(bit_rows("gcd", call2<gcd>, false));
  return rows;
}

const bool rows_ = add_rows(all());

const bool more_ = add_rows({
    {.op = "floor_divide", .in = {{{3, 4}, -9, 9}, {{4}, 0.5, 2}}, .call = call2<floor_divide>},
    {.op = "floor_divide", .in = {whole({6}), whole({6}, DType::i64, -3, 3)}, .call = call2<floor_divide>},
    {.op = "floor_divide", .in = {{{0}}, {{1}}}, .call = call2<floor_divide>},
    {.op = "bitwise_not", .in = {whole({2, 3})}, .call = call1<bitwise_not>},
    {.op = "bitwise_not", .in = {mask({5})}, .call = call1<bitwise_not>},
    {.op = "bitwise_not", .in = {whole({4}, DType::u8, 0, 255)}, .call = call1<bitwise_not>},
    {.op = "popcount", .in = {whole({2, 3})}, .call = call1<popcount>},
    {.op = "popcount", .in = {whole({4}, DType::i8, -128, 127)}, .call = call1<popcount>},
    {.op = "popcount", .in = {whole({}, DType::u8, 0, 255)}, .call = call1<popcount>},
    {.op = "nextafter", .in = {{{3, 2}}, {{2}}}, .call = call2<nextafter>, .reason = "it has no 16-bit form", .f32 = false},
    {.op = "isclose", .in = {exactly({1, 1, 1, kInf, kInf, kNaN}), exactly({1, 1.000001, 1.1, kInf, 1, kNaN})},
     .call = [](const Tensors& x) { return isclose(x[0], x[1]); }, .reason = "it depends on the digits", .f32 = false},
    {.op = "isclose", .in = {exactly({kNaN, 1}), exactly({kNaN, kNaN})},
     .call = [](const Tensors& x) { return isclose(x[0], x[1], {.equal_nan = true}); }},
    {.op = "isclose", .in = {whole({3, 1}), whole({1, 4})}, .call = [](const Tensors& x) { return isclose(x[0], x[1]); }},
    {.op = "allclose", .in = {{{3, 4}}, {{4}}}, .call = [](const Tensors& x) { return allclose(x[0], x[1]); }},
    {.op = "allclose", .in = {{{3}}}, .call = [](const Tensors& x) { return allclose(x[0], x[0] + 0.0); }},
    {.op = "allclose", .in = {{{0}}, {{0}}}, .call = [](const Tensors& x) { return allclose(x[0], x[1]); }},

    {.op = "where", .in = {mask({3, 4}), {{3, 4}}, {{3, 4}}}, .call = call3<where>},
    {.op = "where", .in = {mask({3, 1}), {{4}}, {{}}}, .call = call3<where>},
    {.op = "where", .in = {mask({0}), {{1}}, {{0}}}, .call = call3<where>},
    {.op = "where", .in = {mask({4}), whole({4}), whole({4})}, .call = call3<where>},
    {.op = "where", .in = {mask({5}), {{5}}}, .call = [](const Tensors& x) { return where(x[0], x[1], 0.5); }},
    // A NaN of the branch not taken stays there.
    {.op = "where", .in = {exactly({0, 1, -4}), exactly({kNaN, kInf, 2})},
     .call = [](const Tensors& x) { return where(ge(x[0], 0), x[0], x[1]); }, .kink = true},
    {.op = "select_n", .in = {whole({3, 4}, DType::i64, 0, 2), {{3, 4}}, {{4}}, {{}}},
     .call = [](const Tensors& x) { return select_n(x[0], {x[1], x[2], x[3]}); }},
    {.op = "select_n", .in = {whole({6}, DType::i32, -2, 4), {{6}}, {{6}}},
     .call = [](const Tensors& x) { return select_n(x[0], {x[1], x[2]}); }},
    {.op = "select_n", .in = {mask({6}), {{6}}, {{6}}}, .call = [](const Tensors& x) { return select_n(x[0], {x[1], x[2]}); }},
    {.op = "select_n", .in = {whole({3}), {{}}}, .call = [](const Tensors& x) { return select_n(x[0], {x[1]}); }},
    {.op = "masked_fill", .in = {{{3, 4}}, mask({4}), {{}}}, .call = call3<masked_fill>},
    {.op = "masked_fill", .in = {{{4}}, mask({3, 1})}, .call = [](const Tensors& x) { return masked_fill(x[0], x[1], -1e9); }, .reason = "the value is beyond f16", .f32 = false},
    {.op = "masked_fill", .in = {{{0}}, mask({0})}, .call = [](const Tensors& x) { return masked_fill(x[0], x[1], 2); }},
    {.op = "nan_to_num", .in = {{{3, 4}}}, .call = [](const Tensors& x) { return nan_to_num(x[0]); }},
    {.op = "nan_to_num", .in = {{{}}}, .call = [](const Tensors& x) { return nan_to_num(x[0]); }},
    {.op = "nan_to_num", .in = {exactly({kNaN, kInf, -kInf, 1})},
     .call = [](const Tensors& x) { return nan_to_num(x[0], {.nan = 3, .positive_infinity = 4, .negative_infinity = -5}); }, .reason = "NaN and infinities have no differences", .kink = true},

    {.op = "cast", .in = {{{3, 4}, -9, 9}}, .call = [](const Tensors& x) { return cast(x[0], DType::f32); }, .condition = 1e6,
     .reason = "the value is rounded to f32", .f32 = false},
    {.op = "cast", .in = {{{3, 4}, -9, 9}}, .call = [](const Tensors& x) { return cast(x[0], DType::bf16); }, .condition = 1e11,
     .reason = "the value is rounded to bf16", .f32 = false},
    {.op = "cast", .in = {{{5}, -9, 9, DType::f32}}, .call = [](const Tensors& x) { return cast(x[0], DType::f64); }},
    {.op = "cast", .in = {{{5}, -9, 9, DType::f16}}, .call = [](const Tensors& x) { return cast(x[0], DType::f32); }},
    {.op = "cast", .in = {whole({3, 4})}, .call = [](const Tensors& x) { return cast(x[0], DType::f64); }},
    {.op = "cast", .in = {mask({5})}, .call = [](const Tensors& x) { return cast(x[0], DType::f64); }},
    {.op = "cast", .in = {{{3, 4}, -9, 9}}, .call = [](const Tensors& x) { return cast(x[0], DType::i32); }},
    {.op = "cast", .in = {exactly({kNaN, kInf, -kInf, 300, -300, 1.9, -1.9})}, .call = [](const Tensors& x) { return cast(x[0], DType::i8); }, .reason = "NaN and infinities",
     .f32 = false},
    {.op = "cast", .in = {exactly({0, -0.0, 0.5, -3})}, .call = [](const Tensors& x) { return cast(x[0], DType::bool_); }},
    {.op = "cast", .in = {{{0, 2}}}, .call = [](const Tensors& x) { return cast(x[0], DType::i64); }},
    {.op = "stop_gradient", .in = {{{3, 4}}}, .call = call1<stop_gradient>},
    {.op = "stop_gradient", .in = {{{}}}, .call = call1<stop_gradient>},
    {.op = "stop_gradient", .in = {{{0, 2}}}, .call = call1<stop_gradient>},
});

const bool bad_ = add_bad_calls({
    {"eq", [] { eq(zeros({2}), zeros({3})); }, "cannot broadcast f32[2] with f32[3]"},
    {"gt", [] { gt(Tensor(), 0); }, "an operand has no value"},
    {"isclose", [] { isclose(zeros({2}), zeros({2}), {.relative = -1}); }, "the tolerances are -1.000000"},
    {"allclose", [] { allclose(zeros({2}), zeros({3})); }, "cannot broadcast"},
    {"logical_and", [] { logical_and(zeros({2}), zeros({3})); }, "cannot broadcast"},
    {"logical_not", [] { logical_not(Tensor()); }, "an operand has no value"},
    {"bitwise_and", [] { bitwise_and(zeros({2}), 1); }, "needs integers or bool, got f32[2]"},
    {"bitwise_not", [] { bitwise_not(zeros({2})); }, "needs integers or bool, got f32[2]"},
    {"shift_left", [] { shift_left(zeros({2}), 1); }, "needs integers, got f32[2]"},
    {"popcount", [] { popcount(zeros({2})); }, "needs integers, got f32[2]"},
    {"gcd", [] { gcd(zeros({2}, DType::i32), zeros({3}, DType::i32)); }, "cannot broadcast"},
    {"floor", [] { floor(gt(zeros({2}), 0)); }, "needs a floating element type, got bool[2]"},
    {"sign", [] { sign(gt(zeros({2}), 0)); }, "has no meaning for bool[2]"},
    {"nextafter", [] { nextafter(zeros({2}, DType::f16), zeros({2}, DType::f16)); }, "needs f32 or f64, got f16[2]"},
    {"where", [] { where(zeros({2}), zeros({2}), zeros({2})); }, "the condition must be bool, got f32[2]"},
    {"where", [] { where(gt(zeros({2}), 0), zeros({3}), 0); }, "cannot broadcast"},
    {"select_n", [] { select_n(zeros({2}, DType::i32), {}); }, "there are no cases to select from"},
    {"select_n", [] { select_n(zeros({2}), {zeros({2})}); }, "the selector must be integer or bool, got f32[2]"},
    {"select_n", [] { select_n(gt(zeros({2}), 0), {zeros({2}), zeros({2}), zeros({2})}); }, "a bool selects between two cases, not 3"},
    {"masked_fill", [] { masked_fill(zeros({2}), zeros({2}), 0); }, "the mask must be bool, got f32[2]"},
    {"nan_to_num", [] { nan_to_num(Tensor()); }, "an operand has no value"},
    {"cast", [] { cast(Tensor(), DType::f32); }, "an operand has no value"},
    {"stop_gradient", [] { stop_gradient(Tensor()); }, "an operand has no value"},
});

}  // namespace
}  // namespace adjoint::check
