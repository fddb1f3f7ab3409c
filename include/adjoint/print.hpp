// print.hpp: graphs as text and as DOT. Not the values: stream a Tensor for those.
#pragma once

#include <span>
#include <string>

#include "adjoint/tensor.hpp"

namespace adjoint {

/// One line a node, operands before users: "%3 f32[32,10] add(%1, %2)  at train.cpp:42". Gradient nodes are marked
/// "backward"; data and numbers are named as such. Nothing is computed.
std::string graph_text(std::span<const Tensor> roots);
/// The same for one value.
std::string graph_text(const Tensor& root);
/// The same graph in Graphviz's language; gradient nodes are drawn dashed.
std::string graph_dot(std::span<const Tensor> roots);
/// The same for one value.
std::string graph_dot(const Tensor& root);

}  // namespace adjoint
