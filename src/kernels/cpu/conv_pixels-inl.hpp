// conv_pixels-inl.hpp: solves TapProblems that share their source (a forward convolution; an input gradient's residues) with pixels
// as rows of the register tile and result channels as its vectors. Some images at a time are turned to channels-last; pixels that meet
// the same taps form tiles, so a tap that is absent costs nothing and needs no padding, and a stride costs nothing either.
// Included once for each target by conv.cpp. Not for few result channels, which would waste lanes: conv_taps-inl.hpp.
#if defined(ADJOINT_CONV_PIXELS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ADJOINT_CONV_PIXELS_INL
#undef ADJOINT_CONV_PIXELS_INL
#else
#define ADJOINT_CONV_PIXELS_INL
#endif

#include "kernels/cpu/conv_geometry.hpp"
#include "kernels/cpu/gemm_engine-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace adjoint::kernels::HWY_NAMESPACE {

// Problems with the same batch, groups, rows, channels, src, dst and kernel, whose boxes fill dst.
template <class T> struct PixelWork {
  const TapProblem* problems;
  std::int64_t count;
  const T *src, *w;
  T* dst;

  const TapProblem& shape() const { return problems[0]; }
  std::int64_t tiles() const { return (shape().rows + kCols<T> - 1) / kCols<T>; }
  int columns(std::int64_t tile) const { return static_cast<int>(std::min<std::int64_t>(kCols<T>, shape().rows - tile * kCols<T>)); }
  int width(std::int64_t tile) const { return columns(tile) > kLanes<T> ? kCols<T> : kLanes<T>; }
  // Packed weights: [group][problem][tile][tap][channel][width]; only the last tile may be narrow.
  std::int64_t row_width() const { return (tiles() - 1) * kCols<T> + width(tiles() - 1); }
  std::int64_t panel(std::int64_t group, std::int64_t problem, std::int64_t tile) const {
    std::int64_t all = 0, before = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      if (i == problem) before = all;
      all += problems[i].depth();
    }
    return (group * all + before) * row_width() + tile * kCols<T> * problems[problem].depth();
  }
  std::int64_t packed_size() const { return panel(shape().groups, 0, 0); }
};

// Panel of weights as rows: dst[k][r] = w[m + r, k] for k in [k0, k0 + n), where k runs over (tap, channel).
template <class T>
void pack_weights(const TapProblem& p, const T* w, std::int64_t m, int rows, std::int64_t k0, std::int64_t n, T* dst) {
  for (std::int64_t k = k0; k < k0 + n;) {
    const std::int64_t tap = k / p.channels, c0 = k % p.channels, run = std::min(p.channels - c0, k0 + n - k);
    const T* s = w + m * p.w_row + p.kernel_index(tap) + c0 * p.w_channel;
    for (std::int64_t c = 0; c < run; ++c, dst += kRows)
      for (int r = 0; r < rows; ++r) dst[r] = s[c * p.w_channel + r * p.w_row];
    k += run;
  }
}

// Calls f(integral_constant<int, width>) for the width of a tile.
template <class T, class F> HWY_INLINE void with_width(int width, const F& f) {
  if (width == kCols<T>) f(std::integral_constant<int, kCols<T>>());
  else f(std::integral_constant<int, kLanes<T>>());
}

