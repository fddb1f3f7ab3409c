// dispatch.hpp: from an element type at run time to a C++ type, and sums of an element type: 16-bit formats add up in
// f32, integers wrap. Not a table of kernels.
#pragma once

#include <cstdint>
#include <type_traits>

#include "adjoint/dtype.hpp"

namespace adjoint::cpu {

template <class T> struct Tag { using type = T; };

/// visit(Tag<T>) for an unsigned type as wide as the elements: enough to move them.
template <class Visit> auto by_width(DType d, Visit visit) {
  switch (size_of(d)) {
    case 8: return visit(Tag<std::uint64_t>());
    case 4: return visit(Tag<std::uint32_t>());
    case 2: return visit(Tag<std::uint16_t>());
    default: return visit(Tag<std::uint8_t>());
  }
}
/// visit(Tag<T>) for the element type itself; bool reads as u8.
template <class Visit> auto by_type(DType d, Visit visit) {
  switch (d) {
    case DType::f64: return visit(Tag<double>());
    case DType::f32: return visit(Tag<float>());
    case DType::bf16: return visit(Tag<bfloat16>());
    case DType::f16: return visit(Tag<float16>());
    case DType::i64: return visit(Tag<std::int64_t>());
    case DType::i32: return visit(Tag<std::int32_t>());
    case DType::i8: return visit(Tag<std::int8_t>());
    default: return visit(Tag<std::uint8_t>());
  }
}
/// visit(Tag<std::int32_t>) or visit(Tag<std::int64_t>) for an index.
template <class Visit> auto by_index(DType d, Visit visit) {
  return d == DType::i32 ? visit(Tag<std::int32_t>()) : visit(Tag<std::int64_t>());
}

template <class T> inline constexpr bool is_half = std::is_same_v<T, bfloat16> || std::is_same_v<T, float16>;
/// What elements of T are added up in.
template <class T> using Accumulator = std::conditional_t<is_half<T>, float, T>;

/// a + b; integers wrap as two's complement does.
template <class A> A plus(A a, A b) {
  if constexpr (std::is_integral_v<A>) {
    using U = std::make_unsigned_t<A>;
    return static_cast<A>(static_cast<U>(static_cast<U>(a) + static_cast<U>(b)));
  } else {
    return a + b;
  }
}

}  // namespace adjoint::cpu
