// reference.hpp: a whole graph of the library computed in another scalar type, and its derivatives
// by differences in that type. In Quad this is the reference that gradients in f64 are held to. Not
// a way to run a model: every value is written out, every definition is its plainest loop.
#pragma once

#include <span>
#include <vector>

#include "adjoint/tensor.hpp"
#include "check/quad.hpp"
#include "check/reference_tensor.hpp"

namespace adjoint::check {

/// In place of the tensor `at` and of all that only it needs stands `value`, of the same shape.
template <class T> struct Override {
  Tensor at;
  RefTensor<T> value;
};

/// The values of `outputs` in T. A core primitive runs by its definition in src/check, a composite
/// through its `decompose`. Leaves are converted exactly; floating types are not rounded, so that
/// f32 graphs are computed in T as well. Throws Error for a primitive without a definition and
/// where the definition's shape differs from the inferred one.
template <class T>
std::vector<RefTensor<T>> evaluate(std::span<const Tensor> outputs,
                                   std::span<const Override<T>> overrides = {});

/// The elements of a leaf, a literal or a computed tensor.
template <class T> RefTensor<T> value_of(const Tensor& t);

/// One column of the Jacobian an element of x: q = J^T w, and scale = |J|^T |w|, which bounds what
/// rounding can do to q.
template <class T> struct NumericGradient { RefTensor<T> q, scale; };
/// d (sum of w * output) / d x by central differences of relative step 2^-37 in Quad (error near
/// 1e-22), 2^-20 in long double. Runs the graph twice an element of x.
template <class T>
NumericGradient<T> numeric_gradient(const Tensor& output, const RefTensor<T>& w, const Tensor& x,
                                    std::span<const Override<T>> overrides = {});

/// |g - q| / max(|q|, | |J|^T |w| |) in the Euclidean norm; infinity if g has a NaN or an infinity
/// where q has none. 0 where all three are 0.
template <class T>
double gradient_error(const RefTensor<T>& g, const NumericGradient<T>& reference);
/// |a - b| / |b| in the Euclidean norm, by the same rules.
template <class T> double norm_error(const RefTensor<T>& a, const RefTensor<T>& b);

}  // namespace adjoint::check
