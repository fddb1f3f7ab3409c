// version.hpp: which version this is and what was built into it. Not a feature test for the user's own code.
#pragma once

#include <string>
#include <vector>

namespace adjoint {

inline constexpr int kVersionMajor = 0, kVersionMinor = 1, kVersionPatch = 0;
inline constexpr const char* kVersion = "0.1.0";

/// One line of `adjoint doctor`: what was looked for, what was found, and what follows.
struct Finding {
  std::string what, found, means;
  bool good = true;
};
/// The processor, its instruction sets, threads, memory, and the optional parts that this build has or lacks.
std::vector<Finding> doctor();

}  // namespace adjoint
