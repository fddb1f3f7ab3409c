// reduce.cpp: walks a strided view so that each result sees its elements in logical order, and joins blocks in the tree.
// Not the inner loops (reduce_lanes.cpp), nor argmax (reduce_index.cpp).
#include "kernels/cpu/reduce.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <type_traits>

#include "kernels/cpu/reduce_index.hpp"
#include "kernels/cpu/reduce_lanes.hpp"
#include "kernels/cpu/reduce_space.hpp"
#include "kernels/cpu/scratch.hpp"
#include "runtime/pool.hpp"

namespace adjoint::cpu {
namespace {

using kernels::scratch;
using kernels::Slot;
using plan::View;
constexpr std::int64_t kBlock = kReduceBlock;
constexpr std::int64_t kParallelFrom = 1 << 15;
constexpr std::int64_t kStrip = 256;      ///< columns that are summed at once: their lanes fit the nearest cache
constexpr std::int64_t kWideStrip = 1024; ///< the same where memory is the limit: long pieces of each row
constexpr std::int64_t kMaxChunks = 256;  ///< pieces of one reduction that threads share

template <class T> struct AccumulatorOf { using type = T; };
template <> struct AccumulatorOf<bfloat16> { using type = float; };
template <> struct AccumulatorOf<float16> { using type = float; };
template <> struct AccumulatorOf<bool> { using type = std::uint8_t; };
template <class T> using Accumulator = typename AccumulatorOf<T>::type;
/// The type in which elements are read: bytes for bool.
template <class T> using Element = std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>;

/// Joins results in the order of a binary counter; push(i) comes for i = 0, 1, ...
template <class A>
class Tree {
 public:
  explicit Tree(const LaneKernels<A>& k) : k_(k) {}
  void push(A v) {
    int l = 0;
    for (; count_ >> l & 1; ++l) v = join(level_[static_cast<std::size_t>(l)], v);
    level_[static_cast<std::size_t>(l)] = v;
    ++count_;
  }
  A finish() const {  // after at least one push
    int l = std::countr_zero(count_);
    A v = level_[static_cast<std::size_t>(l)];
    while (count_ >> ++l)
      if (count_ >> l & 1) v = join(level_[static_cast<std::size_t>(l)], v);
    return v;
  }

