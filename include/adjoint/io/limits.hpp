// limits.hpp: how much a file may ask for before a reader refuses it, with the defaults in one
// place. Not a memory budget of a running program: that belongs to plans.
#pragma once

#include <cstdint>

/// Files: models, metrics, reports, and what a person sees while a run goes on.
namespace adjoint::io {

/// Caps that every reader of files checks before it allocates. Raise one for a file you trust.
struct LoadLimits {
  std::uint64_t file_bytes = std::uint64_t{1} << 40;      ///< any file
  std::uint64_t inflated_bytes = std::uint64_t{1} << 32;  ///< what a .gz may inflate to
  std::uint64_t header_bytes = 100'000'000;               ///< the JSON header of a safetensors file
  std::uint64_t tensors = 100'000;                        ///< entries in one file
  std::uint64_t metadata_entries = 10'000;                ///< pairs under __metadata__
  std::uint64_t name_bytes = 4096;                        ///< the name of one tensor
  std::uint64_t string_bytes = 4 << 20;                   ///< any other string of a header
  std::uint64_t rank = 16;                                ///< dimensions of one array
};

}  // namespace adjoint::io
