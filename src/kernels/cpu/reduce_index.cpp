// reduce_index.cpp: where the largest or smallest element is: the first one on ties, the first NaN if there is one.
// Not the value: reduce.cpp.
#include "kernels/cpu/reduce_index.hpp"

#include <algorithm>
#include <type_traits>

#include "kernels/cpu/reduce_lanes.hpp"
#include "kernels/cpu/reduce_space.hpp"
#include "runtime/pool.hpp"

namespace adjoint::cpu {
namespace {

using plan::View;
constexpr std::int64_t kParallelFrom = 1 << 15;
constexpr std::int64_t kStrip = 128;

template <class T> using Value = std::conditional_t<std::is_same_v<T, bfloat16> || std::is_same_v<T, float16>, float,
                                                    std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>>;
template <class T> using Element = std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>;

/// True if x takes the place of `best`, which stands before it.
template <bool kMax, class V>
bool wins(V x, V best) {
  if constexpr (std::is_floating_point_v<V>) {
    if (x != x) return best == best;
  }
  return kMax ? x > best : x < best;
}

/// A contiguous row: the value by vectors, then its first place.
template <class T>
std::int64_t search_row(ReduceOp op, const T* x, std::int64_t n) {
  const auto& k = lane_kernels<T>(op == ReduceOp::argmax ? ReduceOp::amax : ReduceOp::amin);
  T best = k.neutral;
  for (std::int64_t i = 0; i < n; i += kReduceBlock) {
    T v;
    k.block(x + i, std::min(kReduceBlock, n - i), &v);
    k.next(&best, &v, 1);
  }
  if (best != best) return std::find_if(x, x + n, [](T v) { return v != v; }) - x;
  return std::find(x, x + n, best) - x;
}

template <class T, bool kMax>
std::int64_t search(const ReduceSpace& s, const Element<T>* base) {
  using V = Value<T>;
  ReducedWalk walk(s, 0);
  V best = static_cast<V>(base[walk.next()]);
  std::int64_t at = 0;
  for (std::int64_t i = 1; i < s.reduced_size; ++i) {
    const V x = static_cast<V>(base[walk.next()]);
    if (wins<kMax>(x, best)) best = x, at = i;
  }
  return at;
}

/// w neighbouring columns at once.
template <class T, bool kMax>
void search_columns(const ReduceSpace& s, const Element<T>* base, std::int64_t w, std::int64_t* at) {
  using V = Value<T>;
  V best[kStrip];
  ReducedWalk walk(s, 0);
  const std::int64_t first = walk.next();
  for (std::int64_t c = 0; c < w; ++c) best[c] = static_cast<V>(base[first + c]), at[c] = 0;
  for (std::int64_t i = 1; i < s.reduced_size; ++i) {
    const Element<T>* x = base + walk.next();
    for (std::int64_t c = 0; c < w; ++c) {
      const V v = static_cast<V>(x[c]);
      const bool win = wins<kMax>(v, best[c]);
      best[c] = win ? v : best[c];
      at[c] = win ? i : at[c];
    }
  }
}

template <class T, bool kMax>
void run(ReduceOp op, const View& in, std::uint32_t reduced, const View& out) {
  ReduceSpace s(in, reduced, out);
  if (s.kept_size == 0) return;
  auto* y = reinterpret_cast<std::int64_t*>(out.data);
  const auto* x = reinterpret_cast<const Element<T>*>(in.data);
  const std::int64_t all = s.kept_size;
  const std::int64_t threads = all * s.reduced_size >= kParallelFrom ? runtime::threads() : 1;
  const bool by_columns = s.reduced_size > 0 && s.take_columns();
  const std::int64_t strips = by_columns ? (s.column.size + kStrip - 1) / kStrip : 1, units = s.kept_size * strips;
  const bool row = s.reduced_rank == 1 && s.reduced[0].in == 1;
  const std::int64_t parts = std::min(threads, units);
  runtime::parallel(parts, [&](std::int64_t p) {
    for (std::int64_t u = units * p / parts; u < units * (p + 1) / parts; ++u) {
      const auto o = s.kept_offsets(u / strips);
      if (by_columns) {
        std::int64_t found[kStrip];
        const std::int64_t c = u % strips * kStrip, w = std::min(kStrip, s.column.size - c);
        search_columns<T, kMax>(s, x + o.in + c, w, found);
        for (std::int64_t i = 0; i < w; ++i) y[o.out + (c + i) * s.column.out] = found[i];
        continue;
      }
      if (s.reduced_size == 0) {
        y[o.out] = -1;
        continue;
      }
      if constexpr (std::is_same_v<Value<T>, Element<T>>) {
        if (row) {
          y[o.out] = search_row<Element<T>>(op, x + o.in, s.reduced_size);
          continue;
        }
      }
      y[o.out] = search<T, kMax>(s, x + o.in);
    }
  });
}

template <class T>
void run(ReduceOp op, const View& in, std::uint32_t reduced, const View& out) {
  if (op == ReduceOp::argmax) run<T, true>(op, in, reduced, out);
  else run<T, false>(op, in, reduced, out);
}

}  // namespace

void reduce_index(ReduceOp op, const View& in, std::uint32_t reduced, const View& out) {
  switch (in.dtype) {
    case DType::f64: return run<double>(op, in, reduced, out);
    case DType::f32: return run<float>(op, in, reduced, out);
    case DType::bf16: return run<bfloat16>(op, in, reduced, out);
    case DType::f16: return run<float16>(op, in, reduced, out);
    case DType::i64: return run<std::int64_t>(op, in, reduced, out);
    case DType::i32: return run<std::int32_t>(op, in, reduced, out);
    case DType::i8: return run<std::int8_t>(op, in, reduced, out);
    case DType::u8: return run<std::uint8_t>(op, in, reduced, out);
    case DType::bool_: return run<bool>(op, in, reduced, out);
  }
}

}  // namespace adjoint::cpu
