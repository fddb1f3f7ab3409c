// conv_reference.hpp: the definition of the convolutions' bits, written to be read. Not fast.
#pragma once

#include "kernels/cpu/conv.hpp"
#include "support/gemm_reference.hpp"

namespace adjoint::test {

/// A geometry with its axes right-aligned to three, and element indices.
struct ConvIndex {
  kernels::ConvGeometry g;
  std::array<std::int64_t, 3> in{1, 1, 1}, kernel{1, 1, 1}, out{1, 1, 1}, stride{1, 1, 1}, dilation{1, 1, 1}, pad{0, 0, 0};
  explicit ConvIndex(const kernels::ConvGeometry& geometry) : g(geometry) {
    for (int i = 0; i < g.spatial; ++i) {
      const int a = 3 - g.spatial + i;
      in[a] = g.in[i], kernel[a] = g.kernel[i], out[a] = g.out[i];
      stride[a] = g.stride[i], dilation[a] = g.dilation[i], pad[a] = g.pad_lo[i];
    }
  }
  static std::int64_t volume(const std::array<std::int64_t, 3>& a) { return a[0] * a[1] * a[2]; }
  static std::array<std::int64_t, 3> unravel(std::int64_t i, const std::array<std::int64_t, 3>& a) {
    return {i / (a[1] * a[2]), i / a[2] % a[1], i % a[2]};
  }
  /// The input pixel that output pixel p meets through tap k, or -1.
  std::int64_t input_pixel(std::int64_t p, std::int64_t k) const {
    const auto pp = unravel(p, out), kk = unravel(k, kernel);
    std::int64_t at = 0;
    for (int a = 0; a < 3; ++a) {
      const std::int64_t i = pp[a] * stride[a] + kk[a] * dilation[a] - pad[a];
      if (i < 0 || i >= in[a]) return -1;
      at = at * in[a] + i;
    }
    return at;
  }
  /// The output pixel that meets input pixel i through tap k, or -1.
  std::int64_t output_pixel(std::int64_t i, std::int64_t k) const {
    const auto ii = unravel(i, in), kk = unravel(k, kernel);
    std::int64_t at = 0;
    for (int a = 0; a < 3; ++a) {
      const std::int64_t q = ii[a] + pad[a] - kk[a] * dilation[a];
      if (q < 0 || q % stride[a] != 0 || q / stride[a] >= out[a]) return -1;
      at = at * out[a] + q / stride[a];
    }
    return at;
  }
  std::int64_t C() const { return g.in_channels / g.groups; }
  std::int64_t O() const { return g.out_channels / g.groups; }
  std::int64_t taps() const { return volume(kernel); }
  std::int64_t x(std::int64_t n, std::int64_t channel, std::int64_t i) const { return (n * g.in_channels + channel) * volume(in) + i; }
  std::int64_t y(std::int64_t n, std::int64_t channel, std::int64_t p) const { return (n * g.out_channels + channel) * volume(out) + p; }
  std::int64_t w(std::int64_t o, std::int64_t c, std::int64_t k) const { return (o * C() + c) * taps() + k; }
};

template <class T> void reference_conv_forward(const kernels::ConvGeometry& g, const T* x, const T* w, T* y) {
  using A = typename AccumulatorOf<T>::type;
  const ConvIndex c(g);
  for (std::int64_t n = 0; n < g.batch; ++n)
    for (std::int64_t o = 0; o < g.out_channels; ++o)
      for (std::int64_t p = 0; p < c.volume(c.out); ++p)
        y[c.y(n, o, p)] = T(product_element<A>(c.taps() * c.C(), [&](std::int64_t k, auto&& acc) {
          const std::int64_t tap = k / c.C(), ch = k % c.C(), i = c.input_pixel(p, tap);
          if (i >= 0) acc(static_cast<A>(w[c.w(o, ch, tap)]), static_cast<A>(x[c.x(n, o / c.O() * c.C() + ch, i)]));
        }));
}

template <class T> void reference_conv_input_grad(const kernels::ConvGeometry& g, const T* dy, const T* w, T* dx) {
  using A = typename AccumulatorOf<T>::type;
  const ConvIndex c(g);
  for (std::int64_t n = 0; n < g.batch; ++n)
    for (std::int64_t ch = 0; ch < g.in_channels; ++ch)
      for (std::int64_t i = 0; i < c.volume(c.in); ++i)
        dx[c.x(n, ch, i)] = T(product_element<A>(c.taps() * c.O(), [&](std::int64_t k, auto&& acc) {
          const std::int64_t tap = k / c.O(), o = ch / c.C() * c.O() + k % c.O(), p = c.output_pixel(i, tap);
          if (p >= 0) acc(static_cast<A>(w[c.w(o, ch % c.C(), tap)]), static_cast<A>(dy[c.y(n, o, p)]));
        }));
}

template <class T> void reference_conv_weight_grad(const kernels::ConvGeometry& g, const T* x, const T* dy, T* dw) {
  using A = typename AccumulatorOf<T>::type;
  const ConvIndex c(g);
  const std::int64_t P = c.volume(c.out);
  for (std::int64_t o = 0; o < g.out_channels; ++o)
    for (std::int64_t ch = 0; ch < c.C(); ++ch)
      for (std::int64_t tap = 0; tap < c.taps(); ++tap)
        dw[c.w(o, ch, tap)] = T(product_element<A>(g.batch * P, [&](std::int64_t k, auto&& acc) {
          const std::int64_t n = k / P, p = k % P, i = c.input_pixel(p, tap);
          if (i >= 0) acc(static_cast<A>(x[c.x(n, o / c.O() * c.C() + ch, i)]), static_cast<A>(dy[c.y(n, o, p)]));
        }));
}

}  // namespace adjoint::test
