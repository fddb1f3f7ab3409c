// gemm_engine-inl.hpp: packing of panels, the loops over cache blocks, and the tree over blocks of K, for one target.
// Included once for each target by gemm.cpp and conv.cpp. Not the definition of the operands: callers hand in packers.
#if defined(ADJOINT_GEMM_ENGINE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ADJOINT_GEMM_ENGINE_INL
#undef ADJOINT_GEMM_ENGINE_INL
#else
#define ADJOINT_GEMM_ENGINE_INL
#endif

#include <algorithm>
#include <bit>
#include <cstring>

#include "kernels/cpu/gemm_tile-inl.hpp"
#include "kernels/cpu/scratch.hpp"
#include "runtime/pool.hpp"

HWY_BEFORE_NAMESPACE();
namespace adjoint::kernels::HWY_NAMESPACE {

// ---- panels ----

#if HWY_TARGET != HWY_SCALAR
// dst[k * width + r] = src[r * lane + k] for a square of 16-byte rows, transposed in registers.
template <class T> HWY_INLINE void transpose_square(const T* src, std::int64_t lane, std::int64_t width, T* dst) {
  constexpr int Q = static_cast<int>(16 / sizeof(T));
  const hn::FixedTag<T, Q> d;
  const auto a = hn::LoadU(d, src), b = hn::LoadU(d, src + lane);
  if constexpr (Q == 2) {
    hn::StoreU(hn::InterleaveLower(d, a, b), d, dst);
    hn::StoreU(hn::InterleaveUpper(d, a, b), d, dst + width);
  } else {
    const auto c = hn::LoadU(d, src + 2 * lane), e = hn::LoadU(d, src + 3 * lane);
    const hn::Repartition<double, decltype(d)> dd;
    const auto ab0 = hn::BitCast(dd, hn::InterleaveLower(d, a, b)), ab1 = hn::BitCast(dd, hn::InterleaveUpper(d, a, b));
    const auto ce0 = hn::BitCast(dd, hn::InterleaveLower(d, c, e)), ce1 = hn::BitCast(dd, hn::InterleaveUpper(d, c, e));
    hn::StoreU(hn::BitCast(d, hn::InterleaveLower(dd, ab0, ce0)), d, dst);
    hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(dd, ab0, ce0)), d, dst + width);
    hn::StoreU(hn::BitCast(d, hn::InterleaveLower(dd, ab1, ce1)), d, dst + 2 * width);
    hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(dd, ab1, ce1)), d, dst + 3 * width);
  }
}
#endif

// dst[k * width + r] = src[r * lane + k] for r < rows, k < n. A cache line of each source row at a time: rows a power of
// two apart share cache sets, and a line must be used up before it is evicted.
template <class T>
HWY_INLINE void pack_transposed(const T* src, std::int64_t lane, std::int64_t n, int rows, std::int64_t width, T* dst) {
  constexpr std::int64_t line = 64 / static_cast<std::int64_t>(sizeof(T));
  for (std::int64_t k0 = 0; k0 < n; k0 += line) {
    const std::int64_t end = std::min(n, k0 + line);
    int r = 0;
#if HWY_TARGET != HWY_SCALAR
    constexpr int Q = static_cast<int>(16 / sizeof(T));
    while (r < rows && rows >= Q) {
      r = std::min(r, rows - Q);  // the last square may overlap the one before
      std::int64_t k = k0;
      for (; k + Q <= end; k += Q) transpose_square(src + r * lane + k, lane, width, dst + k * width + r);
      for (; k < end; ++k)
        for (int i = r; i < r + Q; ++i) dst[k * width + i] = src[i * lane + k];
      r += Q;
    }
#endif
    for (; r < rows; ++r)
      for (std::int64_t k = k0; k < end; ++k) dst[k * width + r] = src[r * lane + k];
  }
}

// dst[0 .. N) = src[0 .. N) by vectors: std::memcpy of these lengths is a call, once a k of every panel.
template <int N, class T> HWY_INLINE void copy_row(const T* src, T* dst) {
  constexpr int L = std::min(kLanes<T>, static_cast<int>(std::bit_floor(static_cast<unsigned>(N))));
  const hn::FixedTag<T, L> d;
  hn::StoreU(hn::LoadU(d, src), d, dst);
  if constexpr (N > L) copy_row<N - L>(src + L, dst + L);
}

