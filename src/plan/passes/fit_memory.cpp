// fit_memory.cpp: from a strategy or a number of bytes to what is kept and what runs again. Candidates come from the chain of
// stages; each is weighed by the arena of the plan that it would give, never by a sum of sizes.
// Not the chain's optimum (checkpoints.cpp), nor the rewriting (rematerialise.cpp).
#include <algorithm>
#include <optional>

#include "plan/passes.hpp"
#include "plan/passes/stages.hpp"

namespace adjoint::plan {
namespace {

std::string in_bytes(std::int64_t bytes) { return std::to_string(bytes) + " bytes"; }

class Fitter {
 public:
  Fitter(Program& program, std::int64_t (*arena_of)(Program)) : program_(program), arena_of_(arena_of), chain_(find_chain(program)), checkpoints_(chain_) {}

  void keep_every_stage(std::int64_t every) { rematerialise(program_, chain_, keep_every(chain_, every)); }

  /// The least time within bytes.
  void within(std::int64_t bytes) {
    if (arena_of_(program_) <= bytes) return;
    // The arena grows with what the chain may keep, but for placement: the largest that fits is searched by halves.
    std::int64_t low = checkpoints_.least_bytes(), high = checkpoints_.most_bytes();
    std::optional<std::vector<Action>> best;
    while (high - low > checkpoints_.most_bytes() / 256 + 1) {
      const auto middle = low + (high - low) / 2;
      auto actions = checkpoints_.within(middle);
      if (arena(actions) <= bytes) best = std::move(actions), low = middle;
      else high = middle;
    }
    if (!best) {
      auto actions = checkpoints_.within(checkpoints_.least_bytes());
      if (arena(actions) <= bytes) best = std::move(actions);
    }
    if (!best) {
      const auto [smallest, actions] = least();
      if (smallest > bytes)
        throw Error({.op = "plan", .message = "a memory budget of " + in_bytes(bytes) + " cannot be met: the smallest possible is " + in_bytes(smallest),
                     .hint = "give at least " + in_bytes(smallest) + ", or a smaller batch"});
      best = actions;
    }
    rematerialise(program_, chain_, *best);
  }

  void as_few_bytes_as_possible() {
    const auto [bytes, actions] = least();
    if (bytes < arena_of_(program_)) rematerialise(program_, chain_, actions);
  }

 private:
  std::int64_t arena(const std::vector<Action>& actions) const {
    Program p = program_;
    rematerialise(p, chain_, actions);
    return arena_of_(std::move(p));
  }

  /// The smallest arena among the chain's plans of few bytes and those of segments.
  std::pair<std::int64_t, std::vector<Action>> least() const {
    std::pair<std::int64_t, std::vector<Action>> best{arena_of_(program_), keep_all(chain_)};
    const auto consider = [&](std::vector<Action> actions) {
      if (actions.empty()) return;
      if (const auto bytes = arena(actions); bytes < best.first) best = {bytes, std::move(actions)};
    };
    const auto step = std::max<std::int64_t>(1, (checkpoints_.most_bytes() - checkpoints_.least_bytes()) / 32);
    for (std::int64_t k = 0; k < 4; ++k) consider(checkpoints_.within(checkpoints_.least_bytes() + k * step));
    for (std::int64_t every = 1; every < static_cast<std::int64_t>(chain_.stages.size()); every *= 2) consider(keep_every(chain_, every));
    return best;
  }

  Program& program_;
  std::int64_t (*arena_of_)(Program);
  Chain chain_;
  Checkpoints checkpoints_;
};

}  // namespace

void fit_memory(Program& program, const Memory& memory, std::int64_t (*arena_of)(Program)) {
  using enum Memory::Strategy;
  if (memory.strategy == save_all) return;
  if (std::ranges::none_of(program.values, &Value::backward)) return;  // nothing is kept for later
  Fitter fitter(program, arena_of);
  if (memory.strategy == checkpoint) fitter.keep_every_stage(memory.every);
  else if (memory.strategy == recompute) fitter.as_few_bytes_as_possible();
  else fitter.within(memory.bytes);
}

}  // namespace adjoint::plan
