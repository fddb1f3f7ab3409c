// limits.hpp: which shapes a tensor can have. Not memory: buffer.hpp.
#pragma once

#include <algorithm>

#include "adjoint/shape.hpp"

namespace adjoint {

/// Sizes are >= 0 and multiply to at most 2^58, those of an empty tensor too (its axes of size 0 left out): so no stride
/// and no number of bytes overflows.
inline bool possible(const Shape& shape) {
  std::int64_t n = 1;
  for (auto d : shape)
    if (d < 0 || __builtin_mul_overflow(n, std::max<std::int64_t>(d, 1), &n)) return false;
  return n <= std::int64_t{1} << 58;
}

}  // namespace adjoint