 private:
  A join(A a, A b) const {
    k_.next(&a, &b, 1);
    return a;
  }
  const LaneKernels<A>& k_;
  std::array<A, 48> level_{};  ///< level l holds the join of 2^l neighbours where bit l of count_ is set
  std::uint64_t count_ = 0;
};

template <class T>
void write(const View& out, std::int64_t offset, Accumulator<T> v) {
  if constexpr (std::is_same_v<T, bfloat16> || std::is_same_v<T, float16>) {
    if (out.dtype == DType::f32) reinterpret_cast<float*>(out.data)[offset] = v;
    else reinterpret_cast<T*>(out.data)[offset] = T(v);
  } else {
    reinterpret_cast<Element<T>*>(out.data)[offset] = v;
  }
}

// ---- rows: the reduced elements of one result, block after block ----

/// Elements [first, first + n) of a result whose first element is at `base`, contiguous and in the accumulator's type.
template <class T>
const Accumulator<T>* fetch(const ReduceSpace& s, const Element<T>* base, std::int64_t first, std::int64_t n) {
  using A = Accumulator<T>;
  const Axis& inner = s.reduced[static_cast<std::size_t>(s.reduced_rank - 1)];
  if constexpr (std::is_same_v<A, Element<T>>) {
    if (s.reduced_rank == 1 && inner.in == 1) return base + first;
    const std::int64_t column = first % inner.size;
    if (inner.in == 1 && column + n <= inner.size) return base + s.reduced_offset(first / inner.size) + column;
  }
  A* buffer = scratch<A>(Slot::reduce_block, kBlock);
  std::int64_t column = first % inner.size, row = first / inner.size;
  for (std::int64_t done = 0; done < n; ++row, column = 0) {
    const std::int64_t m = std::min(n - done, inner.size - column);
    const Element<T>* x = base + s.reduced_offset(row) + column * inner.in;
    if (inner.in == 1)  // pieces of memory, by vectors
      for (std::int64_t i = 0; i < m; ++i) buffer[done + i] = static_cast<A>(x[i]);
    else
      for (std::int64_t i = 0; i < m; ++i) buffer[done + i] = static_cast<A>(x[i * inner.in]);
    done += m;
  }
  return buffer;
}

/// The joined result of blocks [begin, end) of one result, begin being a multiple of a power of two that is >= end - begin.
template <class T>
Accumulator<T> reduce_blocks(const LaneKernels<Accumulator<T>>& k, const ReduceSpace& s, const Element<T>* base,
                             std::int64_t begin, std::int64_t end) {
  using A = Accumulator<T>;
  A v[4];
  if (end - begin == 1) {
    const std::int64_t n = std::min(kBlock, s.reduced_size - begin * kBlock);
    k.block(fetch<T>(s, base, begin * kBlock, n), n, v);
    return v[0];
  }
  Tree<A> tree(k);
  std::int64_t b = begin;
  const bool direct = std::is_same_v<A, Element<T>> && s.reduced_rank == 1 && s.reduced[0].in == 1;
  if constexpr (std::is_same_v<A, Element<T>>) {
    for (; direct && b + 4 <= end && (b + 4) * kBlock <= s.reduced_size; b += 4) {
      const A* x[4];
      for (int m = 0; m < 4; ++m) x[m] = base + (b + m) * kBlock;
      k.block4(x, kBlock, v);
      for (const A r : v) tree.push(r);
    }
  }
  for (; b < end; ++b) {
    const std::int64_t n = std::min(kBlock, s.reduced_size - b * kBlock);
    k.block(fetch<T>(s, base, b * kBlock, n), n, v);
    tree.push(v[0]);
  }
  return tree.finish();
}

/// Whether blocks are pieces of memory that keep the lanes' places: planes of pictures, summed over a batch.
bool in_pieces(const ReduceSpace& s) {
  const Axis& inner = s.reduced[static_cast<std::size_t>(s.reduced_rank - 1)];
  return s.reduced_rank > 1 && inner.in == 1 && inner.size % kReduceLanes == 0;
}

/// Four results in pieces, block by block side by side: neighbouring planes are one stretch of memory.
template <class A>
void four_rows(const LaneKernels<A>& k, const ReduceSpace& s, const A* const (&x)[4], A (&results)[4]) {
  const std::int64_t inner = s.reduced[static_cast<std::size_t>(s.reduced_rank - 1)].size;
  Tree<A> tree[4] = {Tree<A>(k), Tree<A>(k), Tree<A>(k), Tree<A>(k)};
  for (std::int64_t begin = 0; begin < s.reduced_size; begin += kBlock) {
    Piece piece[kBlock / kReduceLanes];
    std::int64_t count = 0;
    const std::int64_t end = std::min(begin + kBlock, s.reduced_size);
    for (std::int64_t at = begin; at < end; at += piece[count++].length)
      piece[count] = {s.reduced_offset(at / inner) + at % inner, std::min(inner - at % inner, end - at)};
    A v[4];
    k.pieces4(x, piece, count, v);
    for (int m = 0; m < 4; ++m) tree[m].push(v[m]);
  }
  for (int m = 0; m < 4; ++m) results[m] = tree[m].finish();
}

template <class T>
void rows(const LaneKernels<Accumulator<T>>& k, const ReduceSpace& s, const View& out, std::int64_t first,
          std::int64_t last) {
  using A = Accumulator<T>;
  const auto* in = reinterpret_cast<const Element<T>*>(s.in);
  const std::int64_t blocks = (s.reduced_size + kBlock - 1) / kBlock;
  std::int64_t i = first;
  if constexpr (std::is_same_v<A, Element<T>>) {
    const bool direct = blocks == 1 && s.reduced_rank == 1 && s.reduced[0].in == 1, pieces = in_pieces(s);
    for (; (direct || pieces) && i + 4 <= last; i += 4) {
      const A* x[4];
      A v[4];
      std::int64_t to[4];
      for (int m = 0; m < 4; ++m) {
        const auto at = s.kept_offsets(i + m);
        x[m] = in + at.in;
        to[m] = at.out;
      }
      if (pieces) four_rows<A>(k, s, x, v);
      else k.block4(x, s.reduced_size, v);
      for (int m = 0; m < 4; ++m) write<T>(out, to[m], v[m]);
    }
  }
  for (; i < last; ++i) {
    const auto at = s.kept_offsets(i);
    write<T>(out, at.out, reduce_blocks<T>(k, s, in + at.in, 0, blocks));
  }
}

// ---- columns: w neighbouring results at once ----

/// One row of w columns in the accumulator's type.
template <class T>
const Accumulator<T>* fetch_row(const Element<T>* x, std::int64_t w, Accumulator<T>* buffer) {
  using A = Accumulator<T>;
  if constexpr (std::is_same_v<A, Element<T>>) {
    return x;
  } else {
    for (std::int64_t c = 0; c < w; ++c) buffer[c] = static_cast<A>(x[c]);
    return buffer;
  }
}

/// Asks for one row of w columns ahead of its use.
template <class E>
void prefetch_row(const E* x, std::int64_t w) {
  const auto* bytes = reinterpret_cast<const std::byte*>(x);
  for (std::int64_t b = 0; b < w * static_cast<std::int64_t>(sizeof(E)); b += 64) __builtin_prefetch(bytes + b);
}

/// lanes[0][0..w) = one block of n reduced elements from `first` on, for w columns.
template <class T>
void column_block(const LaneKernels<Accumulator<T>>& k, const ReduceSpace& s, const Element<T>* base, std::int64_t first,
                  std::int64_t n, std::int64_t w, Accumulator<T>* lanes) {
  using A = Accumulator<T>;
  constexpr std::int64_t kLanes = kReduceLanes, kAhead = 4;
  A* rows_buffer = lanes + kLanes * w;  // 4 rows, for types that are converted
  ReducedWalk walk(s, first);
  std::int64_t offset[4 * kLanes];
  const auto next_offsets = [&](std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) offset[i] = walk.next();
  };
  std::int64_t i = std::min(n, kLanes);
  next_offsets(i);
  for (std::int64_t l = 0; l < i; ++l) k.first(lanes + l * w, fetch_row<T>(base + offset[l], w, rows_buffer), w);
  const bool far = s.far(sizeof(T));
  while (far && i < n) {  // in the order of memory
    const std::int64_t some = std::min(n - i, 4 * kLanes);
    next_offsets(some);
    for (std::int64_t r = 0; r < some; ++r, ++i) {
      if (r + kAhead < some) prefetch_row(base + offset[r + kAhead], w);
      k.next(lanes + i % kLanes * w, fetch_row<T>(base + offset[r], w, rows_buffer), w);
    }
  }
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    next_offsets(4 * kLanes);
    for (std::int64_t l = 0; l < kLanes; ++l) {
      const A* x[4];
      for (std::int64_t r = 0; r < 4; ++r)
        x[r] = fetch_row<T>(base + offset[r * kLanes + l], w, rows_buffer + r * w);
      k.next4(lanes + l * w, x, w);
    }
  }
  for (; i < n; ++i) k.next(lanes + i % kLanes * w, fetch_row<T>(base + walk.next(), w, rows_buffer), w);
  std::int64_t present = std::min(n, kLanes);
  for (std::int64_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::int64_t l = 0; l < half && l + half < present; ++l) k.next(lanes + l * w, lanes + (l + half) * w, w);
    present = std::min(present, half);
  }
}