// dst[tap][channel][width] = weights of `cols` result channels from m on, zeros behind them.
template <class T> void pack_columns(const TapProblem& p, const T* w, std::int64_t m, int cols, int width, T* dst) {
  const std::int64_t all = volume(p.kernel), taps = p.tap_count();
  std::int64_t* index = scratch<std::int64_t>(Slot::conv_offsets, taps);
  for (std::int64_t t = 0; t < taps; ++t) index[t] = p.kernel_index(t);
  // Channels whose taps follow one another are transposed together.
  const std::int64_t some = p.w_channel == all ? std::clamp<std::int64_t>(128 / all, 1, p.channels) : 1;
  T* turned = scratch<T>(Slot::small_b, some * all * width);
  for (std::int64_t c0 = 0; c0 < p.channels; c0 += some) {
    const std::int64_t channels = std::min(some, p.channels - c0);
    const T* from = w + m * p.w_row + c0 * p.w_channel;
    constexpr std::int64_t line = 64 / static_cast<std::int64_t>(sizeof(T));
    for (int r = 0; r < cols; ++r)  // the channels after these: rows, and often channels, are far apart
      for (std::int64_t x = 0; x < channels * all; x += line) __builtin_prefetch(from + std::max<std::int64_t>(some, 4) * p.w_channel + r * p.w_row + x, 0, 2);
    with_width<T>(width, [&](auto W) HWY_ATTR { pack_panel<W>(from, p.w_row, 1, channels * all, cols, turned); });
    for (std::int64_t t = 0; t < taps; ++t)
      for (std::int64_t c = 0; c < channels; ++c) {
        const T* row = turned + (c * all + index[t]) * width;
        T* to = dst + (t * p.channels + c0 + c) * width;
        with_width<T>(width, [&](auto W) HWY_ATTR { copy_row<W>(row, to); });
      }
  }
}

// Neighbouring pixels [begin, end) of one axis that meet the same taps [first, last).
struct PixelKind {
  std::int64_t begin, end, first, last;
};
inline std::int64_t kinds_of(const TapProblem& p, int axis, PixelKind* kinds) {
  const TapAxis& taps = p.taps[axis];
  std::int64_t n = 0;
  for (std::int64_t q = 0; q < p.box[axis]; ++q) {
    const auto inside = [&](std::int64_t i) {
      const std::int64_t at = q * p.src_step[axis] + taps.shift[i];
      return at >= 0 && at < p.src[axis];
    };
    std::int64_t first = 0, last = taps.count;  // shifts rise or fall with the tap: what is present has no gaps
    while (first < last && !inside(first)) ++first;
    while (last > first && !inside(last - 1)) --last;
    if (first == last) first = last = 0;
    if (n > 0 && kinds[n - 1].first == first && kinds[n - 1].last == last) kinds[n - 1].end = q + 1;
    else kinds[n++] = {q, q + 1, first, last};
  }
  return n;
}

// f(kind) for each combination of the axes' kinds.
template <class F> void each_kind(const TapProblem& p, const F& f) {
  if (volume(p.box) == 0) return;
  PixelKind* kinds = scratch<PixelKind>(Slot::conv_kinds, p.box[0] + p.box[1] + p.box[2]);
  PixelKind* of[3] = {kinds, kinds + p.box[0], kinds + p.box[0] + p.box[1]};
  const Axes n{kinds_of(p, 0, of[0]), kinds_of(p, 1, of[1]), kinds_of(p, 2, of[2])};
  for (std::int64_t a = 0; a < n[0]; ++a)
    for (std::int64_t b = 0; b < n[1]; ++b)
      for (std::int64_t c = 0; c < n[2]; ++c) {
        const PixelKind kind[3] = {of[0][a], of[1][b], of[2][c]};
        f(kind);
      }
}

