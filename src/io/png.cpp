// png.cpp: PNG's chunks around zlib's stream, and base64. Not a codec.
#include "io/png.hpp"

#include <zlib.h>

#include <string_view>

#include "adjoint/error.hpp"

namespace adjoint::io {

static std::string big_endian(std::uint64_t v) {
  std::string s;
  for (int shift = 24; shift >= 0; shift -= 8) s += static_cast<char>(v >> shift);
  return s;
}

static std::string chunk(std::string_view type, std::string_view data) {
  std::string body(type);
  body += data;
  const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(body.data()), body.size());
  return big_endian(data.size()) + body + big_endian(crc);
}

static std::string deflated(std::string_view plain) {
  uLongf size = compressBound(plain.size());
  std::string out(size, '\0');
  const int rc = compress2(reinterpret_cast<Bytef*>(out.data()), &size,
                           reinterpret_cast<const Bytef*>(plain.data()), plain.size(), 9);
  if (rc != Z_OK) throw Error({.op = "encode_png", .message = "zlib is out of memory"});
  out.resize(size);
  return out;
}

std::string encode_png(std::int64_t height, std::int64_t width, std::int64_t channels,
                       std::span<const std::uint8_t> pixels) {
  const auto row = static_cast<std::size_t>(width * channels);
  std::string rows;
  rows.reserve((row + 1) * static_cast<std::size_t>(height));
  for (std::size_t y = 0; y < static_cast<std::size_t>(height); ++y) {
    rows += '\0';  // no filter
    rows.append(reinterpret_cast<const char*>(pixels.data()) + y * row, row);
  }
  std::string header = big_endian(static_cast<std::uint64_t>(width)) +
                       big_endian(static_cast<std::uint64_t>(height));
  header += {8, channels == 1 ? '\0' : '\2', 0, 0, 0};  // 8 bits, colour type, defaults
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", header) + chunk("IDAT", deflated(rows)) +
         chunk("IEND", {});
}

std::string base64(std::string_view bytes) {
  constexpr char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t v = 0;
    for (std::size_t j = 0; j < 3; ++j)
      v = v << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    for (std::size_t j = 0; j < 4; ++j)
      out += j <= bytes.size() - i ? letters[v >> (18 - 6 * j) & 63] : '=';
  }
  return out;
}

}  // namespace adjoint::io
