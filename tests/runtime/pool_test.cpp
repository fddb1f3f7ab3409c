// pool_test.cpp: parallel() runs each part once, in fixed ranges, with the caller's float state.
// Not a benchmark; the cost of a call is measured in bench/.
#include "runtime/pool.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cfenv>
#include <cfloat>
#include <chrono>
#include <limits>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif
#if defined(__SANITIZE_THREAD__)
/// Else ThreadSanitizer ends a forked child that starts threads, which is what one case is about.
extern "C" const char* __tsan_default_options() { return "die_after_fork=0"; }
#endif

#include "adjoint/error.hpp"

namespace adjoint::runtime {
namespace {

class PoolTest : public ::testing::Test {
 protected:
  void TearDown() override { set_threads(before_); }
  int before_ = threads();
};

TEST_F(PoolTest, EachPartRunsOnce) {
  for (int n : {1, 2, 7}) {
    set_threads(n);
    EXPECT_EQ(threads(), n);
    for (std::int64_t parts : {0, 1, 2, 3, 7, 8, 100, 1001}) {
      std::vector<std::atomic<int>> hits(static_cast<std::size_t>(parts));
      parallel(parts, [&](std::int64_t p) { hits[static_cast<std::size_t>(p)].fetch_add(1); });
      for (auto& h : hits) ASSERT_EQ(h.load(), 1) << n << " threads, " << parts << " parts";
    }
  }
}

TEST_F(PoolTest, PartsGoToThreadsInFixedContiguousRanges) {
  set_threads(3);
  std::vector<std::thread::id> who(10);
  for (int round = 0; round < 50; ++round) {
    parallel(10, [&](std::int64_t p) { who[static_cast<std::size_t>(p)] = std::this_thread::get_id(); });
    EXPECT_EQ(who[0], std::this_thread::get_id());
    int changes = 0;
    for (std::size_t p = 1; p < who.size(); ++p) changes += who[p] != who[p - 1];
    ASSERT_EQ(changes, 2);
    ASSERT_NE(who[3], who[4]);  // 4 + 3 + 3
    ASSERT_NE(who[6], who[7]);
  }
}

TEST_F(PoolTest, OneThreadAndOnePartStayOnTheCaller) {
  const auto me = std::this_thread::get_id();
  set_threads(1);
  parallel(5, [&](std::int64_t) { EXPECT_EQ(std::this_thread::get_id(), me); });
  set_threads(4);
  parallel(1, [&](std::int64_t) { EXPECT_EQ(std::this_thread::get_id(), me); });
}

TEST_F(PoolTest, NestedCallsRunInTheirPart) {
  set_threads(2);
  std::atomic<int> count{0};
  parallel(4, [&](std::int64_t) {
    const auto me = std::this_thread::get_id();
    parallel(8, [&](std::int64_t) {
      EXPECT_EQ(std::this_thread::get_id(), me);
      count.fetch_add(1);
    });
  });
  EXPECT_EQ(count.load(), 32);
}

TEST_F(PoolTest, CallersDoNotDisturbEachOther) {
  set_threads(2);
  std::atomic<std::int64_t> sum{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c)
    callers.emplace_back([&] {
      for (int i = 0; i < 500; ++i) parallel(6, [&](std::int64_t p) { sum.fetch_add(p); });
    });
  for (auto& c : callers) c.join();
  EXPECT_EQ(sum.load(), 4 * 500 * 15);
}

TEST_F(PoolTest, WorkersThatFellAsleepWakeAgain) {
  set_threads(2);
  for (int i = 0; i < 20; ++i) {
    std::atomic<int> count{0};
    parallel(2, [&](std::int64_t) { count.fetch_add(1); });
    ASSERT_EQ(count.load(), 2);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

TEST_F(PoolTest, WorkersTakeTheCallersRounding) {
  set_threads(3);
  const auto sums = [] {
    std::vector<double> r(3);
    parallel(3, [&](std::int64_t p) {
      volatile double one = 1.0, tiny = DBL_EPSILON / 4;
      r[static_cast<std::size_t>(p)] = one + tiny;
    });
    return r;
  };
  EXPECT_EQ(sums(), std::vector<double>(3, 1.0));
  std::fesetround(FE_UPWARD);
  const auto up = sums();
  std::fesetround(FE_TONEAREST);
  EXPECT_EQ(up, std::vector<double>(3, 1.0 + DBL_EPSILON));
  EXPECT_EQ(sums(), std::vector<double>(3, 1.0));
}

#if defined(__x86_64__)
TEST_F(PoolTest, WorkersTakeTheCallersFlushToZero) {
  set_threads(2);
  const auto halves = [] {
    std::vector<float> r(2);
    parallel(2, [&](std::int64_t p) {
      volatile float least = std::numeric_limits<float>::min(), half = 0.5f;
      r[static_cast<std::size_t>(p)] = least * half;
    });
    return r;
  };
  const unsigned before = _mm_getcsr();
  _mm_setcsr(before | 0x8000u);
  const auto flushed = halves();
  _mm_setcsr(before);
  EXPECT_EQ(flushed, std::vector<float>(2, 0.0f));
  for (float h : halves()) EXPECT_GT(h, 0.0f);
}
#endif

TEST_F(PoolTest, AForkedChildHasAPoolOfItsOwn) {
  set_threads(2);
  parallel(2, [](std::int64_t) {});
  const pid_t child = fork();
  if (child == 0) {
    std::atomic<int> count{0};
    parallel(10, [&](std::int64_t) { count.fetch_add(1); });
    _exit(count.load() == 10 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST_F(PoolTest, ThreadCountsBelowOneAreRefused) {
  for (int n : {0, -1}) {
    try {
      set_threads(n);
      FAIL() << "accepted " << n;
    } catch (const Error& e) {
      EXPECT_EQ(e.op(), "set_threads");
      EXPECT_EQ(e.message(), "needs at least 1 thread, got " + std::to_string(n));
    }
  }
  EXPECT_GE(threads(), 1);
}

}  // namespace
}  // namespace adjoint::runtime
