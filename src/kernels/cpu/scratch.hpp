// scratch.hpp: working memory of the product and convolution kernels: one growing aligned buffer a thread and slot.
// Not for results, and not for memory that must outlive a call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

#include "graph/memory.hpp"

namespace adjoint::kernels {

/// Who holds a buffer. A kernel that calls another one must not share its slot.
enum class Slot : std::uint8_t {
  packed_a, packed_b, partial, small_b, widened, conv_taps, conv_picture, conv_offsets, conv_weights, conv_blocks,
  conv_kinds, conv_stretches, conv_result, conv_tile, conv_levels,
  reduce_block, reduce_lanes, reduce_tree, reduce_partial, indexed_order, tile_rows, emitted_rows, count
};

/// At least n elements of T, aligned to 64 bytes, contents undefined. Valid until this thread asks again for the slot.
/// Allocates only when n is larger than ever before, so a steady state allocates nothing.
template <class T> T* scratch(Slot slot, std::int64_t n) {
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  struct Buffer {
    std::unique_ptr<std::byte, Free> data;
    std::size_t size = 0;
  };
  thread_local Buffer buffers[static_cast<int>(Slot::count)];
  Buffer& b = buffers[static_cast<int>(slot)];
  const std::size_t bytes = static_cast<std::size_t>(n) * sizeof(T);
  if (bytes > b.size) {
    b.data.reset();
    b.size = 0;
    const std::size_t grown = bytes + bytes / 4 + 4096;
    b.data.reset(allocate_block(grown));
    if (!b.data) throw std::bad_alloc();
    b.size = grown;
  }
  return reinterpret_cast<T*>(b.data.get());
}

}  // namespace adjoint::kernels
