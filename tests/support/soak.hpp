// soak.hpp: what a long program (a gtest case with "Soak" in its name) asks of scripts/soak: a fresh seed, counters
// that add up over runs, a budget of time. Not for the ordinary suite: ctest never runs such a case.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>

namespace support {

/// A seed that differs between runs of scripts/soak, so that counted inputs are new ones; 1 when run by hand.
inline std::uint64_t soak_seed() {
  const char* text = std::getenv("ADJOINT_SOAK_SEED");
  return text ? std::strtoull(text, nullptr, 10) : 1;
}

/// `count` times a factor given by `scripts/soak --scale N`; `count` itself when run by hand.
inline std::int64_t soak_scaled(std::int64_t count) {
  const char* text = std::getenv("ADJOINT_SOAK_SCALE");
  return text ? count * std::strtoll(text, nullptr, 10) : count;
}

/// Adds to the counter `name` ("gz.mutations") of the file that scripts/soak keeps. Call it once the work is done.
inline void soak_count(const std::string& name, std::int64_t amount) {
  if (const char* file = std::getenv("ADJOINT_SOAK_COUNTERS"))
    std::ofstream(file, std::ios::app) << name << '\t' << amount << '\n';
}

}  // namespace support
