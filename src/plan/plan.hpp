// plan.hpp: a plan is data: an ordered list of kernel calls with fixed offsets in one arena.
// Not an executor: src/runtime runs it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "adjoint/plan_options.hpp"
#include "graph/topo.hpp"
#include "plan/kernel.hpp"

namespace adjoint {
struct PlanReport;
struct SavedPlan;
}
namespace adjoint::plan {

/// Where the bytes of a value lie.
enum class Place : std::uint8_t { arena, leaf, literal, output };

struct Slot {
  Place place = Place::arena;
  std::uint32_t index = 0;   // of the leaf, literal or output
  std::int64_t offset = 0;   // in the arena
  std::int64_t bytes = 0;
  std::int32_t first = 0, last = -1;  // steps between which it lives
};

struct Operand {
  std::uint32_t slot = 0;
  std::uint32_t value = 0;   // whose bytes they are: what verify() goes by
  std::int64_t byte_offset = 0;
  View view;  // data is filled in when the plan runs
  bool backward = false;     // of a result: made by a gradient
  std::int32_t touched = 0;  // in a fused group: the instruction that reads it last, or that writes it
};

struct Step {
  std::string name;            // "dot", or "add+relu+..." of a fused group
  std::string detail = {};     // of a loop: what its steps are
  StepFn run;
  std::vector<Operand> in, out;
  std::vector<Loc> locs;       // the user's lines of the operations in it
  std::shared_ptr<const TileProgram> program;  // of a fused group; equal groups of a plan share it
  bool fused = false;          // an elementwise group: may write over what it reads
  bool update = false;         // writes only results of an optimizer
  bool backward = false;       // made by a gradient, all of it
  bool again = false;          // computes again what the plan did not keep
  bool checks = false;         // may fail on its data
  std::int64_t flops = 0;      // of products and convolutions; other steps count none
};

struct Plan {
  std::vector<Step> steps;
  std::vector<Slot> slots;
  std::vector<DType> literals;         // element type of each literal: those of the graph, then constants
  std::vector<std::int64_t> constants; // bits of the literals that lowering made
  std::uint32_t leaves = 0;
  std::vector<Type> outputs;
  std::vector<std::int32_t> takes_over;  // per output: the leaf whose buffer it takes, or -1
  std::int64_t arena_bytes = 0;
  std::int64_t live_bytes = 0;         // the most that is alive in the arena at once: a lower bound of arena_bytes
  std::int64_t nodes = 0;
  std::int64_t least_bytes = 0;        // that no plan of the same step does without
  std::int64_t least_flops_again = 0;  // that every plan within the budget given runs a second time; 0 without a budget
  std::shared_ptr<const SavedPlan> decisions = nullptr;  // what may be saved of it
};

/// Steps [first, first + count) of a plan that run as one call: none reads or writes what another one writes.
struct Table {
  std::uint32_t first = 0, count = 0;
  TableFn run;  // addresses: of each step's inputs, then its outputs
};
/// The tables of a plan, in order: small updates of one program that stand side by side, such as Adam's of many biases.
std::vector<Table> tables(const Plan& plan);

/// What a plan is made for: the order from its roots, in which leaves and literals are numbered by first occurrence.
struct Request {
  const Order& order;
  std::vector<char> update;      // per root: the result of an optimizer
  std::vector<char> donatable;   // per leaf: its buffer may be overwritten
  PlanOptions options = {};
  const SavedPlan* saved = nullptr;  // decisions to take over: an Error where they do not fit
};

/// Makes the plan: the passes of pipeline.cpp in order. The caller holds graph_mutex().
/// With ADJOINT_TRACE set in the environment, shows the program before and after each pass on standard error.
Plan make_plan(const Request& request);
/// What a plan says about itself.
PlanReport report(const Plan& plan);
/// One line a step: name, operands, places.
std::string to_string(const Plan& plan);

}  // namespace adjoint::plan
