// harness.hpp: all that follows from the rows: what `adjoint check` runs and what the tests assert.
// Not the rows (src/check/rows), and not the reference (reference.hpp).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "check/row.hpp"

namespace adjoint::check {

struct CheckReport {
  std::int64_t rules = 0;    ///< differentiable operations by name, of those asked for
  std::int64_t checks = 0;   ///< single comparisons made
  std::int64_t failed = 0;
  double worst_error = 0;    ///< of f64 gradients, first order, against the reference, by decision 8's measure
  std::string worst;         ///< the operation that has it
  std::vector<std::string> failures;  ///< one line each: operation, row, what was compared, by how much it is off
};

/// Called after each operation with its name and the report so far.
using Progress = std::function<void(std::string_view op, const CheckReport&)>;

/// Every row and bad call of the operations whose name contains `filter` (all of them when it is empty), and that every
/// registered operation has a row. Leaves the number of threads as it was.
CheckReport run_checks(std::string_view filter = {}, const Progress& progress = {});
/// The rows and bad calls of one operation.
CheckReport check_operation(std::string_view op);
/// One row: each of the checks below that applies to it.
void check_row(const Row& row, CheckReport& report);
void check_bad_call(const BadCall& call, CheckReport& report);

/// What the parts of the harness share while one row is checked.
struct RowRun {
  const Row& row;
  CheckReport& report;
  Tensors in;                        ///< f64 operands
  Tensor y;                          ///< the call's result
  std::vector<std::size_t> which;    ///< differentiable operands
  Tensors wrt;                       ///< those
  Tensor seed;                       ///< cotangent of y, if y is floating
  Tensors gradient;                  ///< d <seed, y> / d wrt, if y is floating
  std::vector<double> scale;         ///< largest element of |J|^T |seed|, by operand of wrt; none at kinks
  /// Counts one comparison; if it failed, says so.
  void expect(bool good, const std::string& what);
};

/// Value and first-order gradient against the reference, second order, vjp against jvp, finite differences.
void check_derivatives(RowRun& run);
/// The same of each differentiable operand alone, where rules go other ways: its gradient's bits are those it has among others.
void check_alone(RowRun& run);
/// Declared zeros are zero; what is refused throws when the gradient graph is built.
void check_declared(RowRun& run);
/// f32, bf16 and f16 against f64; views, threads, fusion: equal bits; NaN and infinity: no failure.
void check_execution(RowRun& run);
/// Value and gradient of several examples through vmap, each operand alone and all together, against a loop: equal bits.
void check_batching(RowRun& run);

}  // namespace adjoint::check
