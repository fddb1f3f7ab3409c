// conv_taps-inl.hpp: solves a TapProblem (forward convolution, input gradient) for one target, in two ways with equal bits:
// straight from the padded picture, or through packed panels where the weights are too many for L2.
// Included once for each target by conv.cpp. Not the weight gradient.
#if defined(ADJOINT_CONV_TAPS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ADJOINT_CONV_TAPS_INL
#undef ADJOINT_CONV_TAPS_INL
#else
#define ADJOINT_CONV_TAPS_INL
#endif

#include "kernels/cpu/conv_geometry.hpp"
#include "kernels/cpu/conv_pixels-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace adjoint::kernels::HWY_NAMESPACE {

// What all parts of one problem share.
template <class T> struct TapWork {
  const TapProblem& p;
  const Picture& view;
  const T *src, *w;
  T* dst;
  TapBlocks blocks;
  const std::int64_t* offset;  // of each k, in the picture
  std::int64_t dst_plane() const { return volume(p.dst); }
  T* dst_at(std::int64_t n, std::int64_t g, std::int64_t m, std::int64_t d, std::int64_t h, std::int64_t x) const {
    const Axes &s = p.dst_step, &f = p.dst_first;
    return dst + ((n * p.groups + g) * p.rows + m) * dst_plane() +
           ((d * s[0] + f[0]) * p.dst[1] + h * s[1] + f[1]) * p.dst[2] + x * s[2] + f[2];
  }
};

// ---- straight from the picture ----

// A vector of pixels: where it reads, where it writes, how many of its lanes are pixels, which run of k is not padding.
template <class T> struct PixelVector {
  const T* from;
  T* to;
  int valid;
  std::int64_t k_begin, k_end;
};

// The run of k whose taps lie inside the source's height, for pixels of row h (all of K in three dimensions).
inline void present_rows(const TapProblem& p, std::int64_t h, std::int64_t& k_begin, std::int64_t& k_end) {
  const TapAxis& axis = p.taps[1];
  const auto inside = [&](std::int64_t i) {
    const std::int64_t at = h * p.src_step[1] + axis.shift[i];
    return at >= 0 && at < p.src[1];
  };
  std::int64_t a = 0, b = axis.count;
  if (p.taps[0].count == 1) {
    while (a < b && !inside(a)) ++a;
    while (b > a && !inside(b - 1)) --b;
  }
  const std::int64_t row = p.taps[2].count * p.channels;
  k_begin = a * row;
  k_end = p.taps[0].count == 1 ? b * row : p.depth();
}

template <int V, class T>
HWY_INLINE void pixels_times_taps(const TapWork<T>& t, const T* weights, const PixelVector<T> (&px)[2], T* stack) {
  constexpr int L = kLanes<T>, W = V * L;
  const std::int64_t K = t.p.depth(), ld = t.dst_plane();
  const EvenSplit panels = split_into(t.p.rows, kRows);
  bool whole = t.blocks.n == 1 && t.p.dst_step[2] == 1;
  for (int v = 0; v < V; ++v) whole = whole && px[v].valid == L;
  const std::int64_t k_begin = std::min(px[0].k_begin, px[V - 1].k_begin), k_end = std::max(px[0].k_end, px[V - 1].k_end);
  for (std::int64_t i = 0; i < panels.count; ++i) {
    const int r = panels.length(i);
    const std::int64_t m = panels.begin(i);
    alignas(64) T tile[kRows * W];
    const auto chain = [&](std::int64_t begin, std::int64_t end, T* const(&to)[V], std::int64_t to_ld) HWY_ATTR {
      const std::int64_t k0 = std::max(begin, k_begin), n = std::max<std::int64_t>(0, std::min(end, k_end) - k0);
      OffsetVectors<T, V> b;
      for (int v = 0; v < V; ++v) b.base[v] = px[v].from;
      b.offset = t.offset + k0;
      const PackedRows<T, kRows> a{weights + (i * K + k0) * kRows};
      with_rows<kRows>(r, [&](auto R) HWY_ATTR { run_tile<R, V, T>(a, b, n, to, to_ld); });
    };
    T* to[V];
    for (int v = 0; v < V; ++v) to[v] = whole ? px[v].to + m * ld : tile + v * L;
    if (whole) {
      chain(0, K, to, ld);
      continue;
    }
    const TileStack<T> s{stack, kRows * W};
    for (std::int64_t q = 0; q < t.blocks.n; ++q) {
      chain(t.blocks.begin(q), t.blocks.end(q), to, W);
      if (q + 1 < t.blocks.n) push_block(s, q, tile, r * W);
      else fold_blocks(s, q, tile, r * W);
    }
    for (int v = 0; v < V; ++v)
      for (int y = 0; y < r; ++y)
        for (int x = 0; x < px[v].valid; ++x) px[v].to[(m + y) * ld + x * t.p.dst_step[2]] = tile[y * W + v * L + x];
  }
}

