// conv_weights_pixels-inl.hpp: one block of the weight gradient with input channels as rows of the register tile and result channels as
// its vectors, tap by tap, over the pixels where the tap is present: no padding, and a stride costs nothing.
// Included once for each target by conv_weights-inl.hpp. Not for few input channels, and not the tree over blocks.
#if defined(ADJOINT_CONV_WEIGHTS_PIXELS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ADJOINT_CONV_WEIGHTS_PIXELS_INL
#undef ADJOINT_CONV_WEIGHTS_PIXELS_INL
#else
#define ADJOINT_CONV_WEIGHTS_PIXELS_INL
#endif

#include <bit>

#include "kernels/cpu/conv_geometry.hpp"
#include "kernels/cpu/gemm_engine-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace adjoint::kernels::HWY_NAMESPACE {

// panel[k][o] = dy[o0 + o][k0 + k], W columns of which `cols` exist; dy is one group's: [image, rows, pixel], images `image_stride` apart.
template <int W, class T>
void pack_gradient(const T* dy, std::int64_t image_stride, std::int64_t pixels, std::int64_t o0, int cols, std::int64_t k0, std::int64_t n, T* panel) {
  for (std::int64_t k = 0; k < n;) {
    const std::int64_t image = (k0 + k) / pixels, pixel = (k0 + k) % pixels, run = std::min(n - k, pixels - pixel);
    pack_panel<W>(dy + image * image_stride + o0 * pixels + pixel, pixels, 1, run, cols, panel + k * W);
    k += run;
  }
}

// Result channels [o, o + cols) of the weight gradient, computed as rows (channel, tap) of `width` columns.
struct ColumnTile {
  std::int64_t o;
  int cols, width;
};
// f(tile, integral_constant<int, width>) for each of them; only the last may be narrow.
template <class T, class F> void each_column_tile(std::int64_t columns, const F& f) {
  for (std::int64_t o = 0; o < columns; o += kCols<T>) {
    const int cols = static_cast<int>(std::min<std::int64_t>(kCols<T>, columns - o));
    const auto with = [&](auto W) { f(ColumnTile{o, cols, W}, W); };
    if (cols > kLanes<T>) with(std::integral_constant<int, kCols<T>>());
    else if (cols > kHalf<T>) with(std::integral_constant<int, kLanes<T>>());
    else with(std::integral_constant<int, kHalf<T>>());
  }
}

// Rows of the result that are packed side by side: one cache line where that is possible.
inline constexpr int kSide = std::bit_ceil(static_cast<unsigned>(kRows));

