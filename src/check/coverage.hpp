// coverage.hpp: the table of all operations: which have a derivative, which a declared zero, which lack a row.
// Not a check: run_checks fails on an operation without a row.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace adjoint::check {

struct CoverageLine {
  std::string name;
  std::string family;             ///< "D1" ... "D24"
  std::string derivative;         ///< "differentiable", "zero" or "refused"
  bool core = false;              ///< has a rule of its own; else it follows from its definition
  std::int64_t rows = 0, bad_calls = 0;
};
struct Coverage {
  std::vector<CoverageLine> lines;  ///< in order of family, then name
  std::int64_t differentiable = 0, zero_derivative = 0, refused = 0, without_row = 0;
};
Coverage coverage();

}  // namespace adjoint::check
