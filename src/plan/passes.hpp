// passes.hpp: the passes, each in its own file under passes/, with what it promises. Their order and its reasons stand in
// pipeline.cpp. Not a registry: a pass is a function.
#pragma once

#include <functional>

#include "plan/plan.hpp"
#include "plan/program.hpp"

namespace adjoint::plan {

/// Replaces operations that have no kernel by their definitions; returns the new roots. On the graph. A loop whose memory is left to
/// the plan keeps at most `loop_bytes` for its gradient; 0: as many as it takes.
Tensors lower(const Order& order, std::int64_t loop_bytes = 0);
/// lower() and widen(), with loops that leave their memory to the plan within what a budget leaves them; `arena_of` weighs a lowered graph.
Tensors lower_loops(const Order& order, const Memory& memory, const std::function<std::int64_t(const Tensors& roots)>& arena_of);
/// Of two loops that differ only in what they keep, the one that keeps more serves for both. On the graph.
Tensors widen(Tensors roots);
/// Operations on known numbers become numbers: computed here by the portable executor, whose bits are those of a run.
void fold_constants(Program& program);
/// Values that are another value for every input, bit for bit, become that value: x 1, x - 0, a view that changes nothing.
void simplify(Program& program);
/// Values that compute the same become one.
void merge_equal(Program& program);
/// Elementwise values over one space join groups, with reductions along its rows: sets Value::group and Value::row.
void fuse(Program& program);
/// Every elementwise value is a group of its own.
void alone(Program& program);

/// The plan of a program as it stands, not runnable: for weighing one program against another.
using PlanOf = std::function<Plan(Program)>;
/// Rewrites the program so that what runs keeps to the memory asked for: values that are not kept are computed again.
/// Throws an Error that names the smallest possible budget.
void fit_memory(Program& program, const Memory& memory, const PlanOf& plan_of);
/// Bytes that no plan of this program does without, whatever its order and whatever it computes again: what its largest operation that
/// runs by itself reads and writes.
std::int64_t least_bytes(const Program& program);
/// FLOPs that every plan within so many bytes runs a second time: of a relaxation in which values are kept in part.
std::int64_t least_flops_again(const Program& program, std::int64_t bytes);

/// What runs as one: the values of a fused group, or one value. Views, leaves and numbers are no units.
struct Unit {
  std::uint32_t first = 0, count = 0;  ///< range of Schedule::members
};
/// Units in the order in which they run.
struct Schedule {
  std::vector<Unit> units;
  std::vector<std::uint32_t> members;
  std::span<const std::uint32_t> of(const Unit& u) const { return {members.data() + u.first, u.count}; }
};
/// An order of the units in which every operand is there: completes what ends soon before it goes on, makes copies that are
/// computed again only when they are wanted, and lets optimizers update as soon as nothing can fail or read the old value.
Schedule order(const Program& program);

/// Steps with slots, from a program in its order: no two values share memory yet, but views and what they look at. A plan that
/// is not to be runnable has no kernels prepared: for weighing one plan against another.
Plan assemble(const Program& program, const Schedule& schedule, bool runnable = true);
/// Fused groups write over operands that nobody reads later; optimizer results take over parameters' buffers.
void reuse_in_place(Plan& plan, const Program& program);
/// Offsets of arena slots from their lifetimes; sets arena_bytes and live_bytes.
void place(Plan& plan);
/// Runs the plan's memory in the mind: every read must find the bytes that its producer wrote. An Error (op = "plan") names
/// both operations.
void verify(const Plan& plan);

}  // namespace adjoint::plan
