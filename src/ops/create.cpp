// create.cpp: arange, linspace, logspace, eye, empty: counting, and arithmetic on it. Not iota, which counts: iota.cpp.
#include "adjoint/ops/create.hpp"

#include <cmath>

#include "ops/index_ops.hpp"

namespace adjoint {
namespace {

const Primitive &arange_p = define(inlined("arange", "D24", Gradient::zero)), &linspace_p = define(inlined("linspace", "D24", Gradient::zero));
const Primitive &logspace_p = define(inlined("logspace", "D24", Gradient::zero)), &eye_p = define(inlined("eye", "D24", Gradient::zero));
const Primitive& empty_p = define(inlined("empty", "D24", Gradient::zero));

std::string from_to(double start, double stop) { return "from " + std::to_string(start) + " to " + std::to_string(stop); }

/// 0, 1, 2, ..., n - 1
Tensor counted(std::int64_t n, DType dtype, Loc loc) { return iota_node({n}, 0, dtype, loc); }
Tensor f64(double value, Loc loc) { return literal({Shape{}, DType::f64}, value, loc); }

/// Whether a whole number can be an element of an integer type.
bool fits(double value, DType dtype) {
  const double most = std::ldexp(1.0, static_cast<int>(size_of(dtype)) * 8 - (dtype == DType::u8 ? 0 : 1));
  return value >= (dtype == DType::u8 ? 0 : -most) && value < most;
}

void check_ends(const Primitive& prim, double start, double stop, DType dtype, Loc loc) {
  check_setting(std::isfinite(start) && std::isfinite(stop), prim, loc, from_to(start, stop), "both ends are finite");
  check_setting(std::isfinite(stop - start), prim, loc, from_to(start, stop) + " is further than f64 holds", "both ends divided by 2, and the result times 2");
  check_setting(dtype != DType::bool_, prim, loc, "bool has no counting", "name an integer or a floating type");
}

/// What linspace is, in f64; count was checked.
Tensor evenly(double start, double stop, std::int64_t count, Loc loc) {
  if (count < 2) return broadcast_node(f64(start, loc), {count}, loc);
  const Tensor i = counted(count, DType::f64, loc), d = f64((stop - start) / static_cast<double>(count - 1), loc);
  const Tensor left = f64(static_cast<double>(count - 1), loc) - i;
  // Each half counts from its own end, so that both ends are met.
  return where(lt(i, left), f64(start, loc) + i * d, f64(stop, loc) - left * d);
}

void check_spaced(const Primitive& prim, double start, double stop, std::int64_t count, DType dtype, Loc loc) {
  check_ends(prim, start, stop, dtype, loc);
  check_setting(is_floating(dtype), prim, loc, "equal distances are no " + std::string(name_of(dtype)), "name a floating type, or use arange");
  check_setting(count >= 0, prim, loc, "a count of " + std::to_string(count), "0 or more");
  checked_elements({count}, prim.name, loc);
}

}  // namespace

Tensor arange(double start, double stop, double step, DType dtype, Loc loc) {
  OpScope scope("arange", loc);
  check_ends(arange_p, start, stop, dtype, loc);
  check_setting(std::isfinite(step) && step != 0, arange_p, loc, "a step of " + std::to_string(step), "finite, and not 0");
  const double many = std::ceil((stop - start) / step);
  check_setting(many >= 0, arange_p, loc, "a step of " + std::to_string(step) + " leads away, " + from_to(start, stop), "the step has the sign of stop - start");
  check_setting(many <= 0x1p58, arange_p, loc, std::to_string(many) + " elements " + from_to(start, stop), "a tensor has at most 2^58 elements");
  const auto n = static_cast<std::int64_t>(many);
  if (is_floating(dtype)) return cast_to(f64(start, loc) + counted(n, DType::f64, loc) * f64(step, loc), dtype, loc);
  check_setting(std::trunc(start) == start && std::trunc(step) == step, arange_p, loc,
                "start " + std::to_string(start) + " and step " + std::to_string(step) + " make no " + std::string(name_of(dtype)), "whole numbers, or a floating type");
  const double last = n == 0 ? start : start + static_cast<double>(n - 1) * step;
  check_setting(fits(start, dtype) && fits(last, dtype), arange_p, loc, from_to(start, last) + " does not fit into " + std::string(name_of(dtype)), "a wider type");
  // A step of an only element may be any whole number; it is not used.
  const auto by = n < 2 ? 0 : static_cast<std::int64_t>(step);
  return cast_to(scalar_i64(static_cast<std::int64_t>(start), loc) + counted(n, DType::i64, loc) * scalar_i64(by, loc), dtype, loc);
}

Tensor linspace(double start, double stop, std::int64_t count, DType dtype, Loc loc) {
  OpScope scope("linspace", loc);
  check_spaced(linspace_p, start, stop, count, dtype, loc);
  return cast_to(evenly(start, stop, count, loc), dtype, loc);
}

Tensor logspace(double start, double stop, std::int64_t count, double base, DType dtype, Loc loc) {
  OpScope scope("logspace", loc);
  check_spaced(logspace_p, start, stop, count, dtype, loc);
  check_setting(base > 0 && std::isfinite(base), logspace_p, loc, "a base of " + std::to_string(base), "positive and finite");
  return cast_to(pow(f64(base, loc), evenly(start, stop, count, loc)), dtype, loc);
}

Tensor eye(std::int64_t rows, std::optional<std::int64_t> columns, DType dtype, Loc loc) {
  OpScope scope("eye", loc);
  const Shape matrix{rows, columns.value_or(rows)};
  checked_elements(matrix, eye_p.name, loc);
  return cast_to(eq(iota_node(matrix, 0, DType::i64, loc), iota_node(matrix, 1, DType::i64, loc)), dtype, loc);
}

Tensor empty(const Shape& shape, DType dtype, Loc loc) {
  checked_elements(shape, empty_p.name, loc);
  return literal({shape, dtype}, 0, loc);
}

}  // namespace adjoint
