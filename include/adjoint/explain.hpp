// explain.hpp: what a gradient keeps from the forward pass, and what a plan will run, as data and as text.
// Not a profiler: nothing runs and no time is measured.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adjoint/plan_options.hpp"
#include "adjoint/tree.hpp"

namespace adjoint {

/// A residual: a value of the forward graph that the backward pass reads. Kept activation and tape entry are other words for it.
struct Residual {
  Tensor value;
  std::string producer;                ///< the operation that makes it, or the name of a leaf
  std::int64_t bytes = 0;              ///< of what lies in memory: a broadcast value counts as what was broadcast
  bool held = false;                   ///< a leaf: its bytes exist anyway, the backward pass adds none
  std::vector<std::string> consumers;  ///< the operations whose backward rules read it, "relu at train.cpp:12"
};

/// The residuals of grad(loss, wrt), in the order in which the forward pass makes them; views count as what they look at, and
/// numbers and shapes cost nothing and are left out.   errors  those of grad
std::vector<Residual> explain_residuals(const Tensor& loss, std::span<const Tensor> wrt, Loc loc = Loc::current());
/// The same for one value.
inline std::vector<Residual> explain_residuals(const Tensor& loss, const Tensor& wrt, Loc loc = Loc::current()) {
  return explain_residuals(loss, std::span(&wrt, 1), loc);
}
/// The same for the trained leaves of a model.
template <tree::Tree M> std::vector<Residual> explain_residuals(const Tensor& loss, const M& model, Loc loc = Loc::current()) {
  return explain_residuals(loss, tree::flatten(model), loc);
}
/// A line a residual, and the sum of what is kept.
std::string to_string(std::span<const Residual> residuals);

struct SavedPlan;

/// What eval(values) would run.
struct PlanReport {
  /// One kernel call of the plan, in the order in which they run.
  struct Step {
    std::string name;        ///< "dot", or "add+relu" of a fused group
    Loc where;               ///< the user's line
    std::int64_t flops = 0;  ///< of products and convolutions: a multiplication and an addition count as two; other steps count 0
    std::int64_t bytes = 0;  ///< read and written: each operand once, a broadcast one as what lies in memory
    bool backward = false;   ///< made by a gradient
    bool again = false;      ///< computes again what the plan did not keep
    std::vector<std::int64_t> reads, writes;  ///< numbers of lives; data that exists anyway is not among them
  };
  /// The life of one value in the plan's memory.
  struct Life {
    std::string value;         ///< name of the step that writes it, and the user's line
    std::int64_t bytes = 0;
    std::int64_t born = 0;     ///< the step that writes it
    std::int64_t dies = 0;     ///< the last step that reads it; its bytes are free from there on
    bool residual = false;     ///< written by the forward pass, read by the backward pass
    bool result = false;       ///< one of `values`: it outlives the plan, in memory of its own
    std::int64_t ends = 0;     ///< the last step at which its bytes are its own: `dies`, or the one before where that step writes its result over them
    std::int64_t offset = -1;  ///< in the arena; -1 for a result
    std::vector<std::int64_t> readers;  ///< the steps that read it, in order
  };
  /// What computing a residual again, where the backward pass first needs it, would change. Its operands must be there at that time: those that
  /// are not are computed again too, and what these take meanwhile is not counted.
  struct Saving {
    std::int64_t life = 0;             ///< alive at the peak and not used there
    std::int64_t peak_bytes = 0;       ///< the most that would be alive, with this one change
    std::vector<std::int64_t> steps;   ///< that would run a second time, in order
    std::int64_t flops = 0, bytes = 0; ///< theirs: the price
  };
  std::vector<Step> steps;
  std::vector<Life> lives;
  std::vector<std::int64_t> alive;   ///< for each step the bytes of the arena that hold a value while it runs
  std::vector<Saving> savings;       ///< those that lower the peak most first; at equal peaks the cheapest
  std::int64_t nodes = 0, flops = 0, bytes = 0;
  std::int64_t arena_bytes = 0, live_bytes = 0;  ///< planned; the most that is alive at once
  std::int64_t peak = -1;                        ///< the first step at which that much is alive; -1 without an arena
  std::int64_t residual_bytes = 0;               ///< sum over the residuals of this plan
  std::int64_t recompute_flops = 0;              ///< of the steps that run again
  std::int64_t least_bytes = 0;                  ///< bytes that no plan of these values does without: what one operation reads and writes
  std::int64_t least_recompute_flops = 0;        ///< FLOPs that every plan within the budget runs again, by a bound; 0 without a budget
  std::shared_ptr<const SavedPlan> decisions;    ///< what planning decided, to be saved, compared and used again: plan_file.hpp
};
/// The plan of eval(values) with these settings, made and not run.   errors  those of eval that are found before anything runs
PlanReport explain_plan(std::span<const Tensor> values, const PlanOptions& options = plan_options());
/// The same for one value.
inline PlanReport explain_plan(const Tensor& value, const PlanOptions& options = plan_options()) { return explain_plan(std::span(&value, 1), options); }
/// The steps with their FLOPs, then a timeline: each value, where it is born and where it dies. io/plan_page.hpp has JSON and HTML.
std::string to_string(const PlanReport& report);

}  // namespace adjoint
