// conv_public.cpp: the convolutions that users call: options, checks, bias, and the named special cases. Not the
// primitives behind them: conv.cpp.
#include "adjoint/ops/conv.hpp"

#include "ops/conv_ops.hpp"
#include "ops/index_ops.hpp"

namespace adjoint {
namespace {

constexpr std::int64_t kLargest = std::int64_t{1} << 40;  // of a size or step: keeps all arithmetic on them exact

const Primitive& named(std::string_view name) { return define({.name = name, .traits = {.inlined = true}, .family = "D11"}); }
const Primitive &conv1d_p = named("conv1d"), &conv2d_p = named("conv2d"), &conv3d_p = named("conv3d");
const Primitive &transpose1d_p = named("conv_transpose1d"), &transpose2d_p = named("conv_transpose2d"), &transpose3d_p = named("conv_transpose3d");
const Primitive &depthwise_p = named("depthwise_conv"), &grouped_p = named("grouped_conv"), &dilated_p = named("dilated_conv");
const Primitive &causal_p = named("causal_conv1d"), &im2col_p = named("im2col"), &col2im_p = named("col2im");

/// What every function here needs to speak of an error.
struct Site {
  const Primitive& prim;
  Loc loc;
  const Tensor* x;
  const Tensor* w;
  [[noreturn]] void fails(std::string why, std::string hint = {}) const {
    if (w) fail(prim.name, loc, std::move(why), {x, w}, std::move(hint));
    fail(prim.name, loc, std::move(why), {x}, std::move(hint));
  }
};

/// One entry an axis out of none, one or all; each within [least, 2^40].
Ints per_axis(const Site& s, const Ints& given, int axes, std::int64_t otherwise, std::int64_t least, const char* name) {
  if (!given.empty() && given.rank() != 1 && given.rank() != axes)
    s.fails(std::string(name) + " " + to_string(given) + " does not fit " + std::to_string(axes) + " spatial axes", "give one entry an axis, or one for all");
  Ints full;
  for (int k = 0; k < axes; ++k) full.push_back(given.empty() ? otherwise : given[given.rank() == 1 ? 0 : static_cast<std::size_t>(k)]);
  for (auto v : full)
    if (v < least || v > kLargest) s.fails(std::string(name) + " " + to_string(given) + " is out of range", "at least " + std::to_string(least));
  return full;
}

struct Padded {
  ConvAttrs attrs;
  Ints high;
};
/// Settings of a convolution of `in` by windows of `taps`; attrs.size becomes the number of windows.
Padded settings(const Site& s, const Ints& in, const Ints& taps, const ConvOptions& o) {
  const int n = in.rank();
  if (o.same && (!o.padding.empty() || !o.padding_end.empty())) s.fails("both same and padding are given", "give one of them");
  Padded p{{per_axis(s, o.stride, n, 1, 1, "stride"), per_axis(s, o.dilation, n, 1, 1, "dilation"), per_axis(s, o.padding, n, 0, 0, "padding"), {}, o.groups}, {}};
  p.high = o.padding_end.empty() ? p.attrs.low : per_axis(s, o.padding_end, n, 0, 0, "padding_end");
  for (std::size_t k = 0; k < in.size(); ++k) {
    auto& low = p.attrs.low[k];
    auto& high = p.high[k];
    std::int64_t reach = 0;
    if (taps[k] < 1 || taps[k] > kLargest) s.fails("a window of " + to_string(taps) + " has no taps", "every size of the window is at least 1");
    if (in[k] > kLargest || __builtin_mul_overflow(taps[k] - 1, p.attrs.dilation[k], &reach) || reach > kLargest) s.fails("the window is too large", "sizes, and taps times dilation, are at most 2^40");
    if (o.same) {
      const auto step = p.attrs.stride[k], windows = (in[k] + step - 1) / step;
      const auto total = std::max<std::int64_t>(0, (windows - 1) * step + reach + 1 - in[k]);
      low = total / 2, high = total - total / 2;
    }
    if (in[k] + low + high < reach + 1)
      s.fails("a window over " + std::to_string(reach + 1) + " elements does not fit spatial axis " + std::to_string(k) + " of size " + std::to_string(in[k]) +
                  (low + high > 0 ? " with padding " + std::to_string(low) + " and " + std::to_string(high) : ""),
              "pad more, or use a smaller window or dilation");
    p.attrs.size.push_back((in[k] + low + high - reach - 1) / p.attrs.stride[k] + 1);
    if (p.attrs.size[k] == 1) p.attrs.stride[k] = 1;    // a step that is never made, however large
    if (taps[k] == 1) p.attrs.dilation[k] = 1;
  }
  return p;
}

Ints spatial(const Tensor& t) { return Ints(t.shape().span().subspan(2)); }

/// Both operands in one floating type, x with a batch axis.
struct Operands {
  Tensor x, w;
  bool single = false;  // x came without a batch axis
};
Operands operands(const Primitive& prim, const Arg& x, const Arg& w, int axes) {
  Operands o{need(x, prim), need(w, prim)};
  const Site s{prim, x.loc, &o.x, &o.w};
  if (o.w.rank() != axes + 2)
    s.fails("the weight must have " + std::to_string(axes + 2) + " axes, got " + to_string(o.w.type()), "its layout is [out, in / groups, taps..]");
  if (o.x.rank() != axes + 2 && o.x.rank() != axes + 1)
    s.fails("the input must have " + std::to_string(axes + 2) + " axes, got " + to_string(o.x.type()), "its layout is [n, channels, spatial..]");
  DType dtype = promote(o.x.dtype(), o.w.dtype());
  if (!is_floating(dtype)) dtype = DType::f32;
  if (o.w.numel() == 0) s.fails("the weight " + to_string(o.w.type()) + " has no elements", "its layout is [out, in / groups, taps..], each at least 1");
  o.single = o.x.rank() == axes + 1;
  if (o.single) {
    Shape with = o.x.shape();
    with.insert(0, 1);
    o.x = reshape_node(o.x, with, x.loc);
  }
  o.x = cast_to(o.x, dtype, x.loc);
  o.w = cast_to(o.w, dtype, x.loc);
  return o;
}

/// y + bias over the channels, without the batch axis where the input had none.
Tensor finished(const Primitive& prim, Tensor y, bool single, const Arg* bias, Loc loc) {
  if (bias) {
    const Tensor b = need(*bias, prim);
    if (b.rank() != 1 || b.shape(0) != y.shape(1))
      fail(prim.name, loc, "the bias is " + to_string(b.type()) + ", expected [" + std::to_string(y.shape(1)) + "]", {&y, &b}, "one number an output channel");
    Shape over{b.shape(0)};
    for (int k = 2; k < y.rank(); ++k) over.push_back(1);
    y = add(Arg(y, loc), Arg(reshape_node(b, over, loc), loc));
  }
  if (!single) return y;
  Shape without = y.shape();
  without.erase(0);
  return reshape_node(y, without, loc);
}

Tensor convolution(const Primitive& prim, int axes, const Arg& x, const Arg& w, const Arg* bias, const ConvOptions& options) {
  OpScope scope(prim.name.data(), x.loc);
  const Operands o = operands(prim, x, w, axes);
  const Site s{prim, x.loc, &o.x, &o.w};
  const auto channels = o.x.shape(1), groups = options.groups;
  if (groups < 1 || o.w.shape(1) > kLargest || groups > kLargest || channels != o.w.shape(1) * groups)
    s.fails("the input has " + std::to_string(channels) + " channels, the weight " + to_string(o.w.shape()) + " expects " + std::to_string(o.w.shape(1)) +
                " in each of " + std::to_string(groups) + (groups == 1 ? " group" : " groups"),
            "the layout is [n, channels, spatial..] by [out, in / groups, taps..]");
  if (o.w.shape(0) % groups != 0) s.fails(std::to_string(groups) + " groups do not divide " + std::to_string(o.w.shape(0)) + " output channels", "the number of groups divides the channels on both sides");
  const Padded p = settings(s, spatial(o.x), spatial(o.w), options);
  Shape result{o.x.shape(0), o.w.shape(0)};
  for (auto d : p.attrs.size) result.push_back(d);
  checked_elements(result, prim.name, x.loc);
  return finished(prim, conv_node(o.x, o.w, p.attrs, x.loc), o.single, bias, x.loc);
}

Tensor transposed(const Primitive& prim, int axes, const Arg& x, const Arg& w, const Arg* bias, const ConvTransposeOptions& options) {
  OpScope scope(prim.name.data(), x.loc);
  const Operands o = operands(prim, x, w, axes);
  const Site s{prim, x.loc, &o.x, &o.w};
  if (options.groups < 1 || o.x.shape(1) != o.w.shape(0) || o.w.shape(0) % options.groups != 0)
    s.fails("the input has " + std::to_string(o.x.shape(1)) + " channels, the weight " + to_string(o.w.shape()) + " expects " + std::to_string(o.w.shape(0)) + " in " +
                std::to_string(options.groups) + " groups",
            "the layout is [n, in, spatial..] by [in, out / groups, taps..]");
  ConvAttrs a{per_axis(s, options.stride, axes, 1, 1, "stride"), per_axis(s, options.dilation, axes, 1, 1, "dilation"),
              per_axis(s, options.padding, axes, 0, 0, "padding"), {}, options.groups};
  const Ints high = options.padding_end.empty() ? a.low : per_axis(s, options.padding_end, axes, 0, 0, "padding_end");
  const Ints extra = per_axis(s, options.output_padding, axes, 0, 0, "output_padding");
  Shape result{o.x.shape(0), o.w.shape(1) * options.groups};
  for (std::size_t k = 0; k < a.stride.size(); ++k) {
    if (extra[k] >= std::max(a.stride[k], a.dilation[k]))
      s.fails("output_padding " + to_string(extra) + " must be smaller than stride or dilation on every axis", "it chooses between the sizes that one convolution maps to the same result");
    std::int64_t pixels = 0, reach = 0;
    if (__builtin_mul_overflow(o.x.shape()[k + 2] - 1, a.stride[k], &pixels) || __builtin_mul_overflow(o.w.shape()[k + 2] - 1, a.dilation[k], &reach) ||
        pixels > kLargest || reach > kLargest)
      s.fails("the result is too large", "use a smaller stride, dilation or padding");
    const auto size = pixels + reach + 1 + extra[k] - a.low[k] - high[k];
    if (size < 1 || o.x.shape()[k + 2] == 0) s.fails("the result would have size " + std::to_string(size) + " on spatial axis " + std::to_string(k), "use less padding");
    a.size.push_back(size);
    result.push_back(size);
  }
  checked_elements(result, prim.name, x.loc);
  return finished(prim, conv_input_grad_node(o.x, o.w, a, x.loc), o.single, bias, x.loc);
}

/// 1 to 3 spatial axes by the rank of the weight.
int axes_of(const Primitive& prim, const Arg& x, const Arg& w) {
  const Tensor t = need(w, prim);
  if (t.rank() < 3 || t.rank() > 5)
    fail(prim.name, x.loc, "the weight must have 3 to 5 axes, got " + to_string(t.type()), {&t}, "its layout is [out, in / groups, taps..]");
  return t.rank() - 2;
}

}  // namespace

Tensor conv1d(const Arg& x, const Arg& w, const ConvOptions& o) { return convolution(conv1d_p, 1, x, w, nullptr, o); }
Tensor conv1d(const Arg& x, const Arg& w, const Arg& bias, const ConvOptions& o) { return convolution(conv1d_p, 1, x, w, &bias, o); }
Tensor conv2d(const Arg& x, const Arg& w, const ConvOptions& o) { return convolution(conv2d_p, 2, x, w, nullptr, o); }
Tensor conv2d(const Arg& x, const Arg& w, const Arg& bias, const ConvOptions& o) { return convolution(conv2d_p, 2, x, w, &bias, o); }
Tensor conv3d(const Arg& x, const Arg& w, const ConvOptions& o) { return convolution(conv3d_p, 3, x, w, nullptr, o); }
Tensor conv3d(const Arg& x, const Arg& w, const Arg& bias, const ConvOptions& o) { return convolution(conv3d_p, 3, x, w, &bias, o); }

Tensor conv_transpose1d(const Arg& x, const Arg& w, const ConvTransposeOptions& o) { return transposed(transpose1d_p, 1, x, w, nullptr, o); }
Tensor conv_transpose1d(const Arg& x, const Arg& w, const Arg& b, const ConvTransposeOptions& o) { return transposed(transpose1d_p, 1, x, w, &b, o); }
Tensor conv_transpose2d(const Arg& x, const Arg& w, const ConvTransposeOptions& o) { return transposed(transpose2d_p, 2, x, w, nullptr, o); }
Tensor conv_transpose2d(const Arg& x, const Arg& w, const Arg& b, const ConvTransposeOptions& o) { return transposed(transpose2d_p, 2, x, w, &b, o); }
Tensor conv_transpose3d(const Arg& x, const Arg& w, const ConvTransposeOptions& o) { return transposed(transpose3d_p, 3, x, w, nullptr, o); }
Tensor conv_transpose3d(const Arg& x, const Arg& w, const Arg& b, const ConvTransposeOptions& o) { return transposed(transpose3d_p, 3, x, w, &b, o); }

Tensor depthwise_conv(const Arg& x, const Arg& w, ConvOptions options) {
  const Tensor t = need(w, depthwise_p);
  const int axes = axes_of(depthwise_p, x, w);
  if (t.shape(1) != 1) fail("depthwise_conv", x.loc, "the weight must be [channels * m, 1, taps..], got " + to_string(t.type()), {&t}, "each channel has filters of its own; conv2d mixes channels");
  const Tensor image = need(x, depthwise_p);
  if (image.rank() < axes + 1) fail("depthwise_conv", x.loc, "the input must have " + std::to_string(axes + 2) + " axes, got " + to_string(image.type()), {&image}, "its layout is [n, channels, spatial..]");
  options.groups = image.shape(-axes - 1);
  return convolution(depthwise_p, axes, x, w, nullptr, options);
}
Tensor grouped_conv(const Arg& x, const Arg& w, std::int64_t groups, ConvOptions options) {
  options.groups = groups;
  return convolution(grouped_p, axes_of(grouped_p, x, w), x, w, nullptr, options);
}
Tensor dilated_conv(const Arg& x, const Arg& w, const Ints& dilation, ConvOptions options) {
  options.dilation = dilation;
  return convolution(dilated_p, axes_of(dilated_p, x, w), x, w, nullptr, options);
}
Tensor causal_conv1d(const Arg& x, const Arg& w, ConvOptions options) {
  const Tensor t = need(w, causal_p);
  if (!options.padding.empty() || !options.padding_end.empty() || options.same)
    fail("causal_conv1d", x.loc, "padding is fixed by the taps", {&t}, "leave padding out, or use conv1d");
  const Site s{causal_p, x.loc, &t, nullptr};
  const auto dilation = per_axis(s, options.dilation, 1, 1, 1, "dilation")[0];
  if (t.rank() == 3 && t.shape(2) > 0 && t.shape(2) < kLargest / dilation) options.padding = {(t.shape(2) - 1) * dilation}, options.padding_end = {0};
  return convolution(causal_p, 1, x, w, nullptr, options);
}

Tensor im2col(const Arg& x, const Ints& size, const ConvOptions& options) {
  OpScope scope("im2col", x.loc);
  Tensor t = need(x, im2col_p);
  const Site s{im2col_p, x.loc, &t, nullptr};
  const int axes = size.rank();
  if (axes < 1 || t.rank() != axes + 2) s.fails("windows of " + to_string(size) + " do not fit " + to_string(t.type()), "the layout is [n, channels, spatial..]");
  const Padded p = settings(s, spatial(t), size, options);
  Shape padded = t.shape();
  Embedding e;
  for (int k = 0; k < t.rank(); ++k) {
    const auto i = static_cast<std::size_t>(k);
    e.start.push_back(k < 2 ? 0 : p.attrs.low[i - 2]);
    e.step.push_back(1);
    if (k >= 2) padded[i] += p.attrs.low[i - 2] + p.high[i - 2];
  }
  e.shape = padded;
  checked_elements(padded, "im2col", x.loc);
  if (!(padded == t.shape())) t = embed_node(t, e, x.loc);
  Ints over, order{0, 1};
  for (int k = 0; k < axes; ++k) over.push_back(k + 2);
  for (int k = 0; k < axes; ++k) order.push_back(axes + 2 + k);
  for (int k = 0; k < axes; ++k) order.push_back(k + 2);
  const Tensor w = permute_node(windows(Arg(t, x.loc), over, size, {.stride = p.attrs.stride, .dilation = p.attrs.dilation}), order, x.loc);
  const Shape columns{t.shape(0), t.shape(1) * size.numel(), p.attrs.size.numel()};
  checked_elements(columns, "im2col", x.loc);
  return reshape_node(w, columns, x.loc);
}

Tensor col2im(const Arg& columns, const Ints& image, const Ints& size, const ConvOptions& options) {
  OpScope scope("col2im", columns.loc);
  const Tensor t = need(columns, col2im_p);
  const Loc loc = columns.loc;
  const Site s{col2im_p, loc, &t, nullptr};
  const int axes = size.rank();
  if (axes < 1 || image.rank() != axes || t.rank() != 3)
    s.fails("columns " + to_string(t.type()) + ", image " + to_string(image) + " and windows " + to_string(size) + " do not fit",
            "columns are [n, channels * taps, windows]; image and windows have one size an axis");
  for (auto d : image)
    if (d < 0) s.fails("a negative size in " + to_string(image), "sizes are >= 0");
  const Padded p = settings(s, image, size, options);
  const auto taps = checked_elements(size, "col2im", loc);
  if (t.shape(1) % taps != 0 || t.shape(2) != checked_elements(p.attrs.size, "col2im", loc))
    s.fails("columns " + to_string(t.type()) + " do not hold " + std::to_string(p.attrs.size.numel()) + " windows of " + to_string(size) + " over " + to_string(image), "columns are [n, channels * taps, windows], as im2col makes them");
  if (t.dtype() == DType::bool_) s.fails("columns of " + to_string(t.type()) + " have no addition", "cast them first");
  // The columns as [n, channels, taps.., windows..], each element added at its place in the padded image.
  Shape split{t.shape(0), t.shape(1) / taps}, padded = split;
  for (auto d : size) split.push_back(d);
  for (auto d : p.attrs.size) split.push_back(d);
  for (std::size_t k = 0; k < image.size(); ++k) padded.push_back(image[k] + p.attrs.low[k] + p.high[k]);
  checked_elements(padded, "col2im", loc);
  const Ints at = strides_of(padded);
  Ints strides{at[0], at[1]};
  for (std::size_t k = 0; k < image.size(); ++k) strides.push_back(at[k + 2] * p.attrs.dilation[k]);
  for (std::size_t k = 0; k < image.size(); ++k) strides.push_back(at[k + 2] * p.attrs.stride[k]);
  Tensor y = strided_add_node(reshape_node(t, split, loc), {padded, strides, 0}, loc);
  for (int k = 0; k < axes; ++k) y = slice_axis(y, k + 2, p.attrs.low[static_cast<std::size_t>(k)], image[static_cast<std::size_t>(k)], 1, loc);
  return y;
}

}  // namespace adjoint
