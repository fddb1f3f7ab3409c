// memory.hpp: how much memory this process had at most, from /proc. Not the library's own counters.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>

namespace support {

/// From now on peak_memory() counts anew (where the system allows it; else it counts from the start of the program).
inline void reset_peak_memory() { std::ofstream("/proc/self/clear_refs") << "5"; }

/// The most bytes that were resident at once.
inline std::int64_t peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stoll(line.substr(6)) * 1024;
  return 0;
}

}  // namespace support