// The chain of one kind of pixels: stretches of the picture, whose channels and pixels are `source_step` elements apart, beside
// stretches of the packed weights, `width` apart; and where each block of the whole index ends among them.
struct Chain {
  Stretch* stretches;
  std::int64_t* ends;
  std::int64_t blocks;
};
inline Chain chain_of(const TapProblem& p, const PixelKind (&kind)[3], std::int64_t width, std::int64_t source_step) {
  const std::int64_t C = p.channels;
  Chain chain{scratch<Stretch>(Slot::conv_stretches, p.tap_count() + tap_block_count(p) + 1),
              scratch<std::int64_t>(Slot::conv_blocks, tap_block_count(p)), tap_block_count(p)};
  std::int64_t n = 0, block = 0;
  for (std::int64_t i = kind[0].first; i < kind[0].last; ++i)
    for (std::int64_t j = kind[1].first; j < kind[1].last; ++j)
      for (std::int64_t k = kind[2].first; k < kind[2].last; ++k) {
        const std::int64_t tap = (i * p.taps[1].count + j) * p.taps[2].count + k;
        const std::int64_t index = ((p.taps[0].index[i] * p.kernel[1] + p.taps[1].index[j]) * p.kernel[2] + p.taps[2].index[k]) * C;
        const std::int64_t at = ((p.taps[0].shift[i] * p.src[1] + p.taps[1].shift[j]) * p.src[2] + p.taps[2].shift[k]) * C;
        for (std::int64_t c = 0; c < C;) {
          const std::int64_t q = (index + c) / kProductBlock, run = std::min(C - c, (q + 1) * kProductBlock - index - c);
          while (block < q) chain.ends[block++] = n;
          const Stretch s{(at + c) * source_step, (tap * C + c) * width, run};
          Stretch* last = n > (block ? chain.ends[block - 1] : 0) ? chain.stretches + n - 1 : nullptr;
          if (last && last->a + last->n * source_step == s.a && last->b + last->n * width == s.b) last->n += run;
          else chain.stretches[n++] = s;
          c += run;
        }
      }
  while (block < chain.blocks) chain.ends[block++] = n;
  return chain;
}

