// pool.hpp: the thread pool. Work is cut into parts by the caller, so that which thread runs a part
// never changes a bit. Not a task scheduler: no stealing, no nesting, no futures.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

namespace adjoint::runtime {

/// A non-owning reference to a callable void(std::int64_t part). Costs two pointers, allocates nothing.
class PartFn {
 public:
  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, PartFn>)
  PartFn(F&& f)  // NOLINT: implicit, so that a lambda can be passed
      : object_(const_cast<void*>(static_cast<const void*>(&f))),
        call_([](void* o, std::int64_t part) { (*static_cast<std::remove_reference_t<F>*>(o))(part); }) {}
  void operator()(std::int64_t part) const { call_(object_, part); }

 private:
  void* object_;
  void (*call_)(void*, std::int64_t);
};

/// Number of threads that parallel() uses, the caller included. Default: the CPUs this process may run on.
int threads();
/// Sets it; n >= 1. Not to be called while parallel() runs on another thread.
void set_threads(int n);

/// While alive, a step runs: its kernels follow each other closely, and the workers stay awake between them.
class Awake {
 public:
  Awake();
  ~Awake();
  Awake(const Awake&) = delete;
  Awake& operator=(const Awake&) = delete;
};

/// Calls fn(0) ... fn(parts - 1), each once, spread over the pool in fixed contiguous ranges; returns when
/// all are done. Runs serially on the caller when parts == 1, when threads() == 1, when called from inside
/// a part, or when another thread holds the pool. fn must not throw. Pool threads take the caller's
/// rounding and flush-to-zero state (MXCSR).
void parallel(std::int64_t parts, PartFn fn);

}  // namespace adjoint::runtime