/// Blocks [begin, end) for w columns, joined into result[0..w). `begin` as in reduce_blocks.
template <class T>
void columns(const LaneKernels<Accumulator<T>>& k, const ReduceSpace& s, const Element<T>* base, std::int64_t begin,
             std::int64_t end, std::int64_t w, Accumulator<T>* result) {
  using A = Accumulator<T>;
  A* lanes = scratch<A>(Slot::reduce_lanes, (kReduceLanes + 4) * w);
  const auto block = [&](std::int64_t b) {
    column_block<T>(k, s, base, b * kBlock, std::min(kBlock, s.reduced_size - b * kBlock), w, lanes);
  };
  if (end - begin == 1) {
    block(begin);
    std::copy_n(lanes, w, result);
    return;
  }
  A* stack = scratch<A>(Slot::reduce_tree, 64 * w);
  std::int64_t top = 0;
  for (std::int64_t b = begin; b < end; ++b) {
    block(b);
    std::copy_n(lanes, w, stack + top++ * w);
    for (auto carry = static_cast<std::uint64_t>(b - begin); carry & 1; carry >>= 1, --top)
      k.next(stack + (top - 2) * w, stack + (top - 1) * w, w);
  }
  for (; top > 1; --top) k.next(stack + (top - 2) * w, stack + (top - 1) * w, w);
  std::copy_n(stack, w, result);
}

