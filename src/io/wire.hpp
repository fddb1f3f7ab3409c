// wire.hpp: writing the few protobuf fields of an event file. Not protobuf: it reads nothing, so no
// input can reach it; why libprotobuf is not used stands in docs/event-files.md.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace adjoint::io {

class Wire {
 public:
  Wire& whole(int field, std::uint64_t v) { return key(field, 0).varint(v); }
  Wire& real(int field, double v) {
    return key(field, 1).fixed(std::bit_cast<std::uint64_t>(v), 8);
  }
  Wire& real(int field, float v) { return key(field, 5).fixed(std::bit_cast<std::uint32_t>(v), 4); }
  Wire& bytes(int field, std::string_view v) {
    key(field, 2).varint(v.size());
    text_ += v;
    return *this;
  }
  Wire& reals(int field, std::span<const double> values) {  // packed
    key(field, 2).varint(8 * values.size());
    for (const double v : values) fixed(std::bit_cast<std::uint64_t>(v), 8);
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  Wire& key(int field, unsigned type) { return varint(static_cast<unsigned>(field) << 3 | type); }
  Wire& varint(std::uint64_t v) {
    for (; v >= 0x80; v >>= 7) text_ += static_cast<char>(v | 0x80);
    text_ += static_cast<char>(v);
    return *this;
  }
  Wire& fixed(std::uint64_t v, int bytes) {
    for (int i = 0; i < bytes; ++i) text_ += static_cast<char>(v >> (8 * i));
    return *this;
  }
  std::string text_;
};

}  // namespace adjoint::io
