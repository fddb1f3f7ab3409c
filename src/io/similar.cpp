// similar.cpp: edit distance, bounded so that a message never costs noticeable time. Not a search.
#include "io/similar.hpp"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace adjoint::io {

static std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t change = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, diagonal + 1, change});
    }
  }
  return row.back();
}

std::string_view most_similar(std::string_view name, std::span<const std::string_view> candidates) {
  constexpr std::size_t kMost = 2000, kLongest = 100;
  std::string_view best;
  std::size_t least = name.size() / 3 + 1;
  if (name.size() > kLongest) return best;
  for (const auto c : candidates.first(std::min(candidates.size(), kMost))) {
    if (c.size() > kLongest) continue;
    const std::size_t d = distance(name, c);
    if (d < least) least = d, best = c;
  }
  return best;
}

}  // namespace adjoint::io
