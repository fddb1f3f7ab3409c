// training_ops_test.cpp: what networks for images need, on values worked out by hand. Not the generated checks of rows.
#include <gtest/gtest.h>

#include <cmath>

#include "adjoint/grad.hpp"
#include "adjoint/ops.hpp"

namespace adjoint {
namespace {

using Values = std::vector<double>;

Tensor ramp(const Shape& shape, double from = 0, double step = 1) {
  Values v(static_cast<std::size_t>(shape.numel()));
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = from + step * static_cast<double>(i);
  return tensor(v, shape);
}
Tensor ints(const std::vector<std::int64_t>& v, const Shape& shape) { return tensor(v, shape); }
Values values(const Tensor& t) { return t.to_vector<double>(); }

TEST(TrainingOps, LinearAndItsGradients) {
  const Tensor x = ramp({2, 3}), w = ramp({4, 3}, 1), b = ramp({4}, 10, 10);
  const Tensor y = linear(x, w, b);
  const Tensor dw = grad(sum(y), w), db = grad(sum(y), b), dx = grad(sum(y), x);
  EXPECT_EQ(values(y), (Values{18, 37, 56, 75, 36, 82, 128, 174}));
  EXPECT_EQ(values(dw), (Values{3, 5, 7, 3, 5, 7, 3, 5, 7, 3, 5, 7}));
  EXPECT_EQ(values(db), (Values{2, 2, 2, 2}));
  EXPECT_EQ(values(dx), (Values{22, 26, 30, 22, 26, 30}));
}

TEST(TrainingOps, ConvolutionByHand) {
  const Tensor x = ramp({1, 1, 3, 3}, 1), w = ramp({1, 1, 2, 2}, 1);
  EXPECT_EQ(values(conv2d(x, w)), (Values{37, 47, 67, 77}));
  const Tensor y = conv2d(x, w, {.stride = {2}, .padding = {1}});
  EXPECT_EQ(y.shape(), (Shape{1, 1, 2, 2}));
  EXPECT_EQ(values(y), (Values{4, 18, 36, 77}));
  const Tensor s = sum(conv2d(x, w));
  EXPECT_EQ(values(grad(s, x)), (Values{1, 3, 2, 4, 10, 6, 3, 7, 4}));
  EXPECT_EQ(values(grad(s, w)), (Values{12, 16, 24, 28}));
}

TEST(TrainingOps, TransposedConvolutionIsTheTranspose) {
  const Tensor x = ramp({1, 2, 3, 3}, -4, 0.5), w = ramp({4, 2, 2, 3}, -1, 0.1), seed = ramp({1, 4, 2, 2}, 2, -0.25);
  const ConvOptions o{.stride = {2, 1}, .padding = {1, 0}, .padding_end = {0, 1}};
  const Tensor y = conv2d(x, w, o);
  ASSERT_EQ(y.shape(), seed.shape());
  const Tensor back = conv_transpose2d(seed, w, {.stride = {2, 1}, .padding = {1, 0}, .padding_end = {0, 1}, .output_padding = {0, 0}});
  EXPECT_EQ(values(vjp(y, seed, x)), values(slice(back, {0, 0, 0, 0}, {1, 2, 3, 3})));
}

TEST(TrainingOps, MaxPoolTakesTheFirstOfEquals) {
  const Tensor x = tensor(Values{1, 5, 2, 2, 5, 3, 2, 2, 7, 7, 0, NAN, 7, 7, 1, 2}, {1, 1, 4, 4});
  const Tensor y = max_pool2d(x, {2}), dx = grad(sum(y), x), dy = jvp(y, x, ramp({1, 1, 4, 4}));
  const Values v = values(y);
  EXPECT_EQ(v[0], 5);
  EXPECT_EQ(v[1], 2);
  EXPECT_EQ(v[2], 7);
  EXPECT_TRUE(std::isnan(v[3]));
  EXPECT_EQ(values(dx), (Values{0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0}));
  EXPECT_EQ(values(dy), (Values{1, 2, 8, 11}));
}

TEST(TrainingOps, MaxPoolOverlapsPadsAndDilates) {
  const Tensor x = ramp({1, 5, 5});
  EXPECT_EQ(values(max_pool2d(x, {3}, {.stride = {2}, .padding = {1}})), (Values{6, 8, 9, 16, 18, 19, 21, 23, 24}));
  EXPECT_EQ(values(max_pool2d(x, {2}, {.stride = {1}, .dilation = {3}})), (Values{18, 19, 23, 24}));
  EXPECT_EQ(values(max_pool2d(x, {2}, {.ceil_mode = true})), (Values{6, 8, 9, 16, 18, 19, 21, 23, 24}));
  EXPECT_EQ(values(max_pool1d(-x, {3}, {.stride = {2}})), (Values{0, -2, -5, -7, -10, -12, -15, -17, -20, -22}));
}

TEST(TrainingOps, MaxPoolInF32AgreesWithTheLoopOverWindows) {
  // f32 runs on vectors, f64 one window after another: the same places, at ties and NaN too.
  for (const auto& [size, options] : std::vector<std::pair<Ints, PoolOptions>>{
           {{2}, {}}, {{2}, {.stride = {1}}}, {{3}, {.stride = {2}, .padding = {1}}}, {{3, 2}, {.stride = {3, 1}, .dilation = {1, 2}}}, {{5}, {.stride = {2}, .padding = {2}, .ceil_mode = true}}})
    for (const std::int64_t width : {7, 16, 37, 600}) {
      std::vector<float> v(static_cast<std::size_t>(2 * 9 * width));
      std::uint32_t state = 1;
      for (auto& e : v) {
        state = state * 1664525u + 1013904223u;
        e = state >> 28 == 3 ? NAN : static_cast<float>(state >> 29);
      }
      const Tensor narrow = tensor(v, {2, 9, width}), wide = cast(narrow, DType::f64);
      const Tensor a = max_pool2d(narrow, size, options), b = max_pool2d(wide, size, options);
      const Tensor da = vjp(a, ones_like(a), narrow), db = vjp(b, ones_like(b), wide);
      ASSERT_EQ(values(da), values(db)) << "width " << width << " size " << size;
    }
}

TEST(TrainingOps, MeansOverWindows) {
  const Tensor x = ramp({1, 1, 4, 4});
  EXPECT_EQ(values(avg_pool2d(x, {2})), (Values{2.5, 4.5, 10.5, 12.5}));
  EXPECT_EQ(values(avg_pool2d(x, {2}, {.stride = {4}, .padding = {1}})), (Values{0, 0.75, 3, 3.75}));
  EXPECT_EQ(values(avg_pool1d(ramp({1, 3}, 1), {2}, {.padding = {1}, .count_include_pad = false})), (Values{1, 2.5}));
  EXPECT_EQ(values(avg_pool1d(ramp({1, 3}, 1), {2}, {.padding = {1}})), (Values{0.5, 2.5}));
  EXPECT_EQ(values(adaptive_avg_pool(ramp({1, 5}), {2})), (Values{1, 3}));
  EXPECT_EQ(values(global_pool(x)), (Values{7.5}));
  EXPECT_EQ(values(grad(sum(avg_pool2d(x, {3}, {.stride = {1}})), x)),
            values(mul(tensor(Values{1, 2, 2, 1, 2, 4, 4, 2, 2, 4, 4, 2, 1, 2, 2, 1}, {1, 1, 4, 4}), 1.0 / 9)));
}

TEST(TrainingOps, ExtremesShareTies) {
  const Tensor x = tensor(Values{3, 1, 3, 2}, {4});
  EXPECT_EQ(values(amax(x)), (Values{3}));
  EXPECT_EQ(values(grad(amax(x), x)), (Values{0.5, 0, 0.5, 0}));
  EXPECT_EQ(jvp(amax(x), x, ramp({4})).item(), 1);
  EXPECT_EQ(argmax(x).item(), 0);
  EXPECT_EQ(argmin(x).item(), 1);
}

TEST(TrainingOps, LogSumExpNeitherOverflowsNorLosesInfinities) {
  const Tensor x = tensor(Values{1000, 1000, -INFINITY, -INFINITY}, {2, 2});
  const Tensor y = logsumexp(x, {1}), dx = vjp(y, ones_like(y), x);
  EXPECT_EQ(values(y), (Values{1000 + std::log(2.0), -INFINITY}));
  const Values d = values(dx);
  EXPECT_NEAR(d[0], 0.5, 1e-13);  // e^(x - y): y carries the rounding of a number near 1,000
  EXPECT_NEAR(d[1], 0.5, 1e-13);
  EXPECT_EQ(d[2], 0);
  EXPECT_EQ(d[3], 0);
}

TEST(TrainingOps, TakeScatterAndOneHot) {
  const Tensor x = ramp({3, 2}), j = ints({2, 0, 2}, {3});
  const Tensor y = take(x, j), dx = grad(sum(y), x);
  EXPECT_EQ(values(y), (Values{4, 5, 0, 1, 4, 5}));
  EXPECT_EQ(values(dx), (Values{1, 1, 0, 0, 2, 2}));
  EXPECT_EQ(values(one_hot(ints({1, 0}, {2}), 3)), (Values{0, 1, 0, 1, 0, 0}));
  EXPECT_EQ(values(scatter_add(zeros({3}, DType::f64), ints({1, 1, 2}, {3}), ramp({3}, 1))), (Values{0, 3, 3}));
  EXPECT_EQ(values(gather(ramp({2, 3}), 1, ints({2, 0}, {2, 1}))), (Values{2, 3}));
}

TEST(TrainingOps, ABadIndexIsAnErrorThatNamesIt) {
  try {
    eval(take(ramp({3, 2}), ints({0, 3}, {2})));
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("index 3 at position 1 is outside an axis of size 3"), std::string::npos) << e.what();
  }
}

TEST(TrainingOps, ConcatAndPad) {
  const Tensor a = ramp({2, 1}), b = ramp({2, 2}, 10);
  const Tensor y = concat({a, b}, 1), db = vjp(y, ramp({2, 3}), b);
  EXPECT_EQ(values(y), (Values{0, 10, 11, 1, 12, 13}));
  EXPECT_EQ(values(db), (Values{1, 2, 4, 5}));
  EXPECT_EQ(values(pad_constant(ramp({2}, 1), {1}, {2}, 9)), (Values{9, 1, 2, 9, 9}));
  EXPECT_EQ(values(flatten(b)), (Values{10, 11, 12, 13}));
}

}  // namespace
}  // namespace adjoint