// One image and group, pixel rows with height in [h_begin, h_end).
template <class T>
void direct_part(const TapWork<T>& t, const T* weights, std::int64_t n, std::int64_t g, std::int64_t h_begin, std::int64_t h_end) {
  constexpr int L = kLanes<T>;
  const Picture& v = t.view;
  const std::int64_t src_plane = volume(t.p.src), first = (n * t.p.groups + g) * t.p.channels;
  const T* picture = t.src + first * src_plane;
  if (v.copied) {
    T* copy = scratch<T>(Slot::conv_picture, t.p.channels * v.plane + 2 * L);
    for (std::int64_t c = 0; c < t.p.channels; ++c) fill_plane(t.p, v, t.src + (first + c) * src_plane, copy + c * v.plane, h_begin, h_end);
    std::fill_n(copy + t.p.channels * v.plane, 2 * L, T(0));
    picture = copy;
  }
  T* stack = scratch<T>(Slot::partial, levels_for(t.blocks.n) * kRows * kCols<T>);
  PixelVector<T> px[2];
  int waiting = 0;
  for (std::int64_t d = 0; d < t.p.box[0]; ++d)
    for (std::int64_t h = h_begin; h < h_end; ++h) {
      std::int64_t k_begin, k_end;
      present_rows(t.p, h, k_begin, k_end);
      for (std::int64_t x = 0; x < t.p.box[2]; x += L) {
        px[waiting++] = {picture + v.pixel_offset(d, h, x), t.dst_at(n, g, 0, d, h, x),
                         static_cast<int>(std::min<std::int64_t>(L, t.p.box[2] - x)), k_begin, k_end};
        if (waiting == 2) pixels_times_taps<2>(t, weights, px, stack), waiting = 0;
      }
    }
  if (waiting) pixels_times_taps<1>(t, weights, px, stack);
}

template <class T> void solve_direct(const TapWork<T>& t, std::int64_t parts) {
  const EvenSplit panels = split_into(t.p.rows, kRows);
  const std::int64_t K = t.p.depth(), size = panels.count * K * kRows, images = t.p.batch * t.p.groups;
  T* weights = scratch<T>(Slot::conv_weights, t.p.groups * size);
  for (std::int64_t g = 0; g < t.p.groups; ++g)
    for (std::int64_t i = 0; i < panels.count; ++i)
      pack_weights(t.p, t.w + g * t.p.w_group, panels.begin(i), panels.length(i), 0, K, weights + g * size + i * K * kRows);
  // Few images are cut into bands of rows, so that all threads have work.
  const std::int64_t bands = parts == 1 || images >= 4 * parts ? 1 : std::min(t.p.box[1], (4 * parts + images - 1) / images);
  const auto part = [&](std::int64_t i) {
    const std::int64_t image = i / bands, band = i % bands, H = t.p.box[1];
    direct_part(t, weights + image % t.p.groups * size, image / t.p.groups, image % t.p.groups, H * band / bands, H * (band + 1) / bands);
  };
  if (parts > 1) return runtime::parallel(images * bands, part);
  for (std::int64_t i = 0; i < images * bands; ++i) part(i);
}

// ---- through packed panels ----

// Pixels j, j + 1, ... of the box of all images, in order.
struct PixelWalk {
  const TapProblem& p;
  std::int64_t n = 0, d = 0, h = 0, x = 0;
  PixelWalk(const TapProblem& problem, std::int64_t j) : p(problem) {
    const std::int64_t v = std::max<std::int64_t>(1, volume(p.box)), r = j % v;
    if (volume(p.box) == 0) return;
    n = j / v, d = r / (p.box[1] * p.box[2]), h = r / p.box[2] % p.box[1], x = r % p.box[2];
  }
  void next() {
    if (++x < p.box[2]) return;
    x = 0;
    if (++h < p.box[1]) return;
    h = 0;
    if (++d < p.box[0]) return;
    d = 0, ++n;
  }
};

