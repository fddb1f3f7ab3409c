// refused.hpp: which operations of a graph stand between a wanted value and a result though they have no derivative.
// Not the message: each transform says what it was doing.
#pragma once

#include <optional>
#include <vector>

#include "graph/topo.hpp"

namespace adjoint {

/// The first operation with a refused derivative that has an operand marked in `leads`, and on whose result a root depends in any way, through comparisons and
/// indices too. stop_gradient and the value of straight_through say that no derivative is meant: what is only behind them is left out.
std::optional<std::size_t> first_refused(const Order& order, const std::vector<char>& leads);

}  // namespace adjoint
