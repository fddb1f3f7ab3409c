// cumulative.cpp: cumulative reductions as loops over an axis, and differences. Not kernels of their own yet.
#include "adjoint/ops/cumulative.hpp"

#include "adjoint/scan.hpp"
#include "ops/index_ops.hpp"

namespace adjoint {
namespace {

const Primitive &cumsum_p = define(inlined("cumsum", "D6")), &cumprod_p = define(inlined("cumprod", "D6")), &cummax_p = define(inlined("cummax", "D6"));
const Primitive &cummin_p = define(inlined("cummin", "D6")), &logcumsumexp_p = define(inlined("logcumsumexp", "D6")), &diff_p = define(inlined("diff", "D6"));

/// The operand, if it has an axis and is a number.
Tensor sequence_of(const Primitive& prim, const Arg& x, int& axis) {
  const Tensor t = need(x, prim);
  if (t.rank() == 0) fail(prim.name, x.loc, "a scalar has no axis", {&t}, "reshape it to {1}");
  if (t.dtype() == DType::bool_) fail(prim.name, x.loc, "does not take bool", {&t}, "cast to i64, or another type of numbers");
  axis = normal_axis(axis, t.rank(), prim.name, x.loc);
  return t;
}

/// The first element is the first carry: nothing is joined with a neutral number.
template <class Join> Tensor along(const Primitive& prim, const Arg& x, int axis, CumulativeOptions options, Join join) {
  const OpScope scope(prim.name.data(), x.loc);
  const Tensor t = sequence_of(prim, x, axis);
  const Tensor rows = move_axis(t, axis, 0, x.loc);
  const auto n = rows.shape(0);
  if (n < 2) return reshape_node(rows, t.shape(), x.loc);
  const auto first = slice_axis(rows, 0, options.reverse ? n - 1 : 0, 1, 1, x.loc), others = slice_axis(rows, 0, options.reverse ? 0 : 1, n - 1, 1, x.loc);
  Shape one = first.shape();
  one.erase(0);
  const auto step = [&](const Tensor& so_far, const Tensor& next) {
    const Tensor joined = join(so_far, next);
    return std::pair(joined, joined);
  };
  const auto [last, ys] = scan(step, reshape_node(first, one, x.loc), others, {.reverse = options.reverse}, x.loc);
  Tensors parts{first, ys};
  if (options.reverse) std::swap(parts[0], parts[1]);
  return move_axis(concat_node(parts, 0, x.loc), 0, axis, x.loc);
}

}  // namespace

Tensor cumsum(const Arg& x, int axis, CumulativeOptions options) {
  return along(cumsum_p, x, axis, options, [](const Tensor& a, const Tensor& b) { return a + b; });
}
Tensor cumprod(const Arg& x, int axis, CumulativeOptions options) {
  return along(cumprod_p, x, axis, options, [](const Tensor& a, const Tensor& b) { return a * b; });
}
Tensor cummax(const Arg& x, int axis, CumulativeOptions options) {
  return along(cummax_p, x, axis, options, [](const Tensor& a, const Tensor& b) { return maximum(a, b); });
}
Tensor cummin(const Arg& x, int axis, CumulativeOptions options) {
  return along(cummin_p, x, axis, options, [](const Tensor& a, const Tensor& b) { return minimum(a, b); });
}
Tensor logcumsumexp(const Arg& x, int axis, CumulativeOptions options) {
  int checked = axis;
  sequence_of(logcumsumexp_p, x, checked);
  return along(logcumsumexp_p, Arg(need_float(x, logcumsumexp_p), x.loc), axis, options, [](const Tensor& a, const Tensor& b) { return logaddexp(a, b); });
}

Tensor diff(const Arg& x, int axis) {
  const OpScope scope("diff", x.loc);
  const Tensor t = sequence_of(diff_p, x, axis);
  const auto n = t.shape(axis), rest = n > 0 ? n - 1 : 0;
  return slice_axis(t, axis, n - rest, rest, 1, x.loc) - slice_axis(t, axis, 0, rest, 1, x.loc);
}

}  // namespace adjoint
