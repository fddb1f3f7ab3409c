// memory.cpp: blocks of memory from the system. Not a cache of blocks: buffer.cpp is one.
#include "graph/memory.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>

#include "adjoint/tensor.hpp"
#include "graph/node.hpp"

namespace adjoint {

std::byte* allocate_block(std::size_t bytes) {
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
  if (bytes < kHugePage) return static_cast<std::byte*>(std::aligned_alloc(64, (bytes + 63) / 64 * 64));
  const auto whole = (bytes + kHugePage - 1) / kHugePage * kHugePage;
  auto* memory = static_cast<std::byte*>(std::aligned_alloc(kHugePage, whole));
#ifdef MADV_HUGEPAGE
  if (memory) madvise(memory, whole, MADV_HUGEPAGE);
#endif
  return memory;
}

std::size_t available_memory() {
  std::ifstream in("/proc/meminfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("MemAvailable:")) return std::stoull(line.substr(13)) << 10;
  return std::numeric_limits<std::size_t>::max();
}

void need_memory(std::size_t bytes, const char* what, const char* op, Loc loc) {
  if (bytes <= std::size_t{64} << 20) return;  // below this the question costs more than it tells
  const auto available = available_memory();
  if (bytes <= available) return;
  throw Error({.op = op, .message = "out of memory: " + std::string(what) + " needs " + std::to_string(bytes) + " bytes, and " +
                                    std::to_string(available) + " are available",
               .where = user_loc(loc), .hint = "use a smaller batch, or free tensors that are no longer needed"});
}

}  // namespace adjoint
