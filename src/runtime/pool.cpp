// pool.cpp: persistent workers, each with a mailbox of its own, so that a call wakes only the workers it needs.
// Not a place for policy: how work is cut is the caller's business.
#include "runtime/pool.hpp"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "adjoint/error.hpp"
#include "runtime/alone.hpp"

namespace adjoint::runtime {
namespace {

// The floating-point environment that kernels depend on: rounding, flush-to-zero, denormals-are-zero.
#if defined(__x86_64__)
std::uint64_t float_state() { return _mm_getcsr() & ~0x3Fu; }
void set_float_state(std::uint64_t s) {
  if (float_state() != s) _mm_setcsr(static_cast<unsigned>(s));
}
void relax() { _mm_pause(); }
#elif defined(__aarch64__)
std::uint64_t float_state() {
  std::uint64_t s;
  asm volatile("mrs %0, fpcr" : "=r"(s));
  return s;
}
void set_float_state(std::uint64_t s) {
  if (float_state() != s) asm volatile("msr fpcr, %0" : : "r"(s));
}
void relax() { asm volatile("yield"); }
#else
std::uint64_t float_state() { return 0; }
void set_float_state(std::uint64_t) {}
void relax() {}
#endif

int available_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

// About 30 us of spinning: longer than the gap between two kernels of a step, short enough to be kind to neighbours. While a
// compiled step runs, a worker that waits for the next parallel kernel stays awake for milliseconds, and whoever waits for a worker does,
// so that a step enters the system only where another process took the core.
constexpr int kSpins = 2000, kSpinsInStep = 300'000, kSpinsForWorkers = 3'000'000;

struct Job {
  const PartFn* fn = nullptr;
  std::int64_t parts = 0;
  int width = 1;
  std::uint64_t float_state = 0;
};

thread_local bool inside_part = false;

void run_range(const Job& job, int worker) noexcept {
  const std::int64_t per = job.parts / job.width, extra = job.parts % job.width;
  const std::int64_t first = per * worker + std::min<std::int64_t>(worker, extra);
  const std::int64_t last = first + per + (worker < extra ? 1 : 0);
  for (std::int64_t p = first; p < last; ++p) (*job.fn)(p);
}

class Pool {
 public:
  Pool() : threads_(available_cpus()), cpus_(threads_.load()) {}
  ~Pool() {
    for (auto& w : workers_) post(*w, kStop);
    for (auto& w : workers_) w->thread.join();
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  int threads() const { return threads_.load(std::memory_order_relaxed); }
  void set_threads(int n) { threads_.store(n, std::memory_order_relaxed); }
  void step_begins() { steps_.fetch_add(1, std::memory_order_relaxed); }
  void step_ends() { steps_.fetch_sub(1, std::memory_order_relaxed); }

  /// False when another thread holds the pool: the caller then runs alone.
  bool try_run(std::int64_t parts, const PartFn& fn) {
    std::unique_lock lock(owner_, std::try_to_lock);
    if (!lock) return false;
    const int wanted = static_cast<int>(std::min<std::int64_t>(parts, threads()));
    const int width = grow_to(wanted);
    job_ = {&fn, parts, width, float_state()};
    pending_.store(width - 1, std::memory_order_relaxed);
    for (int w = 1; w < width; ++w) post(*workers_[w - 1], kWork);
    inside_part = true;
    run_range(job_, 0);
    inside_part = false;
    wait_for_workers();
    return true;
  }

 private:
  static constexpr std::uint32_t kIdle = 0, kWork = 1, kStop = 2, kAsleep = 3;

  struct alignas(64) Worker {
    std::atomic<std::uint32_t> mail{kIdle};
    std::thread thread;
  };

  static void post(Worker& w, std::uint32_t message) {
    if (w.mail.exchange(message, std::memory_order_acq_rel) == kAsleep) w.mail.notify_one();
  }

  int spins(int in_step) const { return threads() > cpus_ ? 0 : steps_.load(std::memory_order_relaxed) > 0 ? in_step : kSpins; }

  std::uint32_t receive(Worker& w) {
    for (int i = 0; i < spins(kSpinsInStep); ++i) {
      const auto m = w.mail.load(std::memory_order_acquire);
      if (m != kIdle) return m;
      relax();
    }
    std::uint32_t m = kIdle;
    if (w.mail.compare_exchange_strong(m, kAsleep, std::memory_order_acq_rel)) {
      do w.mail.wait(kAsleep, std::memory_order_acquire);
      while ((m = w.mail.load(std::memory_order_acquire)) == kAsleep);
    }
    return m;
  }

  void work(Worker& self, int index) {
    inside_part = true;
    while (receive(self) == kWork) {
      self.mail.store(kIdle, std::memory_order_relaxed);
      set_float_state(job_.float_state);
      run_range(job_, index);
      if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) pending_.notify_one();
    }
  }

  void wait_for_workers() {
    for (int i = spins(kSpinsForWorkers); i > 0; --i) {
      if (pending_.load(std::memory_order_acquire) == 0) return;
      relax();
    }
    for (int left; (left = pending_.load(std::memory_order_acquire)) != 0;)
      pending_.wait(left, std::memory_order_acquire);
  }

  // A system that refuses a thread leaves fewer workers, never a failed call.
  int grow_to(int width) {
    while (static_cast<int>(workers_.size()) < width - 1) {
      auto worker = std::make_unique<Worker>();
      const int index = static_cast<int>(workers_.size()) + 1;
      try {
        worker->thread = std::thread([this, w = worker.get(), index] { work(*w, index); });
      } catch (const std::system_error&) {
        return index;
      }
      workers_.push_back(std::move(worker));
    }
    return width;
  }

  std::mutex owner_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::atomic<int> threads_, steps_{0};
  const int cpus_;
  Job job_;
  alignas(64) std::atomic<int> pending_{0};
};

// A forked child has no workers: it starts a pool of its own, and the parent's copy is let go.
struct Holder {
  std::unique_ptr<Pool> pool = std::make_unique<Pool>();
  Holder() { pthread_atfork(nullptr, nullptr, [] { get().renew(); }); }
  void renew() {
    const int n = pool->threads();
    static_cast<void>(pool.release());
    pool = std::make_unique<Pool>();
    pool->set_threads(n);
  }
  static Holder& get() {
    static Holder holder;
    return holder;
  }
};

Pool& the_pool() { return *Holder::get().pool; }

}  // namespace

Alone::Alone() : outer_(inside_part) { inside_part = true; }
Alone::~Alone() { inside_part = outer_; }

int threads() { return the_pool().threads(); }

void set_threads(int n) {
  if (n < 1)
    throw Error{{.op = "set_threads", .message = "needs at least 1 thread, got " + std::to_string(n), .where = {},
                 .operands = {}, .hint = "1 runs everything on the calling thread"}};
  the_pool().set_threads(n);
}

Awake::Awake() { the_pool().step_begins(); }
Awake::~Awake() { the_pool().step_ends(); }

void parallel(std::int64_t parts, PartFn fn) {
  if (parts > 1 && !inside_part && threads() > 1 && the_pool().try_run(parts, fn)) return;
  for (std::int64_t p = 0; p < parts; ++p) fn(p);
}

}  // namespace adjoint::runtime
