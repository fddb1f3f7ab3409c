// memory_peak.hpp: counts what operator new hands out, to hold readers to their promise about
// memory. Defines the global operators: for exactly one source file of a program. Not a leak
// checker.
#pragma once

#include <malloc.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace adjoint::testing {

inline std::atomic<std::int64_t> bytes_now{0}, bytes_peak{0};

inline void* counted(std::size_t size) {
  void* p = std::malloc(size ? size : 1);
  if (!p) throw std::bad_alloc();
  const auto now = bytes_now += static_cast<std::int64_t>(::malloc_usable_size(p));
  for (auto peak = bytes_peak.load(); now > peak && !bytes_peak.compare_exchange_weak(peak, now);) {
  }
  return p;
}

inline void uncounted(void* p) {
  if (p) bytes_now -= static_cast<std::int64_t>(::malloc_usable_size(p));
  std::free(p);
}

/// The most bytes that `f` held above what was held before it.
template <class F> std::int64_t peak_of(F&& f) {
  const std::int64_t before = bytes_now;
  bytes_peak = before;
  f();
  return bytes_peak - before;
}

}  // namespace adjoint::testing

void* operator new(std::size_t n) { return adjoint::testing::counted(n); }
void* operator new[](std::size_t n) { return adjoint::testing::counted(n); }
void* operator new(std::size_t n, const std::nothrow_t&) noexcept {
  return adjoint::testing::counted(n);
}
void* operator new[](std::size_t n, const std::nothrow_t&) noexcept {
  return adjoint::testing::counted(n);
}
void operator delete(void* p) noexcept { adjoint::testing::uncounted(p); }
void operator delete[](void* p) noexcept { adjoint::testing::uncounted(p); }
void operator delete(void* p, std::size_t) noexcept { adjoint::testing::uncounted(p); }
void operator delete[](void* p, std::size_t) noexcept { adjoint::testing::uncounted(p); }
