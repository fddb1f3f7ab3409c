// plan_file.hpp: what planning decided, as data: to be saved, read back, compared, and used again without a search. Not a program:
// kernels and addresses belong to one build, and the graph is built by the code that trains.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "adjoint/explain.hpp"

namespace adjoint {

/// The decisions behind one plan: `explain_plan(values).decisions`, or `step.plan().decisions` of a compiled step.
struct SavedPlan {
  std::string version, processor;  ///< of the library and the instruction sets that made it: for people, not for a check
  std::string memory;              ///< the text of the Memory that was asked for
  bool fuse = true;                ///< as in PlanOptions
  std::uint64_t structure = 0;     ///< hash of operations, types, settings, results and options: it fits only such a graph
  std::vector<std::uint32_t> values;    ///< what runs: numbers of the graph's values; one that stands there twice is computed again
  std::vector<std::uint32_t> operands;  ///< of all of them, one after the other: places in `values`
  std::vector<std::int32_t> groups;     ///< of each: its fused group, or -1
  std::vector<std::int64_t> offsets;    ///< of each stretch of memory: its place in the arena, or -1 outside it
  std::vector<std::string> steps;       ///< the kernel calls in their order, by name
  std::int64_t arena_bytes = 0, live_bytes = 0;  ///< as in PlanReport
  bool operator==(const SavedPlan&) const = default;  ///< the same decisions
};

/// The plan of eval(values) as it was decided before: no search, but every check of a fresh one.
///   throws  Error if it was made for another graph, by a library that decides otherwise, or is damaged
PlanReport explain_saved_plan(std::span<const Tensor> values, const SavedPlan& saved);
/// From now on a graph of that structure, planned with those options, in any thread, runs as it says. Graphs that have a plan keep it.
/// Where it does not fit after all, planning goes on without it and warns once.
void use_plan(const SavedPlan& saved);
/// How many plans have been made from saved ones since the program started.
std::int64_t saved_plans_used();

/// Two plans side by side.
struct PlanComparison {
  bool same_graph = false;       ///< made for one structure
  bool same_decisions = false;   ///< and equal, whoever made them
  std::int64_t arena_bytes[2] = {}, live_bytes[2] = {}, steps[2] = {}, again[2] = {};  ///< again: values computed more than once
  std::int64_t first_difference = -1;  ///< the first step whose name differs; -1 where none does
  std::vector<std::string> only[2];    ///< names of steps that the other does not have, or not so often
};
/// See above.
PlanComparison compare_plans(const SavedPlan& a, const SavedPlan& b);
/// A line a figure.
std::string to_string(const PlanComparison& comparison);

namespace io {
/// Writes JSON, whole or not at all, with a checksum.   throws  Error where the file cannot be written
void write_plan(const std::string& path, const SavedPlan& plan, Loc loc = Loc::current());
/// Reads it back.   throws  Error for a file that is not there, cut off, changed, or of a later format, with what is wrong
SavedPlan read_plan(const std::string& path, Loc loc = Loc::current());
}  // namespace io

}  // namespace adjoint
