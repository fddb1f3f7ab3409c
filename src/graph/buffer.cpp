// buffer.cpp: a small cache of freed blocks by power-of-two class, so that a steady step never asks the
// system for memory. Not a general allocator: blocks above 64 MiB go straight back, and those up to 16 KiB never.
#include "graph/buffer.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

#include "adjoint/error.hpp"
#include "graph/memory.hpp"
#include "graph/node.hpp"
#include "graph/shared_block.hpp"

namespace adjoint {
namespace {

constexpr std::size_t kCachedClassBytes = std::size_t{64} << 20;
constexpr std::size_t kBlocksPerClass = 64;
// Small blocks are cut from runs of their class and stay ours: tensors that are made one after the other lie so, and a step over many
// of them reads memory in order. One by one under sanitizers, which watch what lies between blocks.
#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kSmallClassBytes = 0;
#else
constexpr std::size_t kSmallClassBytes = std::size_t{1} << 14;
#endif
constexpr std::size_t kRunBytes = std::size_t{1} << 18;

struct Cache {
  std::mutex mutex;
  std::vector<std::byte*> free_blocks[64];
  std::vector<Buffer*> free_headers;
};
Cache& cache() {
  static Cache* c = new Cache;  // never destroyed: tensors may outlive static destructors
  return *c;
}
std::atomic<std::size_t> live_bytes{0}, peak_bytes{0};

int class_of(std::size_t bytes) { return std::bit_width(bytes <= 64 ? std::size_t{63} : bytes - 1); }
std::size_t class_bytes(std::size_t bytes) {
  return bytes > kCachedClassBytes ? (bytes + 63) / 64 * 64 : std::size_t{1} << class_of(bytes);
}

void count_live(std::size_t bytes) {
  const auto now = live_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  auto peak = peak_bytes.load(std::memory_order_relaxed);
  while (now > peak && !peak_bytes.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {}
}

/// The first block of a new run; the others wait behind one another. Null where there is no memory.
std::byte* cut_run(std::vector<std::byte*>& free_blocks, std::size_t block) {
  const std::size_t count = std::min(kBlocksPerClass, kRunBytes / block);
  std::byte* run = allocate_block(count * block);
  for (std::size_t k = count; run && --k > 0;) free_blocks.push_back(run + k * block);
  return run;
}

Buffer* new_header() {
  auto& c = cache();
  {
    std::lock_guard lock(c.mutex);
    if (!c.free_headers.empty()) {
      Buffer* b = c.free_headers.back();
      c.free_headers.pop_back();
      b->refs.store(1, std::memory_order_relaxed);
      return b;
    }
  }
  return new Buffer;
}

}  // namespace

Buffer* new_buffer(std::size_t bytes) {
  auto& c = cache();
  std::byte* data = nullptr;
  if (bytes <= kCachedClassBytes) {
    std::lock_guard lock(c.mutex);
    auto& blocks = c.free_blocks[class_of(bytes)];
    if (!blocks.empty()) {
      data = blocks.back();
      blocks.pop_back();
    } else if (class_bytes(bytes) <= kSmallClassBytes) {
      data = cut_run(blocks, class_bytes(bytes));
    }
  }
  if (!data) {
    need_memory(bytes, "a value", "eval", {});
    data = allocate_block(class_bytes(bytes));
    if (!data)
      throw Error({.op = "eval",
                   .message = "out of memory: a value needs " + std::to_string(bytes) + " bytes",
                   .hint = "use a smaller batch, or free tensors that are no longer needed"});
  }
  Buffer* b = new_header();
  b->data = data;
  b->bytes = bytes;
  b->writable = true;
  count_live(bytes);
  return b;
}

Buffer* part_of_block(std::shared_ptr<std::byte> block, std::size_t begin, std::size_t bytes) {
  Buffer* b = new_header();
  b->data = block.get() + begin;
  b->bytes = bytes;
  b->writable = true;
  b->owner = std::move(block);
  count_live(bytes);
  return b;
}

Buffer* borrow_buffer(const void* data, std::size_t bytes, std::shared_ptr<const void> owner) {
  Buffer* b = new_header();
  b->data = const_cast<std::byte*>(static_cast<const std::byte*>(data));
  b->bytes = bytes;
  b->writable = false;
  b->owner = std::move(owner);
  return b;
}

void release(Buffer* b) noexcept {
  if (!b || b->refs.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  auto& c = cache();
  std::shared_ptr<const void> owner = std::move(b->owner);  // let go outside the lock
  b->owner.reset();
  std::lock_guard lock(c.mutex);
  if (b->writable) live_bytes.fetch_sub(b->bytes, std::memory_order_relaxed);
  if (b->writable && !owner) {
    auto& blocks = c.free_blocks[class_of(b->bytes)];
    if (class_bytes(b->bytes) <= kSmallClassBytes || (b->bytes <= kCachedClassBytes && blocks.size() < kBlocksPerClass)) blocks.push_back(b->data);
    else std::free(b->data);
  }
  b->data = nullptr;
  c.free_headers.push_back(b);
}

std::size_t buffer_bytes_live() { return live_bytes.load(std::memory_order_relaxed); }
std::size_t buffer_bytes_peak() { return peak_bytes.load(std::memory_order_relaxed); }

}  // namespace adjoint
