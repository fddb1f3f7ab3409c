// reference_op_test.cpp: the reference's definitions on small values worked out by hand.
// Not the comparison with the library: the interpreter over graphs does that.
#include "check/reference_op.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "adjoint/error.hpp"
#include "check/convolution.hpp"
#include "check/philox.hpp"

namespace adjoint::check {
namespace {

using Ref = RefTensor<Quad>;

Ref tensor(Sizes shape, std::vector<double> values, DType dtype = DType::f64) {
  return {std::move(shape), dtype, std::vector<Quad>(values.begin(), values.end())};
}
Ref ramp(Sizes shape, double from = 0) {
  Ref r = filled(std::move(shape), DType::f64, Quad(0));
  for (auto& v : r.data) v = Quad(from++);
  return r;
}
/// The result as text, "[2,2] 1 2 3 4", so that a failure can be read.
std::string run(std::string_view name, const std::vector<Ref>& in, const std::string& settings = "",
                DType dtype = DType::f64) {
  const auto f = find_definition<Quad>(name);
  if (!f) return "no definition";
  Application<Quad> call{name, Settings(settings), {}, {}, dtype};
  for (const auto& t : in) call.in.push_back(&t);
  const Ref y = f(call);
  std::string text = "[";
  for (const auto d : y.shape) {
    if (text.size() > 1) text += ',';
    text += std::to_string(d);
  }
  text += ']';
  for (const auto v : y.data) {
    char number[32];
    std::snprintf(number, sizeof number, " %.6g", static_cast<double>(v));
    text += number;
  }
  return text;
}

TEST(ReferenceOp, Reductions) {
  const Ref x = tensor({2, 3}, {3, -1, 2, 5, 5, 0});
  EXPECT_EQ(run("sum", {x}, "axes=[0] keepdim=false"), "[3] 8 4 2");
  EXPECT_EQ(run("sum", {x}, "axes=[1] keepdim=true"), "[2,1] 4 10");
  EXPECT_EQ(run("sum", {x}, "axes=[0,1] keepdim=false"), "[] 14");
  EXPECT_EQ(run("sum", {x}, "axes=[] keepdim=false"), "[2,3] 3 -1 2 5 5 0");
  EXPECT_EQ(run("prod", {x}, "axes=[1]"), "[2] -6 0");
  EXPECT_EQ(run("amax", {x}, "axes=[1]"), "[2] 3 5");
  EXPECT_EQ(run("amin", {x}, "axes=[0]"), "[3] 3 -1 0");
  EXPECT_EQ(run("argmax", {x}, "axis=1", DType::i64), "[2] 0 0");
  EXPECT_EQ(run("argmin", {x}, "axes=[0,1]", DType::i64), "[] 1");
  EXPECT_EQ(run("argmax", {tensor({4}, {1, NAN, 7, NAN})}, "axis=0", DType::i64), "[] 1");
  EXPECT_EQ(run("amax", {tensor({3}, {1, NAN, 7})}, "axis=0"), "[] nan");
  const Ref none = tensor({2, 0}, {});
  EXPECT_EQ(run("sum", {none}, "axes=[1]"), "[2] 0 0");
  EXPECT_EQ(run("prod", {none}, "axes=[1]"), "[2] 1 1");
  EXPECT_EQ(run("amax", {none}, "axes=[1]"), "[2] -inf -inf");
  EXPECT_EQ(run("amin", {none}, "axes=[1]", DType::i32), "[2] 2.14748e+09 2.14748e+09");
  EXPECT_EQ(run("argmax", {none}, "axes=[1]", DType::i64), "[2] -1 -1");
  const Ref flags = tensor({2, 2}, {1, 0, 1, 1}, DType::bool_);
  EXPECT_EQ(run("any", {flags}, "axes=[1]", DType::bool_), "[2] 1 1");
  EXPECT_EQ(run("all", {flags}, "axes=[1]", DType::bool_), "[2] 0 1");
  EXPECT_EQ(run("sum", {tensor({2}, {200, 100}, DType::u8)}, "axes=[0]", DType::u8), "[] 44");
  EXPECT_EQ(run("prod", {tensor({2}, {1 << 20, 1 << 20}, DType::i32)}, "axes=[0]", DType::i32),
            "[] 0");
}

TEST(ReferenceOp, Shapes) {
  const Ref x = ramp({2, 3});
  EXPECT_EQ(run("reshape", {x}, "shape=[3,2]"), "[3,2] 0 1 2 3 4 5");
  EXPECT_EQ(run("permute", {x}, "axes=[1,0]"), "[3,2] 0 3 1 4 2 5");
  EXPECT_EQ(run("permute", {ramp({1, 2, 3})}, "axes=[2,0,1]"), "[3,1,2] 0 3 1 4 2 5");
  EXPECT_EQ(run("broadcast_to", {ramp({2, 1})}, "shape=[2,2,2]"), "[2,2,2] 0 0 1 1 0 0 1 1");
  EXPECT_EQ(run("broadcast_to", {tensor({}, {7})}, "shape=[3]"), "[3] 7 7 7");
  EXPECT_EQ(run("slice", {x}, "start=[1,2] size=[1,2] step=[1,-2]"), "[1,2] 5 3");
  EXPECT_EQ(run("embed", {ramp({2}, 1)}, "start=[1] step=[2] shape=[5]"), "[5] 0 1 0 2 0");
  EXPECT_EQ(run("concat", {x, ramp({2, 1}, 8)}, "axis=1"), "[2,4] 0 1 2 8 3 4 5 9");
  EXPECT_EQ(run("flip", {x}, "axes=[0,1]"), "[2,3] 5 4 3 2 1 0");
  EXPECT_EQ(run("iota", {}, "shape=[2,3] axis=1", DType::i32), "[2,3] 0 1 2 0 1 2");
  EXPECT_EQ(run("as_strided", {ramp({6})}, "shape=[3,2] strides=[2,-1] offset=1"),
            "[3,2] 1 0 3 2 5 4");
  EXPECT_EQ(run("as_strided", {ramp({4})}, "shape=[3,2] strides=[1,1] offset=0"),
            "[3,2] 0 1 1 2 2 3");
  EXPECT_EQ(run("strided_add", {ramp({3, 2})}, "shape=[4] strides=[1,1] offset=0"), "[4] 0 3 7 5");
}

TEST(ReferenceOp, Indexing) {
  const Ref x = ramp({3, 2}), idx = tensor({4}, {2, 0, 0, 1}, DType::i64);
  EXPECT_EQ(run("take", {x, idx}, "axis=0"), "[4,2] 4 5 0 1 0 1 2 3");
  EXPECT_EQ(run("take", {x, tensor({2, 2}, {1, 0, 0, 0}, DType::i64)}, "axis=1"),
            "[3,2,2] 1 0 0 0 3 2 2 2 5 4 4 4");
  EXPECT_EQ(run("scatter_add", {ramp({3}, 10), idx, ramp({4}, 1)}, "axis=0"), "[3] 15 15 13");
  EXPECT_THROW(run("take", {x, tensor({1}, {3}, DType::i64)}, "axis=0"), Error);
  EXPECT_THROW(run("take", {x, tensor({1}, {-1}, DType::i64)}, "axis=0"), Error);
}

TEST(ReferenceOp, IndexingByTheElement) {
  const Ref x = ramp({2, 3}), idx = tensor({2, 2}, {2, 0, 1, 1}, DType::i64);
  EXPECT_EQ(run("take_along", {x, idx}), "[2,2] 2 0 4 4");
  EXPECT_EQ(run("put_along", {idx, ramp({2, 2}, 1)}, "size=3"), "[2,3] 2 0 1 0 7 0");
  EXPECT_THROW(run("take_along", {x, tensor({2, 1}, {0, 3}, DType::i64)}), Error);
  const Ref classes = tensor({3}, {1, -1, 0}, DType::i64);
  EXPECT_EQ(run("class_mask", {classes}, "classes=2 ignoring=true ignore=-1", DType::bool_),
            "[3,2] 0 1 0 0 1 0");
  EXPECT_THROW(run("class_mask", {classes}, "classes=2 ignoring=false ignore=-1", DType::bool_),
               Error);
}

TEST(ReferenceOp, MaxPoolPlaces) {
  const std::string two =
      "size=[2] stride=[2] dilation=[1] low=[1] out=[3]";  // windows {x0}, {x1, x2}, {x3, x4}
  EXPECT_EQ(run("max_pool_index", {tensor({5}, {3, 7, 7, 1, 2})}, two, DType::i32), "[3] 0 1 4");
  EXPECT_EQ(run("max_pool_index", {tensor({5}, {-3, 1, NAN, NAN, 9})}, two, DType::i32),
            "[3] 0 2 3");
  const std::string square = "size=[2,2] stride=[1,1] dilation=[1,1] low=[0,0] out=[1,2]";
  EXPECT_EQ(run("max_pool_index", {tensor({2, 2, 3}, {0, 1, 2, 3, 4, 5, 9, 8, 7, 6, 5, 4})}, square,
                DType::i32),
            "[2,1,2] 4 5 0 1");
}

// The published test vectors of Philox4x32-10.
TEST(ReferenceOp, Philox) {
  constexpr std::uint32_t f = 0xffffffff;
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({f, f, f, f}, {f, f}), (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(ReferenceOp, RandomNumbers) {
  const Ref key = tensor({}, {0}, DType::i64);
  const auto draw = [&](const char* name, const char* settings, DType d) {
    const auto definition = find_definition<Quad>(name);
    return definition({name, Settings(settings), {&key}, {}, d}).data;
  };
  const auto bits = draw("random_bits", "shape=[2,3] dtype=i32", DType::i32);
  ASSERT_EQ(bits.size(), 6u);
  EXPECT_EQ(static_cast<std::uint32_t>(static_cast<std::int32_t>(bits[0])), 0x6627e8d5u);
  EXPECT_EQ(static_cast<std::uint32_t>(static_cast<std::int32_t>(bits[3])), 0x9b00dbd8u);
  const auto narrow = draw("random_uniform", "shape=[2] dtype=f32", DType::f32);
  EXPECT_EQ(static_cast<double>(narrow[1]), (0xe169c58du >> 8) * 0x1p-24);
  const auto wide = draw("random_uniform", "shape=[2] dtype=f64", DType::f64);
  EXPECT_EQ(static_cast<double>(wide[1]),
            ((0xbc57ac4cull >> 5 << 26) + (0x9b00dbd8u >> 6)) * 0x1p-53);
  EXPECT_EQ(run("permutation", {key}, "n=1", DType::i64), "[1] 0");
  auto order = draw("permutation", "n=100", DType::i64);
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], Quad(i));
  EXPECT_EQ(run("poisson", {key, tensor({2}, {1, 1})}, "", DType::f32), "[2] 0 0");  // rate 0
  EXPECT_NE(run("fold_in", {key, key}, "", DType::i64),
            run("fold_in", {key, tensor({}, {1}, DType::i64)}, "", DType::i64));
}

TEST(ReferenceOp, ConvolutionsAreTransposesOfEachOther) {
  const std::string settings = "stride=[2,1] dilation=[1,2] low=[1,0] groups=2 size=";
  const Ref x = ramp({2, 4, 5, 4}, -40), w = ramp({2, 2, 3, 2}, 1), ct = ramp({2, 2, 3, 2}, 2);
  const auto apply = [&](const char* name, const Ref& a, const Ref& b, const char* size) {
    return find_definition<Quad>(name)({name, Settings(settings + size), {&a, &b}, {}, DType::f64});
  };
  const Ref y = apply("conv", x, w, "[3,2]"), dx = apply("conv_input_grad", ct, w, "[5,4]");
  const Ref dw = apply("conv_weight_grad", x, ct, "[3,2]");
  ASSERT_EQ(y.shape, ct.shape);
  ASSERT_EQ(dx.shape, x.shape);
  ASSERT_EQ(dw.shape, w.shape);
  const auto inner = [](const Ref& a, const Ref& b) {
    Quad s = 0;
    for (std::size_t i = 0; i < a.data.size(); ++i) s += a.data[i] * b.data[i];
    return static_cast<double>(s);
  };
  EXPECT_EQ(inner(y, ct), inner(x, dx));
  EXPECT_EQ(inner(y, ct), inner(w, dw));
  EXPECT_NE(inner(y, ct), 0);
}

TEST(ReferenceOp, Elementwise) {
  EXPECT_EQ(run("add", {ramp({2}), ramp({2}, 5)}), "[2] 5 7");
  EXPECT_EQ(run("fma", {ramp({2}), ramp({2}, 5), ramp({2}, 1)}), "[2] 1 8");
  EXPECT_EQ(run("where", {tensor({2}, {1, 0}, DType::bool_), ramp({2}), ramp({2}, 5)}), "[2] 0 6");
  const auto ints = [](std::vector<double> v) {
    return tensor({static_cast<std::int64_t>(v.size())}, v, DType::i32);
  };
  EXPECT_EQ(run("remainder", {ints({-7, 7, 5}), ints({3, -3, 0})}, "", DType::i32), "[3] 2 -2 0");
  EXPECT_EQ(run("floor_divide", {ints({-7, 7, 6}), ints({3, -3, 3})}, "", DType::i32),
            "[3] -3 -3 2");
  EXPECT_EQ(run("shift_left", {ints({1, 1}), ints({31, 3})}, "", DType::i32), "[2] -2.14748e+09 8");
  EXPECT_EQ(run("shift_right", {ints({-8, 8}), ints({1, 1})}, "", DType::i32), "[2] -4 4");
  EXPECT_EQ(run("gcd", {ints({-12, 0}), ints({18, 5})}, "", DType::i32), "[2] 6 5");
  EXPECT_EQ(run("popcount", {ints({-1, 5})}, "", DType::i32), "[2] 32 2");
  EXPECT_EQ(run("pow", {ints({-2, 2, 3}), ints({3, 40, 0})}, "", DType::i32), "[3] -8 0 1");
  EXPECT_EQ(run("lt", {ints({1, 2}), ints({2, 2})}, "", DType::bool_), "[2] 1 0");
  EXPECT_EQ(run("cast", {tensor({5}, {1.9, -1.9, 3e9, -3e9, NAN})}, "dtype=i32", DType::i32),
            "[5] 1 -1 2.14748e+09 -2.14748e+09 0");
  EXPECT_EQ(run("cast", {ints({257, -1})}, "dtype=u8", DType::u8), "[2] 1 255");
  EXPECT_EQ(run("cast", {tensor({3}, {0.5, 0, NAN})}, "dtype=bool", DType::bool_), "[3] 1 0 1");
  EXPECT_THROW(run("exp", {ints({1})}, "", DType::i32), Error);
  EXPECT_THROW(run("popcount", {ramp({1})}), Error);
  EXPECT_EQ(run("sub", {tensor({1}, {std::nextafter(1.0, 2.0)}), ramp({1}, 1)}), "[1] 2.22045e-16");
  EXPECT_EQ(run("nextafter", {tensor({1}, {0}, DType::f32), ramp({1}, 1)}, "", DType::f32),
            "[1] 1.4013e-45");
  EXPECT_EQ(run("nextafter", {tensor({1}, {0}), ramp({1}, 1)}), "[1] 4.94066e-324");
  EXPECT_EQ(run("no_such_op", {}), "no definition");
}

TEST(ReferenceOp, Dot) {
  EXPECT_EQ(run("dot", {ramp({2, 3}), ramp({3, 2}, 1)}), "[2,2] 13 16 40 52");
  EXPECT_EQ(run("dot", {ramp({2, 1, 2}), ramp({2, 2, 1}, 1)}), "[2,1,1] 2 18");
  EXPECT_EQ(run("dot", {ramp({2, 0}), ramp({0, 1})}), "[2,1] 0 0");
}

TEST(Convolution, ByHandInOneAxis) {
  // stride 2, one zero in front, dilation 2: y[p] = w0 x[2p - 1] + w1 x[2p + 1].
  const Convolution c{{1, 1, 5}, {1, 1, 2}, {1, 1, 2}, {2}, {1}, {2}, 1};
  const double x[] = {1, 2, 3, 4, 5}, w[] = {10, 1};
  double y[] = {0, 0};
  each_tap(c, [&](auto i, auto j, auto k) { y[k] += x[i] * w[j]; });
  EXPECT_EQ(y[0], 2);
  EXPECT_EQ(y[1], 24);
}

TEST(Convolution, GroupsReadTheirOwnChannels) {
  const Convolution c{{2, 4, 3, 3}, {6, 2, 1, 1}, {2, 6, 3, 3}, {1, 1}, {0, 0}, {1, 1}, 2};
  std::size_t taps = 0;
  each_tap(c, [&](std::size_t i, std::size_t j, std::size_t k) {
    ++taps;
    EXPECT_EQ(i / 9 % 4 / 2, k / 9 % 6 / 3);  // group of the input channel, of the output channel
    EXPECT_EQ(i / 9 % 2, j % 2);
    EXPECT_EQ(j / 2, k / 9 % 6);
    EXPECT_EQ(i % 9, k % 9);
  });
  EXPECT_EQ(taps, 2u * 6 * 9 * 2);
}

TEST(Settings, ReadsEveryForm) {
  const Settings s("start=[0,-1] keepdim=true axis=-2 dtype=f32 empty=[]");
  EXPECT_EQ(s.ints("start"), (Sizes{0, -1}));
  EXPECT_EQ(s.ints("empty"), Sizes{});
  EXPECT_TRUE(s.flag("keepdim"));
  EXPECT_EQ(s.integer("axis"), -2);
  EXPECT_EQ(s.word("dtype"), "f32");
  EXPECT_FALSE(s.has("stop"));
  EXPECT_THROW(s.word("stop"), Error);
  EXPECT_THROW(s.integer("dtype"), Error);
  EXPECT_THROW(s.flag("axis"), Error);
  EXPECT_THROW(s.ints("axis"), Error);
  EXPECT_EQ(Settings("name=\"a b=c\" n=3").integer("n"), 3);
  EXPECT_THROW(Settings("nothing").word("n"), Error);
  EXPECT_FALSE(Settings("").has(""));
}

}  // namespace
}  // namespace adjoint::check
