// conv_images-inl.hpp: solves TapProblems that share their source with images as the vectors of the register tile and result channels as
// its rows: for few result channels, which would leave lanes of channels empty. Some images at a time are turned so that those of one
// pixel and channel lie side by side; absent taps are left out pixel by pixel, as in conv_pixels-inl.hpp.
// Included once for each target by conv.cpp. Not for small batches.
#if defined(ADJOINT_CONV_IMAGES_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ADJOINT_CONV_IMAGES_INL
#undef ADJOINT_CONV_IMAGES_INL
#else
#define ADJOINT_CONV_IMAGES_INL
#endif

#include "kernels/cpu/conv_pixels-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace adjoint::kernels::HWY_NAMESPACE {

// One part's images [n0, n0 + images) of group g, at most W of them.
template <class T> struct ImagePart {
  static constexpr int W = kCols<T>;
  const PixelWork<T>& t;
  std::int64_t g, n0;
  int images;
  T *pictures, *results;  // [pixel][channel][W], [pixel][row][W]

  std::int64_t src_plane() const { return volume(t.shape().src); }
  std::int64_t dst_plane() const { return volume(t.shape().dst); }

  void turn_source() const {
    const TapProblem& p = t.shape();
    const std::int64_t plane = src_plane(), image = p.groups * p.channels * plane;
    for (std::int64_t c = 0; c < p.channels; ++c) {
      const T* from = t.src + n0 * image + (g * p.channels + c) * plane;
      pack_transposed(from, image, plane, images, p.channels * W, pictures + c * W);
      for (std::int64_t x = 0; images < W && x < plane; ++x) std::fill_n(pictures + (x * p.channels + c) * W + images, W - images, T(0));
    }
  }

  void write_images() const {
    const TapProblem& p = t.shape();
    constexpr std::int64_t line = 64 / static_cast<std::int64_t>(sizeof(T));
    const std::int64_t plane = dst_plane(), image = p.groups * p.rows * plane;
    for (std::int64_t m = 0; m < p.rows; ++m)
      for (std::int64_t x = 0; x < plane; x += line)
        for (int n = 0; n < images; n += 4)
          pack_transposed(results + (x * p.rows + m) * W + n, p.rows * W, std::min(4, images - n), static_cast<int>(std::min(line, plane - x)), image,
                          t.dst + (n0 + n) * image + (g * p.rows + m) * plane + x);
  }

  // One pixel, rows [m, m + R).
  template <int R> void tile(const T* weights, const T* from, const Chain& c, T* to) const {
    T* at[R];
    for (int r = 0; r < R; ++r) at[r] = to + r * W;
    const TileStack<T> stack{scratch<T>(Slot::partial, levels_for(c.blocks) * R * W), R * W};
    for (std::int64_t q = 0; q < c.blocks; ++q) {
      const std::int64_t begin = q ? c.ends[q - 1] : 0;
      run_stretches<R, W, T>(SideRows<T>{weights}, from, kRows, c.stretches + begin, c.ends[q] - begin, at);
      if (q + 1 < c.blocks) push_block(stack, q, to, R * W);
      else if (q > 0) fold_blocks(stack, q, to, R * W);
    }
  }

  // All pixels of one kind. Panels of weights: [tap][channel][kRows].
  void pixels(const TapProblem& p, const PixelKind (&kind)[3], const T* weights) const {
    const Chain chain = chain_of(p, kind, kRows, W);
    for (Stretch* s = chain.stretches; s < chain.stretches + chain.ends[chain.blocks - 1]; ++s) std::swap(s->a, s->b);
    const EvenSplit panels = split_into(p.rows, kRows);
    const Axes &s = p.src_step, &d = p.dst_step, &f = p.dst_first;
    for (std::int64_t a = kind[0].begin; a < kind[0].end; ++a)
      for (std::int64_t b = kind[1].begin; b < kind[1].end; ++b)
        for (std::int64_t x = kind[2].begin; x < kind[2].end; ++x) {
          const T* from = pictures + ((a * s[0] * p.src[1] + b * s[1]) * p.src[2] + x * s[2]) * p.channels * W;
          T* to = results + (((a * d[0] + f[0]) * p.dst[1] + b * d[1] + f[1]) * p.dst[2] + x * d[2] + f[2]) * p.rows * W;
          for (std::int64_t i = 0; i < panels.count; ++i)
            with_rows<kRows>(panels.length(i), [&](auto R) HWY_ATTR { tile<R>(weights + i * p.depth() * kRows, from, chain, to + panels.begin(i) * W); });
        }
  }

  void run(const T* weights) const {
    turn_source();
    for (std::int64_t i = 0; i < t.count; ++i) {
      const TapProblem& p = t.problems[i];
      each_kind(p, [&](const PixelKind(&kind)[3]) HWY_ATTR { pixels(p, kind, weights); });
      weights += split_into(p.rows, kRows).count * p.depth() * kRows;
    }
    write_images();
  }
};

template <class T> void solve_images(const PixelWork<T>& t, std::int64_t threads) {
  const TapProblem& p = t.shape();
  constexpr int W = ImagePart<T>::W;
  const EvenSplit panels = split_into(p.rows, kRows);
  std::int64_t depth = 0;
  for (std::int64_t i = 0; i < t.count; ++i) depth += t.problems[i].depth();
  T* weights = scratch<T>(Slot::conv_weights, p.groups * panels.count * depth * kRows);
  T* to = weights;
  for (std::int64_t g = 0; g < p.groups; ++g)
    for (std::int64_t k = 0; k < t.count; ++k)
      for (std::int64_t i = 0; i < panels.count; ++i) {
        pack_weights(t.problems[k], t.w + g * p.w_group, panels.begin(i), panels.length(i), 0, t.problems[k].depth(), to);
        to += t.problems[k].depth() * kRows;
      }
  const std::int64_t bands = (p.batch + W - 1) / W, image = volume(p.src) * p.channels, result = volume(p.dst) * p.rows;
  const auto part = [&](std::int64_t i) HWY_ATTR {
    const std::int64_t g = i / bands, n = i % bands * W;
    ImagePart<T>{t, g, n, static_cast<int>(std::min<std::int64_t>(W, p.batch - n)), scratch<T>(Slot::conv_picture, W * image),
                 scratch<T>(Slot::conv_result, W * result)}.run(weights + g * panels.count * depth * kRows);
  };
  if (threads > 1) return runtime::parallel(p.groups * bands, part);
  for (std::int64_t i = 0; i < p.groups * bands; ++i) part(i);
}

}  // namespace adjoint::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
