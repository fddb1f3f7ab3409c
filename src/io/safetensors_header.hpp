// safetensors_header.hpp: the header of a safetensors file as a stream of bytes, parsed and
// checked. Not the reading of tensors: that is safetensors.cpp.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "adjoint/io/safetensors.hpp"

namespace adjoint::io {

/// What stands in a header. `by_name` holds indices into `entries`, sorted by name.
struct SafetensorsHeader {
  std::vector<TensorEntry> entries;
  std::vector<std::uint32_t> by_name;
  Metadata metadata;
  std::uint64_t buffer_begin = 0;  // place of the buffer in the file
};

/// Fills `out` with the file's bytes from `offset`; never asked for bytes behind `size`.
using ReadAt = std::function<void(std::uint64_t offset, std::span<std::byte> out)>;

/// Parses the header of a file of `size` bytes, in blocks: the header's text is never held whole.
SafetensorsHeader parse_safetensors_header(std::string_view name, std::uint64_t size,
                                           const ReadAt& read, const LoadLimits& limits, Loc loc);

/// The format's word for a DType.
std::string_view safetensors_word(DType dtype);

}  // namespace adjoint::io
