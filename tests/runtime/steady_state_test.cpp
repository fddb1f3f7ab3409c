// steady_state_test.cpp: a compiled step that runs again and again allocates nothing, makes no plan, enters the system not once and
// takes no lock. Counted: every operator new and malloc of the process, every system call of a child. Not its speed.
#include <gtest/gtest.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>
#include <vector>

#include "adjoint/compile.hpp"
#include "adjoint/nn.hpp"
#include "adjoint/ops.hpp"
#include "adjoint/optim.hpp"
#include "graph/node.hpp"
#include "support/counted_memory.hpp"

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

using counted::allocations_in;

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

std::atomic<long> system_calls{0};
std::atomic<int> last_system_call{0};
constexpr int kNoFilter = 255;     // status of a child: the system refuses the filter
constexpr long kCounted = 0x5EED;  // sixth argument of a call that was counted and now passes

/// A caught system call: counts it, makes it after all, and hands its result to whoever asked.
void count_system_call(int, siginfo_t* what, void* context) {
  system_calls.fetch_add(1, std::memory_order_relaxed);
  last_system_call.store(what->si_syscall, std::memory_order_relaxed);
  auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  auto& r = registers.gregs;
  const long result = syscall(what->si_syscall, r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10], r[REG_R8], kCounted);
  r[REG_RAX] = result == -1 ? -errno : result;
#else
  auto& r = registers.regs;
  const long result = syscall(what->si_syscall, r[0], r[1], r[2], r[3], r[4], kCounted);
  r[0] = static_cast<std::uint64_t>(result == -1 ? -errno : result);
#endif
}

/// From here on every system call of this process is counted, in all its threads, and otherwise works as before. (Futexes ignore their
/// sixth argument or take any mask there.)
void count_system_calls() {
  struct sigaction caught = {};
  caught.sa_flags = SA_SIGINFO | SA_NODEFER;
  caught.sa_sigaction = count_system_call;
  sigaction(SIGSYS, &caught, nullptr);
  sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 4, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 3, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args) + 5 * sizeof(std::uint64_t)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kCounted, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{static_cast<unsigned short>(std::size(rules)), rules};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0) _exit(kNoFilter);
}

/// The status of a child, whose filter does not stay with this process.
template <class F> int status_of_child(F&& body) {
  const pid_t pid = fork();
  if (pid == 0) _exit(body());
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// How long the threads of this process could have run and had no core, so far, in nanoseconds.
std::int64_t waited_for_a_core() {
  std::int64_t total = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::int64_t ran = 0, waited = 0;
    if (std::ifstream(task.path() / "schedstat") >> ran >> waited) total += waited;
  }
  return total;
}

/// Gives each thread of the process a core of its own, as far as they go: on a busy system two may share one for a while, and then one
/// of them sleeps. Returns how many threads there are.
int one_core_each() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  sched_getaffinity(0, sizeof allowed, &allowed);
  int n = 0, core = -1;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    ++n;
    do ++core;
    while (core < CPU_SETSIZE && !CPU_ISSET(core, &allowed));
    if (core >= CPU_SETSIZE) continue;
    cpu_set_t own;
    CPU_ZERO(&own);
    CPU_SET(core, &own);
    sched_setaffinity(std::stoi(entry.path().filename()), sizeof own, &own);
  }
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
  EXPECT_GE(allocations_in([] { munmap(mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096); }), 1);
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

TEST(SteadyState, AThousandSmallTensorsAllocateNothingEither) {
#ifdef ADJOINT_SANITIZED
  GTEST_SKIP() << "sanitizers allocate by themselves";
#endif
  for (const int n : {1, 2}) {
    const Threads use(n);
    const auto adam = optim::adamw(1e-3, 0.1);
    Tensors params, grads;
    for (std::uint64_t k = 0; k < 1000; ++k) params.push_back(normal(Key(k), {1000}).detach()), grads.push_back(normal(Key(k).fold_in("g"), {1000}).detach());
    auto state = adam.init(params);
    const auto step = compile([](Tensors& p, optim::Adam::State<Tensors>& s, const optim::Adam& o, const Tensors& g) { std::tie(p, s) = o.update(p, g, s); });
    const auto steps = [&](int count) {
      for (int i = 0; i < count; ++i) step(params, state, adam, grads);
    };
    steps(3);
    EXPECT_EQ(allocations_in([&] { steps(20); }), 0) << n;
  }
}

TEST(SteadyState, NoSystemCallWithOneThread) {
#ifdef ADJOINT_SANITIZED
  GTEST_SKIP() << "sanitizers enter the system by themselves";
#endif
  const int status = status_of_child([] {
    const Threads use(1);
    Bench sgd(optim::SGD{.learning_rate = 0.1});
    count_system_calls();
    sgd.only_steps(1000);
    return system_calls == 0 ? 0 : last_system_call & 0xFF;
  });
  if (status == kNoFilter) GTEST_SKIP() << "this system refuses a filter of system calls";
  EXPECT_EQ(status, 0) << "the number of a system call";
}

TEST(SteadyState, NoSystemCallWithAsManyThreadsAsCores) {
#ifdef ADJOINT_SANITIZED
  GTEST_SKIP() << "sanitizers enter the system by themselves";
#endif
  const int n = std::min(cpus(), 4);
  if (n < 2) GTEST_SKIP() << "one core";
  constexpr int kNoPool = 254, kDisturbed = 253, kSure = 20, kTries = 500;
  const int status = status_of_child([n] {
    const Threads use(n);
    Bench sgd(optim::SGD{.learning_rate = 0.1}, 512);  // large enough for the pool
    if (one_core_each() != n) return kNoPool;
    count_system_calls();
    // Where another process has the core of a worker that holds a part, whoever waits for it sleeps in the end: that is no fault of
    // the step, and such a stretch counts for nothing. One without a system call proves the claim.
    constexpr std::int64_t kMoment = 10'000;
    int undisturbed = 0, last = 0;
    for (int i = 0; i < kTries && undisturbed < kSure; ++i) {
      const std::int64_t waited = waited_for_a_core();
      sgd.only_steps(5);  // wakes the workers
      const long calls = system_calls;
      sgd.only_steps(50);
      if (system_calls == calls) return 0;
      last = last_system_call & 0xFF;
      undisturbed += waited_for_a_core() - waited < kMoment;
    }
    return undisturbed < kSure ? kDisturbed : last;
  });
  ASSERT_NE(status, kNoPool) << "the step does not use the pool";
  if (status == kNoFilter) GTEST_SKIP() << "this system refuses a filter of system calls";
  if (status == kDisturbed) GTEST_SKIP() << "other processes use the cores: fewer than " << kSure << " undisturbed stretches in " << kTries;
  EXPECT_EQ(status, 0) << "the number of a system call in each of " << kSure << " undisturbed stretches";
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

TEST(SteadyState, TheCounterOfSystemCallsCounts) {
#ifdef ADJOINT_SANITIZED
  GTEST_SKIP() << "sanitizers enter the system by themselves";
#endif
  const pid_t parent = getpid();
  const int status = status_of_child([parent] {
    count_system_calls();
    const bool works = getppid() == parent;
    return works && system_calls == 1 ? last_system_call & 0xFF : 0;
  });
  if (status == kNoFilter) GTEST_SKIP() << "this system refuses a filter of system calls";
  EXPECT_EQ(status, SYS_getppid);
}

}  // namespace adjoint
