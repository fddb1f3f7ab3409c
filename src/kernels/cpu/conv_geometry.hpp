// conv_geometry.hpp: the three convolutions as one problem, "pixels times taps", and the padded picture they read from.
// Not arithmetic on elements: this is index calculation only.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "kernels/cpu/conv.hpp"
#include "kernels/cpu/gemm.hpp"
#include "kernels/cpu/scratch.hpp"

namespace adjoint::kernels {

using Axes = std::array<std::int64_t, 3>;  // depth, height, width; absent axes have length 1 and stand in front

inline std::int64_t volume(const Axes& a) { return a[0] * a[1] * a[2]; }

inline Axes right_aligned(const std::array<std::int64_t, 3>& a, int spatial, std::int64_t rest) {
  Axes r{rest, rest, rest};
  for (int i = 0; i < spatial; ++i) r[3 - spatial + i] = a[i];
  return r;
}

/// One axis of taps: tap i is number index[i] of the kernel and reads source coordinate q * step + shift[i].
struct TapAxis {
  const std::int64_t* index = nullptr;
  const std::int64_t* shift = nullptr;
  std::int64_t count = 0;
  std::int64_t lowest() const { return count ? *std::min_element(shift, shift + count) : 0; }
  std::int64_t highest() const { return count ? *std::max_element(shift, shift + count) : 0; }
};

/// dst[n, g, m, q * dst_step + dst_first] = sum over taps t and channels c of w[g, m, c, t] * src[n, g, c, q * src_step +
/// shift[t]], for q in a box. The forward convolution is one such problem, the input gradient one for each residue of the
/// pixel modulo the stride.
struct TapProblem {
  std::int64_t batch, groups, rows, channels;  // rows: m; channels: c, both in one group
  Axes src, dst, box, src_step, dst_step, dst_first, kernel;
  std::array<TapAxis, 3> taps;
  std::int64_t w_group, w_row, w_channel;  // strides of w; a tap's stride is 1

  std::int64_t tap_count() const { return taps[0].count * taps[1].count * taps[2].count; }
  std::int64_t depth() const { return tap_count() * channels; }  // length of K without absent taps
  bool in_range(int axis) const {
    return taps[axis].count == 0 || box[axis] == 0 ||
           (taps[axis].lowest() >= 0 && (box[axis] - 1) * src_step[axis] + taps[axis].highest() < src[axis]);
  }
  bool padded() const { return !(in_range(0) && in_range(1) && in_range(2)); }
  /// Number of tap t (counted over the present ones) in the whole kernel.
  std::int64_t kernel_index(std::int64_t t) const {
    const auto [i, j, k] = split(t);
    return (taps[0].index[i] * kernel[1] + taps[1].index[j]) * kernel[2] + taps[2].index[k];
  }
  Axes split(std::int64_t t) const {
    return {t / (taps[1].count * taps[2].count), t / taps[2].count % taps[1].count, t % taps[2].count};
  }
};

/// Where the values of a source image stand for the kernels: in place, or copied with zeros around it. When `phases` > 1
/// a row is stored as `phases` interleaved rows, so that a strided convolution reads contiguous pixels too.
struct Picture {
  bool copied = false;
  Axes low{}, extent{};  // source coordinate of the first stored element; stored length
  std::int64_t phases = 1, phase_pitch = 0, row = 0, slab = 0, plane = 0;
  Axes q_step{};

