// buffer.hpp: reference-counted bytes that hold a computed value or a user's data. Not an arena: the
// temporaries of a plan live in src/runtime/arena.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "adjoint/error.hpp"

namespace adjoint {

struct Buffer {
  std::byte* data = nullptr;
  std::size_t bytes = 0;
  std::atomic<std::uint32_t> refs{1};
  bool writable = true;                // false over a user's memory, which is never overwritten
  std::shared_ptr<const void> owner;   // keeps a user's memory alive; empty for our own
};

/// New bytes, 64-byte aligned, from a cache of freed blocks. Throws Error when memory is exhausted.
Buffer* new_buffer(std::size_t bytes);
Buffer* borrow_buffer(const void* data, std::size_t bytes, std::shared_ptr<const void> owner);
inline void retain(Buffer* b) { if (b) b->refs.fetch_add(1, std::memory_order_relaxed); }
void release(Buffer* b) noexcept;
/// Bytes in live buffers, and the most there have been.
std::size_t buffer_bytes_live();
std::size_t buffer_bytes_peak();

}  // namespace adjoint