// One part's images [n0, n1) of group g.
template <class T> struct PixelPart {
  const PixelWork<T>& t;
  std::int64_t g, n0, n1;
  T *pictures, *results;  // [image][pixel][channel], [image][pixel][width]

  std::int64_t src_plane() const { return volume(t.shape().src); }
  std::int64_t dst_plane() const { return volume(t.shape().dst); }

  static constexpr std::int64_t kLine = 64 / static_cast<std::int64_t>(sizeof(T));

  // Some cache lines of every plane at a time; those of the next turn are asked for, as planes are far apart.
  void turn_source() const {
    const TapProblem& p = t.shape();
    const std::int64_t plane = src_plane();
    for (std::int64_t n = n0; n < n1; ++n) {
      const T* from = t.src + (n * p.groups + g) * p.channels * plane;
      T* to = pictures + (n - n0) * plane * p.channels;
      for (std::int64_t x = 0; x < plane; x += kLine) {
        for (std::int64_t c = 0; c < p.channels; ++c) __builtin_prefetch(from + c * plane + x + 2 * kLine, 0, 2);
        pack_transposed(from + x, plane, std::min(kLine, plane - x), static_cast<int>(p.channels), p.channels, to + x * p.channels);
      }
    }
  }

  // A cache line of some planes at a time.
  void write_planes(std::int64_t tile) const {
    const TapProblem& p = t.shape();
    const std::int64_t width = t.width(tile), cols = t.columns(tile), plane = dst_plane();
    for (std::int64_t n = n0; n < n1; ++n) {
      const T* from = results + (n - n0) * plane * width;
      T* to = t.dst + ((n * p.groups + g) * p.rows + tile * kCols<T>) * plane;
      for (std::int64_t x = 0; x < plane; x += kLine) {
        for (std::int64_t m = 0; m < cols; ++m) __builtin_prefetch(to + m * plane + x + 2 * kLine, 1, 2);
        for (std::int64_t m = 0; m < cols; m += 4)
          pack_transposed(from + x * width + m, width, std::min<std::int64_t>(4, cols - m), static_cast<int>(std::min(kLine, plane - x)), plane,
                          to + m * plane + x);
      }
    }
  }

  // R pixels: where they read, where they write.
  template <int R, int W> void tile(const T* const (&from)[kRows], T* const (&to)[kRows], const T* panel, const Chain& c) const {
    const PixelRows<T, R> rows(from);
    if (c.blocks == 1) return run_stretches<R, W, T>(rows, panel, 1, c.stretches, c.ends[0], to);
    alignas(64) T sum[R * W];
    T* at[R];
    for (int r = 0; r < R; ++r) at[r] = sum + r * W;
    const TileStack<T> stack{scratch<T>(Slot::partial, levels_for(c.blocks) * kRows * W), kRows * W};
    for (std::int64_t q = 0; q < c.blocks; ++q) {
      const std::int64_t begin = q ? c.ends[q - 1] : 0;
      run_stretches<R, W, T>(rows, panel, 1, c.stretches + begin, c.ends[q] - begin, at);
      if (q + 1 < c.blocks) push_block(stack, q, sum, R * W);
      else fold_blocks(stack, q, sum, R * W);
    }
    for (int r = 0; r < R; ++r) copy_row<W>(sum + r * W, to[r]);
  }

  // All pixels of one kind.
  template <int W> void pixels(const TapProblem& p, const PixelKind (&kind)[3], const T* panel) const {
    const Chain chain = chain_of(p, kind, W, 1);
    const Axes size{kind[0].end - kind[0].begin, kind[1].end - kind[1].begin, kind[2].end - kind[2].begin};
    const EvenSplit tiles = split_into((n1 - n0) * volume(size), kRows);
    std::int64_t n = 0;
    Axes q{kind[0].begin, kind[1].begin, kind[2].begin};
    for (std::int64_t i = 0; i < tiles.count; ++i) {
      const T* from[kRows] = {};
      T* to[kRows] = {};
      for (int r = 0; r < tiles.length(i); ++r) {
        const Axes &s = p.src_step, &d = p.dst_step, &f = p.dst_first;
        from[r] = pictures + (n * src_plane() + (q[0] * s[0] * p.src[1] + q[1] * s[1]) * p.src[2] + q[2] * s[2]) * p.channels;
        to[r] = results + (n * dst_plane() + ((q[0] * d[0] + f[0]) * p.dst[1] + q[1] * d[1] + f[1]) * p.dst[2] + q[2] * d[2] + f[2]) * W;
        if (++q[2] < kind[2].end) continue;
        q[2] = kind[2].begin;
        if (++q[1] < kind[1].end) continue;
        q[1] = kind[1].begin;
        if (++q[0] < kind[0].end) continue;
        q[0] = kind[0].begin, ++n;
      }
      with_rows<kRows>(tiles.length(i), [&](auto R) HWY_ATTR { tile<R, W>(from, to, panel, chain); });
    }
  }

  // panel_of(i): the packed weights of problem i.
  template <class F> void columns(std::int64_t j, const F& panel_of) const {
    for (std::int64_t i = 0; i < t.count; ++i) {
      const TapProblem& p = t.problems[i];
      const T* panel = panel_of(i);
      each_kind(p, [&](const PixelKind(&kind)[3]) { with_width<T>(t.width(j), [&](auto W) { pixels<W>(p, kind, panel); }); });
    }
    write_planes(j);
  }
};

// f(0) ... f(parts - 1), on threads if there are several.
template <class F> void on_threads(std::int64_t threads, std::int64_t parts, const F& f) {
  if (threads > 1) return runtime::parallel(parts, f);
  for (std::int64_t i = 0; i < parts; ++i) f(i);
}

// Images whose picture and result stay in L2 beside the weights that are at work.
template <class T> std::int64_t images_at_once(const PixelWork<T>& t) {
  const std::int64_t image = volume(t.shape().src) * t.shape().channels + volume(t.shape().dst) * t.width(0);
  return std::max<std::int64_t>(1, (384 << 10) / (image * static_cast<std::int64_t>(sizeof(T))));
}

