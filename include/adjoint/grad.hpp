// grad.hpp: gradients as graph-to-graph functions, and the imperative form on top of them.
// Not an engine: nothing is computed here; the reverse pass only adds nodes.
#pragma once

#include <span>
#include <utility>

#include "adjoint/tensor.hpp"

namespace adjoint {

/// Cotangents of `wrt` (leaves or interior values): d loss / d w for each w, of w's own type. `loss` is a scalar.
/// A value that the loss does not reach gives an explicit zero, and a warning that names it. The result can be differentiated again.
/// A loss that was computed before (item() before grad) is legal: its forward part runs twice, which warns once a line.
///   errors  loss is not a scalar (use vjp with a seed); an operation on the path has no derivative; a parameter on the
///           path was overwritten by an update since, or donated; the loss does not reach a value of plain data, but holds an
///           operation whose graph was released when it was computed, so that the value may lie behind it
Tensors grad(const Tensor& loss, std::span<const Tensor> wrt, Loc loc = Loc::current());
/// The same for one value.
Tensor grad(const Tensor& loss, const Tensor& wrt, Loc loc = Loc::current());
/// {loss, grad(loss, wrt)}
std::pair<Tensor, Tensors> value_and_grad(const Tensor& loss, std::span<const Tensor> wrt, Loc loc = Loc::current());

/// Reverse mode with a seed: for each w, sum over outputs of (d output / d w)^T seed. Seeds have the outputs' types.
Tensors vjp(std::span<const Tensor> outputs, std::span<const Tensor> seeds, std::span<const Tensor> wrt, Loc loc = Loc::current());
/// The same for one output and one value.
Tensor vjp(const Tensor& output, const Tensor& seed, const Tensor& wrt, Loc loc = Loc::current());

/// Forward mode: for each output, sum over wrt of (d output / d w) tangent. Tangents have the types of wrt.
Tensors jvp(std::span<const Tensor> outputs, std::span<const Tensor> wrt, std::span<const Tensor> tangents, Loc loc = Loc::current());
/// The same for one output and one value.
Tensor jvp(const Tensor& output, const Tensor& wrt, const Tensor& tangent, Loc loc = Loc::current());

/// Settings of backward().
struct BackwardOptions {
  bool retain = false;  ///< keep the graph and what it reads: backward can be called on it again, also after an update
};
/// Imperative form: adds d loss / d leaf to grad() of every leaf behind `loss` that asked for gradients. Adjoints belong
/// to the call: interior values hold none, and a second call adds exactly the same again. Without `retain` the graph
/// behind `loss` is released, and a second call is an Error.
void backward(const Tensor& loss, BackwardOptions options = {}, Loc loc = Loc::current());
/// The same for a loss that is not a scalar, with its seed.
void backward(const Tensor& loss, const Tensor& seed, BackwardOptions options = {}, Loc loc = Loc::current());

/// While alive, values made on this thread keep no graph for backward once they are computed: for evaluation and
/// prediction. Values do not change; grad(loss, x) on a graph that is not computed yet still works.
class NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;
};

/// Where warnings go (a parameter that the loss does not reach, item() before grad, more than a million nodes that are not
/// computed): standard error by default, and again after nullptr. May be called at any time from any thread; the sink is
/// called on the thread that warns, possibly on several at once, and may use the library.
using WarningSink = void (*)(const char* text);
/// Sets it for all threads; null brings standard error back.
void set_warning_sink(WarningSink sink);

}  // namespace adjoint
