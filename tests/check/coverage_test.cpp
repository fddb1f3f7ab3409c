// coverage_test.cpp: the table of operations counts what is registered, and every name that a
// release must have is there. Not the operations' correctness.
#include "check/coverage.hpp"

#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "adjoint/ops.hpp"
#include "check/harness.hpp"
#include "graph/primitive.hpp"

namespace adjoint::check {
namespace {

std::map<std::string, std::string> derivatives() {
  std::map<std::string, std::string> by_name;
  for (const auto& line : coverage().lines) by_name[line.name] = line.derivative;
  return by_name;
}

/// Each of the names, separated by spaces, is registered with this derivative.
void expect_all(const std::string& names, const std::string& derivative) {
  const auto by_name = derivatives();
  std::istringstream in(names);
  for (std::string name; in >> name;) {
    const auto at = by_name.find(name);
    ASSERT_NE(at, by_name.end()) << name << " is missing";
    EXPECT_EQ(at->second, derivative) << name;
  }
}

TEST(Coverage, CountsAddUp) {
  const Coverage c = coverage();
  EXPECT_EQ(static_cast<std::size_t>(c.differentiable + c.zero_derivative + c.refused), primitives().size());
  EXPECT_EQ(c.lines.size(), primitives().size());
  EXPECT_EQ(c.without_row, 0);
  for (const auto& line : c.lines) {
    EXPECT_TRUE(line.rows > 0 || (line.derivative == "refused" && line.bad_calls > 0)) << line.name << " has no row";
    EXPECT_FALSE(line.family.empty()) << line.name << " has no family";
  }
}

TEST(Coverage, UnaryFunctions) {
  expect_all("neg abs square sqrt rsqrt cbrt reciprocal exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan sinh cosh "
             "tanh asinh acosh atanh sigmoid logit erf erfc erfinv sinc", "differentiable");
  expect_all("sign floor ceil round trunc isnan isinf isfinite logical_not bitwise_not popcount", "zero");
}
TEST(Coverage, Activations) {
  expect_all("relu relu6 relu_squared leaky_relu prelu elu selu celu gelu_erf gelu_tanh quick_gelu silu mish softplus softsign "
             "log_sigmoid hardtanh hardsigmoid hardswish hardshrink softshrink tanhshrink threshold glu swiglu geglu reglu", "differentiable");
  expect_all("step", "zero");
}
TEST(Coverage, BinaryFunctions) {
  expect_all("add sub mul div pow maximum minimum fmod remainder atan2 hypot logaddexp logaddexp2 xlogy xlog1py copysign ldexp lerp "
             "addcmul addcdiv fma squared_difference", "differentiable");
  expect_all("floor_divide bitwise_and bitwise_or bitwise_xor shift_left shift_right gcd", "zero");
  expect_all("nextafter", "refused");
}
TEST(Coverage, CompareAndSelect) {
  expect_all("where select_n clamp masked_fill nan_to_num cast", "differentiable");
  expect_all("eq ne lt le gt ge logical_and logical_or logical_xor isclose allclose stop_gradient bitcast", "zero");
}
TEST(Coverage, Reductions) {
  expect_all("sum mean prod amax amin logsumexp logmeanexp var std var_mean norm_p norm_2 nansum nanmean global_norm segment_sum segment_mean "
             "segment_max segment_prod", "differentiable");
  expect_all("any all argmax argmin count_nonzero", "zero");
}
TEST(Coverage, ShapesAndViews) {
  expect_all("reshape view flatten unflatten squeeze unsqueeze transpose permute moveaxis broadcast_to tile repeat repeat_interleave concat stack "
             "split chunk unstack pad_constant pad_reflect pad_replicate pad_circular slice select narrow flip roll rot90 as_strided windows diag "
             "diagonal diag_embed tril triu trace kron meshgrid contiguous pixel_shuffle pixel_unshuffle channel_shuffle", "differentiable");
  expect_all("shape_of numel iota", "zero");
}
TEST(Coverage, Creation) { expect_all("arange linspace logspace eye empty iota", "zero"); }
TEST(Coverage, Indexing) {
  expect_all("gather take take_along_axis index_select index getitem dynamic_slice dynamic_update_slice slice_scatter scatter_add index_add "
             "embedding", "differentiable");
  expect_all("one_hot nonzero bincount histogram searchsorted bucketize", "zero");
  expect_all("unique", "refused");
}
TEST(Coverage, Products) {
  expect_all("dot vdot outer mv mm bmm matmul addmm baddbmm linear bilinear einsum tensordot multi_dot grouped_mm", "differentiable");
}
TEST(Coverage, ConvolutionsAndPooling) {
  expect_all("conv1d conv2d conv3d conv_transpose1d conv_transpose2d depthwise_conv grouped_conv dilated_conv causal_conv1d im2col col2im", "differentiable");
  expect_all("max_pool1d max_pool2d avg_pool1d avg_pool2d adaptive_avg_pool global_pool reduce_window upsample_nearest upsample_bilinear",
             "differentiable");
}
TEST(Coverage, NormalisationsAndSoftmax) {
  expect_all("batch_norm layer_norm rms_norm group_norm instance_norm local_response_norm weight_norm spectral_norm l2_normalize", "differentiable");
  expect_all("softmax log_softmax softmin masked_softmax gumbel_softmax logsumexp_pair", "differentiable");
}
TEST(Coverage, Losses) {
  expect_all("cross_entropy soft_cross_entropy fused_linear_cross_entropy nll bce bce_with_logits mse l1 smooth_l1 huber log_cosh kl_div hinge "
             "cosine_similarity", "differentiable");
  expect_all("accuracy", "zero");
  expect_all("perplexity", "refused");
}
TEST(Coverage, RandomNumbers) {
  expect_all("dropout dropout1d dropout2d dropout3d alpha_dropout drop_path", "differentiable");
  expect_all("random_bits uniform normal truncated_normal randint permutation exponential laplace gumbel", "zero");
  expect_all("bernoulli categorical multinomial poisson", "refused");
}
TEST(Coverage, ControlOfGradients) {
  expect_all("custom_vjp custom_jvp checkpoint name_value straight_through scale_gradient reverse_gradient clip_gradient probe identity_barrier",
             "differentiable");
}
TEST(Coverage, AtLeast220Differentiable) { EXPECT_GE(coverage().differentiable, 220); }

TEST(Harness, FilterAndProgress) {
  std::vector<std::string> seen;
  const CheckReport r = run_checks("logaddexp", [&](std::string_view op, const CheckReport&) { seen.emplace_back(op); });
  EXPECT_EQ(seen, (std::vector<std::string>{"logaddexp", "logaddexp2"}));
  EXPECT_EQ(r.rules, 2);
  EXPECT_EQ(r.failed, 0);
  EXPECT_GT(r.checks, 100);
  EXPECT_GT(r.worst_error, 0);
  EXPECT_LE(r.worst_error, 1e-12);
}
TEST(Harness, AWrongValueFails) {
  // A row that claims f64 digits for a value rounded to f32.
  Row row{.op = "cast", .in = {{{3}}}, .call = [](const Tensors& x) { return cast(x[0], DType::f32); }, .f32 = false};
  CheckReport r;
  check_row(row, r);
  ASSERT_EQ(r.failed, 1) << r.failures.size();
  EXPECT_NE(r.failures[0].find("value: off by"), std::string::npos) << r.failures[0];
}
TEST(Harness, ARowOfAnotherOperationFails) {
  Row row{.op = "sin", .in = {{{3}}}, .call = [](const Tensors& x) { return cos(x[0]); }};
  CheckReport r;
  check_row(row, r);
  ASSERT_EQ(r.failed, 1);
  EXPECT_NE(r.failures[0].find("makes no node of sin"), std::string::npos) << r.failures[0];
}
TEST(Harness, WhatALoopDoesNotGiveFails) {
  // A result that depends on how often it was asked for: no batching rule can give that.
  Row row{.op = "mul", .in = {{{3}}, {{3}}}, .call = [](const Tensors& x) {
            static double calls = 0;
            return x[0] * x[1] * ++calls;
          }};
  CheckReport r;
  RowRun run{row, r, {zeros({3}), zeros({3})}, {}, {}, {}, {}, {}, {}};
  check_batching(run);
  ASSERT_EQ(r.checks, 6);  // each operand alone, and both, in f64 and in f32
  ASSERT_EQ(r.failed, 6);
  EXPECT_NE(r.failures[2].find("value, batched over all operands in f64: other bits than a loop gives"), std::string::npos) << r.failures[2];
}
TEST(Harness, BadCallsAreHeldToTheirMessageAndPlace) {
  CheckReport r;
  check_bad_call({"sin", [] {}, "anything"}, r);
  check_bad_call({"sin", [] { sin(Tensor()); }, "another message"}, r);
  check_bad_call({"sin", [] { throw 3; }, "anything"}, r);
  ASSERT_EQ(r.failed, 3);
  EXPECT_NE(r.failures[0].find("did not throw"), std::string::npos);
  EXPECT_NE(r.failures[1].find("lacks \"another message\""), std::string::npos);
}

}  // namespace
}  // namespace adjoint::check
