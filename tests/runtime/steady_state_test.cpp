// steady_state_test.cpp: a compiled step that runs again and again allocates nothing, makes no plan, enters the system not once and
// takes no lock. Counted: every operator new and malloc of the process, every system call of a child that is killed for one. Not its speed.
#include <gtest/gtest.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <new>
#include <thread>
#include <vector>

#include "adjoint/compile.hpp"
#include "adjoint/nn.hpp"
#include "adjoint/ops.hpp"
#include "adjoint/optim.hpp"
#include "graph/node.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ADJOINT_SANITIZED 1
#endif

namespace {
std::atomic<bool> counting{false};
std::atomic<std::int64_t> allocations{0};
[[maybe_unused]] void count() {
  if (counting.load(std::memory_order_relaxed)) allocations.fetch_add(1, std::memory_order_relaxed);
}
}  // namespace

#ifndef ADJOINT_SANITIZED
// The C library's own, of which ours are the counting form: operator new calls malloc.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void* malloc(std::size_t n) { return count(), __libc_malloc(n); }
void* calloc(std::size_t n, std::size_t m) { return count(), __libc_calloc(n, m); }
void* realloc(void* p, std::size_t n) { return count(), __libc_realloc(p, n); }
void* aligned_alloc(std::size_t a, std::size_t n) { return count(), __libc_memalign(a, n); }
}
#endif

namespace adjoint {
namespace {

struct Net {
  nn::Linear hidden, head;
  Tensor operator()(const Tensor& x) const { return head(relu(hidden(x))); }
};
Net net() { return {nn::linear(64, 64, Key(1)), nn::linear(64, 10, Key(2))}; }

/// A model with its state, batch and step, warmed up.
template <class Opt> struct Bench {
  using State = typename Opt::template State<Net>;
  Opt opt;
  Net model = net();
  State state = opt.init(model);
  Tensor x, y;
  static Tensor body(Net& m, State& s, const Opt& o, const Tensor& in, const Tensor& target) {
    const Tensor loss = cross_entropy(m(in), target);
    std::tie(m, s) = o.update(m, grad(loss, m), s);
    return loss;
  }
  decltype(compile(body)) step = compile(body);
  explicit Bench(Opt o, std::int64_t batch = 16) : opt(o), x(normal(Key(3), {batch, 64}).detach()), y(randint(Key(4), {batch}, 0, 10, DType::i32).detach()) {
    run(50);
  }
  double run(int steps) {
    Tensor loss;
    for (int i = 0; i < steps; ++i) {
      opt.learning_rate = 0.1 / (1 + i % 7);
      loss = step(model, state, opt, x, y);
    }
    return loss.item();
  }
  /// The steps alone: reading the loss is another matter.
  void only_steps(int steps) {
    for (int i = 0; i < steps; ++i) {
      opt.learning_rate = 0.1 / (1 + i % 7);
      step(model, state, opt, x, y);
    }
  }
};

template <class F> std::int64_t allocations_in(F&& f) {
  allocations = 0, counting = true;
  f();
  counting = false;
  return allocations;
}

struct Threads {
  int before = threads();
  explicit Threads(int n) { set_threads(n); }
  ~Threads() { set_threads(before); }
};

int cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

constexpr int kNoBan = 255;  // the system refuses the filter; other statuses are numbers of system calls

/// From here on, a system call of this process is its end, with the call's number as its status (but the one by which it ends).
void forbid_system_calls() {
  struct sigaction caught = {};
  caught.sa_flags = SA_SIGINFO;
  caught.sa_sigaction = [](int, siginfo_t* what, void*) { syscall(SYS_exit_group, what->si_syscall & 0xFF); };
  sigaction(SIGSYS, &caught, nullptr);
  sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
  };
  const sock_fprog program{static_cast<unsigned short>(std::size(rules)), rules};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0) _exit(kNoBan);
}

/// How a child ends that makes steps under the ban: 0, kNoBan, or the number of the system call that it made.
template <class F> int child(F&& steps) {
  const pid_t pid = fork();
  if (pid == 0) {
    steps();
    syscall(SYS_exit_group, 0);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// True if n threads that only count get n cores for ten milliseconds. Other processes may take a core from a worker while it holds a
/// part, and whoever waits for it sleeps in the end: that is no fault of the step.
bool cores_are_free(int n) {
  std::atomic<bool> taken{false};
  std::vector<std::thread> all;
  for (int i = 0; i < n; ++i)
    all.emplace_back([&] {
      using clock = std::chrono::steady_clock;
      const auto end = clock::now() + std::chrono::milliseconds(10);
      for (auto last = clock::now(); last < end;) {
        const auto now = clock::now();
        if (now - last > std::chrono::microseconds(200)) taken = true;
        last = now;
      }
    });
  for (auto& t : all) t.join();
  return !taken;
}

int threads_of_process() {
  int n = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) ++n;
  return n;
}

}  // namespace

