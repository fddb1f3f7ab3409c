// decisions.hpp: a plan's decisions taken out of it, and put back. Not their file: src/io/plan_file.cpp.
#pragma once

#include "adjoint/plan_file.hpp"
#include "plan/plan.hpp"
#include "plan/program.hpp"

namespace adjoint::plan {

/// Of the merged program with its results, donations and options: the same in every process.
std::uint64_t structure_of(const Program& program, const PlanOptions& options);
/// What was decided between the merged program, whose nodes these are, and its plan.
SavedPlan decisions_of(std::span<const Node* const> merged, std::uint64_t structure, const PlanOptions& options, const Program& planned, const Plan& plan);
/// The program that runs, as it was decided. Throws an Error (op = "plan") where the decisions are no order of this program's values.
Program decided(const Program& merged, const SavedPlan& saved);
/// Groups and places as decided. Throws an Error where this library groups otherwise, or where places are missing.
void check_groups(const Program& planned, const SavedPlan& saved);
void put_in_place(Plan& plan, const SavedPlan& saved);
/// What use_plan() has been given for this structure, or null.
std::shared_ptr<const SavedPlan> saved_plan(std::uint64_t structure);
/// Takes it back: it did not fit.
void forget_saved_plan(std::uint64_t structure, const std::string& why);
void count_saved_plan();

}  // namespace adjoint::plan
