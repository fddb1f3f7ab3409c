// scalar_casts.cpp: conversions between register forms, rounding to 16-bit formats, and their memory forms.
// Not a numeric policy: which cast stands where is the graph's.
#include "kernels/cpu/simd_setup.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/scalar_casts.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/scalar_loops-inl.hpp"

#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

HWY_BEFORE_NAMESPACE();
namespace adjoint::cpu::HWY_NAMESPACE {
namespace {

// bf16 and f16 in vectors of 32-bit lanes. Integer arithmetic only, so that flush-to-zero has no say.

HWY_INLINE std::uint32_t bf16_round_bits(std::uint32_t u) {
  const std::uint32_t rounded = (u + 0x7FFFu + ((u >> 16) & 1u)) & 0xFFFF0000u;
  const std::uint32_t quiet = (u | 0x00400000u) & 0xFFFF0000u;
  return (u & 0x7FFFFFFFu) > 0x7F800000u ? quiet : rounded;
}

struct RoundBf16 {
  float operator()(float x) const { return std::bit_cast<float>(bf16_round_bits(std::bit_cast<std::uint32_t>(x))); }
};
struct NarrowBf16 {
  std::uint16_t operator()(float x) const {
    return static_cast<std::uint16_t>(bf16_round_bits(std::bit_cast<std::uint32_t>(x)) >> 16);
  }
};
struct WidenBf16 {
  float operator()(std::uint16_t h) const { return std::bit_cast<float>(static_cast<std::uint32_t>(h) << 16); }
};

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
constexpr std::size_t kStep = 8;
void narrow_f16(void* dst, const void* a, const void*, const void*, std::size_t n) {
  for (std::size_t i = 0; i < n; i += kStep)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(static_cast<std::uint16_t*>(dst) + i),
                     _mm256_cvtps_ph(_mm256_loadu_ps(static_cast<const float*>(a) + i), _MM_FROUND_TO_NEAREST_INT));
}
void widen_f16(void* dst, const void* a, const void*, const void*, std::size_t n) {
  for (std::size_t i = 0; i < n; i += kStep)
    _mm256_storeu_ps(static_cast<float*>(dst) + i,
                     _mm256_cvtph_ps(_mm_loadu_si128(
                         reinterpret_cast<const __m128i*>(static_cast<const std::uint16_t*>(a) + i))));
}
void round_f16(void* dst, const void* a, const void*, const void*, std::size_t n) {
  for (std::size_t i = 0; i < n; i += kStep)
    _mm256_storeu_ps(static_cast<float*>(dst) + i,
                     _mm256_cvtph_ps(_mm256_cvtps_ph(_mm256_loadu_ps(static_cast<const float*>(a) + i),
                                                     _MM_FROUND_TO_NEAREST_INT)));
}
#else
struct NarrowF16 {
  std::uint16_t operator()(float x) const { return float16(x).bits; }
};
struct WidenF16 {
  float operator()(std::uint16_t h) const {
    float16 v;
    v.bits = (h & 0x7C00u) == 0x7C00u && (h & 0x3FFu) ? static_cast<std::uint16_t>(h | 0x200u) : h;  // quiet
    return static_cast<float>(v);
  }
};
struct RoundF16 {
  float operator()(float x) const { return static_cast<float>(float16(x)); }
};
void narrow_f16(void* dst, const void* a, const void* b, const void* c, std::size_t n) {
  plain_loop1<float, std::uint16_t, NarrowF16>(dst, a, b, c, n);
}
void widen_f16(void* dst, const void* a, const void* b, const void* c, std::size_t n) {
  plain_loop1<std::uint16_t, float, WidenF16>(dst, a, b, c, n);
}
void round_f16(void* dst, const void* a, const void* b, const void* c, std::size_t n) {
  plain_loop1<float, float, RoundF16>(dst, a, b, c, n);
}
#endif

/// f64 to f32 rounded to odd: rounding that again to 11 or 8 bits is rounding the f64 once.
HWY_INLINE float to_odd(double x) {
  const float y = static_cast<float>(x);
  if (static_cast<double>(y) == x || x != x) return y;
  const auto u = std::bit_cast<std::uint32_t>(y);
  if (u & 1u) return y;  // already odd: an infinity is even
  const bool up = std::fabs(static_cast<double>(y)) > std::fabs(x);  // rounded away from zero: step back
  return std::bit_cast<float>(up ? u - 1u : u | 1u);
}
/// i64 to f64, exact up to 2^53, beyond that with the lost bits kept as one sticky bit.
HWY_INLINE double sticky(std::int64_t x) {
  constexpr std::int64_t kExact = std::int64_t{1} << 53;
  if (x >= -kExact && x <= kExact) return static_cast<double>(x);
  const std::int64_t low = x & 0xFFF;
  return static_cast<double>((x - low) | (low ? 0x800 : 0));
}

template <class To>
struct FloatToInt {
  template <class From>
  To operator()(From x) const {
    using W = std::conditional_t<sizeof(To) == 8, std::int64_t, std::int32_t>;
    constexpr From lowest = static_cast<From>(std::numeric_limits<To>::min());
    constexpr From above = static_cast<From>(std::numeric_limits<To>::max() / 2 + 1) * 2;  // max + 1
    if (!(x >= lowest)) return x < lowest ? std::numeric_limits<To>::min() : To(0);
    if (x >= above) return std::numeric_limits<To>::max();
    return static_cast<To>(static_cast<W>(x));
  }
};
struct ToBool {
  template <class From>
  Byte operator()(From x) const { return static_cast<Byte>(x != 0); }
};
template <class To>
struct Plain {
  template <class From>
  To operator()(From x) const { return static_cast<To>(x); }
};

template <class Format>
struct To16 {  // any register form to a 16-bit format, held as f32, in one rounding
  template <class From>
  float operator()(From x) const {
    float y;
    if constexpr (std::is_same_v<From, double>) y = to_odd(x);
    else if constexpr (std::is_same_v<From, std::int64_t>) y = to_odd(sticky(x));
    else if constexpr (std::is_same_v<From, std::int32_t>) y = to_odd(static_cast<double>(x));
    else y = static_cast<float>(x);
    return static_cast<float>(Format(y));
  }
};

void copy4(void* dst, const void* a, const void*, const void*, std::size_t n) {
  if (dst != a) std::memcpy(dst, a, n * 4);
}
void copy8(void* dst, const void* a, const void*, const void*, std::size_t n) {
  if (dst != a) std::memcpy(dst, a, n * 8);
}
void copy1(void* dst, const void* a, const void*, const void*, std::size_t n) {
  if (dst != a) std::memcpy(dst, a, n);
}
ScalarKernel identity(std::size_t size) { return size == 8 ? &copy8 : size == 4 ? &copy4 : &copy1; }

template <class From>
void casts_from(KernelTable& t, DType from) {
  auto& row = t.cast[static_cast<std::size_t>(from)];
  const auto at = [&](DType d) -> ScalarKernel& { return row[static_cast<std::size_t>(d)]; };
  const auto integer = [&]<class To>(To) {
    using F = std::conditional_t<std::is_floating_point_v<From>, FloatToInt<To>, Plain<To>>;
    at(dtype_of<To>) = &plain_loop1<From, To, F>;
  };
  integer(std::int64_t{});
  integer(std::int32_t{});
  integer(std::int8_t{});
  integer(std::uint8_t{});
  at(DType::bool_) = &plain_loop1<From, Byte, ToBool>;
  at(DType::f64) = &plain_loop1<From, double, Plain<double>>;
  at(DType::f32) = &plain_loop1<From, float, Plain<float>>;
  at(DType::bf16) = &plain_loop1<From, float, To16<bfloat16>>;
  at(DType::f16) = &plain_loop1<From, float, To16<float16>>;
  if constexpr (std::is_same_v<From, float>) {
    at(DType::bf16) = &plain_loop1<float, float, RoundBf16>;
    at(DType::f16) = &round_f16;
    at(DType::f32) = identity(4);
  }
  at(from) = identity(sizeof(From));
}

}  // namespace