// ---- sharing among threads ----

/// Cuts the blocks of a reduction into aligned chunks of a power of two, so that chunks are subtrees.
std::int64_t blocks_per_chunk(std::int64_t blocks, std::int64_t wanted_chunks) {
  std::int64_t per = 1;
  while ((blocks + per - 1) / per > wanted_chunks) per *= 2;
  return per;
}

template <class T>
void reduce_by_rows(const LaneKernels<Accumulator<T>>& k, const ReduceSpace& s, const View& out, std::int64_t threads) {
  using A = Accumulator<T>;
  const std::int64_t blocks = (s.reduced_size + kBlock - 1) / kBlock;
  if (threads == 1 || s.kept_size >= 2 * threads || blocks == 1) {
    const std::int64_t parts = std::min(threads, s.kept_size);
    runtime::parallel(parts, [&](std::int64_t p) { rows<T>(k, s, out, s.kept_size * p / parts, s.kept_size * (p + 1) / parts); });
    return;
  }
  const std::int64_t per = blocks_per_chunk(blocks, std::min(kMaxChunks, 8 * threads));
  const std::int64_t chunks = (blocks + per - 1) / per;
  A* partial = scratch<A>(Slot::reduce_partial, chunks);
  for (std::int64_t i = 0; i < s.kept_size; ++i) {
    const auto at = s.kept_offsets(i);
    const auto* base = reinterpret_cast<const Element<T>*>(s.in) + at.in;
    runtime::parallel(chunks, [&](std::int64_t c) {
      partial[c] = reduce_blocks<T>(k, s, base, c * per, std::min(blocks, (c + 1) * per));
    });
    Tree<A> tree(k);
    for (std::int64_t c = 0; c < chunks; ++c) tree.push(partial[c]);
    write<T>(out, at.out, tree.finish());
  }
}

