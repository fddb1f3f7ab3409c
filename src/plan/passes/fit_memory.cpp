// fit_memory.cpp: from a strategy or a number of bytes to what is kept and what runs again. Candidates come from the chain of
// stages, and where the graph is no chain from dropping values one by one; each is weighed by the arena of the plan that it would give,
// never by a sum of sizes. Not the chain's optimum (checkpoints.cpp), the greedy choice (drop_until.cpp) or the rewriting
// (rematerialise.cpp, drop.cpp).
#include <algorithm>
#include <optional>

#include "plan/passes.hpp"
#include "plan/passes/drop.hpp"
#include "plan/passes/stages.hpp"

namespace adjoint::plan {
namespace {

std::string in_bytes(std::int64_t bytes) { return std::to_string(bytes) + " bytes"; }

class Fitter {
 public:
  Fitter(Program& program, const PlanOf& plan_of) : program_(program), plan_of_(plan_of), chain_(find_chain(program)), checkpoints_(chain_) {}

  void keep_every_stage(std::int64_t every) { rematerialise(program_, chain_, keep_every(chain_, every)); }

  /// The least time within bytes.
  void within(std::int64_t bytes) {
    if (plan_of_(program_).arena_bytes <= bytes) return;
    std::optional<Way> best = by_stages(bytes);
    if (!is_chain()) {
      Dropped greedy = drop_until(program_, bytes, plan_of_);
      if (greedy.arena_bytes <= bytes && (!best || greedy.time < best->time)) best = Way{without(program_, greedy.drop), greedy.arena_bytes, greedy.time};
    }
    if (!best) {
      best = least();
      if (best->arena_bytes > bytes)
        throw Error({.op = "plan", .message = "a memory budget of " + in_bytes(bytes) + " cannot be met: the smallest possible is " + in_bytes(best->arena_bytes),
                     .hint = "give at least " + in_bytes(best->arena_bytes) + ", or a smaller batch"});
    }
    program_ = std::move(best->program);
  }

  void as_few_bytes_as_possible() { program_ = least().program; }

 private:
  struct Way {
    Program program;
    std::int64_t arena_bytes = 0;
    double time = 0;
  };

  Way way(const std::vector<Action>& actions) const {
    Way w{program_};
    rematerialise(w.program, chain_, actions);
    w.arena_bytes = plan_of_(w.program).arena_bytes;
    w.time = time_again(w.program);
    return w;
  }

  /// Whether stages tell enough: many, and none of them most of the work.
  bool is_chain() const {
    double all = 0, largest = 0;
    for (const auto& s : chain_.stages) all += s.forward_time, largest = std::max(largest, s.forward_time);
    return chain_.stages.size() >= 4 && largest <= 0.5 * all;
  }

  /// The arena grows with what the chain may keep, but for placement: the largest that fits is searched by halves.
  std::optional<Way> by_stages(std::int64_t bytes) const {
    std::int64_t low = checkpoints_.least_bytes(), high = checkpoints_.most_bytes();
    std::optional<Way> best;
    const auto fits = [&](std::int64_t kept) {
      Way w = way(checkpoints_.within(kept));
      if (w.arena_bytes > bytes) return false;
      best = std::move(w);
      return true;
    };
    while (high - low > checkpoints_.most_bytes() / 256 + 1) {
      const auto middle = low + (high - low) / 2;
      (fits(middle) ? low : high) = middle;
    }
    if (!best) fits(checkpoints_.least_bytes());
    return best;
  }

  /// The smallest arena among keeping everything, the chain's plans of few bytes, those of segments, and dropping all that can be.
  Way least() const {
    Way best{program_, plan_of_(program_).arena_bytes, 0};
    const auto consider = [&](const std::vector<Action>& actions) {
      if (actions.empty()) return;
      if (Way w = way(actions); w.arena_bytes < best.arena_bytes) best = std::move(w);
    };
    const auto step = std::max<std::int64_t>(1, (checkpoints_.most_bytes() - checkpoints_.least_bytes()) / 32);
    for (std::int64_t k = 0; k < 4; ++k) consider(checkpoints_.within(checkpoints_.least_bytes() + k * step));
    for (std::int64_t every = 1; every < static_cast<std::int64_t>(chain_.stages.size()); every *= 2) consider(keep_every(chain_, every));
    if (is_chain()) return best;
    // A smaller goal drops other values on the way: until what was found is not undercut from just below.
    constexpr int kTries = 8;
    for (std::int64_t k = 0, goal = 0; k < kTries; ++k, goal = best.arena_bytes - 64) {
      const Dropped greedy = drop_until(program_, goal, plan_of_);
      if (greedy.arena_bytes >= best.arena_bytes) {
        if (k > 0) break;
        continue;
      }
      best = {without(program_, greedy.drop), greedy.arena_bytes, greedy.time};
    }
    return best;
  }

  Program& program_;
  const PlanOf& plan_of_;
  Chain chain_;
  Checkpoints checkpoints_;
};

}  // namespace

void fit_memory(Program& program, const Memory& memory, const PlanOf& plan_of) {
  using enum Memory::Strategy;
  if (std::ranges::none_of(program.values, &Value::backward)) return;  // nothing is kept for later
  if (memory.strategy == layers) program = without(program, inside_layers(program, memory.names));
  if (memory.strategy == save_all || memory.strategy == layers) {
    if (const Drop drop = marked(program); std::ranges::count(drop, 1) > 0) program = without(program, drop);
    return;
  }
  remove_marks(program);
  Fitter fitter(program, plan_of);
  if (memory.strategy == checkpoint) fitter.keep_every_stage(memory.every);
  else if (memory.strategy == recompute) fitter.as_few_bytes_as_possible();
  else fitter.within(memory.bytes);
}

}  // namespace adjoint::plan