// dst[k][l] = the picture at pixel j + l and tap k: vectors, quarters or single elements, by what is contiguous.
template <class T>
void pack_pixels(const TapWork<T>& t, const T* picture, std::int64_t image_stride, std::int64_t j, int cols, std::int64_t k0,
                 std::int64_t n, T* dst) {
  constexpr int C = kCols<T>, Q = C >= 4 ? 4 : C;
  const T* lane[C] = {};
  PixelWalk at(t.p, j);
  for (int l = 0; l < cols; ++l, at.next()) lane[l] = picture + at.n * image_stride + t.view.pixel_offset(at.d, at.h, at.x);
  for (int l = cols; l < C; ++l) lane[l] = lane[0];
  const auto runs_of = [&](int width) {
    for (int l = 1; l < C; ++l)
      if (l % width != 0 && lane[l] != lane[l - 1] + 1) return false;
    return true;
  };
  const std::int64_t* offset = t.offset + k0;
  if (runs_of(C)) {
    for (std::int64_t k = 0; k < n; ++k) std::memcpy(dst + k * C, lane[0] + offset[k], C * sizeof(T));
  } else if (runs_of(C / 2)) {
    for (std::int64_t k = 0; k < n; ++k) {
      std::memcpy(dst + k * C, lane[0] + offset[k], C / 2 * sizeof(T));
      std::memcpy(dst + k * C + C / 2, lane[C / 2] + offset[k], C / 2 * sizeof(T));
    }
  } else if (runs_of(Q)) {
    for (std::int64_t k = 0; k < n; ++k)
      for (int l = 0; l < C; l += Q) std::memcpy(dst + k * C + l, lane[l] + offset[k], Q * sizeof(T));
  } else {
    for (std::int64_t k = 0; k < n; ++k)
      for (int l = 0; l < C; ++l) dst[k * C + l] = lane[l][offset[k]];
  }
}

template <class T> struct StorePixels {
  const TapWork<T>& t;
  std::int64_t g;
  bool dense;  // the box is the whole image, so pixels are contiguous in each image
  T* direct(std::int64_t i, std::int64_t j, std::int64_t& ld) const {
    ld = t.dst_plane();
    const std::int64_t v = volume(t.p.box), r = j % v;
    if (!dense || r + kCols<T> > v) return nullptr;
    return t.dst + ((j / v * t.p.groups + g) * t.p.rows + i) * ld + r;
  }
  void operator()(std::int64_t i, int rows, std::int64_t j, int cols, const T* tile, std::int64_t ld) const {
    PixelWalk at(t.p, j);
    for (int l = 0; l < cols; ++l, at.next()) {
      T* to = t.dst_at(at.n, g, i, at.d, at.h, at.x);
      for (int r = 0; r < rows; ++r) to[r * t.dst_plane()] = tile[r * ld + l];
    }
  }
};

template <class T> void solve_packed(const TapWork<T>& t, std::int64_t parts) {
  const Picture& v = t.view;
  const std::int64_t src_plane = volume(t.p.src), planes = t.p.batch * t.p.groups * t.p.channels;
  const T* pictures = t.src;
  if (v.copied) {
    T* copy = scratch<T>(Slot::conv_picture, planes * v.plane + kCols<T>);
    runtime::parallel(parts, [&](std::int64_t part) {
      for (std::int64_t i = planes * part / parts; i < planes * (part + 1) / parts; ++i)
        fill_plane(t.p, v, t.src + i * src_plane, copy + i * v.plane, 0, t.p.box[1]);
    });
    std::fill_n(copy + planes * v.plane, kCols<T>, T(0));
    pictures = copy;
  }
  const bool dense = t.p.box == t.p.dst && t.p.dst_step == Axes{1, 1, 1};
  for (std::int64_t g = 0; g < t.p.groups; ++g) {
    const T* picture = pictures + g * t.p.channels * v.plane;
    const std::int64_t image_stride = t.p.groups * t.p.channels * v.plane;
    product<T>(
        t.p.rows, t.p.batch * volume(t.p.box), t.blocks,
        [&](std::int64_t i, int rows, std::int64_t k, std::int64_t n, T* to) { pack_weights(t.p, t.w + g * t.p.w_group, i, rows, k, n, to); },
        [&](std::int64_t j, int cols, std::int64_t k, std::int64_t n, T* to) HWY_ATTR { pack_pixels(t, picture, image_stride, j, cols, k, n, to); },
        StorePixels<T>{t, g, dense}, parts);
  }
}

// ---- weights that are not finite ----

