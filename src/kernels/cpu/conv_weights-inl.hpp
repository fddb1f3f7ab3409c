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
void weight_rows(const WeightWork<T>& t, std::int64_t o, int cols, std::int64_t begin, std::int64_t end, std::int64_t k0, std::int64_t n, T* tile) {
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
        to[r] = tile + row * W;
      }
      run_stretches<R, W, T>(PixelRows<T, R>(from), panel, step, s, count, to);
    });
}

// Block number `block` for the share `part` of `parts` of the rows; done() as in WeightBlock::run.
template <class T, class Done>
void weight_block(const WeightWork<T>& t, std::int64_t columns, std::int64_t block, std::int64_t part, std::int64_t parts, T* tile, const Done& done) {
  const std::int64_t k0 = block * kProductBlock, n = std::min(kProductBlock, t.depth() - k0);
  const std::int64_t begin = t.rows() * part / parts, end = t.rows() * (part + 1) / parts;
  each_column_tile<T>(columns, [&](const ColumnTile& c, auto W) HWY_ATTR {
    weight_rows<W>(t, c.o, c.cols, begin, end, k0, n, tile);
    done(c, begin, end);
  });
}

// How many blocks, a power of two, one thread joins before it meets the others: a subtree of the whole tree. As many as share the blocks
// evenly, or leave each thread several turns.
inline std::int64_t blocks_a_turn(std::int64_t count, std::int64_t threads) {
  std::int64_t per = 1;
  for (std::int64_t p = 1; p < 2 * count; p *= 2) {
    const std::int64_t turns = (count + p - 1) / p;
    if (threads == 1 || turns >= 4 * threads || (count % p == 0 && turns % threads == 0)) per = p;
  }
  return per;
}

// dw[o][row] of one group. run(block, share, shares, tile, done) computes a share of a block's rows, one tile of columns after the other in
// the same memory; what is done is joined and turned while it is near.
template <class T, class Run>
void weight_group(std::int64_t rows, std::int64_t columns, std::int64_t depth, const Run& run, T* dw, std::int64_t threads) {
  const std::int64_t count = std::max<std::int64_t>(1, (depth + kProductBlock - 1) / kProductBlock), per = blocks_a_turn(count, threads);
  const std::int64_t turns = (count + per - 1) / per, shares = turns >= threads ? 1 : (threads + turns - 1) / turns;
  const std::int64_t size = (rows * ((columns + kCols<T> - 1) / kCols<T>) + 1) * kCols<T>, tile_size = (rows + 1) * kCols<T>;
  T* results = turns == 1 ? nullptr : scratch<T>(Slot::partial, turns * size);
  const auto each = [&](std::int64_t parts, auto&& f) {
    if (threads > 1) runtime::parallel(parts, f);
    else
      for (std::int64_t i = 0; i < parts; ++i) f(i);
  };
  const auto turn = [&](std::int64_t i) HWY_ATTR {
    const std::int64_t first = i / shares * per, n = std::min(per, count - first);
    T* tile = scratch<T>(Slot::conv_tile, tile_size);
    T* levels = scratch<T>(Slot::conv_levels, levels_for(n) * size);
    for (std::int64_t b = 0; b < n; ++b)
      run(first + b, i % shares, shares, tile, [&](const ColumnTile& t, std::int64_t begin, std::int64_t end) HWY_ATTR {
        const std::int64_t at = t.o * rows + begin * t.width;
        T* part = tile + begin * t.width;
        const int elements = static_cast<int>((end - begin) * t.width);
        const TileStack<T> s{levels + at, size};
        if (b + 1 < n) return push_block(s, b, part, elements);
        fold_blocks(s, b, part, elements);
        if (results) std::copy_n(part, elements, results + i / shares * size + at);
        else pack_transposed(part, t.width, t.cols, static_cast<int>(end - begin), rows, dw + t.o * rows + begin);
      });
  };
  each(turns * shares, turn);
  if (turns == 1) return;
  each(threads, [&](std::int64_t i) HWY_ATTR {
    constexpr std::int64_t some = 64;  // rows that are joined and turned together
    T* tile = scratch<T>(Slot::conv_tile, some * kCols<T>);
    T* levels = scratch<T>(Slot::conv_levels, levels_for(turns) * some * kCols<T>);
    each_column_tile<T>(columns, [&](const ColumnTile& t, auto) HWY_ATTR {
      for (std::int64_t r = rows * i / threads, end = rows * (i + 1) / threads; r < end; r += some) {
        const int n = static_cast<int>(std::min(some, end - r)), elements = n * t.width;
        const TileStack<T> s{levels, some * kCols<T>};
        for (std::int64_t b = 0; b < turns; ++b) {
          std::copy_n(results + b * size + t.o * rows + r * t.width, elements, tile);
          if (b + 1 < turns) push_block(s, b, tile, elements);
          else fold_blocks(s, b, tile, elements);
        }
        pack_transposed(tile, t.width, t.cols, n, rows, dw + t.o * rows + r);
      }
    });
  });
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
    const auto run = [&](std::int64_t block, std::int64_t share, std::int64_t shares, T* tile, const auto& done) HWY_ATTR {
      weight_block(t, p.rows, block, share, shares, tile, done);
    };
    weight_group<T>(rows, p.rows, t.depth(), run, dw + g * p.rows * rows, workers);
  });
}

template <class T> void weights_by_pixels(const TapProblem& p, const T* x, const T* dy, T* dw, std::int64_t threads) {
  const std::int64_t rows = p.channels * p.tap_count(), pixels = volume(p.box), depth = p.batch * pixels;
  each_group(p.groups, threads, [&](std::int64_t g, std::int64_t workers) HWY_ATTR {
    const auto run = [&](std::int64_t block, std::int64_t share, std::int64_t shares, T* tile, const auto& done) HWY_ATTR {
      const std::int64_t k0 = block * kProductBlock;
      WeightBlock<T>{p, x + g * p.channels * volume(p.src), dy + g * p.rows * pixels, k0, std::min(kProductBlock, depth - k0)}.run(share, shares, tile, done);
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
