// vmap.hpp: a function of one example made into one of many, graph to graph. Not a loop: the function runs once, to build its
// graph, and each operation's batching rule puts all examples through it at a time.
#pragma once

#include <functional>
#include <vector>

#include "adjoint/tensor.hpp"

namespace adjoint {

/// Settings of vmap().
struct VmapOptions {
  std::vector<int> axes = {};  ///< which axis of each input counts the examples (negative from the end); axis 0 of all when empty
  int out_axis = 0;            ///< where that axis stands in every result
};

/// f on each example, all at once: result k holds f(examples)[k] of example b at index b of out_axis.
///   shapes    each input has an axis of one common size B >= 0; f sees it without that axis, and its results gain one
///   shared    what is the same for all examples (parameters, tables) is captured by f, not passed
///   gradient  grad inside f gives a gradient for each example; grad of the results differentiates the whole
///   random    a captured Key draws the same numbers for every example; pass i64 numbers [B] and fold them in for others
///   bits      those of a loop over the examples: an element of a result does not know what else is computed beside it
///   throws    no input; a scalar input; an axis out of range; sizes that differ; a value without data or reading a value (item,
///             printing) inside f, where examples have none; a result of more than 8 axes
Tensors vmap(const std::function<Tensors(const Tensors& example)>& f, const Tensors& xs, const VmapOptions& options = {},
             Loc loc = Loc::current());
/// The same for one input and one result.
Tensor vmap(const std::function<Tensor(const Tensor& example)>& f, const Tensor& x, const VmapOptions& options = {},
            Loc loc = Loc::current());

}  // namespace adjoint