// The general panel: dst[k][r] = src[r * lane + k * step] for r < rows, zero for rows <= r < W.
template <int W, class T>
HWY_INLINE void pack_panel(const T* src, std::int64_t lane, std::int64_t step, std::int64_t n, int rows, T* dst) {
  if (rows < W)
    for (std::int64_t k = 0; k < n; ++k)
      for (int r = rows; r < W; ++r) dst[k * W + r] = T(0);
  if (lane == 1 && rows == W) {
    for (std::int64_t k = 0; k < n; ++k) copy_row<W>(src + k * step, dst + k * W);
  } else if (lane == 1 && W <= 16) {
    with_rows<std::min(W, 16)>(rows, [&](auto R) HWY_ATTR {
      for (std::int64_t k = 0; k < n; ++k) copy_row<R>(src + k * step, dst + k * W);
    });
  } else if (step == 1 && lane != 1) {
    pack_transposed(src, lane, n, rows, W, dst);
  } else {
    for (std::int64_t k = 0; k < n; ++k)
      for (int r = 0; r < rows; ++r) dst[k * W + r] = src[k * step + r * lane];
  }
}

// `size` rows in `count` pieces whose lengths differ by at most one.
struct EvenSplit {
  std::int64_t size, count;
  std::int64_t begin(std::int64_t i) const { return i * (size / count) + std::min(i, size % count); }
  int length(std::int64_t i) const { return static_cast<int>(size / count + (i < size % count ? 1 : 0)); }
};
inline EvenSplit split_into(std::int64_t size, int at_most) {
  return {size, std::max<std::int64_t>(1, (size + at_most - 1) / at_most)};
}

// ---- the tree over blocks of K ----

// What a tile keeps while its blocks arrive: level i of the binary counter stands at base + i * stride.
template <class T> struct TileStack {
  T* base;
  std::int64_t stride;
  T* level(int i) const { return base + i * stride; }
};

inline int levels_for(std::int64_t blocks) {
  return static_cast<int>(std::bit_width(static_cast<std::uint64_t>(blocks - 1)));
}

template <class T> HWY_INLINE void add_tile(const T* left, T* right, int n) {
  const Tag<T> d;
  for (int i = 0; i < n; i += kLanes<T>)
    hn::StoreU(hn::Add(hn::LoadU(d, left + i), hn::LoadU(d, right + i)), d, right + i);
}

// Block number `block` has arrived in `tile` (n elements): carry it up and store it.
template <class T> HWY_INLINE void push_block(const TileStack<T>& s, std::int64_t block, T* tile, int n) {
  int level = 0;
  for (; block & 1; block >>= 1, ++level) add_tile(s.level(level), tile, n);
  std::copy_n(tile, n, s.level(level));
}

// The last block has arrived in `tile`: fold what is left, from the right. (Blocks come without -0: so does their sum.)
template <class T> HWY_INLINE void fold_blocks(const TileStack<T>& s, std::int64_t block, T* tile, int n) {
  for (int level = 0; block != 0; block >>= 1, ++level)
    if (block & 1) add_tile(s.level(level), tile, n);
}

// ---- the loops ----

// Where the blocks of the K index end. A convolution that leaves taps out has shorter, even empty, blocks.
struct PlainBlocks {
  std::int64_t K;
  std::int64_t count() const { return std::max<std::int64_t>(1, (K + kProductBlock - 1) / kProductBlock); }
  std::int64_t begin(std::int64_t i) const { return i * kProductBlock; }
  std::int64_t end(std::int64_t i) const { return std::min(K, (i + 1) * kProductBlock); }
};

// A block of K: what is packed and multiplied at once.
struct Block {
  std::int64_t begin, end, index;
  bool last;
};

inline constexpr std::int64_t kResident = 256 << 10;  // bytes of packed B that stay in L2 while A passes and the next ones arrive
inline constexpr std::int64_t kOuterRows = 1024, kOuterCols = 1024;  // twice the rows where no more than two blocks wait for each other

