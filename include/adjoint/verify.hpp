// verify.hpp: strict validation: plans run beside the reference and are compared with it, bit for bit. Not a debugger.
#pragma once

#include <cstdint>

#include "adjoint/error.hpp"

namespace adjoint {

/// Which runs of each plan are compared: the first ones, and then one in so many.
struct VerifyOptions {
  std::int64_t first = 3;   ///< runs of a plan that are compared from its first on
  std::int64_t every = 64;  ///< after them, one run in so many; 0 compares no more
};

/// From now on, before a plan runs for one of these times, the reference computes the same values from the same inputs: node by
/// node on one thread, composites by their definition, nothing merged, fused or reused. All results (values, gradients, updated
/// parameters) are then compared byte by byte, all NaNs as one. The first difference is an Error that names the value, the step of
/// the plan, the operation with the user's line, and the element with both bit patterns; parameters are then the old ones.
/// The environment variable ADJOINT_VERIFY=1 is the same from the start of the program.
///   cost      a compared run takes as long as the plan and the reference together, and holds every value that is still to be read
///   throws    Error for a negative number
void set_verify(const VerifyOptions& options = {}, Loc loc = Loc::current());
/// Ends strict validation.
void stop_verify();

/// What strict validation has done since the program started.
struct Verified {
  std::int64_t runs = 0;      ///< plans run while it was on
  std::int64_t compared = 0;  ///< of these, compared
  std::int64_t values = 0;    ///< results compared
  std::int64_t elements = 0;  ///< elements of all results compared
};
/// The counts; from any thread.
Verified verified();

}  // namespace adjoint