  std::int64_t tap_offset(const TapProblem& p, std::int64_t t) const {
    const auto [i, j, k] = p.split(t);
    const std::int64_t a = p.taps[2].shift[k] - low[2];
    return (p.taps[0].shift[i] - low[0]) * slab + (p.taps[1].shift[j] - low[1]) * row + a % phases * phase_pitch + a / phases;
  }
  std::int64_t pixel_offset(std::int64_t d, std::int64_t h, std::int64_t w) const {
    return d * q_step[0] + h * q_step[1] + w * q_step[2];
  }
};

/// `contiguous`: pixels of a row must be readable as vectors of `lanes`, also past the row's end.
inline Picture picture_for(const TapProblem& p, bool contiguous, std::int64_t lanes) {
  Picture v;
  v.copied = p.padded() || (contiguous && (p.src_step[2] != 1 || p.box[2] % lanes != 0));
  if (!v.copied) {
    v.row = p.src[2];
    v.slab = p.src[1] * v.row;
    v.plane = p.src[0] * v.slab;
  } else {
    for (int a = 0; a < 3; ++a) {
      v.low[a] = p.taps[a].lowest();
      v.extent[a] = std::max<std::int64_t>(0, p.box[a] - 1) * p.src_step[a] + p.taps[a].highest() - v.low[a] + 1;
    }
    v.phases = contiguous ? p.src_step[2] : 1;
    v.phase_pitch = (v.extent[2] + v.phases - 1) / v.phases;
    v.row = v.phases * v.phase_pitch;
    v.slab = v.extent[1] * v.row;
    v.plane = v.extent[0] * v.slab;
  }
  v.q_step = {p.src_step[0] * v.slab, p.src_step[1] * v.row, v.copied && contiguous ? 1 : p.src_step[2]};
  return v;
}

/// Does any tap of `axis` meet stored coordinate `at` for some q in [q_begin, q_end)?
inline bool is_read(const TapProblem& p, const Picture& v, int axis, std::int64_t at, std::int64_t q_begin, std::int64_t q_end) {
  if (p.src_step[axis] == 1 && q_begin == 0 && q_end == p.box[axis]) return true;
  for (std::int64_t i = 0; i < p.taps[axis].count; ++i) {
    const std::int64_t rest = at + v.low[axis] - p.taps[axis].shift[i];
    if (rest % p.src_step[axis] == 0 && rest / p.src_step[axis] >= q_begin && rest / p.src_step[axis] < q_end) return true;
  }
  return false;
}

/// Does any tap read interleaved row f?
inline bool is_phase_read(const TapProblem& p, const Picture& v, std::int64_t f) {
  for (std::int64_t i = 0; i < p.taps[2].count; ++i)
    if ((p.taps[2].shift[i] - v.low[2]) % v.phases == f) return true;
  return false;
}

/// Copies one channel's plane, the rows that pixels with height in [h_begin, h_end) read.
template <class T>
void fill_plane(const TapProblem& p, const Picture& v, const T* src, T* dst, std::int64_t h_begin, std::int64_t h_end) {
  for (std::int64_t d = 0; d < v.extent[0]; ++d)
    for (std::int64_t h = 0; h < v.extent[1]; ++h) {
      if (!is_read(p, v, 0, d, 0, p.box[0]) || !is_read(p, v, 1, h, h_begin, h_end)) continue;
      T* to = dst + d * v.slab + h * v.row;
      const std::int64_t sd = d + v.low[0], sh = h + v.low[1];
      if (sd < 0 || sd >= p.src[0] || sh < 0 || sh >= p.src[1]) {
        std::fill_n(to, v.row, T(0));
        continue;
      }
      const T* from = src + (sd * p.src[1] + sh) * p.src[2];
      for (std::int64_t f = 0; f < v.phases; ++f, to += v.phase_pitch) {
        if (!is_phase_read(p, v, f)) continue;
        // Stored column x is source column x * phases + f + low.
        const std::int64_t first = f + v.low[2], s = v.phases;
        const std::int64_t begin = std::clamp<std::int64_t>(first < 0 ? (-first + s - 1) / s : 0, 0, v.phase_pitch);
        const std::int64_t end = std::clamp<std::int64_t>(first < p.src[2] ? (p.src[2] - first + s - 1) / s : 0, begin, v.phase_pitch);
        std::fill(to, to + begin, T(0));
        if (s == 1) std::copy(from + first + begin, from + first + end, to + begin);
        else
          for (std::int64_t x = begin; x < end; ++x) to[x] = from[first + x * s];
        std::fill(to + end, to + v.phase_pitch, T(0));
      }
    }
}

/// The blocks of K in the index without absent taps: a block ends where the whole index passes a multiple of 1,024.
struct TapBlocks {
  const std::int64_t* ends;
  std::int64_t n;
  std::int64_t count() const { return n; }
  std::int64_t begin(std::int64_t i) const { return i ? ends[i - 1] : 0; }
  std::int64_t end(std::int64_t i) const { return ends[i]; }
};

inline std::int64_t tap_block_count(const TapProblem& p) {
  return std::max<std::int64_t>(1, (volume(p.kernel) * p.channels + kProductBlock - 1) / kProductBlock);
}

inline TapBlocks tap_blocks(const TapProblem& p, std::int64_t* ends) {
  const std::int64_t n = tap_block_count(p), taps = p.tap_count();
  std::int64_t t = 0;
  for (std::int64_t b = 0; b < n; ++b) {
    const std::int64_t limit = (b + 1) * kProductBlock;
    while (t < taps && (p.kernel_index(t) + 1) * p.channels <= limit) ++t;
    const std::int64_t partial = t < taps ? std::max<std::int64_t>(0, limit - p.kernel_index(t) * p.channels) : 0;
    ends[b] = t * p.channels + partial;
  }
  return {ends, n};
}

/// The problems behind a geometry. Tap tables live in scratch memory of the calling thread.
struct Conv {
  std::int64_t batch, groups, in_channels, out_channels;  // channels in one group
  Axes in, kernel, out, stride, dilation, pad;

