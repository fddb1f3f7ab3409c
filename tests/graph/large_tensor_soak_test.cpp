// large_tensor_soak_test.cpp: tensors of more than 2^31 elements through every sort of kernel. Only under scripts/soak: the
// largest case needs about 20 GiB. Not a check of values that fit in 32 bits of index.
#include <gtest/gtest.h>

#include "adjoint/grad.hpp"
#include "adjoint/ops.hpp"
#include "support/memory.hpp"

namespace adjoint {
namespace {

constexpr std::int64_t kMany = (std::int64_t{1} << 31) + 5;
constexpr double kGiB = 1024.0 * 1024 * 1024;

class LargeTensorSoak : public ::testing::Test {
 protected:
  void SetUp() override { support::reset_peak_memory(); }
  void TearDown() override {
    const double gib = static_cast<double>(support::peak_memory()) / kGiB;
    std::printf("peak %.2f GiB\n", gib);
    EXPECT_LE(gib, 20);
    EXPECT_GE(gib, 1.9) << "the case was smaller than it says";
  }
};

/// Zeros of type u8 with one 7 at `at`.
Tensor one_seven(std::int64_t at) {
  auto bytes = std::make_shared<std::vector<std::uint8_t>>(static_cast<std::size_t>(kMany), std::uint8_t{0});
  (*bytes)[static_cast<std::size_t>(at)] = 7;
  const std::span<const std::uint8_t> all(*bytes);
  return from_data(all, {kMany}, bytes);
}

TEST_F(LargeTensorSoak, FillAndElementwiseOfBytes) {
  const Tensor x = full({kMany}, 200, DType::u8).detach();
  const Tensor y = x + x;  // modulo 256
  eval(y);
  EXPECT_EQ(slice(y, {kMany - 2}, {kMany}).to_vector<std::uint8_t>(), (std::vector<std::uint8_t>{144, 144}));
  EXPECT_EQ(slice(y, {0}, {1}).to_vector<std::uint8_t>(), (std::vector<std::uint8_t>{144}));
}

TEST_F(LargeTensorSoak, ReductionsAndSearchesOfBytes) {
  const Tensor x = one_seven(kMany - 2);
  EXPECT_EQ(argmax(x).item(), static_cast<double>(kMany - 2));
  EXPECT_EQ(amax(x).item(), 7);
  EXPECT_EQ(sum(x).item(), 7);
  EXPECT_EQ(any(cast(x, DType::bool_)).item(), 1);
}

TEST_F(LargeTensorSoak, ShapesAndViewsOfBytes) {
  const Tensor x = one_seven(kMany - 1);
  const Tensor parts[] = {slice(x, {kMany - 3}, {kMany}), x};
  const Tensor joined = concat({parts[0], parts[1]});
  EXPECT_EQ(joined.numel(), kMany + 3);
  EXPECT_EQ(slice(joined, {kMany}, {kMany + 3}).to_vector<std::uint8_t>(), (std::vector<std::uint8_t>{0, 0, 7}));
  const Tensor index = tensor(std::vector<std::int64_t>{kMany - 1, 0}, {2});
  EXPECT_EQ(take(x, index, 0).to_vector<std::uint8_t>(), (std::vector<std::uint8_t>{7, 0}));
}

TEST_F(LargeTensorSoak, SumAndGradientOfBf16) {
  const Tensor x = full({kMany}, 0.5, DType::bf16).detach();
  const Tensor loss = sum(x * x);
  const Tensor g = grad(loss, x);
  EXPECT_NEAR(loss.item() / (0.25 * static_cast<double>(kMany)), 1, 0x1p-8);
  EXPECT_EQ(slice(g, {kMany - 2}, {kMany}).to_vector<float>(), (std::vector<float>{1, 1}));
}

TEST_F(LargeTensorSoak, ProductAndItsGradientOfBf16) {
  constexpr std::int64_t kRows = 65536, kInner = 32769;  // 2^31 + 2^16 elements
  const Tensor a = full({kRows, kInner}, 1, DType::bf16).detach(), b = full({kInner, 1}, 1, DType::bf16).detach();
  const Tensor y = matmul(a, b);
  EXPECT_EQ(slice(reshape(y, {kRows}), {kRows - 1}, {kRows}).to_vector<float>()[0], 32768);  // 32769 rounded
  const Tensor g = grad(sum(cast(matmul(a, b), DType::f32)), a);
  EXPECT_EQ(slice(reshape(g, {kRows * kInner}), {kRows * kInner - 1}, {kRows * kInner}).to_vector<float>()[0], 1);
}

}  // namespace
}  // namespace adjoint
