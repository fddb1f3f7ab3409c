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
  /// Steps of the plan that run as one call.
  std::span<const plan::Table> tables() const { return tables_; }

  struct Failure {
    const plan::Step* step = nullptr;  // null: all went well
    const char* what = nullptr;
  };
  /// The memory of one run at a time.
  struct Instance {
    std::unique_ptr<std::byte[], void (*)(std::byte*)> arena{nullptr, nullptr};
    std::vector<std::int64_t> literals;  // of the graph first: their bits, in their element types
    std::vector<View> views;             // of all operands of all steps that run by themselves, in order
    std::vector<std::byte*> table;       // addresses of the operands of the others, in order
  };
  /// Throws Error where memory for the arena is missing.
  std::unique_ptr<Instance> make_instance(Loc loc) const;
  /// Leaf or output number `index` lies at `base` from now on.
  void bind_leaf(Instance& instance, std::size_t index, std::byte* base) const { bind(instance, leaf_bindings_, index, base); }
  void bind_output(Instance& instance, std::size_t index, std::byte* base) const { bind(instance, output_bindings_, index, base); }
  /// Runs all steps on what is bound. No allocation, no lock.
  Failure run(Instance& instance) const;

  /// Runs all steps on an instance that waited for it. Literals are the bits of the graph's numbers, already in their element types.
  Failure run(std::span<Buffer* const> leaves, std::span<const std::int64_t> literals, std::span<Buffer* const> outputs,
              Loc loc);

  VerifyCount verify_count;  ///< of runs under strict validation

 private:
  /// Operands outside the arena, by the leaf, output or literal that they look at.
  struct Binding {
    std::uint32_t at;  // a view, or behind all views an entry of the table
    std::int64_t offset;
  };
  struct Bindings {
    std::vector<std::uint32_t> first;  // those of number i: first[i] ... first[i + 1]
    std::vector<Binding> list;
  };
  Bindings bindings_of(plan::Place place, std::size_t count) const;
  static void bind(Instance& instance, const Bindings& bindings, std::size_t index, std::byte* base) {
    const std::size_t views = instance.views.size();
    for (auto b = bindings.first[index]; b < bindings.first[index + 1]; ++b) {
      const auto [at, offset] = bindings.list[b];
      (at < views ? instance.views[at].data : instance.table[at - views]) = base + offset;
    }
  }
  /// Calls see(operand, whether it is part of a table) for the operands of all steps in order.
  template <class See> void each_operand(See see) const;
  plan::Plan plan_;
  std::vector<plan::Table> tables_;
  std::uint32_t views_ = 0;  // operands of steps that run by themselves
  Bindings leaf_bindings_, output_bindings_, literal_bindings_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Instance>> idle_;
};

}  // namespace adjoint::runtime
