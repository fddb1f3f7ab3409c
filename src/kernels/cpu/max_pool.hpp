// max_pool.hpp: the places of the largest elements of windows over one image, by vectors. Not a step: max_pool.cpp.
#pragma once

#include <array>
#include <cstdint>

namespace adjoint::cpu {

using PoolSizes = std::array<std::int64_t, 3>;  // depth, height, width; absent axes have size 1 and stand in front

struct PoolGeometry {
  PoolSizes in{1, 1, 1}, size{1, 1, 1}, stride{1, 1, 1}, dilation{1, 1, 1}, low{0, 0, 0}, out{1, 1, 1};
  std::int64_t planes = 1, plane = 1, windows = 1;
};

/// The taps [first, end) of window p along an axis that lie inside the image, and where tap 0 stands.
struct PoolTaps {
  std::int64_t at = 0, first = 0, end = 0;
};
inline PoolTaps pool_taps(const PoolGeometry& g, std::size_t axis, std::int64_t p) {
  const std::int64_t at = p * g.stride[axis] - g.low[axis], d = g.dilation[axis], inside = at < g.in[axis] ? (g.in[axis] - at - 1) / d + 1 : 0;
  return {at, at < 0 ? (-at + d - 1) / d : 0, inside < g.size[axis] ? inside : g.size[axis]};
}

/// idx[w] = the row-major place of the largest element of window w: the first of equals, the first NaN if there is one.
void max_pool_plane(const PoolGeometry& g, const float* x, std::int32_t* idx);

}  // namespace adjoint::cpu
