// wrong_images_test.cpp: wrong options of convolutions, pooling, padding and windows. Not wrong operands, which are
// generated from the rows.
#include <cmath>

#include "adjoint/ops.hpp"
#include "check/wrong_options.hpp"

namespace adjoint::check {
namespace {

constexpr std::int64_t kLeast = INT64_MIN, kMost = INT64_MAX, kHuge = std::int64_t{1} << 40;
const Ints kNotPositive = {0, -1, -7, kLeast};
const Ints kOverflowing = {kHuge, kMost - 1, kMost};

Tensor image(DType dtype = DType::f32) { return ones({2, 4, 8, 8}, dtype); }
Tensor weight(DType dtype = DType::f32) { return ones({6, 4, 3, 3}, dtype); }

TEST(WrongOptions, OfConvolutions) {
  Family f("convolution");
  const Tensor x = image(), w = weight(), line = ones({2, 4, 9}), w1 = ones({6, 4, 3}), cube = ones({1, 4, 5, 5, 5}), w3 = ones({2, 4, 2, 2, 2});
  const Tensor wt = ones({4, 6, 3, 3});
  for (const auto v : kNotPositive) {
    for (const Ints& list : {Ints{v}, Ints{v, 1}, Ints{1, v}}) {
      f.wrong([&] { return conv2d(x, w, {.stride = list}); });
      f.wrong([&] { return conv2d(x, w, {.dilation = list}); });
      f.wrong([&] { return conv2d(x, w, ones({6}), {.stride = list}); });
      f.wrong([&] { return conv_transpose2d(x, wt, {.stride = list}); });
      f.wrong([&] { return conv_transpose2d(x, wt, {.dilation = list}); });
      f.wrong([&] { return im2col(x, list); });
      f.wrong([&] { return im2col(x, {2, 2}, {.stride = list}); });
      f.wrong([&] { return col2im(ones({2, 16, 49}), {8, 8}, list); });
      f.wrong([&] { return dilated_conv(x, w, list); });
    }
    f.wrong([&] { return conv2d(x, w, {.groups = v}); });
    f.wrong([&] { return conv1d(line, w1, {.stride = {v}}); });
    f.wrong([&] { return conv1d(line, w1, {.groups = v}); });
    f.wrong([&] { return conv3d(cube, w3, {.stride = {1, v, 1}}); });
    f.wrong([&] { return conv3d(cube, w3, {.dilation = {v}}); });
    f.wrong([&] { return grouped_conv(x, w, v); });
    f.wrong([&] { return conv_transpose2d(x, wt, {.groups = v}); });
    f.wrong([&] { return causal_conv1d(line, w1, {.dilation = {v}}); });
    f.wrong([&] { return col2im(ones({2, 16, 49}), {v, 8}, {2, 2}); });
    if (v == 0) continue;
    f.wrong([&] { return conv2d(x, w, {.padding = {v}}); });
    f.wrong([&] { return conv2d(x, w, {.padding = {0, v}}); });
    f.wrong([&] { return conv2d(x, w, {.padding_end = {v}}); });
    f.wrong([&] { return conv_transpose2d(x, wt, {.padding = {v}}); });
    f.wrong([&] { return conv_transpose2d(x, wt, {.output_padding = {v}}); });
    f.wrong([&] { return conv1d(line, w1, {.padding = {v}}); });
    f.wrong([&] { return im2col(x, {2, 2}, {.padding = {v}}); });
  }
  for (const auto v : kOverflowing) {
    f.wrong([&] { return conv2d(x, w, {.dilation = {v}}); });
    f.wrong([&] { return conv2d(x, w, {.groups = v}); });
    f.wrong([&] { return grouped_conv(x, w, v); });
    f.wrong([&] { return im2col(x, {v, v}); });
    f.wrong([&] { return dilated_conv(x, w, {1, v}); });
    f.wrong([&] { return conv_transpose2d(x, wt, {.groups = v}); });
    f.wrong([&] { return conv_transpose2d(x, wt, {.output_padding = {v}}); });
    f.wrong([&] { return conv2d(x, w, {.padding = {v, v}}); });
    f.unsure([&] { return conv2d(x, w, {.padding = {v, 0}}); });
    f.unsure([&] { return conv2d(x, w, {.stride = {v}}); });
    f.unsure([&] { return conv2d(x, w, {.stride = {v}, .same = true}); });
    f.unsure([&] { return conv_transpose2d(x, wt, {.stride = {v}}); });
    f.unsure([&] { return conv_transpose2d(x, wt, {.dilation = {v}}); });
    f.unsure([&] { return col2im(ones({2, 16, 49}), {v, v}, {2, 2}); });
    f.unsure([&] { return causal_conv1d(line, w1, {.dilation = {v}}); });
  }
  f.wrong([&] { return conv2d(x, w, {.padding = {1}, .same = true}); });
  for (const Ints& list : {Ints{1, 1, 1}, Ints{1, 1, 1, 1}}) {
    f.wrong([&] { return conv2d(x, w, {.stride = list}); });
    f.wrong([&] { return conv2d(x, w, {.padding = list}); });
    f.wrong([&] { return conv2d(x, w, {.padding_end = list}); });
    f.wrong([&] { return conv2d(x, w, {.dilation = list}); });
    f.wrong([&] { return conv1d(line, w1, {.stride = list}); });
    f.wrong([&] { return im2col(x, list); });
    f.wrong([&] { return conv_transpose2d(x, wt, {.stride = list}); });
  }
  for (const Shape& s : {Shape{}, Shape{4}, Shape{4, 8}, Shape{2, 3, 8, 8}, Shape{2, 0, 8, 8}, Shape{2, 4, 2, 8}, Shape{2, 4, 8, 0}, Shape{1, 2, 4, 8, 8}})
    f.wrong([&] { return conv2d(ones(s), w); });
  for (const Shape& s : {Shape{}, Shape{6}, Shape{6, 4, 3}, Shape{6, 3, 3, 3}, Shape{6, 4, 9, 3}, Shape{6, 4, 0, 3}, Shape{0, 4, 3, 3}, Shape{6, 4, 3, 3, 1}}) {
    f.wrong([&] { return conv2d(x, ones(s)); });
    f.wrong([&] { return depthwise_conv(x, ones(s)); });
  }
  for (const Shape& s : {Shape{}, Shape{1}, Shape{5}, Shape{6, 1}, Shape{1, 6}, Shape{0}, Shape{kHuge}}) f.wrong([&] { return conv2d(x, w, ones(s)); });
  for (const Tensor& none : {Tensor()}) {
    f.wrong([&] { return conv2d(none, w); });
    f.wrong([&] { return conv2d(x, none); });
    f.wrong([&] { return conv2d(x, w, none); });
    f.wrong([&] { return conv_transpose2d(none, wt); });
    f.wrong([&] { return depthwise_conv(none, w); });
    f.wrong([&] { return grouped_conv(x, none, 2); });
    f.wrong([&] { return causal_conv1d(none, w1); });
    f.wrong([&] { return im2col(none, {2}); });
    f.wrong([&] { return col2im(none, {8, 8}, {2, 2}); });
  }
}

using Pool = Tensor (*)(const Arg&, const Ints&, const PoolOptions&);
TEST(WrongOptions, OfPooling) {
  Family f("pooling");
  const Tensor x = image();
  for (const Pool pool : {Pool(max_pool2d), Pool(avg_pool2d)}) {
    for (const auto v : kNotPositive)
      for (const Ints& list : {Ints{v}, Ints{v, 2}, Ints{2, v}}) {
        f.wrong([&] { return pool(x, list, {}); });
        f.wrong([&] { return pool(x, {2}, {.stride = list}); });
        f.wrong([&] { return pool(x, {2}, {.dilation = list}); });
        if (v != 0) f.wrong([&] { return pool(x, {2}, {.padding = {v}}); });
      }
    for (const auto v : kOverflowing) {
      f.wrong([&] { return pool(x, {v}, {}); });
      f.wrong([&] { return pool(x, {2, v}, {}); });
      f.wrong([&] { return pool(x, {2}, {.padding = {v}}); });
      f.unsure([&] { return pool(x, {2}, {.stride = {v}}); });
      f.unsure([&] { return pool(x, {2}, {.stride = {v}, .ceil_mode = true}); });
      f.wrong([&] { return pool(x, {2}, {.dilation = {v}}); });
    }
    f.wrong([&] { return pool(x, {}, {}); });
    f.wrong([&] { return pool(x, {2, 2, 2}, {}); });
    f.wrong([&] { return pool(x, {9}, {}); });
    f.wrong([&] { return pool(x, {3}, {.padding = {2}}); });
    f.wrong([&] { return pool(Tensor(), {2}, {}); });
    f.wrong([&] { return pool(ones({8}), {2}, {}); });
    if (pool == max_pool2d) f.wrong([&] { return pool(ones({2, 4, 8, 8}, DType::bool_), {2}, {}); });
    for (const Shape& s : {Shape{2, 4, 0, 8}, Shape{2, 4, 1, 8}}) f.wrong([&] { return pool(ones(s), {2}, {}); });
  }
  for (const auto v : kNotPositive) {
    f.wrong([&] { return adaptive_avg_pool(x, {v}); });
    f.wrong([&] { return adaptive_avg_pool(x, {2, v}); });
    f.wrong([&] { return upsample_nearest(x, {v, 16}); });
    f.wrong([&] { return upsample_nearest(x, {v}); });
    f.wrong([&] { return upsample_bilinear(x, {16, v}); });
    f.wrong([&] { return upsample_bilinear(x, {v, 16}, true); });
    f.wrong([&] { return reduce_window(x, {1, 1, v, 2}, Reduction::max); });
    f.wrong([&] { return reduce_window(x, {1, 1, 2, 2}, Reduction::sum, {1, 1, v, 1}); });
    f.wrong([&] { return reduce_window(x, {1, 1, 2, 2}, Reduction::prod, {}, {1, 1, 1, v}); });
    f.wrong([&] { return windows(x, {2}, {v}); });
    f.wrong([&] { return windows(x, {2}, {2}, {.stride = {v}}); });
    f.wrong([&] { return windows(x, {2, 3}, {2, 2}, {.dilation = {1, v}}); });
    f.wrong([&] { return pixel_shuffle(x, v); });
    f.wrong([&] { return pixel_unshuffle(x, v); });
    f.wrong([&] { return channel_shuffle(x, v); });
  }
  for (const auto v : kOverflowing) {
    f.wrong([&] { return reduce_window(x, {1, 1, v, 2}, Reduction::max); });
    f.wrong([&] { return windows(x, {2}, {v}); });
    f.wrong([&] { return windows(x, {2, 3}, {2, 2}, {.dilation = {1, v}}); });
    f.wrong([&] { return pixel_shuffle(x, v); });
    f.wrong([&] { return pixel_unshuffle(x, v); });
    f.wrong([&] { return channel_shuffle(x, v); });
    f.unsure([&] { return upsample_nearest(x, {v, v}); });
    f.unsure([&] { return upsample_nearest(x, {v, 1}); });
    f.unsure([&] { return upsample_bilinear(x, {v, v}); });
    f.unsure([&] { return adaptive_avg_pool(x, {v, v}); });
    f.unsure([&] { return windows(x, {2}, {2}, {.stride = {v}}); });
  }
  f.wrong([&] { return global_pool(ones({3, 4})); });
  f.wrong([&] { return global_pool(Tensor()); });
  f.wrong([&] { return upsample_bilinear(x, {16}); });
  f.wrong([&] { return windows(x, {4}, {2}); });
  f.wrong([&] { return windows(x, {2, 2}, {2, 2}); });
  f.wrong([&] { return windows(x, {2, -2}, {2, 2}); });
  f.wrong([&] { return windows(x, {2}, {2, 2}); });
  f.wrong([&] { return windows(ones({1, 1, 1, 1, 1, 1, 1, 1}), {0}, {1}); });
}

using Pad = Tensor (*)(const Arg&, const Ints&, const Ints&);
TEST(WrongOptions, OfPadding) {
  Family f("padding");
  const Tensor x = ones({3, 5});
  const Pad constant = [](const Arg& t, const Ints& low, const Ints& high) { return pad_constant(t, low, high); };
  for (const Pad pad : {constant, Pad(pad_reflect), Pad(pad_replicate), Pad(pad_circular)}) {
    for (const auto v : {std::int64_t{-1}, std::int64_t{-5}, kLeast, kMost, kMost - 4}) {
      f.wrong([&] { return pad(Arg(x), {v, 0}, {0, 0}); });
      f.wrong([&] { return pad(Arg(x), {0, v}, {0, 0}); });
      f.wrong([&] { return pad(Arg(x), {0, 0}, {v, 0}); });
      f.wrong([&] { return pad(Arg(x), {0, 0}, {0, v}); });
    }
    f.wrong([&] { return pad(Arg(x), {kHuge, kHuge}, {0, 0}); });
    f.unsure([&] { return pad(Arg(x), {kHuge, 0}, {0, 0}); });
    f.wrong([&] { return pad(Arg(x), {1}, {1, 1}); });
    f.wrong([&] { return pad(Arg(x), {1, 1}, {1}); });
    f.wrong([&] { return pad(Arg(x), {}, {}); });
    f.wrong([&] { return pad(Arg(x), {1, 1, 1}, {1, 1, 1}); });
    f.wrong([&] { return pad(Tensor(), {1}, {1}); });
    if (pad != constant) f.wrong([&] { return pad(ones({0}), {1}, {1}); });
  }
  f.wrong([&] { return pad_reflect(x, {3, 0}, {0, 0}); });
  f.wrong([&] { return pad_reflect(ones({1}), {1}, {0}); });
  f.wrong([&] { return pad_circular(x, {0, 6}, {0, 0}); });
  f.wrong([&] { return pad_constant(ones({2}, DType::i32), {1}, {1}, 0.5); });
  f.wrong([&] { return pad_constant(ones({2}, DType::u8), {1}, {1}, 300); });
  f.wrong([&] { return pad_constant(ones({2}, DType::i64), {1}, {1}, NAN); });
}

}  // namespace
}  // namespace adjoint::check
