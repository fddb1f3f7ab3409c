// scratch.hpp: what a few kernels want beyond their operands and their result: memory of their own while they run, which the plan
// counts and places like any value, and numbers as they are. Most kernels want neither and are not registered here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "plan/kernel.hpp"

namespace adjoint::plan {

struct Wants {
  std::string_view op;                                   ///< the primitive's name
  std::int64_t (*scratch)(const StepInfo&) = nullptr;    ///< bytes, handed over as out[1] at a cache line
  std::string (*detail)(const Attrs&) = nullptr;         ///< of a plan's step, for who reads the plan
  std::size_t (*numbers_from)(const Attrs&) = nullptr;   ///< operands from this one on are not laid out in rows: a number is one element
};
bool define_wants(Wants);
const Wants* find_wants(std::string_view op);

}  // namespace adjoint::plan
