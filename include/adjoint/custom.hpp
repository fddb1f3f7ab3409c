// custom.hpp: derivative rules of the user's own, for any function of tensors, and a look at cotangents as they pass.
// Not trusted: what a rule returns is checked for number, shape and element type when the gradient is built.
#pragma once

#include <functional>
#include <string>

#include "adjoint/tensor.hpp"

namespace adjoint {

/// A function with a backward rule: ct is the cotangent of the result; the rule returns one cotangent an input, of the
/// input's type, and an empty Tensor where there is none (an integer input). Rules are built from operations, so they can
/// be differentiated again.
struct CustomVjp {
  std::string name;  ///< for messages
  std::function<Tensor(const Tensors& in)> forward;
  std::function<Tensors(const Tensors& in, const Tensor& out, const Tensor& ct)> backward;
};
/// rule.forward(in), differentiated by rule.backward. Forward mode is an error: give a CustomJvp for both modes. Under vmap a
/// rule sees one example at a time, as its function does.
Tensor custom_vjp(const CustomVjp& rule, const Tensors& in, Loc loc = Loc::current());

/// A function with a forward rule: `dot` holds one tangent an input, a zero where there is none; the rule returns the
/// result's tangent and is linear in `dot`.
struct CustomJvp {
  std::string name;
  std::function<Tensor(const Tensors& in)> forward;
  std::function<Tensor(const Tensors& in, const Tensor& out, const Tensors& dot)> tangent;
};
/// rule.forward(in), differentiated in both modes by rule.tangent: reverse mode transposes it.
Tensor custom_jvp(const CustomJvp& rule, const Tensors& in, Loc loc = Loc::current());

/// x, and `see` is called with the cotangent of x each time that a gradient through it is built. The cotangent is a value of
/// the graph: keep it, and evaluate it with the rest.  gradient  dx = ct
Tensor probe(const Arg& x, std::function<void(const Tensor& ct)> see);

}  // namespace adjoint