static void casts(KernelTable& t) {
  casts_from<double>(t, DType::f64);
  for (const DType d : {DType::f32, DType::bf16, DType::f16}) casts_from<float>(t, d);
  casts_from<std::int64_t>(t, DType::i64);
  casts_from<std::int32_t>(t, DType::i32);
  casts_from<std::int8_t>(t, DType::i8);
  casts_from<std::uint8_t>(t, DType::u8);
  casts_from<Byte>(t, DType::bool_);
  constexpr auto bf16 = static_cast<std::size_t>(DType::bf16), f16 = static_cast<std::size_t>(DType::f16);
  t.round[bf16] = &plain_loop1<float, float, RoundBf16>;
  t.narrow[bf16] = &plain_loop1<float, std::uint16_t, NarrowBf16>;
  t.widen[bf16] = &plain_loop1<std::uint16_t, float, WidenBf16>;
  t.round[f16] = &round_f16;
  t.narrow[f16] = &narrow_f16;
  t.widen[f16] = &widen_f16;
}

}  // namespace adjoint::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace adjoint::cpu {
HWY_EXPORT(casts);
void fill_casts(KernelTable& table) { HWY_DYNAMIC_DISPATCH(casts)(table); }
}  // namespace adjoint::cpu
#endif  // HWY_ONCE
