// body.hpp: a function kept as a graph of its own: what a loop does in each step. Closed: it holds no node of the graph that the
// loop stands in, so that it keeps no buffer alive and serves every loop of its kind. Not a loop: scan.hpp.
#pragma once

#include <memory>
#include <vector>

#include "graph/node.hpp"
#include "graph/recording.hpp"

namespace adjoint {

struct Body {
  Tensors inputs;           ///< stand-ins, without values. Where one is a number (a literal), the loop brings its value along
  Tensors outputs;
  std::vector<Node*> nodes; ///< the operations, in the order in which the user's function made them; the outputs keep them alive
  std::uint64_t hash = 0;   ///< of the structure: bodies with one hash compute the same from the same inputs
  bool is_number(std::size_t k) const { return inputs[k].node()->kind == Kind::literal; }
};

/// A body and what it needs from where it was made.
struct Closed {
  std::shared_ptr<const Body> body;
  Tensors captured;  ///< values from outside, then numbers: the body's inputs after those that were given
};
/// The graph between `inputs` (distinct stand-ins) and `outputs` as a body. What `inside` has not made is captured; without a
/// recording only data and numbers are. The caller holds graph_mutex().
Closed close(const Tensors& inputs, const Tensors& outputs, const Recording* inside = nullptr);

/// A stand-in: a value of this type that will be there when the loop runs.
Tensor stand_in(const Type& type, Loc loc);
Tensors stand_ins(const Tensors& like);

/// The body's outputs on these inputs, made anew in the graph.
Tensors call(const Body& body, const Tensors& inputs);

}  // namespace adjoint
