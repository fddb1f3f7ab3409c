// stages.hpp: a training step seen as a chain: stages that each take one value of the forward pass and make the next, with what
// they keep for the backward pass. For the passes that choose what is computed again.
// Not a graph of its own: stages are ranges of a program's values.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/program.hpp"

namespace adjoint::plan {

/// Bytes and times are estimates for choosing; what is promised is measured on the plan that comes out.
struct Stage {
  std::vector<std::uint32_t> forward;   ///< values that it computes, in order
  std::vector<std::uint32_t> backward;  ///< values that can be computed once its forward values and the later stages' are there
  std::vector<std::uint32_t> cheap;     ///< of forward: functions of elements and views, remade from what a lean tape keeps
  std::int64_t out_bytes = 0;           ///< of the value that it hands on; 0 for the last
  std::int64_t tape_bytes = 0;          ///< what the backward pass reads of it, but for its input and output
  std::int64_t lean_bytes = 0;          ///< the same when cheap values are made again
  std::int64_t forward_extra = 0, backward_extra = 0;  ///< bytes beside those while it runs
  double forward_time = 0, lean_time = 0;              ///< seconds: of a run; of making the cheap values again
};

struct Chain {
  std::vector<Stage> stages;
  std::vector<std::uint32_t> neutral;  ///< leaves, numbers and constants: there at any time
};

/// The chain of a program whose values are not grouped yet. One stage where nothing lets it be cut.
Chain find_chain(const Program& program);

/// Seconds that one value takes, estimated for choosing: only ratios matter.
double time_of(const Program& program, std::uint32_t i);
/// Of a product or convolution; 0 for everything else.
std::int64_t flops_of(const Program& program, std::uint32_t i);

/// What runs, in order: the forward values of a stage (again, if it is not the first time), or its backward values.
struct Action {
  std::uint32_t stage = 0;
  bool backward = false;
  bool lean = false;  ///< of backward: cheap values are made again just before
  bool operator==(const Action&) const = default;
};

/// Keeps everything.
std::vector<Action> keep_all(const Chain& chain);
/// Keeps what every `every`-th stage hands on, and runs the stages between again.
std::vector<Action> keep_every(const Chain& chain, std::int64_t every);
/// The fewest forward runs within `bytes`: an exact dynamic programme over (first stage, last stage, bytes) after Beaumont,
/// Eyraud-Dubois, Herrmann, Joly and Shilova ("Optimal checkpointing for heterogeneous chains", 2019), with a lean tape as a third
/// choice a stage. Memory counts in the sizes' greatest common divisor, or, where that is too small, in steps of 1/4096 of what keeping everything
/// takes (1/256 for long chains), rounded up.
class Checkpoints {
 public:
  explicit Checkpoints(const Chain& chain);
  std::int64_t most_bytes() const { return most_; }   ///< of keeping everything
  std::int64_t least_bytes() const { return least_; } ///< of the plan with the fewest bytes
  /// Empty if bytes < least_bytes().
  std::vector<Action> within(std::int64_t bytes) const;
  /// Seconds of forward work beyond one run of each stage, of within(bytes).
  double overhead(std::int64_t bytes) const;

 private:
  struct Choice {
    float time;
    std::int16_t split;  // 0: last stage of the range; -1, -2: keep the first stage's tape (whole, lean); k: keep what stage k-1 hands on
    bool lean;
  };
  std::size_t at(std::size_t i, std::size_t j, std::int64_t m) const;
  std::int64_t units(std::int64_t bytes) const { return (bytes + unit_ - 1) / unit_; }
  void solve(std::size_t i, std::size_t j);
  void unroll(std::size_t i, std::size_t j, std::int64_t m, std::vector<Action>& actions) const;

  const Chain& chain_;
  std::int64_t unit_ = 1, slots_ = 0, most_ = 0, least_ = 0;
  std::vector<Choice> table_;
};

/// Rewrites a program so that its stages run as the actions say: values that run again become copies.
void rematerialise(Program& program, const Chain& chain, const std::vector<Action>& actions);

}  // namespace adjoint::plan
