// tile_moves.hpp: moves a segment between strided memory and a contiguous tile.
// Not a copy of whole views: copy.hpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace adjoint::cpu {

template <class T>
void gather(std::byte* dst, const std::byte* src, std::int64_t stride, std::int64_t n) {
  T* y = reinterpret_cast<T*>(dst);
  const T* x = reinterpret_cast<const T*>(src);
  if (stride == 0) std::fill_n(y, n, *x);
  else for (std::int64_t i = 0; i < n; ++i) y[i] = x[i * stride];
}
template <class T>
void scatter(std::byte* dst, const std::byte* src, std::int64_t stride, std::int64_t n) {
  T* y = reinterpret_cast<T*>(dst);
  const T* x = reinterpret_cast<const T*>(src);
  for (std::int64_t i = 0; i < n; ++i) y[i * stride] = x[i];
}
/// dst[0..n) = src[0], src[stride], ...; elements of `size` bytes.
inline void load_segment(std::byte* dst, const std::byte* src, std::int64_t stride, std::int64_t n, int size) {
  if (stride == 1) std::memcpy(dst, src, static_cast<std::size_t>(n * size));
  else if (size == 4) gather<std::uint32_t>(dst, src, stride, n);
  else if (size == 8) gather<std::uint64_t>(dst, src, stride, n);
  else if (size == 2) gather<std::uint16_t>(dst, src, stride, n);
  else gather<std::uint8_t>(dst, src, stride, n);
}
/// The other way.
inline void store_segment(std::byte* dst, const std::byte* src, std::int64_t stride, std::int64_t n, int size) {
  if (stride == 1) std::memcpy(dst, src, static_cast<std::size_t>(n * size));
  else if (size == 4) scatter<std::uint32_t>(dst, src, stride, n);
  else if (size == 8) scatter<std::uint64_t>(dst, src, stride, n);
  else if (size == 2) scatter<std::uint16_t>(dst, src, stride, n);
  else scatter<std::uint8_t>(dst, src, stride, n);
}

}  // namespace adjoint::cpu
