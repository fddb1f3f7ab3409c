// idx.cpp: IDX headers checked against the bytes that are there. Not a place for image processing.
#include "adjoint/data/idx.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <span>

#include "adjoint/io/gz.hpp"

namespace adjoint::data {

namespace {

struct Source {
  std::string_view name;
  Loc loc;
  [[noreturn]] void refuse(std::string message, std::string hint = {}) const {
    throw Error({.op = "read_idx",
                 .message = fmt::format("{}: {}", name, message),
                 .where = loc,
                 .hint = std::move(hint)});
  }
};

std::uint32_t big_endian(std::span<const std::byte> b) {
  std::uint32_t v = 0;
  for (int i = 0; i < 4; ++i) v = v << 8 | std::to_integer<std::uint32_t>(b[i]);
  return v;
}

DType element_type(const Source& from, unsigned code) {
  switch (code) {
    case 0x08:
      return DType::u8;
    case 0x09:
      return DType::i8;
    case 0x0C:
      return DType::i32;
    case 0x0D:
      return DType::f32;
    case 0x0E:
      return DType::f64;
    case 0x0B:
      from.refuse("holds 16-bit integers (type 0x0B), for which there is no DType",
                  "write the file with 32-bit integers (type 0x0C)");
    default:
      from.refuse(fmt::format("names the unknown element type 0x{:02X}", code));
  }
}

// Reverses the bytes of each element in place. IDX is big-endian, this library runs little-endian.
void to_native(std::span<std::byte> data, std::size_t width) {
  if (width == 1 || std::endian::native == std::endian::big) return;
  for (std::size_t i = 0; i < data.size(); i += width)
    std::reverse(data.begin() + static_cast<std::ptrdiff_t>(i),
                 data.begin() + static_cast<std::ptrdiff_t>(i + width));
}

bool looks_like_fashion_mnist(std::string_view path) {
  return path.find("fashion-mnist") != path.npos || path.find("idx3-ubyte") != path.npos ||
         path.find("idx1-ubyte") != path.npos;
}

}  // namespace

IdxArray parse_idx(std::vector<std::byte> bytes, std::string_view name,
                   const io::LoadLimits& limits, Loc loc) {
  const Source from{name, loc};
  if (bytes.size() < 4)
    from.refuse(fmt::format("has {} bytes, too few for an IDX header", bytes.size()));
  if (bytes[0] != std::byte{0} || bytes[1] != std::byte{0})
    from.refuse("is no IDX file: it does not begin with two zero bytes");
  IdxArray out;
  out.dtype = element_type(from, std::to_integer<unsigned>(bytes[2]));
  const auto rank = std::to_integer<std::size_t>(bytes[3]);
  if (rank > limits.rank)
    from.refuse(fmt::format("has {} dimensions, more than the limit of {}", rank, limits.rank));
  const std::size_t header = 4 + 4 * rank;
  if (bytes.size() < header) from.refuse(fmt::format("ends inside its {} sizes", rank));

  std::uint64_t size = size_of(out.dtype);
  for (std::size_t i = 0; i < rank; ++i) {
    const std::uint32_t n = big_endian(std::span(bytes).subspan(4 + 4 * i, 4));
    out.shape.push_back(n);
    if (__builtin_mul_overflow(size, std::uint64_t{n}, &size))
      from.refuse(fmt::format("its sizes [{}, ...] overflow 64 bits", fmt::join(out.shape, ", ")));
  }
  if (size != bytes.size() - header)
    from.refuse(fmt::format("its header says {}[{}], which is {} bytes, but {} follow",
                            name_of(out.dtype), fmt::join(out.shape, ","), size,
                            bytes.size() - header));
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(header));
  to_native(bytes, size_of(out.dtype));
  out.data = std::move(bytes);
  return out;
}

IdxArray read_idx(const std::string& path, const io::LoadLimits& limits, Loc loc) {
  std::vector<std::byte> bytes;
  try {
    bytes = io::read_file(path, limits, loc);
  } catch (const Error& e) {
    const bool missing = e.message().find("cannot open") != std::string::npos;
    std::string hint = e.hint();
    if (missing && looks_like_fashion_mnist(path))
      hint =
          "apt-get install -y dataset-fashion-mnist "
          "puts the data into /usr/share/datasets/fashion-mnist";
    throw Error({.op = "read_idx", .message = e.message(), .where = loc, .hint = hint});
  }
  return parse_idx(std::move(bytes), path, limits, loc);
}

}  // namespace adjoint::data