// Padding was multiplied as zero, which is wrong under a NaN or Inf weight: such pixels again, by the definition.
template <class T> void repair_rows(const TapWork<T>& t, std::int64_t n, std::int64_t g, std::int64_t m) {
  const TapProblem& p = t.p;
  const T* w = t.w + g * p.w_group + m * p.w_row;
  const T* src = t.src + (n * p.groups + g) * p.channels * volume(p.src);
  const TileStack<T> stack{scratch<T>(Slot::partial, levels_for(t.blocks.n) * kLanes<T>), kLanes<T>};
  for (std::int64_t d = 0; d < p.box[0]; ++d)
    for (std::int64_t h = 0; h < p.box[1]; ++h)
      for (std::int64_t x = 0; x < p.box[2]; ++x) {
        const auto place = [&](std::int64_t tap) -> std::int64_t {  // -1: absent
          const auto [i, j, k] = p.split(tap);
          const std::int64_t sd = d * p.src_step[0] + p.taps[0].shift[i], sh = h * p.src_step[1] + p.taps[1].shift[j],
                             sw = x * p.src_step[2] + p.taps[2].shift[k];
          const bool inside = sd >= 0 && sd < p.src[0] && sh >= 0 && sh < p.src[1] && sw >= 0 && sw < p.src[2];
          return inside ? (sd * p.src[1] + sh) * p.src[2] + sw : -1;
        };
        bool border = false;
        for (std::int64_t tap = 0; tap < p.tap_count(); ++tap) border = border || place(tap) < 0;
        if (!border) continue;
        alignas(64) T one[kLanes<T>] = {};
        for (std::int64_t q = 0; q < t.blocks.n; ++q) {
          T acc = 0;
          for (std::int64_t k = t.blocks.begin(q); k < t.blocks.end(q); ++k) {
            const std::int64_t at = place(k / p.channels), c = k % p.channels;
            if (at >= 0) acc = std::fma(w[p.kernel_index(k / p.channels) + c * p.w_channel], src[c * volume(p.src) + at], acc);
          }
          one[0] = acc + T(0);
          if (q + 1 < t.blocks.n) push_block(stack, q, one, kLanes<T>);
          else fold_blocks(stack, q, one, kLanes<T>);
        }
        *t.dst_at(n, g, m, d, h, x) = one[0];
      }
}

template <class T> bool all_finite(const T* x, std::int64_t n) {
  // x - x is 0 for finite x and NaN otherwise; a sum keeps a NaN.
  const Tag<T> d;
  auto sum = hn::Zero(d);
  std::int64_t i = 0;
  for (; i + kLanes<T> <= n; i += kLanes<T>) {
    const auto v = hn::LoadU(d, x + i);
    sum = hn::Add(sum, hn::Sub(v, v));
  }
  bool finite = hn::AllTrue(d, hn::Eq(sum, hn::Zero(d)));
  for (; i < n; ++i) finite = finite && x[i] - x[i] == T(0);
  return finite;
}

template <class T> void repair_padding(const TapWork<T>& t, std::int64_t parts) {
  const std::int64_t all = t.p.groups * t.p.w_group;
  if (!t.p.padded() || all_finite(t.w, all)) return;
  const std::int64_t rows = t.p.batch * t.p.groups * t.p.rows;
  runtime::parallel(parts, [&](std::int64_t part) {
    for (std::int64_t i = rows * part / parts; i < rows * (part + 1) / parts; ++i)
      repair_rows(t, i / t.p.rows / t.p.groups, i / t.p.rows % t.p.groups, i % t.p.rows);
  });
}

// ---- choice ----

template <class T> void solve(const TapProblem& p, const T* src, const T* w, T* dst) {
  if (p.batch * p.groups * p.rows * volume(p.box) == 0) return;
  constexpr int L = kLanes<T>;
  const std::int64_t K = p.depth(), vectors = (p.box[2] + L - 1) / L;
  const Picture view = picture_for(p, true, L);
  std::int64_t* memory = scratch<std::int64_t>(Slot::conv_offsets, K + tap_block_count(p));
  for (std::int64_t tap = 0, k = 0; tap < p.tap_count(); ++tap)
    for (std::int64_t c = 0; c < p.channels; ++c) memory[k++] = view.tap_offset(p, tap) + c * view.plane;
  const TapWork<T> t{p, view, src, w, dst, tap_blocks(p, memory + K), memory};
  const double work = static_cast<double>(p.batch * p.groups * p.rows) * static_cast<double>(volume(p.box)) * static_cast<double>(K);
  const std::int64_t parts = work < 1 << 18 ? 1 : runtime::threads();
  // Rows shorter than a vector waste lanes; many weights leave L2. Panels cost a pass, dear with few rows.
  const bool wasteful = 4 * p.box[2] < 3 * vectors * L && p.rows >= 4 * kRows;
  const bool large = p.rows * K * static_cast<std::int64_t>(sizeof(T)) > 300 << 10;
  if (wasteful || (large && p.rows >= 2 * kRows)) solve_packed(t, parts);
  else solve_direct(t, parts);
  repair_padding(t, parts);
}

}  // namespace adjoint::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
