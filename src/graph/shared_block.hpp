// shared_block.hpp: buffers that are parts of one block. Not the block's making: memory.hpp.
#pragma once

#include "graph/buffer.hpp"

namespace adjoint {

/// Bytes [begin, begin + bytes) of a block, writable; the block goes with the last of its buffers.
Buffer* part_of_block(std::shared_ptr<std::byte> block, std::size_t begin, std::size_t bytes);

}  // namespace adjoint
