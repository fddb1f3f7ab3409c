// chunks.cpp: a dynamic programme over (steps, levels): the carries of n chunks and the best of one chunk. Not a search over all
// schedules: chunks of one level have one size, which costs at most a few bytes more and needs one body a level.
#include "transform/chunks.hpp"

#include <map>

namespace adjoint {
namespace {

struct Search {
  ChunkSizes sizes;
  std::map<std::pair<std::int64_t, int>, Chunks> known = {};

  const Chunks& best(std::int64_t length, int levels) {
    const auto [it, fresh] = known.try_emplace({length, levels});
    if (!fresh) return it->second;
    Chunks found{{}, length * sizes.tape};
    if (levels > 0) {
      bool any = false;
      // Chunk counts grow by a half at most: the least is within a tenth of any count's.
      for (std::int64_t n = 2; n <= length; n += 1 + n / 8) {
        const auto size = (length + n - 1) / n;
        const Chunks inner = best(size, levels - 1);
        const auto bytes = (length + size - 1) / size * sizes.state + inner.bytes;
        if (any && bytes >= found.bytes) continue;
        any = true;
        found = {{size}, bytes};
        found.chunks.insert(found.chunks.end(), inner.chunks.begin(), inner.chunks.end());
      }
    }
    return known[{length, levels}] = found;
  }
};

}  // namespace

Chunks choose_chunks(std::int64_t length, const ChunkSizes& sizes, std::int64_t bytes) {
  Search search{sizes};
  Chunks least = search.best(length, 0);
  constexpr int kMostLevels = 6;
  for (int levels = 1; levels <= kMostLevels && least.bytes > bytes; ++levels)
    if (const Chunks& c = search.best(length, levels); c.bytes < least.bytes) least = c;
  return least;
}

}  // namespace adjoint