// Block [k0, k0 + n) of the pixels of one group. Results stand at tile[(channel * taps + tap) * width + column].
template <class T> struct WeightBlock {
  const TapProblem& p;
  const T *x, *dy;  // of the group's first channel
  std::int64_t k0, n;

  std::int64_t pixels() const { return volume(p.box); }
  std::int64_t src_plane() const { return volume(p.src); }
  std::int64_t first_image() const { return k0 / pixels(); }
  std::int64_t last_image() const { return (k0 + n - 1) / pixels(); }
  EvenSplit panels() const { return split_into(p.channels, kRows); }

  // The source pixels [begin, end) that image i's part of the block can meet: whole slices along the outermost axis.
  struct Range {
    std::int64_t begin, end;
    std::int64_t size() const { return end - begin; }
  };
  Range source_range(std::int64_t i) const {
    const int axis = p.src[0] > 1 || p.box[0] > 1 ? 0 : 1;
    const std::int64_t slice = axis == 0 ? p.src[1] * p.src[2] : p.src[2], box_slice = axis == 0 ? p.box[1] * p.box[2] : p.box[2];
    const std::int64_t first = std::max<std::int64_t>(0, k0 - i * pixels()), last = std::min(pixels(), k0 + n - i * pixels()) - 1;
    const std::int64_t a = first / box_slice * p.src_step[axis] + p.taps[axis].lowest(), b = last / box_slice * p.src_step[axis] + p.taps[axis].highest() + 1;
    const std::int64_t begin = std::clamp<std::int64_t>(a, 0, p.src[axis]);
    return {begin * slice, std::clamp(b, begin, p.src[axis]) * slice};
  }
  std::int64_t source_size() const {
    std::int64_t size = 0;
    for (std::int64_t i = first_image(); i <= last_image(); ++i) size += source_range(i).size();
    return size;
  }

  // to[pixel][kSide] = the channels of panel c.
  void pack_source(std::int64_t c, T* to) const {
    for (std::int64_t i = first_image(); i <= last_image(); ++i) {
      const Range r = source_range(i);
      pack_transposed(x + (i * p.groups * p.channels + panels().begin(c)) * src_plane() + r.begin, src_plane(), r.size(), panels().length(c), kSide, to);
      to += r.size() * kSide;
    }
  }

  // Pixels [first, last) of an axis that meet tap i.
  Range met(int axis, std::int64_t i) const {
    const std::int64_t step = p.src_step[axis], shift = p.taps[axis].shift[i];
    const std::int64_t first = std::clamp<std::int64_t>(shift >= 0 ? 0 : (-shift + step - 1) / step, 0, p.box[axis]);
    const std::int64_t room = p.src[axis] - shift;  // q * step < room
    return {first, std::clamp(room <= 0 ? 0 : (room + step - 1) / step, first, p.box[axis])};
  }

  // The chain of a tap over this block, with panels of `width` columns of dy.
  std::int64_t stretches_of(std::int64_t tap, std::int64_t width, Stretch* s) const {
    const Axes at = p.split(tap);
    const Range d = met(0, at[0]), h = met(1, at[1]), w = met(2, at[2]);
    std::int64_t count = 0, base = 0;
    for (std::int64_t i = first_image(); i <= last_image(); base += source_range(i).size(), ++i)
      for (std::int64_t a = d.begin; a < d.end; ++a)
        for (std::int64_t b = h.begin; b < h.end; ++b) {
          const std::int64_t row = i * pixels() + (a * p.box[1] + b) * p.box[2] - k0;  // index of the row's first pixel in the block
          const std::int64_t from = std::max(w.begin, -row), end = std::min(w.end, n - row);
          if (from >= end) continue;
          const std::int64_t sd = a * p.src_step[0] + p.taps[0].shift[at[0]], sh = b * p.src_step[1] + p.taps[1].shift[at[1]],
                             sw = from * p.src_step[2] + p.taps[2].shift[at[2]];
          const std::int64_t pixel = base + (sd * p.src[1] + sh) * p.src[2] + sw - source_range(i).begin, step = p.src_step[2] * kSide;
          const Stretch next{pixel * kSide, (row + from) * width, end - from};
          if (count && s[count - 1].a + s[count - 1].n * step == next.a && s[count - 1].b + s[count - 1].n * width == next.b) s[count - 1].n += next.n;
          else s[count++] = next;
        }
    return count;
  }

  template <int W> void columns(std::int64_t o, int cols, std::int64_t c_begin, std::int64_t c_end, const T* source, std::int64_t source_panel,
                                T* tile) const {
    const std::int64_t taps = p.tap_count();
    T* panel = scratch<T>(Slot::small_b, kProductBlock * kCols<T>);
    pack_gradient<W>(dy, p.groups * p.rows * pixels(), pixels(), o, cols, k0, n, panel);
    Stretch* s = scratch<Stretch>(Slot::conv_stretches, kProductBlock);
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      const std::int64_t count = stretches_of(tap, W, s);
      for (std::int64_t c = c_begin; c < c_end; ++c)
        with_rows<kRows>(panels().length(c), [&](auto R) HWY_ATTR {
          T* to[R];
          for (int r = 0; r < R; ++r) to[r] = tile + ((panels().begin(c) + r) * taps + tap) * W;
          run_stretches<R, W, T>(SideRows<T>{source + (c - c_begin) * source_panel}, panel, p.src_step[2] * kSide, s, count, to);
        });
    }
  }

  // Share `part` of `parts` of the channels; done(column tile, first row, row behind the last) after each tile of columns.
  template <class Done> void run(std::int64_t part, std::int64_t parts, T* tile, const Done& done) const {
    const std::int64_t begin = panels().count * part / parts, end = panels().count * (part + 1) / parts, size = source_size() * kSide;
    T* source = scratch<T>(Slot::conv_picture, (end - begin) * size);
    for (std::int64_t c = begin; c < end; ++c) pack_source(c, source + (c - begin) * size);
    each_column_tile<T>(p.rows, [&](const ColumnTile& t, auto W) HWY_ATTR {
      columns<W>(t.o, t.cols, begin, end, source, size, tile);
      done(t, panels().begin(begin) * p.tap_count(), panels().begin(end) * p.tap_count());
    });
  }
};

}  // namespace adjoint::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
