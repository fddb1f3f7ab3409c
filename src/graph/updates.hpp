// updates.hpp: results of optimizers that wait to be computed, by the thread that made them. Not their marking: node.hpp.
#pragma once

#include <span>

#include "graph/node.hpp"

namespace adjoint {

/// The pending updates that belong with an evaluation of `wanted` on this thread, with a handle each: those that it made itself, or that
/// a thread made which has ended; and all of any other thread of which one is behind these, because they may overwrite what
/// the others still read. None that another thread runs now.
Tensors take_pending_updates(std::span<Node* const> wanted);

}  // namespace adjoint
