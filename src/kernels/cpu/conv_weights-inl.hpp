// conv_weights-inl.hpp: the weight gradient for one target: rows (channel, tap) of the padded picture, read in place, times
// the transposed output gradient, one block of 1,024 pixels at a time; then the tree over blocks.
// Included once for each target by conv.cpp. Not the other two convolutions.
#if defined(ADJOINT_CONV_WEIGHTS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ADJOINT_CONV_WEIGHTS_INL
#undef ADJOINT_CONV_WEIGHTS_INL
#else
#define ADJOINT_CONV_WEIGHTS_INL
#endif

#include "kernels/cpu/conv_taps-inl.hpp"
#include "kernels/cpu/conv_weights_pixels-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace adjoint::kernels::HWY_NAMESPACE {

// One group's problem: result[row][o] = sum over pixels k of picture[row_offset[row] + offset[k]] * dy[o][k].
template <class T> struct WeightWork {
  const TapProblem& p;
  const Picture& view;
  const T *picture, *dy;
  std::int64_t image_stride, dy_image_stride;
  const std::int64_t* row_offset;  // rows are (channel, tap)

  std::int64_t pixels() const { return volume(p.box); }
  std::int64_t rows() const { return p.channels * p.tap_count(); }
  std::int64_t depth() const { return p.batch * pixels(); }
};

// Where pixels k0 ... k0 + n - 1 stand in the picture and in a panel of `width` columns.
template <class T> std::int64_t pixel_stretches(const WeightWork<T>& t, std::int64_t k0, std::int64_t n, std::int64_t width, Stretch* s) {
  PixelWalk at(t.p, k0);
  std::int64_t count = 0;
  for (std::int64_t k = 0; k < n; at.next()) {
    const std::int64_t run = std::min(n - k, t.p.box[2] - at.x);
    s[count++] = {at.n * t.image_stride + t.view.pixel_offset(at.d, at.h, at.x), k * width, run};
    k += run;
    at.x += run - 1;
  }
  return count;
}

// Columns up to one vector need more rows than two vectors to hide the latency of fma.
template <int W, class T> inline constexpr int kWeightRows = W <= kLanes<T> && kRows < 12 ? 2 * kRows : kRows;

// Columns [o, o + cols) of rows [begin, end), by vectors of W columns.
template <int W, class T>
void weight_rows(const WeightWork<T>& t, std::int64_t o, int cols, std::int64_t begin, std::int64_t end, std::int64_t k0, std::int64_t n, T* out,
                 std::int64_t ld) {
  T* panel = scratch<T>(Slot::small_b, kProductBlock * kCols<T>);
  Stretch* s = scratch<Stretch>(Slot::conv_stretches, kProductBlock);
  pack_gradient<W>(t.dy, t.dy_image_stride, t.pixels(), o, cols, k0, n, panel);
  const std::int64_t count = pixel_stretches(t, k0, n, W, s), step = t.view.q_step[2];
  const EvenSplit tiles = split_into(end - begin, kWeightRows<W, T>);
  for (std::int64_t i = 0; i < tiles.count && end > begin; ++i)
    with_rows<kWeightRows<W, T>>(tiles.length(i), [&](auto R) HWY_ATTR {
      const T* from[R];
      T* to[R];
      for (int r = 0; r < R; ++r) {
        const std::int64_t row = begin + tiles.begin(i) + r;
        from[r] = t.picture + t.row_offset[row];
        to[r] = out + row * ld + o;
      }
      run_stretches<R, W, T>(PixelRows<T, R>(from), panel, step, s, count, to);
    });
}

// Block number `block` for the share `part` of `parts` of the rows.
template <class T>
void weight_block(const WeightWork<T>& t, std::int64_t columns, std::int64_t block, std::int64_t part, std::int64_t parts, T* out, std::int64_t ld) {
  const std::int64_t k0 = block * kProductBlock, n = std::min(kProductBlock, t.depth() - k0);
  const std::int64_t begin = t.rows() * part / parts, end = t.rows() * (part + 1) / parts;
  for (std::int64_t o = 0; o < columns; o += kCols<T>) {
    const int cols = static_cast<int>(std::min<std::int64_t>(kCols<T>, columns - o));
    if (cols > kLanes<T>) weight_rows<kCols<T>>(t, o, cols, begin, end, k0, n, out, ld);
    else if (cols > kHalf<T>) weight_rows<kLanes<T>>(t, o, cols, begin, end, k0, n, out, ld);
    else weight_rows<kHalf<T>>(t, o, cols, begin, end, k0, n, out, ld);
  }
}

