// memory.hpp: blocks of memory from the system: large pages for large blocks, and what is available before it is asked for.
// Not a cache of blocks (buffer.hpp), and not the plan's arena, which is one block.
#pragma once

#include <cstddef>

#include "adjoint/error.hpp"

namespace adjoint {

/// `bytes` aligned to 64, or null; for std::free. Blocks of 2 MiB and more ask for large pages: products walk matrices
/// across their rows, which costs a page a row where pages are small.
std::byte* allocate_block(std::size_t bytes);
/// Bytes that the system can give without swapping (Linux: MemAvailable); the largest number where it does not say.
std::size_t available_memory();
/// Throws an Error of `op` at the user's line if `bytes`, wanted for `what`, are more than that: a block that cannot be had
/// is refused before it is touched.
void need_memory(std::size_t bytes, const char* what, const char* op, Loc loc);

}  // namespace adjoint
