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
  bool (*number)(const Attrs&, std::size_t k) = nullptr; ///< operand k is a number: one element, however many it stands for
};
bool define_wants(Wants);
const Wants* find_wants(std::string_view op);

}  // namespace adjoint::plan
