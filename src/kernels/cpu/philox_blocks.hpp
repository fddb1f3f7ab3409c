// philox_blocks.hpp: many Philox blocks at once. Not for other rooms: philox.hpp.
#pragma once

#include <cstdint>

namespace adjoint::cpu {

/// words[0 ... 32 * groups) = the words of blocks first, first + 1, ... of `key`, eight blocks a group.
void philox_blocks(std::uint64_t key, std::uint64_t first, std::uint64_t groups, std::uint32_t* words);

}  // namespace adjoint::cpu
