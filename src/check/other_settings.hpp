// other_settings.hpp: the settings of a node with one axis, order of axes or place changed. Not the other faults: mutate.hpp.
#pragma once

#include <vector>

#include "graph/node.hpp"

namespace adjoint::check {

/// Settings that a careless author might have written instead: another axis, two axes exchanged, one place further. All of
/// them stay within the operand, so that they can be run.
std::vector<Attrs> other_settings(const Node& n);

}  // namespace adjoint::check
