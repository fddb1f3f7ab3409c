// idx.hpp: the IDX format of the MNIST family: one array of one element type. Not a data set: that
// is images.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adjoint/dtype.hpp"
#include "adjoint/error.hpp"
#include "adjoint/io/limits.hpp"

namespace adjoint::data {

/// An array read from IDX: row-major, in the byte order of this machine.
struct IdxArray {
  DType dtype = DType::u8;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> data;
};

/// Reads an IDX file, gzip or plain (told apart by content, not by name).
///   dtypes    u8, i8, i32, f32, f64; the format's 16-bit integer has no DType here and is refused
///   memory    the file's bytes, inflated, and 256 KiB
///   throws    Error when the file cannot be read, is no IDX, has more than limits.rank dimensions,
///             or when its length is not exactly what its header says
///   source    the format as described with the MNIST data base: 0 0 type rank, u32 sizes, data,
///             all big-endian
IdxArray read_idx(const std::string& path, const io::LoadLimits& limits = {},
                  Loc loc = Loc::current());

/// The same from bytes in memory (inflated already); `name` stands in messages.
IdxArray parse_idx(std::vector<std::byte> bytes, std::string_view name = "idx",
                   const io::LoadLimits& limits = {}, Loc loc = Loc::current());

}  // namespace adjoint::data
