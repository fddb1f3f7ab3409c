// indexed.cpp: take, and its transpose scatter_add, which adds in index order at each destination.
// Not gather by whole index tensors: that is made of these by the operations.
#include <algorithm>
#include <cstring>
#include <type_traits>

#include "kernels/cpu/copy.hpp"
#include "kernels/cpu/copy_axes.hpp"
#include "kernels/cpu/scratch.hpp"
#include "runtime/pool.hpp"

namespace adjoint::cpu {
namespace {

using plan::View;
constexpr std::int64_t kParallelFrom = 1 << 15;

std::int64_t index_at(const View& idx, std::int64_t j) {
  const std::int64_t at = j * idx.strides[0];
  return idx.dtype == DType::i64 ? reinterpret_cast<const std::int64_t*>(idx.data)[at]
                                 : reinterpret_cast<const std::int32_t*>(idx.data)[at];
}
std::int64_t first_bad(const View& idx, std::int64_t size) {
  for (std::int64_t j = 0; j < idx.shape[0]; ++j)
    if (const std::int64_t i = index_at(idx, j); i < 0 || i >= size) return j;
  return -1;
}

/// f(unit) for all units, in order within each of at most `threads` parts.
template <class F>
void share(std::int64_t units, std::int64_t threads, F f) {
  const std::int64_t parts = std::min(threads, units);
  runtime::parallel(parts, [&](std::int64_t p) {
    for (std::int64_t u = units * p / parts; u < units * (p + 1) / parts; ++u) f(u);
  });
}

/// The space of a kernel with one indexed axis: what lies outside it, inside it, and a run of the innermost axis.
struct Indexed {
  Axes outer, inner;
  Axes::Axis run;
  std::int64_t from_stride, to_stride;  ///< of the indexed axis

