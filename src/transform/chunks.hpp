// chunks.hpp: which chunks a loop runs again within a number of bytes. Not the loops: scan_vjp.cpp.
#pragma once

#include <cstdint>
#include <vector>

namespace adjoint {

/// Bytes that a step leaves for its backward step, and of the carries from which it can be run again.
struct ChunkSizes {
  std::int64_t tape = 0, state = 0;
};
struct Chunks {
  std::vector<std::int64_t> chunks;  ///< sizes, from the outermost; empty: the tape of all steps
  std::int64_t bytes = 0;            ///< kept at most at once
};
/// The fewest levels, and so the fewest runs of a step, whose bytes are within `bytes`; of those the least bytes. Where nothing fits, the
/// least bytes of all. Level k costs one more forward run.
Chunks choose_chunks(std::int64_t length, const ChunkSizes& sizes, std::int64_t bytes);

}  // namespace adjoint
