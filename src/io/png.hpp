// png.hpp: small pictures as PNG, for reports and event files. Not a codec: it reads nothing, and
// writes 8-bit grey or RGB with zlib doing the compression.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace adjoint::io {

/// PNG bytes of a [height, width, channels] picture, row-major; channels 1 or 3, sizes from 1 to
/// 2^31 - 1, pixels.size() == height * width * channels: the caller has checked that.
std::string encode_png(std::int64_t height, std::int64_t width, std::int64_t channels,
                       std::span<const std::uint8_t> pixels);

std::string base64(std::string_view bytes);

}  // namespace adjoint::io
