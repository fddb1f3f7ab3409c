// philox_test.cpp: the generator's published answers, and that an element depends on its key and index alone.
// Not a test of distributions or of randomness as such.
#include "kernels/cpu/philox.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "runtime/pool.hpp"
#include "support/instruction_sets.hpp"

namespace adjoint::cpu {
namespace {

using Block = std::array<std::uint32_t, 4>;

TEST(Philox, PublishedAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t f = 0xffffffff;
  EXPECT_EQ(philox4x32({f, f, f, f}, {f, f}), (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

std::uint32_t word(std::uint64_t key, std::uint64_t i) {
  const auto lo = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  return philox4x32({lo(i / 4), lo(i / 4 >> 32), 0, 0}, {lo(key), lo(key >> 32)})[i % 4];
}

TEST(Philox, ElementsAreCounted) {
  const std::uint64_t key = 0x0123456789abcdefu;
  for (const int threads : {1, 2, 7}) {
    runtime::set_threads(threads);
    for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{3}, std::uint64_t{4 * 0xffffffffu} - 5})
      for (const std::int64_t n : {0, 1, 5, 31, 33, 40000}) {
        const auto size = static_cast<std::size_t>(n);
        std::vector<std::uint32_t> bits(size + 1, 0xA5A5A5A5u);
        std::vector<float> f(size + 1, -7);
        std::vector<double> d(size + 1, -7);
        random_bits(key, first, n, bits.data());
        random_uniform(key, first, n, f.data());
        random_uniform(key, first, n, d.data());
        for (std::size_t i = 0; i < size; ++i) {
          const std::uint32_t w = word(key, first + i);
          ASSERT_EQ(bits[i], w);
          ASSERT_EQ(f[i], static_cast<float>(w >> 8) / 16777216.0f);
          const std::uint64_t hi = word(key, 2 * (first + i)) >> 5, lo = word(key, 2 * (first + i) + 1) >> 6;
          ASSERT_EQ(d[i], static_cast<double>(hi * 67108864 + lo) / 9007199254740992.0);
        }
        EXPECT_EQ(bits[size], 0xA5A5A5A5u);
        EXPECT_EQ(f[size], -7);
        EXPECT_EQ(d[size], -7);
      }
  }
  runtime::set_threads(2);
}

TEST(Philox, UniformStaysBelowOne) {
  std::vector<float> f(1 << 20);
  std::vector<double> d(1 << 20);
  random_uniform(42, 0, 1 << 20, f.data());
  random_uniform(42, 0, 1 << 20, d.data());
  EXPECT_LT(*std::max_element(f.begin(), f.end()), 1);
  EXPECT_GE(*std::min_element(f.begin(), f.end()), 0);
  EXPECT_LT(*std::max_element(d.begin(), d.end()), 1);
  double mean_f = 0, mean_d = 0;
  for (std::size_t i = 0; i < f.size(); ++i) mean_f += f[i], mean_d += d[i];
  EXPECT_NEAR(mean_f / (1 << 20), 0.5, 2e-3);  // 7 standard deviations of the mean
  EXPECT_NEAR(mean_d / (1 << 20), 0.5, 2e-3);
}

TEST(Philox, EveryInstructionSetCountsAlike) {
  test::for_each_instruction_set([](std::int64_t) {
    for (const std::uint64_t first : {std::uint64_t{2}, std::uint64_t{4 * 0xffffffffu} - 50}) {
      std::vector<std::uint32_t> bits(3001);
      random_bits(0xfedcba9876543210u, first, 3001, bits.data());
      for (std::size_t i = 0; i < bits.size(); ++i) ASSERT_EQ(bits[i], word(0xfedcba9876543210u, first + i));
    }
  });
}

TEST(Philox, FoldedKeysDiffer) {
  std::set<std::uint64_t> keys;
  for (std::uint64_t key : {0, 1, 2})
    for (std::uint64_t data = 0; data < 1000; ++data) keys.insert(fold_in(key, data));
  EXPECT_EQ(keys.size(), 3000u);
  EXPECT_NE(fold_in(fold_in(7, 1), 2), fold_in(fold_in(7, 2), 1));
  EXPECT_EQ(fold_in(7, std::uint64_t{1} << 40),
            (std::uint64_t{philox4x32({0, 256, 0, 1}, {7, 0})[1]} << 32) | philox4x32({0, 256, 0, 1}, {7, 0})[0]);
  // A derived key is no number of its own key.
  EXPECT_NE(static_cast<std::uint32_t>(fold_in(7, 0)), word(7, 0));
}

}  // namespace
}  // namespace adjoint::cpu
