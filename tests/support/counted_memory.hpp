// counted_memory.hpp: every malloc, operator new and mmap of the process, counted while a test asks for it. It defines the C library's
// own names: for one file of a test program. Not a leak checker.
#pragma once

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ADJOINT_SANITIZED 1
#endif

namespace adjoint::counted {
inline std::atomic<bool> counting{false};
inline std::atomic<std::int64_t> allocations{0}, bytes{0};
inline void count(std::size_t n) {
  if (!counting.load(std::memory_order_relaxed)) return;
  allocations.fetch_add(1, std::memory_order_relaxed);
  bytes.fetch_add(static_cast<std::int64_t>(n), std::memory_order_relaxed);
}

/// Of all threads while f runs. Always 0 under sanitizers, which have allocators of their own.
template <class F> std::int64_t allocations_in(F&& f) {
  allocations = bytes = 0, counting = true;
  f();
  counting = false;
  return allocations;
}
}  // namespace adjoint::counted

#ifndef ADJOINT_SANITIZED
// operator new calls malloc; what malloc asks the system for goes past mmap's public name.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void* malloc(std::size_t n) { return adjoint::counted::count(n), __libc_malloc(n); }
void* calloc(std::size_t n, std::size_t m) { return adjoint::counted::count(n * m), __libc_calloc(n, m); }
void* realloc(void* p, std::size_t n) { return adjoint::counted::count(n), __libc_realloc(p, n); }
void* aligned_alloc(std::size_t a, std::size_t n) { return adjoint::counted::count(n), __libc_memalign(a, n); }
void* memalign(std::size_t a, std::size_t n) { return adjoint::counted::count(n), __libc_memalign(a, n); }
int posix_memalign(void** p, std::size_t a, std::size_t n) {
  adjoint::counted::count(n);
  *p = __libc_memalign(a, n);
  return *p ? 0 : ENOMEM;
}
void* mmap(void* at, std::size_t n, int protection, int flags, int file, off_t offset) noexcept {
  adjoint::counted::count(n);
  return reinterpret_cast<void*>(syscall(SYS_mmap, at, n, protection, flags, file, offset));
}
}
#endif
