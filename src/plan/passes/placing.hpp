// placing.hpp: what the ways to place values in an arena share. Not a pass: place.cpp is.
#pragma once

#include <cstdint>
#include <vector>

namespace adjoint::plan {

/// One value to place: alive in steps [first, last].
struct Item {
  std::int64_t bytes, offset;
  std::int32_t first, last;
  std::uint32_t slot;
};

/// Offsets within `limit` bytes by a beam search in order of time: of the arenas after each value the 64 with the least broken
/// free space are kept. False, and no offset changed, where it finds none within a bounded number of looks.
bool place_within(std::vector<Item>& items, std::int64_t limit);

}  // namespace adjoint::plan