// Weights by far larger than the pictures: all pictures are turned, then threads take tiles of result channels, whose weights they pack
// and use up.
template <class T> void pixels_by_tiles(const PixelWork<T>& t, std::int64_t threads) {
  const TapProblem& p = t.shape();
  const std::int64_t image = volume(p.src) * p.channels, some = images_at_once(t);
  T* pictures = scratch<T>(Slot::conv_picture, p.batch * image);
  for (std::int64_t g = 0; g < p.groups; ++g) {
    on_threads(threads, p.batch, [&](std::int64_t n) HWY_ATTR { PixelPart<T>{t, g, n, n + 1, pictures + n * image, nullptr}.turn_source(); });
    on_threads(threads, t.tiles(), [&](std::int64_t j) HWY_ATTR {
      T* results = scratch<T>(Slot::conv_result, some * volume(p.dst) * t.width(j));
      T* weights = scratch<T>(Slot::conv_weights, t.panel(1, 0, 0) / t.row_width() * t.width(j));
      const auto panel_of = [&](std::int64_t i) { return weights + (t.panel(0, i, 0) / t.row_width()) * t.width(j); };
      for (std::int64_t i = 0; i < t.count; ++i)
        pack_columns(t.problems[i], t.w + g * p.w_group + j * kCols<T> * p.w_row, 0, t.columns(j), t.width(j), panel_of(i));
      for (std::int64_t n = 0; n < p.batch; n += some)
        PixelPart<T>{t, g, n, std::min(p.batch, n + some), pictures + n * image, results}.columns(j, panel_of);
    });
  }
}

// Else all weights are packed first, then threads take images, or columns of some where there are too few.
template <class T> void pixels_by_images(const PixelWork<T>& t, std::int64_t threads) {
  const TapProblem& p = t.shape();
  T* weights = scratch<T>(Slot::conv_weights, t.packed_size());
  on_threads(threads, p.groups * t.count * t.tiles(), [&](std::int64_t i) HWY_ATTR {
    const std::int64_t j = i % t.tiles(), k = i / t.tiles() % t.count, g = i / t.tiles() / t.count;
    pack_columns(t.problems[k], t.w + g * p.w_group + j * kCols<T> * p.w_row, 0, t.columns(j), t.width(j), weights + t.panel(g, k, j));
  });
  const std::int64_t image = volume(p.src) * p.channels, result = volume(p.dst) * t.width(0), fit = images_at_once(t);
  std::int64_t bands = (p.batch + fit - 1) / fit;
  bands = std::min(p.batch, (bands + threads - 1) / threads * threads);
  const std::int64_t shares = p.groups * bands >= threads ? 1 : std::min(t.tiles(), (threads + p.groups * bands - 1) / (p.groups * bands));
  on_threads(threads, p.groups * bands * shares, [&](std::int64_t i) HWY_ATTR {
    const std::int64_t share = i % shares, band = i / shares % bands, g = i / shares / bands;
    const std::int64_t n0 = p.batch * band / bands, n1 = p.batch * (band + 1) / bands;
    const PixelPart<T> part{t, g, n0, n1, scratch<T>(Slot::conv_picture, (n1 - n0) * image), scratch<T>(Slot::conv_result, (n1 - n0) * result)};
    part.turn_source();
    for (std::int64_t j = t.tiles() * share / shares; j < t.tiles() * (share + 1) / shares; ++j)
      part.columns(j, [&](std::int64_t k) { return weights + t.panel(g, k, j); });
  });
}

template <class T> void solve_pixels(const PixelWork<T>& t, std::int64_t threads) {
  const TapProblem& p = t.shape();
  const std::int64_t weights = t.packed_size() / p.groups, pictures = p.batch * volume(p.src) * p.channels;
  const bool large = weights * static_cast<std::int64_t>(sizeof(T)) > 3 << 20 && 2 * pictures <= weights;
  if (large && t.tiles() >= 2 * threads) pixels_by_tiles(t, threads);
  else pixels_by_images(t, threads);
}

}  // namespace adjoint::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
