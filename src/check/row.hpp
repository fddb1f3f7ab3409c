// row.hpp: one row an operation drives all generated tests: inputs, the call, the range, and its bad calls.
// Not a test: the harness derives them (quad reference, finite differences, second order, vjp against jvp, views,
// threads, types, messages) for `adjoint check` and for the test suite.
#pragma once

#include <string>
#include <vector>

#include "adjoint/tensor.hpp"

namespace adjoint::check {

/// One operand: its type in the f64 run, and the values it is drawn from.
struct Input {
  Shape shape;
  double low = -2, high = 2;          ///< uniform, by a counted generator
  DType dtype = DType::f64;           ///< integer and bool operands are drawn in [low, high] and are not differentiated
  std::vector<double> exact = {};     ///< if not empty: these values, repeated (ties, bounds, special points)
  bool differentiable = true;         ///< false: a constant of the row (indices, masks, keys, targets)
};

using Call = Tensor (*)(const Tensors& in);

struct Row {
  std::string op;                     ///< the registered name
  std::vector<Input> in;
  Call call;                          ///< the public function on these operands; several results are joined into one
  double condition = 1;               ///< factor on the error bound of 1e-12, with its reason
  std::string reason = {};            ///< why condition != 1, or why a check is left out
  bool kink = false;                  ///< values sit at ties or bounds: no finite differences, no second order; vjp = jvp holds
  bool linear_in_ct = true;           ///< false: excluded from the dot-product test (clip_gradient)
  bool one_mode = false;              ///< true: the rule goes backward only, by its contract (custom_vjp): no dot-product test
  bool f32 = true;                    ///< also run in f32, bf16, f16 against f64, by the type's precision
  double f32_tolerance = 8;           ///< in units of the type's epsilon, relative to max |result|
  Loc at = Loc::current();            ///< the list that the row stands in
};
/// A call that must throw; `message` is a part of what() that names the trouble.
struct BadCall {
  std::string op;
  void (*call)();
  std::string message;
  Loc at = Loc::current();            ///< the Error must name a place in this file
};

/// Registers rows; used as `static const bool rows_ = add_rows({...});`.
bool add_rows(std::vector<Row> rows);
bool add_bad_calls(std::vector<BadCall> calls);
const std::vector<Row>& all_rows();
const std::vector<BadCall>& all_bad_calls();

}  // namespace adjoint::check