// How many k's of a panel are packed before the next panel's turn. An operand whose rows lie along the panel is read row
// by row in narrow strips, one that runs along k in whole panels: both ways follow memory.
struct Strips {
  std::int64_t a = kProductBlock, b = kProductBlock;
};
inline std::int64_t strip_for(std::int64_t lane, std::int64_t step) { return lane == 1 && step != 1 ? 16 : kProductBlock; }

// One outer block of C: rows [i0, i0 + rows), columns [j0, j0 + cols).
template <class T, class PackA, class PackB, class Store> struct OuterBlock {
  std::int64_t i0, rows, j0, cols;
  const PackA& pack_a;
  const PackB& pack_b;
  const Store& store;
  T *a, *stack;
  Strips strip;
  bool single;  // one block only: results go straight to the store

  EvenSplit row_panels() const { return split_into(rows, kRows); }

  void pack_rows(const Block& c, std::int64_t part, std::int64_t parts) const {
    const std::int64_t n = c.end - c.begin, rp = row_panels().count;
    for (std::int64_t k = 0; k < n; k += strip.a)
      for (std::int64_t p = rp * part / parts; p < rp * (part + 1) / parts; ++p)
        pack_a(i0 + row_panels().begin(p), row_panels().length(p), c.begin + k, std::min(strip.a, n - k), a + (p * n + k) * kRows);
  }

  // Panels of columns [j, j_end) of the block, one behind the other.
  void pack_columns(const Block& c, std::int64_t j, std::int64_t j_end, T* b) const {
    const std::int64_t n = c.end - c.begin;
    for (std::int64_t k = 0; k < n; k += strip.b)
      for (std::int64_t p = j; p < j_end; p += kCols<T>)
        pack_b(j0 + p, static_cast<int>(std::min<std::int64_t>(kCols<T>, j_end - p)), c.begin + k, std::min(strip.b, n - k),
               b + (p - j) * n + k * kCols<T>);
  }

  // Rows of panel ip, w columns from `column` of the block on, whose packed panel is pb.
  template <int V> void tile(const Block& c, std::int64_t ip, std::int64_t column, int w, const T* pb, Ahead& ahead) const {
    const std::int64_t n = c.end - c.begin, i = i0 + row_panels().begin(ip), j = j0 + column;
    const int r = row_panels().length(ip);
    const T* pa = a + ip * kRows * n;
    const auto run = [&](T* to, std::int64_t ld) HWY_ATTR {
      with_rows<kRows>(r, [&](auto R) HWY_ATTR {
        run_tile<R, V, T>(PackedRows<T, kRows>{pa}, RowVectors<T>{pb, kCols<T>}, n, to, ld, ahead);
      });
    };
    constexpr int W = V * kLanes<T>;
    std::int64_t ld = 0;
    T* direct = c.last && w == W ? store.direct(i, j, ld) : nullptr;
    constexpr std::int64_t line = 64 / static_cast<std::int64_t>(sizeof(T));
    if (direct != nullptr)
      for (int y = 0; y < r; ++y)  // the result's lines arrive while the chains run
        for (std::int64_t x = 0; x < W; x += line) __builtin_prefetch(direct + y * ld + x, 1);
    if (single && direct != nullptr) return run(direct, ld);
    const std::int64_t wide = (cols + kCols<T> - 1) / kCols<T> * kCols<T>;
    const TileStack<T> s{stack + (ip * wide + column) * kRows, row_panels().count * wide * kRows};
    if (!single)  // and so do the first join's
      for (std::int64_t x = 0; x < r * W; x += line) __builtin_prefetch(s.base + x, 1);
    alignas(64) T t[kRows * W];
    run(t, W);
    if (!c.last) return push_block(s, c.index, t, r * W);
    fold_blocks(s, c.index, t, r * W);
    if (direct == nullptr) return store(i, r, j, w, t, W);
    for (int y = 0; y < r; ++y) std::memcpy(direct + y * ld, t + y * W, W * sizeof(T));
  }

  // Where the packer finds columns [j, j_end) of the block, if it can tell.
  Ahead source_of(const Block& c, std::int64_t j, std::int64_t j_end) const {
    if constexpr (requires { pack_b.ahead(j0 + j, j_end - j, c.begin, c.end - c.begin); })
      if (j < j_end && c.begin < c.end) return pack_b.ahead(j0 + j, j_end - j, c.begin, c.end - c.begin);
    return {};
  }

  // Part of the block: some panels of columns are packed and stay in L2 while the panels of rows pass; the last tiles ask for what is
  // packed next.
  void multiply(const Block& c, std::int64_t i_begin, std::int64_t i_end, std::int64_t j_begin, std::int64_t j_end) const {
    const std::int64_t n = c.end - c.begin, panel = kCols<T> * std::max<std::int64_t>(1, n);
    const std::int64_t width = std::max<std::int64_t>(1, kResident / (panel * static_cast<std::int64_t>(sizeof(T)))) * kCols<T>;
    T* b = scratch<T>(Slot::packed_b, (std::min(width, j_end - j_begin) + kCols<T>) * n);
    for (std::int64_t j = j_begin; j < j_end; j += width) {
      const std::int64_t end = std::min(j_end, j + width);
      pack_columns(c, j, end, b);
      Ahead nothing(b, 0, INT64_MAX, 0, 1), next = source_of(c, end, std::min(j_end, end + width));
      std::int64_t early = next.lines() == 0 ? INT64_MAX : (i_end - i_begin) * ((end - j + kCols<T> - 1) / kCols<T>) - (next.lines() + n - 1) / n;
      for (std::int64_t ip = i_begin; ip < i_end; ++ip)
        for (std::int64_t p = j; p < end; p += kCols<T>) {
          const int w = static_cast<int>(std::min<std::int64_t>(kCols<T>, end - p));
          Ahead& ahead = early-- > 0 ? nothing : next;
          if (w > kLanes<T>) tile<2>(c, ip, p, w, b + (p - j) * n, ahead);
          else tile<1>(c, ip, p, w, b + (p - j) * n, ahead);
        }
    }
  }

  // Threads share columns, in whole vectors, or rows where there are few columns; each packs what it needs of B.
  void run(const Block& c, std::int64_t parts) const {
    runtime::parallel(parts, [&](std::int64_t p) { pack_rows(c, p, parts); });
    runtime::parallel(parts, [&](std::int64_t p) {
      const std::int64_t rp = row_panels().count, vectors = (cols + kLanes<T> - 1) / kLanes<T>;
      if (cols < parts * 2 * kCols<T>) multiply(c, rp * p / parts, rp * (p + 1) / parts, 0, cols);
      else multiply(c, 0, rp, vectors * p / parts * kLanes<T>, std::min(cols, vectors * (p + 1) / parts * kLanes<T>));
    });
  }
};