TEST(SteadyState, AThousandStepsAllocateNothingAndMakeNoPlan) {
#ifdef ADJOINT_SANITIZED
  GTEST_SKIP() << "sanitizers allocate by themselves";
#endif
  for (const int n : {1, 2}) {
    const Threads use(n);
    Bench sgd(optim::SGD{.learning_rate = 0.1, .momentum = 0.9});
    Bench adam(optim::Adam{}, 256);
    const auto plans = plans_made();
    EXPECT_EQ(allocations_in([&] { sgd.only_steps(1000); }), 0) << n;
    EXPECT_EQ(allocations_in([&] { adam.only_steps(200); }), 0) << n;
    EXPECT_EQ(plans_made(), plans);
    EXPECT_EQ(sgd.step.traced(), 1);
  }
}

TEST(SteadyState, TheCounterCounts) {
#ifdef ADJOINT_SANITIZED
  GTEST_SKIP() << "sanitizers allocate by themselves";
#endif
  EXPECT_GE(allocations_in([] { ::operator delete(::operator new(100)); }), 1);
  EXPECT_GE(allocations_in([] {
    std::vector<int> v(1000, 1);
    EXPECT_EQ(v[999], 1);
  }), 1);
}

TEST(SteadyState, GivingTreesUpAllocatesNothingEither) {
#ifdef ADJOINT_SANITIZED
  GTEST_SKIP() << "sanitizers allocate by themselves";
#endif
  const optim::SGD sgd{.learning_rate = 0.1, .momentum = 0.9};
  auto step = compile([](Net m, optim::SGD::State<Net> s, const optim::SGD& o, const Tensor& x, const Tensor& y) {
    const Tensor loss = cross_entropy(m(x), y);
    auto next = o.update(m, grad(loss, m), s);
    return std::tuple(std::move(next.first), std::move(next.second), loss);
  });
  Net m = net();
  auto s = sgd.init(m);
  const Tensor x = normal(Key(3), {16, 64}).detach(), y = randint(Key(4), {16}, 0, 10, DType::i32).detach();
  Tensor loss;
  const auto steps = [&](int n) {
    for (int i = 0; i < n; ++i) std::tie(m, s, loss) = step(std::move(m), std::move(s), sgd, x, y);
  };
  steps(20);
  EXPECT_EQ(allocations_in([&] { steps(200); }), 0);
}

TEST(SteadyState, NoSystemCallWithOneThread) {
#ifdef ADJOINT_SANITIZED
  GTEST_SKIP() << "sanitizers enter the system by themselves";
#endif
  const int status = child([] {
    const Threads use(1);
    Bench sgd(optim::SGD{.learning_rate = 0.1});
    forbid_system_calls();
    sgd.only_steps(1000);
    syscall(SYS_exit_group, 0);
  });
  if (status == kNoBan) GTEST_SKIP() << "this system refuses a filter of system calls";
  EXPECT_EQ(status, 0);
}

TEST(SteadyState, NoSystemCallWithAsManyThreadsAsCoresTiming) {
#ifdef ADJOINT_SANITIZED
  GTEST_SKIP() << "sanitizers enter the system by themselves";
#endif
  const int n = std::min(cpus(), 4);
  if (n < 2) GTEST_SKIP() << "one core";
  int status = -1, tried = 0;
  for (int i = 0; i < 100 && status != 0; ++i) {
    if (!cores_are_free(n)) continue;
    ++tried;
    status = child([n] {
      const Threads use(n);
      Bench sgd(optim::SGD{.learning_rate = 0.1}, 512);  // large enough for the pool
      if (threads_of_process() != n) syscall(SYS_exit_group, kNoBan - 1);
      sgd.only_steps(5);
      forbid_system_calls();
      sgd.only_steps(50);
      syscall(SYS_exit_group, 0);
    });
    ASSERT_NE(status, kNoBan - 1) << "the step does not use the pool";
    if (status == kNoBan) GTEST_SKIP() << "this system refuses a filter of system calls";
  }
  constexpr int kSure = 20;  // a core that is taken away for a moment makes a worker sleep: one run proves the claim, few failures disprove nothing
  if (status != 0 && tried < kSure) GTEST_SKIP() << "other processes use the cores: " << tried << " runs of 100 began with free ones";
  EXPECT_EQ(status, 0) << "system call number " << status << " in each of " << tried << " runs";
}

TEST(SteadyState, NoLockOfTheGraphIsTaken) {
  Bench sgd(optim::SGD{.learning_rate = 0.1});
  std::promise<void> done;
  std::thread steps;
  std::future_status status{};
  {
    const std::lock_guard lock(graph_mutex());  // a step that wants it waits for ever
    steps = std::thread([&] {
      sgd.only_steps(200);
      done.set_value();
    });
    status = done.get_future().wait_for(std::chrono::seconds(60));
  }
  steps.join();
  EXPECT_EQ(status, std::future_status::ready);
}

TEST(SteadyState, TheBanBans) {
#ifdef ADJOINT_SANITIZED
  GTEST_SKIP() << "sanitizers enter the system by themselves";
#endif
  const int status = child([] {
    forbid_system_calls();
    static_cast<void>(getppid());
    syscall(SYS_exit_group, 0);
  });
  if (status == kNoBan) GTEST_SKIP() << "this system refuses a filter of system calls";
  EXPECT_EQ(status, SYS_getppid);
}

}  // namespace adjoint
