// timing.hpp: what the kernel workbenches share: the best of many runs, the machine's fma rate, oneDNN's thread count.
// Not a statistics package: on a shared machine the least time is the honest one, and the caller alternates rivals.
#pragma once

#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace adjoint::bench {

/// Time that this thread has run (threads == 1), so that waiting for a shared processor is not counted; else wall time.
inline bool count_own_time = true;
inline double now() {
  timespec t;
  clock_gettime(count_own_time ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// Least seconds of one call; short calls are timed several at once. Runs for about `budget` seconds.
template <class F> double best_seconds(F&& f, double budget = 0.1) {
  f();
  const double start = now();
  f();
  const int inner = std::max(1, static_cast<int>(2e-5 / std::max(1e-9, now() - start)));
  double best = 1e30;
  for (const double end = now() + budget; now() < end;) {
    const double t = now();
    for (int i = 0; i < inner; ++i) f();
    best = std::min(best, (now() - t) / inner);
  }
  return best;
}

/// Times rivals in turns, so that a disturbance meets all of them.
template <class... F> std::vector<double> best_of_rivals(double budget, F&&... f) {
  std::vector<double> best(sizeof...(f), 1e30);
  for (int round = 0; round < 5; ++round) {
    std::size_t i = 0;
    ((best[i] = std::min(best[i], best_seconds(f, budget / 5)), ++i), ...);
  }
  return best;
}

/// f32 GFLOP/s of one core with 256-bit fma, ten independent chains; 0 where that does not exist.
#if defined(__x86_64__)
__attribute__((target("avx2,fma"), noinline)) inline double fma_peak() {
  const __m256 m = _mm256_set1_ps(0.999f);
  constexpr int rounds = 50000;
  const auto once = [&]() __attribute__((target("avx2,fma"))) {
    __m256 a = m, b = m, c = m, d = m, e = m, f = m, g = m, h = m, i = m, j = m;
    for (int k = 0; k < rounds; ++k)
      asm volatile(
          "vfmadd213ps %10,%10,%0\n\tvfmadd213ps %10,%10,%1\n\tvfmadd213ps %10,%10,%2\n\tvfmadd213ps %10,%10,%3\n\t"
          "vfmadd213ps %10,%10,%4\n\tvfmadd213ps %10,%10,%5\n\tvfmadd213ps %10,%10,%6\n\tvfmadd213ps %10,%10,%7\n\t"
          "vfmadd213ps %10,%10,%8\n\tvfmadd213ps %10,%10,%9"
          : "+x"(a), "+x"(b), "+x"(c), "+x"(d), "+x"(e), "+x"(f), "+x"(g), "+x"(h), "+x"(i), "+x"(j)
          : "x"(m));
  };
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 0;
  return rounds * 10.0 * 16.0 / best_seconds(once, 0.3) / 1e9;
}
#else
inline double fma_peak() { return 0; }
#endif

/// oneDNN runs on OpenMP; its runtime is reached by name, so that nothing here links to it.
inline void set_openmp_threads(int n) {
  if (void* f = dlsym(RTLD_DEFAULT, "omp_set_num_threads")) reinterpret_cast<void (*)(int)>(f)(n);
}

inline std::vector<float> numbers(std::size_t n, unsigned seed) {
  std::vector<float> v(n);
  for (auto& x : v) {
    seed = seed * 1664525u + 1013904223u;
    x = static_cast<float>(static_cast<int>(seed >> 8) - (1 << 23)) * 0x1p-23f;
  }
  return v;
}

/// A workbench measures nothing that is wrong: stops the program.
inline void require(bool right, const char* what) {
  if (right) return;
  std::fprintf(stderr, "wrong result: %s\n", what);
  std::exit(1);
}

}  // namespace adjoint::bench
