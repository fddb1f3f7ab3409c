// checkpoints_test.cpp: what the chain's dynamic programme chooses, against a search over everything that could be done.
// Not a test of arenas: those of whole steps are in budgets_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <map>
#include <queue>
#include <random>

#include "plan/passes/stages.hpp"

namespace adjoint::plan {
namespace {

constexpr std::int64_t kBytes = 1 << 12;  // sizes are multiples of it

Chain random_chain(std::mt19937& random, std::size_t stages) {
  const auto between = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
  Chain chain;
  for (std::size_t s = 0; s < stages; ++s) {
    Stage& stage = chain.stages.emplace_back();
    stage.out_bytes = s + 1 < stages ? between(1, 8) * kBytes : 0;
    stage.tape_bytes = between(0, 16) * kBytes;
    stage.lean_bytes = stage.tape_bytes * between(1, 4) / 4 / kBytes * kBytes;
    stage.forward_extra = between(0, 4) * kBytes;
    stage.backward_extra = between(0, 6) * kBytes;
    stage.forward_time = between(1, 20);
    stage.lean_time = stage.forward_time * between(1, 5) / 20;
  }
  return chain;
}

/// The state of a run: which outputs and tapes are held, and which stage's backward comes next.
struct State {
  std::vector<char> out, tape;  // out: 0 not held, 1 just made, 2 held to its backward; tape: 0 none, 1 whole, 2 lean
  std::size_t next = 0;         // backward of stage next - 1
  auto operator<=>(const State&) const = default;
};

/// What a run does and holds, step by step; the same for the search and for the actions of the programme.
struct Rules {
  const Chain& chain;
  const Stage& at(std::size_t s) const { return chain.stages[s]; }
  std::int64_t held(const State& x) const {
    std::int64_t bytes = x.next < chain.stages.size() ? at(x.next - 1).out_bytes : 0;  // the adjoint at hand
    for (std::size_t s = 0; s < chain.stages.size(); ++s)
      bytes += (x.out[s] ? at(s).out_bytes : 0) + (x.tape[s] == 1 ? at(s).tape_bytes : x.tape[s] == 2 ? at(s).lean_bytes : 0);
    return bytes;
  }
  State start() const { return {std::vector<char>(chain.stages.size(), 0), std::vector<char>(chain.stages.size(), 0), chain.stages.size()}; }
  bool may_run(const State& x, std::size_t s) const { return s == 0 || x.out[s - 1]; }
  std::int64_t forward_bytes(const State& x, std::size_t s, char tape) const {
    State y = x;
    y.out[s] = 1, y.tape[s] = tape;
    return held(y) + at(s).forward_extra;
  }
  std::int64_t backward_bytes(const State& x) const {
    const auto s = x.next - 1;
    return held(x) + at(s).backward_extra + (s > 0 ? at(s - 1).out_bytes : 0);
  }
};

/// The least time of all runs within bytes, by Dijkstra's search over states; infinite where there is none. Persistent runs hold
/// what they hold beyond the next stage until its backward; the others may let go of anything and make it again.
double optimum(const Chain& chain, std::int64_t bytes, bool persistent) {
  const Rules rules{chain};
  const auto n = chain.stages.size();
  std::map<State, double> known;
  using Entry = std::pair<double, State>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> open;
  const auto reach = [&](State x, double time) {
    const auto it = known.find(x);
    if (it != known.end() && it->second <= time) return;
    known[x] = time;
    open.push({time, std::move(x)});
  };
  reach(rules.start(), 0);
  while (!open.empty()) {
    auto [time, x] = open.top();
    open.pop();
    if (x.next == 0) return time;
    if (known[x] < time) continue;
    for (std::size_t s = 0; s < n; ++s) {
      if (x.out[s] && !(persistent && (x.out[s] == 2 || x.tape[s]))) {  // let go of
        State y = x;
        y.out[s] = 0;
        reach(std::move(y), time);
      }
      if (s >= x.next || !rules.may_run(x, s)) continue;
      for (char tape = 0; tape <= 2; ++tape) {
        if (rules.forward_bytes(x, s, tape) > bytes) continue;
        State y = x;
        y.out[s] = persistent ? std::max<char>(x.out[s], 1) : 1, y.tape[s] = tape;
        if (persistent) {
          for (std::size_t k = 0; k < n; ++k)
            if (k != s && y.out[k] == 1) y.out[k] = 2;  // its input is held, unless it was let go of before
          State z = y;
          if (s > 0 && x.out[s - 1] == 1 && tape == 0 && x.tape[s - 1] == 0) z.out[s - 1] = 0, reach(std::move(z), time + chain.stages[s].forward_time);
          if (tape) y.out[s] = 2;
        }
        reach(std::move(y), time + chain.stages[s].forward_time);
      }
    }
    const auto s = x.next - 1;
    if (x.tape[s] && x.out[s] && rules.may_run(x, s) && rules.backward_bytes(x) <= bytes) {
      State y = x;
      y.out[s] = y.tape[s] = 0, --y.next;
      reach(std::move(y), time + (x.tape[s] == 2 ? chain.stages[s].lean_time : 0));
    }
  }
  return std::numeric_limits<double>::infinity();
}

double work(const Chain& chain) {
  double time = 0;
  for (const auto& s : chain.stages) time += 3 * s.forward_time;  // forward, and backward at twice as much
  return time;
}

TEST(Checkpoints, AreNearTheBestThereIs) {
  std::mt19937 random(3);
  struct Gap {
    int within = 0;  // five percent
    double worst = 0;
    void see(double ours, double best, double done) {
      const double gap = (ours - best) / (done + best);
      within += gap <= 0.05, worst = std::max(worst, gap);
    }
  } persistent, any;
  int compared = 0;
  for (int round = 0; round < 60; ++round) {
    const Chain chain = random_chain(random, 2 + static_cast<std::size_t>(round) % 4);
    const Checkpoints checkpoints(chain);
    for (const int percent : {0, 10, 25, 50, 75, 100}) {
      const auto bytes = checkpoints.least_bytes() + (checkpoints.most_bytes() - checkpoints.least_bytes()) * percent / 100;
      double forward = 0;
      for (const auto& s : chain.stages) forward += s.forward_time;
      const double ours = checkpoints.overhead(bytes), freest = optimum(chain, bytes, false) - forward;
      ASSERT_GE(ours, freest - 1e-3) << "the search missed a run";
      persistent.see(ours, optimum(chain, bytes, true) - forward, work(chain));
      any.see(ours, freest, work(chain));
      ++compared;
    }
  }
  std::printf("%d budgets: %d within 5 %% of the best that holds what it keeps (worst gap %.1f %%), %d of the best of all runs (%.1f %%)\n", compared,
              persistent.within, 100 * persistent.worst, any.within, 100 * any.worst);
  EXPECT_EQ(persistent.within, compared);
  EXPECT_GE(any.within, compared * 85 / 100);
}

TEST(Checkpoints, ActionsRunEachBackwardOnceFromTheLastStageOnAndFindTheirTapes) {
  std::mt19937 random(4);
  for (int round = 0; round < 40; ++round) {
    const Chain chain = random_chain(random, 1 + static_cast<std::size_t>(round) % 20);
    const Checkpoints checkpoints(chain);
    const auto n = chain.stages.size();
    for (const auto& actions : {checkpoints.within(checkpoints.least_bytes()), checkpoints.within(checkpoints.most_bytes()), keep_every(chain, 2),
                                keep_every(chain, 3), keep_all(chain)}) {
      std::vector<char> ran(n, 0);
      std::size_t next = n;
      for (const auto& a : actions) {
        if (a.backward) {
          ASSERT_EQ(a.stage + 1, next--);
          EXPECT_TRUE(ran[a.stage]);
          continue;
        }
        EXPECT_TRUE(a.stage == 0 || ran[a.stage - 1]);
        EXPECT_LT(a.stage, next);
        ran[a.stage] = 1;
      }
      EXPECT_EQ(next, 0u);
    }
    EXPECT_TRUE(checkpoints.within(checkpoints.least_bytes() - 1).empty());
    EXPECT_EQ(keep_all(chain).size(), 2 * n);
  }
}

}  // namespace
}  // namespace adjoint::plan
