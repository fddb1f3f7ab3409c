// reduce_index.hpp: argmax and argmin, for reduce() alone. Not public to other rooms: they call reduce.hpp.
#pragma once

#include "kernels/cpu/reduce.hpp"

namespace adjoint::cpu {

void reduce_index(ReduceOp op, const plan::View& in, std::uint32_t reduced, const plan::View& out);

}  // namespace adjoint::cpu
