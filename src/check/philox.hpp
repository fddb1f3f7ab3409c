// philox.hpp: one block of the reference's random numbers, for its own test. Not
// src/kernels/cpu/philox.hpp.
#pragma once

#include <array>
#include <cstdint>

namespace adjoint::check {

using Block = std::array<std::uint32_t, 4>;
Block philox(Block counter, std::array<std::uint32_t, 2> key);

}  // namespace adjoint::check
