// making.hpp: the order in which operations were made: that of the program, whatever order a walk finds them in. Sums of
// contributions are joined by it, so that a loop written out and the same loop as an operation agree to the bit.
// Not a time and not a position: numbers of unrelated nodes of two threads say nothing.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/topo.hpp"

namespace adjoint {

/// Larger than that of every operand; on one thread, larger than that of whatever was made before. 0 of data and numbers.
inline std::uint64_t made_at(const Node& n) { return n.kind == Kind::op ? static_cast<std::uint64_t>(n.integer) : 0; }
/// Gives a new operation its number.
void number_making(Node& n);
/// The positions of an order's nodes as they were made, data and numbers first: an order that may run, too.
std::vector<std::uint32_t> in_order_of_making(const Order& order);

}  // namespace adjoint
