// copy.cpp: strided copies in the order of the destination, transposed blocks where the source runs across it; and
// what is made of copies: fill, iota, concat, pad. Not take and scatter_add: indexed.cpp.
#include "kernels/cpu/copy.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "kernels/cpu/copy_axes.hpp"
#include "kernels/cpu/scalar_kernels.hpp"
#include "runtime/pool.hpp"

namespace adjoint::cpu {
namespace {

using plan::View;
constexpr std::int64_t kParallelBytes = 1 << 18;
constexpr std::int64_t kBlock = 32;  ///< side of a transposed block

/// parts of [0, units), by threads, if the work is worth it.
template <class F>
void share(std::int64_t units, std::int64_t bytes, F f) {
  const std::int64_t parts = bytes >= kParallelBytes ? std::min<std::int64_t>(runtime::threads(), units) : 1;
  if (parts <= 1) return f(std::int64_t{0}, units);
  runtime::parallel(parts, [&](std::int64_t p) { f(units * p / parts, units * (p + 1) / parts); });
}

template <class T>
void copy_row(const T* x, std::int64_t x_stride, T* y, std::int64_t y_stride, std::int64_t n) {
  if (y_stride == 1 && x_stride == 1) std::memcpy(y, x, static_cast<std::size_t>(n) * sizeof(T));
  else if (y_stride == 1 && x_stride == 0) std::fill_n(y, n, *x);
  else if (y_stride == 1) for (std::int64_t i = 0; i < n; ++i) y[i] = x[i * x_stride];
  else for (std::int64_t i = 0; i < n; ++i) y[i * y_stride] = x[i * x_stride];
}

/// The axis along which the source is contiguous, if that is not the innermost one; else -1.
int crossing_axis(const Axes& a) {
  if (a.rank < 2) return -1;
  const auto& inner = a.axis[static_cast<std::size_t>(a.rank - 1)];
  if (inner.from == 1 || inner.from == 0 || inner.size < 4) return -1;
  for (int d = 0; d + 1 < a.rank; ++d)
    if (a.axis[static_cast<std::size_t>(d)].from == 1 && a.axis[static_cast<std::size_t>(d)].size >= 4) return d;
  return -1;
}

template <class T>
void copy_crossed(Axes outer, int crossing, const T* x, T* y) {
  const Axes::Axis inner = outer.remove(outer.rank - 1), cross = outer.remove(crossing);
  const std::int64_t stripes = (cross.size + kBlock - 1) / kBlock;
  const std::int64_t bytes = outer.size * cross.size * inner.size * static_cast<std::int64_t>(sizeof(T));
  share(outer.size * stripes, bytes, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t u = first; u < last; ++u) {
      const auto at = outer.offsets(u / stripes);
      const std::int64_t c = u % stripes * kBlock, height = std::min(kBlock, cross.size - c);
      const T* from = x + at.from + c;
      T* to = y + at.to + c * cross.to;
      for (std::int64_t i = 0; i < inner.size; i += kBlock) {
        const std::int64_t width = std::min(kBlock, inner.size - i);
        T block[kBlock][kBlock];
        for (std::int64_t w = 0; w < width; ++w)
          for (std::int64_t h = 0; h < height; ++h) block[h][w] = from[(i + w) * inner.from + h];
        for (std::int64_t h = 0; h < height; ++h)
          copy_row<T>(block[h], 1, to + h * cross.to + i * inner.to, inner.to, width);
      }
    }
  });
}

template <class T>
void copy_as(Axes a, const std::byte* src, std::byte* dst) {
  const T* x = reinterpret_cast<const T*>(src);
  T* y = reinterpret_cast<T*>(dst);
  if (a.size == 0) return;
  if (const int crossing = crossing_axis(a); crossing >= 0) return copy_crossed<T>(a, crossing, x, y);
  const Axes::Axis inner = a.remove(a.rank - 1);
  const std::int64_t bytes = a.size * inner.size * static_cast<std::int64_t>(sizeof(T));
  if (a.size == 1)  // one row: cut along it
    return share(inner.size, bytes, [&](std::int64_t first, std::int64_t last) {
      copy_row(x + first * inner.from, inner.from, y + first * inner.to, inner.to, last - first);
    });
  share(a.size, bytes, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      const auto at = a.offsets(r);
      copy_row(x + at.from, inner.from, y + at.to, inner.to, inner.size);
    }
  });
}

