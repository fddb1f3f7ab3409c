// check.hpp: proofs of derivatives for who writes a rule or a fast form: against differences, against a simpler form.
// Not the library's own table of operations: that is what `adjoint check` runs.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "adjoint/tensor.hpp"

namespace adjoint {

/// A function of tensors to one tensor, pure.
using Function = std::function<Tensor(const Tensors&)>;

/// Settings of gradcheck().
struct GradcheckOptions {
  double step = 1e-5;          ///< of the central differences, relative to max(1, |x|)
  double tolerance = 1e-6;     ///< relative to the largest derivative of the operand
  std::int64_t most_elements = 100;  ///< of each operand, spread evenly; all of them together are checked along one direction
};
/// What gradcheck() found.
struct GradcheckResult {
  bool ok = true;
  double worst = 0;       ///< the largest relative difference seen
  std::string message;    ///< where it is, with both numbers
};
/// The gradient of <w, f(inputs)>, w fixed and random, against central differences in f64: along single elements and along
/// one random direction.
///   throws  Error if an input or the result is not f64
GradcheckResult gradcheck(const Function& f, const Tensors& inputs, GradcheckOptions options = {}, Loc loc = Loc::current());

/// What refcheck() found.
struct RefcheckResult {
  double max_ulp = 0;           ///< of the values
  double max_ulp_gradient = 0;  ///< of the gradients of their sums with respect to floating inputs
};
/// A fast form against a simple one that defines it: the largest distance in units of the last place of the simple one's
/// results; infinity where only one of them is NaN or infinite.
///   throws  Error if the results differ in type
RefcheckResult refcheck(const Function& fast, const Function& slow, const Tensors& inputs, Loc loc = Loc::current());

}  // namespace adjoint
