// gz.hpp: bytes of a file, inflated when they are gzip. Not a writer, and not zip or tar.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adjoint/error.hpp"
#include "adjoint/io/limits.hpp"

namespace adjoint::io {

/// True when the bytes begin as a gzip member does (1f 8b).
bool is_gz(std::span<const std::byte> bytes);

/// Inflates a gzip stream of one or more members.
///   memory    the inflated bytes and 256 KiB: a first pass counts and checks, a second one fills
///   throws    Error when the stream is truncated, corrupt (its checksum included), followed by
///             other bytes, or larger than limits.inflated_bytes (found while inflating, not after)
std::vector<std::byte> inflate_gz(std::span<const std::byte> gz, std::string_view name = "gz",
                                  const LoadLimits& limits = {}, Loc loc = Loc::current());

/// The content of a regular file, inflated if it is gzip, else as it lies on the disk.
///   throws    Error when the file is missing, unreadable, not a regular file, larger than
///             limits.file_bytes, changes its length while it is read, or as inflate_gz
std::vector<std::byte> read_file(const std::string& path, const LoadLimits& limits = {},
                                 Loc loc = Loc::current());

}  // namespace adjoint::io