  Indexed(const View& from, const View& to, int axis)
      : outer(Axes::of(from, to, 0, axis)),
        inner(Axes::of(from, to, axis + 1, from.rank)),
        run(inner.remove(inner.rank - 1)),
        from_stride(from.strides[static_cast<std::size_t>(axis)]),
        to_stride(to.strides[static_cast<std::size_t>(axis)]) {}
  std::int64_t rows() const { return outer.size * inner.size; }
  /// Offsets of row r of all (outer, inner) pairs.
  Axes::Offsets row(std::int64_t r) const {
    const auto o = outer.offsets(r / inner.size), i = inner.offsets(r % inner.size);
    return {o.from + i.from, o.to + i.to};
  }
};

template <class T>
void take_as(const View& x, int axis, const View& idx, const View& out) {
  const Indexed s(x, out, axis);
  const std::int64_t count = idx.shape[0], units = s.rows() * count;
  const T* from = reinterpret_cast<const T*>(x.data);
  T* to = reinterpret_cast<T*>(out.data);
  const bool large = units * s.run.size >= kParallelFrom;
  const std::int64_t parts = large ? std::min<std::int64_t>(runtime::threads(), units) : 1;
  runtime::parallel(parts, [&](std::int64_t p) {
    std::int64_t row = -1;
    Axes::Offsets at;
    for (std::int64_t u = units * p / parts; u < units * (p + 1) / parts; ++u) {
      if (u / count != row) at = s.row(row = u / count);
      const std::int64_t j = u % count;
      const T* a = from + at.from + index_at(idx, j) * s.from_stride;
      T* b = to + at.to + j * s.to_stride;
      if (s.run.from == 1 && s.run.to == 1) std::memcpy(b, a, static_cast<std::size_t>(s.run.size) * sizeof(T));
      else for (std::int64_t i = 0; i < s.run.size; ++i) b[i * s.run.to] = a[i * s.run.from];
    }
  });
}

template <class T>
void add_run(const T* a, std::int64_t a_stride, T* b, std::int64_t b_stride, std::int64_t n) {
  if constexpr (std::is_integral_v<T>) {
    using U = std::make_unsigned_t<std::conditional_t<(sizeof(T) < 4), std::int32_t, T>>;
    for (std::int64_t i = 0; i < n; ++i)
      b[i * b_stride] = static_cast<T>(static_cast<U>(b[i * b_stride]) + static_cast<U>(a[i * a_stride]));
  } else if (a_stride == 1 && b_stride == 1) {
    for (std::int64_t i = 0; i < n; ++i) b[i] += a[i];
  } else {
    for (std::int64_t i = 0; i < n; ++i) b[i * b_stride] += a[i * a_stride];
  }
}

/// Threads share rows, or pieces of the run, so that each destination belongs to one thread, which adds in order of j.
template <class T>
void scatter_as(const View& out, int axis, const View& idx, const View& src) {
  const Indexed s(src, out, axis);
  const std::int64_t count = idx.shape[0], rows = s.rows();
  const bool large = rows * count * s.run.size >= kParallelFrom;
  const std::int64_t threads = large ? runtime::threads() : 1;
  const std::int64_t pieces = rows >= threads ? 1 : std::clamp<std::int64_t>(s.run.size / 16, 1, threads);
  const T* from = reinterpret_cast<const T*>(src.data);
  T* to = reinterpret_cast<T*>(out.data);
  share(rows * pieces, threads, [&](std::int64_t unit) {
    const auto at = s.row(unit / pieces);
    const std::int64_t piece = unit % pieces, begin = s.run.size * piece / pieces;
    const std::int64_t n = s.run.size * (piece + 1) / pieces - begin;
    const T* a = from + at.from + begin * s.run.from;
    T* b = to + at.to + begin * s.run.to;
    for (std::int64_t j = 0; j < count; ++j)
      add_run(a + j * s.from_stride, s.run.from, b + index_at(idx, j) * s.to_stride, s.run.to, n);
  });
}

/// 16-bit formats: one destination after the other, its contributions in order of j, in f32.
template <class T>
void scatter_half(const View& out, int axis, const View& idx, const View& src) {
  const Indexed s(src, out, axis);
  const std::int64_t count = idx.shape[0], destinations = out.shape[static_cast<std::size_t>(axis)];
  auto* start = kernels::scratch<std::int64_t>(kernels::Slot::indexed_order, destinations + 1 + count);
  std::int64_t* order = start + destinations + 1;
  std::fill_n(start, destinations + 1, 0);
  for (std::int64_t j = 0; j < count; ++j) ++start[index_at(idx, j) + 1];
  for (std::int64_t d = 0; d < destinations; ++d) start[d + 1] += start[d];
  for (std::int64_t j = count; j-- > 0;) order[--start[index_at(idx, j) + 1]] = j;
  // Now start[d + 1] is where d's contributions begin, and start[d + 2] (or count) where they end.
  const auto end_of = [&](std::int64_t d) { return d + 2 <= destinations ? start[d + 2] : count; };
  const T* from = reinterpret_cast<const T*>(src.data);
  T* to = reinterpret_cast<T*>(out.data);
  const bool large = s.rows() * count * s.run.size >= kParallelFrom;
  share(s.rows() * destinations, large ? runtime::threads() : 1, [&](std::int64_t unit) {
    const auto at = s.row(unit / destinations);
    const std::int64_t d = unit % destinations, begin = start[d + 1], end = end_of(d);
    if (begin == end) return;
    for (std::int64_t i = 0; i < s.run.size; ++i) {
      T& y = to[at.to + d * s.to_stride + i * s.run.to];
      float sum = static_cast<float>(y);
      for (std::int64_t k = begin; k < end; ++k)
        sum += static_cast<float>(from[at.from + order[k] * s.from_stride + i * s.run.from]);
      y = T(sum);
    }
  });
}

}  // namespace

std::int64_t take(const View& x, int axis, const View& idx, const View& out) {
  const std::int64_t bad = first_bad(idx, x.shape[static_cast<std::size_t>(axis)]);
  if (bad >= 0 || out.elements() == 0) return bad;
  switch (size_of(x.dtype)) {
    case 8: take_as<std::uint64_t>(x, axis, idx, out); break;
    case 4: take_as<std::uint32_t>(x, axis, idx, out); break;
    case 2: take_as<std::uint16_t>(x, axis, idx, out); break;
    default: take_as<std::uint8_t>(x, axis, idx, out); break;
  }
  return -1;
}

std::int64_t scatter_add(const View& out, int axis, const View& idx, const View& src) {
  const std::int64_t bad = first_bad(idx, out.shape[static_cast<std::size_t>(axis)]);
  if (bad >= 0 || src.elements() == 0) return bad;
  switch (out.dtype) {
    case DType::f64: scatter_as<double>(out, axis, idx, src); break;
    case DType::f32: scatter_as<float>(out, axis, idx, src); break;
    case DType::bf16: scatter_half<bfloat16>(out, axis, idx, src); break;
    case DType::f16: scatter_half<float16>(out, axis, idx, src); break;
    case DType::i64: scatter_as<std::int64_t>(out, axis, idx, src); break;
    case DType::i32: scatter_as<std::int32_t>(out, axis, idx, src); break;
    case DType::i8: scatter_as<std::int8_t>(out, axis, idx, src); break;
    default: scatter_as<std::uint8_t>(out, axis, idx, src); break;
  }
  return -1;
}

}  // namespace adjoint::cpu