/// The innermost kept axis is contiguous in memory: `s` keeps it apart as `s.column`.
template <class T>
void reduce_by_columns(const LaneKernels<Accumulator<T>>& k, const ReduceSpace& s, const View& out,
                       std::int64_t threads) {
  using A = Accumulator<T>;
  const std::int64_t width = s.column.size, blocks = (s.reduced_size + kBlock - 1) / kBlock;
  const std::int64_t widest = s.far(sizeof(T)) ? kWideStrip : kStrip;
  std::int64_t strip = widest;
  if (threads > 1 && s.kept_size < 2 * threads)  // narrower strips, so that all threads have one
    strip = std::clamp<std::int64_t>(((width + threads - 1) / threads + 15) / 16 * 16, 32, widest);
  strip = std::min(strip, width);
  const std::int64_t strips = (width + strip - 1) / strip, units = s.kept_size * strips;
  const bool share_blocks = threads > 1 && units < threads && blocks > 1;
  const std::int64_t per = share_blocks ? blocks_per_chunk(blocks, std::min(kMaxChunks, 8 * threads)) : blocks;
  const std::int64_t chunks = (blocks + per - 1) / per;
  A* partial = scratch<A>(Slot::reduce_partial, units * strip * (share_blocks ? chunks : 0) + 1);
  const auto run = [&](std::int64_t unit, std::int64_t chunk, A* result) {
    const auto at = s.kept_offsets(unit / strips);
    const std::int64_t c = unit % strips * strip, w = std::min(strip, width - c);
    const auto* base = reinterpret_cast<const Element<T>*>(s.in) + at.in + c;
    columns<T>(k, s, base, chunk * per, std::min(blocks, (chunk + 1) * per), w, result);
  };
  const auto store = [&](std::int64_t unit, const A* result) {
    const auto at = s.kept_offsets(unit / strips);
    const std::int64_t c = unit % strips * strip, w = std::min(strip, width - c);
    for (std::int64_t i = 0; i < w; ++i) write<T>(out, at.out + (c + i) * s.column.out, result[i]);
  };
  if (!share_blocks) {
    const std::int64_t parts = std::min(threads, units);
    runtime::parallel(parts, [&](std::int64_t p) {
      A result[kWideStrip];
      for (std::int64_t u = units * p / parts; u < units * (p + 1) / parts; ++u) {
        run(u, 0, result);
        store(u, result);
      }
    });
    return;
  }
  runtime::parallel(units * chunks, [&](std::int64_t t) { run(t / chunks, t % chunks, partial + t * strip); });
  for (std::int64_t u = 0; u < units; ++u)
    for (std::int64_t i = 0; i < std::min(strip, width - u % strips * strip); ++i) {
      Tree<A> tree(k);
      for (std::int64_t c = 0; c < chunks; ++c) tree.push(partial[(u * chunks + c) * strip + i]);
      const A v = tree.finish();
      const auto at = s.kept_offsets(u / strips);
      write<T>(out, at.out + (u % strips * strip + i) * s.column.out, v);
    }
}

template <class T>
void reduce_as(ReduceOp op, const View& in, std::uint32_t reduced, const View& out) {
  const auto& k = lane_kernels<Accumulator<T>>(op);
  ReduceSpace s(in, reduced, out);
  if (s.kept_size == 0) return;
  if (s.reduced_size == 0) {
    for (std::int64_t i = 0; i < s.kept_size; ++i) write<T>(out, s.kept_offsets(i).out, k.neutral);
    return;
  }
  const std::int64_t threads = s.kept_size * s.reduced_size >= kParallelFrom ? runtime::threads() : 1;
  if (s.take_columns()) reduce_by_columns<T>(k, s, out, threads);
  else reduce_by_rows<T>(k, s, out, threads);
}

}  // namespace

void reduce(ReduceOp op, const View& in, std::uint32_t reduced, const View& out) {
  if (op == ReduceOp::argmax || op == ReduceOp::argmin) return reduce_index(op, in, reduced, out);
  switch (in.dtype) {
    case DType::f64: return reduce_as<double>(op, in, reduced, out);
    case DType::f32: return reduce_as<float>(op, in, reduced, out);
    case DType::bf16: return reduce_as<bfloat16>(op, in, reduced, out);
    case DType::f16: return reduce_as<float16>(op, in, reduced, out);
    case DType::i64: return reduce_as<std::int64_t>(op, in, reduced, out);
    case DType::i32: return reduce_as<std::int32_t>(op, in, reduced, out);
    case DType::i8: return reduce_as<std::int8_t>(op, in, reduced, out);
    case DType::u8: return reduce_as<std::uint8_t>(op, in, reduced, out);
    case DType::bool_: return reduce_as<bool>(op, in, reduced, out);
  }
}

}  // namespace adjoint::cpu
