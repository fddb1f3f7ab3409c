// faults.hpp: wrong rules made on purpose, to see that the rows catch them. Not a check of the rules themselves.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace adjoint::check {

struct FaultReport {
  std::int64_t mutants = 0;     ///< rules with one fault that still build a derivative of the right types
  std::int64_t caught = 0;      ///< those whose rows fail
  std::vector<std::string> survived;    ///< one line each: operation and fault
  std::vector<std::string> equivalent;  ///< not counted above: faults that change no derivative (see seed_faults)
};

/// Puts one fault at a time into the backward and forward rules of operations whose name contains `filter`, and runs their
/// rows. A fault changes the graph that a rule builds: a sign, a factor, a function, an order of operands, an axis, an index,
/// a residual, a result. At most `most` of all faults that apply, chosen by `seed`. Rules are put back afterwards.
/// A fault that no row catches is *equivalent* if the faulty rule gives what the right one gives, in first and second order,
/// also where no row goes: on operands drawn anew, far beyond the rows' ranges, at ties, zeros, infinities and NaN.
FaultReport seed_faults(std::string_view filter, std::int64_t most, std::uint64_t seed);

}  // namespace adjoint::check