// All blocks of one group, some at a time; then dw[o][row] out of the last one's place.
// run(block, share, shares, out, ld) writes a share of a block's results: rows of (channel, tap), as wide as their tiles.
template <class T, class Run>
void weight_group(std::int64_t rows, std::int64_t columns, std::int64_t depth, const Run& run, T* dw, std::int64_t threads) {
  const std::int64_t count = std::max<std::int64_t>(1, (depth + kProductBlock - 1) / kProductBlock);
  const std::int64_t rest = (columns - 1) % kCols<T> + 1;
  const std::int64_t ld = columns - rest + (rest > kLanes<T> ? kCols<T> : rest > kHalf<T> ? kLanes<T> : kHalf<T>), size = (rows * ld + kLanes<T> - 1) / kLanes<T> * kLanes<T>;
  const std::int64_t batch = std::min(count, std::max(threads, std::min<std::int64_t>(128, (16 << 20) / size)));
  const int levels = levels_for(count);
  T* result = scratch<T>(Slot::partial, (batch + levels) * size);
  T* stack = result + batch * size;
  for (std::int64_t i = 0; i < batch; ++i) std::fill(result + i * size + rows * ld, result + (i + 1) * size, T(0));
  for (std::int64_t first = 0; first < count; first += batch) {
    const std::int64_t blocks = std::min(batch, count - first);
    const std::int64_t shares = blocks >= threads ? 1 : (threads + blocks - 1) / blocks;
    const auto part = [&](std::int64_t i) { run(first + i / shares, i % shares, shares, result + i / shares * size, ld); };
    const auto join = [&](std::int64_t i) {
      const std::int64_t piece = 64 * kLanes<T>, begin = size / kLanes<T> * i / threads * kLanes<T>,
                         end = size / kLanes<T> * (i + 1) / threads * kLanes<T>;
      for (std::int64_t e = begin; e < end; e += piece) {
        const int n = static_cast<int>(std::min(piece, end - e));
        const TileStack<T> s{stack + e, size};
        for (std::int64_t b = 0; b < blocks; ++b)
          if (first + b + 1 < count) push_block(s, first + b, result + b * size + e, n);
          else fold_blocks(s, first + b, result + b * size + e, n);
      }
    };
    const auto each = [&](std::int64_t parts, auto&& f) {
      if (threads > 1) runtime::parallel(parts, f);
      else
        for (std::int64_t i = 0; i < parts; ++i) f(i);
    };
    each(blocks * shares, part);
    each(threads, join);
    if (first + blocks == count)
      each(threads, [&](std::int64_t i) HWY_ATTR {
        const std::int64_t begin = rows * i / threads, end = rows * (i + 1) / threads;
        pack_transposed(result + (blocks - 1) * size + begin * ld, ld, columns, static_cast<int>(end - begin),
                        rows, dw + begin);
      });
  }
}

// Groups in turn, or, where there are many (depthwise; examples under vmap), shared out whole: no thread waits for another within one.
template <class F> void each_group(std::int64_t groups, std::int64_t threads, const F& f) {
  if (threads > 1 && groups >= threads) return runtime::parallel(groups, [&](std::int64_t g) HWY_ATTR { f(g, 1); });
  for (std::int64_t g = 0; g < groups; ++g) f(g, threads);
}

// Few input channels: rows of all taps together, from a padded picture. dy is finite if there is padding.
template <class T> void weights_by_taps(const TapProblem& p, const T* x, const T* dy, T* dw, std::int64_t threads) {
  const std::int64_t taps = p.tap_count(), rows = p.channels * taps;
  const Picture view = picture_for(p, false, 1);
  const std::int64_t planes = p.batch * p.groups * p.channels, src_plane = volume(p.src);
  const T* pictures = x;
  if (view.copied) {
    T* copy = scratch<T>(Slot::conv_picture, planes * view.plane + 1);
    runtime::parallel(threads, [&](std::int64_t part) {
      for (std::int64_t i = planes * part / threads; i < planes * (part + 1) / threads; ++i)
        fill_plane(p, view, x + i * src_plane, copy + i * view.plane, 0, p.box[1]);
    });
    pictures = copy;
  }
  std::int64_t* row_offset = scratch<std::int64_t>(Slot::conv_offsets, rows);
  for (std::int64_t c = 0, row = 0; c < p.channels; ++c)
    for (std::int64_t tap = 0; tap < taps; ++tap) row_offset[row++] = c * view.plane + view.tap_offset(p, tap);
  const std::int64_t pixels = volume(p.box);
  each_group(p.groups, threads, [&](std::int64_t g, std::int64_t workers) HWY_ATTR {
    const WeightWork<T> t{p, view, pictures + g * p.channels * view.plane, dy + g * p.rows * pixels,
                          p.groups * p.channels * view.plane, p.groups * p.rows * pixels, row_offset};
    const auto run = [&](std::int64_t block, std::int64_t share, std::int64_t shares, T* out, std::int64_t ld) HWY_ATTR {
      weight_block(t, p.rows, block, share, shares, out, ld);
    };
    weight_group<T>(rows, p.rows, t.depth(), run, dw + g * p.rows * rows, workers);
  });
}

template <class T> void weights_by_pixels(const TapProblem& p, const T* x, const T* dy, T* dw, std::int64_t threads) {
  const std::int64_t rows = p.channels * p.tap_count(), pixels = volume(p.box), depth = p.batch * pixels;
  each_group(p.groups, threads, [&](std::int64_t g, std::int64_t workers) HWY_ATTR {
    const auto run = [&](std::int64_t block, std::int64_t share, std::int64_t shares, T* out, std::int64_t ld) HWY_ATTR {
      const std::int64_t k0 = block * kProductBlock;
      WeightBlock<T>{p, x + g * p.channels * volume(p.src), dy + g * p.rows * pixels, k0, std::min(kProductBlock, depth - k0)}.run(share, shares, out, ld);
    };
    weight_group<T>(rows, p.rows, depth, run, dw + g * p.rows * rows, workers);
  });
}

template <class T> void weight_grad(const Conv& conv, const T* x, const T* dy, T* dw) {
  const TapProblem p = conv.forward();
  const std::int64_t rows = p.channels * p.tap_count();
  if (conv.groups * p.rows * rows == 0) return;
  const double work = static_cast<double>(p.batch * p.groups * p.rows) * static_cast<double>(volume(p.box)) * static_cast<double>(rows);
  const std::int64_t threads = work < 1 << 18 ? 1 : runtime::threads();
  const bool spreads = p.padded() && !all_finite(dy, p.batch * p.groups * p.rows * volume(p.box));  // absent taps must be left out
  if (volume(p.box) * p.batch > 0 && (p.channels >= 8 || spreads)) weights_by_pixels(p, x, dy, dw, threads);
  else weights_by_taps(p, x, dy, dw, threads);
}

}  // namespace adjoint::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