/// Axes in the order of the destination's memory, so that it is written from front to back.
Axes in_order(const View& src, const View& dst) {
  std::array<int, plan::kMaxRank> order{};
  for (int d = 0; d < dst.rank; ++d) order[static_cast<std::size_t>(d)] = d;
  const auto distance = [&](std::size_t k) { return std::abs(dst.strides[static_cast<std::size_t>(order[k])]); };
  for (std::size_t d = 1; d < static_cast<std::size_t>(dst.rank); ++d)  // std::stable_sort would allocate
    for (std::size_t k = d; k > 0 && distance(k - 1) < distance(k); --k) std::swap(order[k - 1], order[k]);
  Axes a;
  for (int k = 0; k < dst.rank; ++k) {
    const auto d = static_cast<std::size_t>(order[static_cast<std::size_t>(k)]);
    a.append({src.shape[d], src.strides[d], dst.strides[d]});
  }
  return a;
}

/// The part of a view that starts at `first` along `axis` and has `size` there.
View part_of(View v, int axis, std::int64_t first, std::int64_t size) {
  const auto i = static_cast<std::size_t>(axis);
  v.data += first * v.strides[i] * static_cast<std::int64_t>(size_of(v.dtype));
  v.shape[i] = size;
  return v;
}

}  // namespace

void copy(const View& src, const View& dst) {
  const Axes a = in_order(src, dst);
  switch (size_of(dst.dtype)) {
    case 8: return copy_as<std::uint64_t>(a, src.data, dst.data);
    case 4: return copy_as<std::uint32_t>(a, src.data, dst.data);
    case 2: return copy_as<std::uint16_t>(a, src.data, dst.data);
    default: return copy_as<std::uint8_t>(a, src.data, dst.data);
  }
}

void fill(const View& out, const void* value) {
  View v = out;
  v.data = static_cast<std::byte*>(const_cast<void*>(value));
  v.strides.fill(0);
  copy(v, out);
}

void iota(const View& out, int axis) {
  constexpr std::int64_t kChunk = 512;
  alignas(64) std::int64_t index[kChunk], form[kChunk];
  alignas(64) std::uint16_t half[kChunk];
  const ScalarKernel convert = cast_kernel(DType::i64, out.dtype), narrow = narrow_kernel(out.dtype);
  const std::int64_t n = out.shape[static_cast<std::size_t>(axis)];
  for (std::int64_t first = 0; first < n; first += kChunk) {
    for (std::int64_t i = 0; i < kChunk; ++i) index[i] = first + i;
    convert(form, index, nullptr, nullptr, kChunk);
    if (narrow) narrow(half, form, nullptr, nullptr, kChunk);
    const View to = part_of(out, axis, first, std::min(kChunk, n - first));
    View from = to;
    from.data = reinterpret_cast<std::byte*>(narrow ? static_cast<void*>(half) : form);
    from.strides.fill(0);
    from.strides[static_cast<std::size_t>(axis)] = 1;
    copy(from, to);
  }
}

void concat(const View* parts, int count, int axis, const View& out) {
  std::int64_t at = 0;
  for (int p = 0; p < count; ++p) {
    const std::int64_t size = parts[p].shape[static_cast<std::size_t>(axis)];
    copy(parts[p], part_of(out, axis, at, size));
    at += size;
  }
}

void pad(const View& src, const std::int64_t* low, const void* value, const View& out) {
  fill(out, value);
  View inside = out;
  for (int d = 0; d < out.rank; ++d) inside = part_of(inside, d, low[d], src.shape[static_cast<std::size_t>(d)]);
  copy(src, inside);
}

}  // namespace adjoint::cpu
