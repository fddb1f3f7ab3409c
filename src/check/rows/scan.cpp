// scan.cpp: rows of loops, and of bundles, in which their results lie. Not their rules: src/transform/scan.cpp, src/ops/bundle.cpp.
#include "adjoint/ops.hpp"
#include "adjoint/scan.hpp"
#include "check/row.hpp"
#include "ops/bundle.hpp"

namespace adjoint::check {
namespace {

/// Operands: xs [T, n, 2], h [n, 3], weights [2, 3] and [3, 3]. All results in one.
Tensor recurrence(const Tensors& in, const ScanOptions& options) {
  const auto [h, ys] = scan([&](const Tensor& c, const Tensor& x) {
    const Tensor n = tanh(matmul(x, in[2]) + matmul(c, in[3]));
    return std::pair(n, std::pair(n, sum(n * c, {1}, true)));
  }, in[1], in[0], options);
  return concat({reshape(h, {-1}), reshape(ys.first, {-1}), reshape(ys.second, {-1})});
}
std::vector<Input> operands(std::int64_t steps) { return {{{steps, 2, 2}, -1, 1}, {{2, 3}, -1, 1}, {{2, 3}, -1, 1}, {{3, 3}, -1, 1}}; }

/// The gradient as the operation: by weights and sequence, not by the first carry.
Tensor gradient_of_recurrence(const Tensors& x) {
  Tensors own;  // two operands may be one tensor; here they are two values
  for (const auto& t : x) own.push_back(t * 1.0);
  const Tensor y = recurrence(own, {});
  const Tensor seed = cos(y);
  const Tensors d = vjp(std::span(&y, 1), std::span(&seed, 1), Tensors{own[0], own[2], own[3]});
  return concat({reshape(d[0], {-1}), reshape(d[1], {-1}), reshape(d[2], {-1})});
}

/// A counter beside a floating carry, which goes through a y only.
Tensor counted(const Tensors& in) {
  const auto [last, ys] = scan([](const std::pair<Tensor, Tensor>& c) {
    const Tensor next = sin(c.first) + cast(c.second, c.first.dtype()) * 0.25;
    return std::pair(std::pair(next, c.second + 1), c.first * next);
  }, std::pair(in[0], scalar_i64(0)), {.length = 3});
  return concat({last.first, reshape(ys, {-1})});
}

const bool rows_ = add_rows({
    {.op = "scan", .in = operands(3), .call = [](const Tensors& x) { return recurrence(x, {}); }},
    {.op = "scan", .in = operands(4), .call = [](const Tensors& x) { return recurrence(x, {.reverse = true}); }},
    {.op = "scan", .in = operands(5), .call = [](const Tensors& x) { return recurrence(x, {.memory = "checkpoint:2"}); }},
    {.op = "scan", .in = operands(3), .call = [](const Tensors& x) { return recurrence(x, {.reverse = true, .memory = "checkpoint:1"}); }},
    {.op = "scan", .in = operands(1), .call = [](const Tensors& x) { return recurrence(x, {}); }},
    {.op = "scan", .in = operands(0), .call = [](const Tensors& x) { return recurrence(x, {}); }},
    {.op = "scan", .in = {{{3}}}, .call = counted},
    {.op = "scan_vjp", .in = operands(3), .call = [](const Tensors& x) { return gradient_of_recurrence(x); }},
    {.op = "part", .in = operands(2), .call = [](const Tensors& x) { return recurrence(x, {}); }},
    {.op = "tuple", .in = {{{2, 3}}, {{5}}}, .call = [](const Tensors& x) {
       const Layout layout = layout_of({x[0].type(), x[1].type()}, "tuple", Loc::current());
       const Tensor both = tuple_node(layout, {x[0] * x[0], x[1]}, Loc::current());
       const auto part = [&](std::int64_t k) {  // as it is, not folded
         const auto& t = layout.parts[static_cast<std::size_t>(k)];
         return apply(*find_primitive("part"), {&both}, Part{k, layout.offsets[static_cast<std::size_t>(k)], t.shape, t.dtype}, Loc::current());
       };
       return concat({reshape(part(0), {-1}), part(1) * 2.0});
     }},
});

const bool bad_ = add_bad_calls({
    {"scan", [] { scan([](const Tensor& c, const Tensor& x) { return concat({c, x}); }, zeros({2}), zeros({3, 2})); }, "carry is f32[2] before the step and f32[4] after it"},
    {"scan", [] { scan([](const Tensor& c, const Tensor&) { return c; }, zeros({2}), Tensor()); }, "sequence x has no value"},
    {"scan", [] { scan([](const Tensor& c) { return c; }, zeros({2}), {.reverse = true}); }, "neither a sequence nor a length"},
    {"scan", [] { scan([](const Tensor& c, const Tensor& x) { return c + x.item(); }, zeros({}), zeros({2})); }, "a value inside the function was asked for"},
});

}  // namespace
}  // namespace adjoint::check
