// dtype.hpp: the element types of a tensor and the two 16-bit floating formats as C++ types.
// Not the conversion kernels: those are cast in src/kernels/cpu.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace adjoint {

/// Element types, widest first among floating and among integer ones. `bool_` holds 0 or 1 in a byte.
enum class DType : std::uint8_t { f64, f32, bf16, f16, i64, i32, i8, u8, bool_ };
inline constexpr int kDTypeCount = 9;

/// Bytes of one element.
constexpr std::size_t size_of(DType d) {
  constexpr std::size_t sizes[] = {8, 4, 2, 2, 8, 4, 1, 1, 1};
  return sizes[static_cast<int>(d)];
}
/// "f32", as messages, prints and files of this library spell it.
constexpr std::string_view name_of(DType d) {
  constexpr std::string_view names[] = {"f64", "f32", "bf16", "f16", "i64", "i32", "i8", "u8", "bool"};
  return names[static_cast<int>(d)];
}
/// f64, f32, bf16 or f16: the types that have derivatives.
constexpr bool is_floating(DType d) { return d <= DType::f16; }
/// i64, i32, i8 or u8; bool is no integer.
constexpr bool is_integer(DType d) { return d >= DType::i64 && d <= DType::u8; }

/// bfloat16: the upper half of an f32. Conversion from float rounds to nearest even; NaN stays NaN.
struct bfloat16 {
  std::uint16_t bits = 0;
  constexpr bfloat16() = default;
  /// Rounds to the nearest, halves to even.
  constexpr explicit bfloat16(float f) {
    const auto u = std::bit_cast<std::uint32_t>(f);
    bits = (u & 0x7FFFFFFFu) > 0x7F800000u
               ? static_cast<std::uint16_t>((u >> 16) | 0x40u)
               : static_cast<std::uint16_t>((u + 0x7FFFu + ((u >> 16) & 1u)) >> 16);
  }
  /// Exact.
  constexpr explicit operator float() const {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
  }
};

/// IEEE binary16. Conversion from float rounds to nearest even, subnormals included.
struct float16 {
  std::uint16_t bits = 0;
  constexpr float16() = default;
  /// Rounds to the nearest, halves to even.
  constexpr explicit float16(float f) {
    const auto u = std::bit_cast<std::uint32_t>(f);
    const std::uint32_t sign = (u >> 16) & 0x8000u, mag = u & 0x7FFFFFFFu;
    std::uint32_t h;
    if (mag > 0x7F800000u) h = 0x7E00u | ((mag >> 13) & 0x3FFu);          // NaN, quiet
    else if (mag >= 0x477FF000u) h = 0x7C00u;                             // overflow to infinity
    else if (mag >= 0x38800000u)                                          // normal
      h = (mag - 0x38000000u + 0xFFFu + ((mag >> 13) & 1u)) >> 13;
    else if (mag < 0x33000000u) h = 0;                                    // below half the least subnormal
    else {                                                                // subnormal
      const int shift = 126 - static_cast<int>(mag >> 23);
      const std::uint32_t m = (mag & 0x7FFFFFu) | 0x800000u;
      h = m >> shift;
      const std::uint32_t rest = m & ((1u << shift) - 1), half = 1u << (shift - 1);
      if (rest > half || (rest == half && (h & 1u))) ++h;
    }
    bits = static_cast<std::uint16_t>(sign | h);
  }
  /// Exact.
  constexpr explicit operator float() const {
    const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
    const std::uint32_t e = (bits >> 10) & 0x1Fu, m = bits & 0x3FFu;
    if (e == 31) return std::bit_cast<float>(sign | 0x7F800000u | (m << 13));
    if (e != 0) return std::bit_cast<float>(sign | ((e + 112) << 23) | (m << 13));
    const float sub = static_cast<float>(m) * 5.9604644775390625e-8f;  // m * 2^-24, exact
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(sub));
  }
};

/// The DType of a C++ element type: dtype_of<float> == DType::f32.
template <class T> inline constexpr DType dtype_of = [] { static_assert(sizeof(T) == 0, "no such element type"); return DType::f32; }();
template <> inline constexpr DType dtype_of<double> = DType::f64;
template <> inline constexpr DType dtype_of<float> = DType::f32;
template <> inline constexpr DType dtype_of<bfloat16> = DType::bf16;
template <> inline constexpr DType dtype_of<float16> = DType::f16;
template <> inline constexpr DType dtype_of<std::int64_t> = DType::i64;
template <> inline constexpr DType dtype_of<std::int32_t> = DType::i32;
template <> inline constexpr DType dtype_of<std::int8_t> = DType::i8;
template <> inline constexpr DType dtype_of<std::uint8_t> = DType::u8;
template <> inline constexpr DType dtype_of<bool> = DType::bool_;

}  // namespace adjoint