  explicit Conv(const ConvGeometry& g)
      : batch(g.batch), groups(g.groups), in_channels(g.in_channels / g.groups), out_channels(g.out_channels / g.groups),
        in(right_aligned(g.in, g.spatial, 1)), kernel(right_aligned(g.kernel, g.spatial, 1)),
        out(right_aligned(g.out, g.spatial, 1)), stride(right_aligned(g.stride, g.spatial, 1)),
        dilation(right_aligned(g.dilation, g.spatial, 1)), pad(right_aligned(g.pad_lo, g.spatial, 0)) {}

  /// Tables for the problem of each residue.
  std::int64_t* tap_memory(std::int64_t problem) const {
    const std::int64_t one = 2 * (kernel[0] + kernel[1] + kernel[2]);
    return scratch<std::int64_t>(Slot::conv_taps, one * volume(stride)) + problem * one;
  }

  TapProblem forward() const {
    TapProblem p{batch, groups, out_channels, in_channels, in, out, out, stride, {1, 1, 1}, {0, 0, 0}, kernel, {},
                 out_channels * in_channels * volume(kernel), in_channels * volume(kernel), volume(kernel)};
    std::int64_t* m = tap_memory(0);
    for (int a = 0; a < 3; ++a) {
      p.taps[a] = {m, m + kernel[a], kernel[a]};
      for (std::int64_t k = 0; k < kernel[a]; ++k) m[k] = k, m[kernel[a] + k] = k * dilation[a] - pad[a];
      m += 2 * kernel[a];
    }
    return p;
  }

  /// Input pixels i with (i + pad) mod stride == residue: i + pad = q * stride + residue meets output pixel
  /// q - (k * dilation - residue) / stride through the taps k for which that is a whole number.
  TapProblem input_grad(const Axes& residue) const {
    TapProblem p{batch, groups, in_channels, out_channels, out, in, {}, {1, 1, 1}, stride, {}, kernel, {},
                 out_channels * in_channels * volume(kernel), volume(kernel), in_channels * volume(kernel)};
    std::int64_t* m = tap_memory((residue[0] * stride[1] + residue[1]) * stride[2] + residue[2]);
    for (int a = 0; a < 3; ++a) {
      const std::int64_t s = stride[a], below = pad[a] - residue[a];
      const std::int64_t q0 = below > 0 ? (below + s - 1) / s : -(-below / s);
      p.dst_first[a] = q0 * s - below;
      p.box[a] = p.dst_first[a] < in[a] ? (in[a] - 1 - p.dst_first[a]) / s + 1 : 0;
      p.taps[a] = {m, m + kernel[a], 0};
      for (std::int64_t k = 0; k < kernel[a]; ++k)
        if (k * dilation[a] % s == residue[a]) {
          m[p.taps[a].count] = k;
          m[kernel[a] + p.taps[a].count++] = q0 - (k * dilation[a] - residue[a]) / s;
        }
      m += 2 * kernel[a];
    }
    return p;
  }
};

}  // namespace adjoint::kernels