// C = A B. pack_a(i, rows, k, n, dst) and pack_b(j, cols, k, n, dst) write panels [n][kRows] and [n][kCols];
// pack_b.ahead(j, cols, k, n), where there is one, tells the lines that it will read;
// store.direct(i, j, ld) gives the place of a full tile or null; store(i, rows, j, cols, tile, ld) takes a tile.
template <class T, class Blocks, class PackA, class PackB, class Store>
void product(std::int64_t M, std::int64_t N, const Blocks& blocks, const PackA& pack_a, const PackB& pack_b,
             const Store& store, std::int64_t parts, Strips strips = {}) {
  const std::int64_t count = blocks.count();
  const std::int64_t outer_rows = count <= 2 ? 2 * kOuterRows : kOuterRows, max_rows = std::min(M, outer_rows), max_cols = std::min(N, kOuterCols);
  const std::int64_t rp = split_into(max_rows, kRows).count + 1, cp = (max_cols + kCols<T> - 1) / kCols<T>;
  T* a = scratch<T>(Slot::packed_a, rp * kRows * kProductBlock);
  T* stack = count == 1 ? nullptr : scratch<T>(Slot::partial, levels_for(count) * rp * kRows * cp * kCols<T>);
  const EvenSplit outer = split_into(M, static_cast<int>(outer_rows));
  for (std::int64_t j0 = 0; j0 < N; j0 += kOuterCols)
    for (std::int64_t o = 0; o < outer.count; ++o) {
      const OuterBlock<T, PackA, PackB, Store> block{
          outer.begin(o), outer.length(o), j0, std::min(kOuterCols, N - j0), pack_a, pack_b, store, a, stack, strips, count == 1};
      for (std::int64_t q = 0; q < count; ++q) block.run({blocks.begin(q), blocks.end(q), q, q + 1 == count}, parts);
    }
}

}  // namespace adjoint::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
