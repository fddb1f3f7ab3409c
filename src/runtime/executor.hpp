// executor.hpp: runs a plan on an arena of its own. Not a planner, and it knows no operation.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "plan/plan.hpp"
#include "runtime/verify.hpp"

namespace adjoint::runtime {

using plan::View;

/// A plan with the memory of its runs: each concurrent run has its own arena; finished ones wait for the next.
class Executable {
 public:
  explicit Executable(plan::Plan plan);
  const plan::Plan& plan() const { return plan_; }

  struct Failure {
    const plan::Step* step = nullptr;  // null: all went well
    const char* what = nullptr;
  };
  /// Runs all steps. Literals are the bits of the graph's numbers, already in their element types.
  Failure run(std::span<Buffer* const> leaves, std::span<const std::int64_t> literals, std::span<Buffer* const> outputs,
              Loc loc);

  VerifyCount verify_count;  ///< of runs under strict validation

 private:
  struct Instance {
    std::unique_ptr<std::byte[], void (*)(std::byte*)> arena{nullptr, nullptr};
    std::vector<std::int64_t> literals;
    std::vector<View> views;  // of all operands of all steps, in order
  };
  std::unique_ptr<Instance> take(Loc loc);
  plan::Plan plan_;
  struct Binding {
    std::uint32_t view;
    plan::Place place;
    std::uint32_t index;
    std::int64_t offset;
  };
  std::vector<Binding> bindings_;          // operands outside the arena: bound at each run
  std::vector<std::uint32_t> first_view_;  // of each step
  std::mutex mutex_;
  std::vector<std::unique_ptr<Instance>> idle_;
};

}  // namespace adjoint::runtime
