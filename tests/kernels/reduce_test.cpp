// reduce_test.cpp: every reduction against its definition, bit for bit, in every layout, type, thread count and
// instruction set. Not a test of accuracy: the definition is the contract.
#include "kernels/cpu/reduce.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "runtime/pool.hpp"
#include "support/instruction_sets.hpp"
#include "support/same_bits.hpp"
#include "support/strided.hpp"

namespace adjoint::cpu {
namespace {

using plan::View;
using test::Dims;
using test::Strided;
constexpr ReduceOp kValueOps[] = {ReduceOp::sum, ReduceOp::prod, ReduceOp::amax, ReduceOp::amin};

template <class T> T combine(ReduceOp op, T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    using U = std::make_unsigned_t<std::conditional_t<(sizeof(T) < 4), int, T>>;
    if (op == ReduceOp::sum) return static_cast<T>(static_cast<U>(a) + static_cast<U>(b));
    if (op == ReduceOp::prod) return static_cast<T>(static_cast<U>(a) * static_cast<U>(b));
    return op == ReduceOp::amax || op == ReduceOp::any ? std::max(a, b) : std::min(a, b);
  } else {
    if (op == ReduceOp::sum) return a + b;
    if (op == ReduceOp::prod) return a * b;
    if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<T>::quiet_NaN();
    if (a == b) return std::signbit(a) == (op == ReduceOp::amin) ? a : b;
    return (a > b) == (op == ReduceOp::amax) ? a : b;
  }
}
template <class T> T start(ReduceOp op) {
  constexpr bool has_inf = std::numeric_limits<T>::has_infinity;
  if (op == ReduceOp::sum || op == ReduceOp::any) return 0;
  if (op == ReduceOp::prod || op == ReduceOp::all) return 1;
  if (op == ReduceOp::amax) return has_inf ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
  return has_inf ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
}

/// The definition of one block: 16 lanes, then the fixed tree over those that are present.
template <class T> T block(ReduceOp op, const T* x, std::size_t n) {
  std::optional<T> lane[16];
  for (std::size_t i = 0; i < n; ++i) lane[i % 16] = combine(op, lane[i % 16].value_or(start<T>(op)), x[i]);
  for (std::size_t half = 8; half > 0; half /= 2)
    for (std::size_t l = 0; l < half; ++l)
      if (lane[l + half]) lane[l] = combine(op, *lane[l], *lane[l + half]);
  return *lane[0];
}
/// Blocks 0 ... n-1: the largest power of two of them is the left subtree.
template <class T> T tree(ReduceOp op, const std::vector<T>& blocks, std::size_t first, std::size_t last) {
  if (last - first == 1) return blocks[first];
  std::size_t left = 1;
  while (left * 2 < last - first) left *= 2;
  return combine(op, tree(op, blocks, first, first + left), tree(op, blocks, first + left, last));
}
template <class T> T define(ReduceOp op, const std::vector<T>& x) {
  if (x.empty()) return start<T>(op);
  std::vector<T> blocks;
  for (std::size_t i = 0; i < x.size(); i += 4096) blocks.push_back(block(op, x.data() + i, std::min<std::size_t>(4096, x.size() - i)));
  return tree(op, blocks, 0, blocks.size());
}

constexpr std::int64_t kShared = 1 << 14;  ///< below half of what the kernels share among threads, one count is enough

struct Case {
  Dims shape;
  unsigned reduced;
  Dims order = {};
  std::int64_t step = 1;
  unsigned broadcast = 0, flipped = 0;
  std::int64_t out_step = 1;
};
std::vector<Case> cases() {
  return {
      {{}, 0}, {{1}, 1}, {{5}, 0}, {{5}, 1}, {{16}, 1}, {{17}, 1}, {{4096}, 1}, {{4097}, 1}, {{100003}, 1},
      {{37, 100}, 0b10}, {{37, 100}, 0b01}, {{100, 37}, 0b01}, {{100, 37}, 0b11}, {{3, 5000}, 0b10}, {{5000, 3}, 0b01},
      {{9000, 33}, 0b01}, {{33, 9000}, 0b10}, {{2, 9, 300}, 0b010}, {{2, 300, 9}, 0b101}, {{7, 6, 5, 4}, 0b0101},
      {{4, 3, 40, 50}, 0b1101}, {{64, 1000}, 0b10, {1, 0}}, {{1000, 64}, 0b01, {1, 0}}, {{30, 40, 50}, 0b011, {2, 0, 1}},
      {{30, 400}, 0b10, {}, 3, 0, 0b10, 2}, {{400, 30}, 0b01, {}, 2, 0, 0b01, 3}, {{33, 65}, 0b10, {}, 1, 0b10},
      {{33, 65}, 0b01, {}, 1, 0b10}, {{33, 65}, 0b10, {}, 1, 0b01}, {{5, 0}, 0b10}, {{0, 5}, 0b10}, {{5, 0}, 0b01},
      {{2, 3, 2, 3, 2, 3, 2, 700}, 0b10101010}, {{1, 20000, 1}, 0b010}, {{20000, 17}, 0b01}, {{2, 9000, 20}, 0b010},
      {{90, 9, 48}, 0b101}, {{2, 6, 4112}, 0b101}, {{5, 4, 3, 160}, 0b1101},
  };
}

template <class T> using Accumulator =
    std::conditional_t<std::is_same_v<T, bfloat16> || std::is_same_v<T, float16>, float,
                       std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>>;

/// A cheap generator: most of a test's time would go into a good one.
template <class T> void randomize(Strided& m, std::mt19937& rng) {
  std::uint64_t state = rng();
  for (std::int64_t i = 0; i < m.elements(); ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const auto bits = static_cast<std::uint32_t>(state >> 32);
    if constexpr (std::is_same_v<T, bool>) m.set(i, static_cast<std::uint8_t>(bits % 8 == 0));
    else if constexpr (std::is_integral_v<T>) m.set(i, static_cast<T>(static_cast<std::int32_t>(bits)));
    else m.set(i, T(static_cast<float>(static_cast<std::int32_t>(bits)) * 0x1p-30f + (bits % 5 == 0 ? 100.f : 0.f)));
  }
}

/// For each result the reduced elements in logical order.
template <class T> std::vector<std::vector<Accumulator<T>>> groups(const Strided& m, unsigned reduced) {
  const View& v = m.view();
  std::int64_t kept = 1;
  for (int d = 0; d < v.rank; ++d) kept *= reduced >> d & 1 ? 1 : v.shape[static_cast<std::size_t>(d)];
  std::vector<std::vector<Accumulator<T>>> out(static_cast<std::size_t>(kept));
  for (auto& x : out) x.reserve(static_cast<std::size_t>(kept ? m.elements() / kept : 0));
  for (std::int64_t i = 0; i < m.elements(); ++i) {
    std::int64_t rest = i, at = 0, scale = 1;
    for (int d = v.rank; d-- > 0; rest /= v.shape[static_cast<std::size_t>(d)])
      if (!(reduced >> d & 1)) {
        at += rest % v.shape[static_cast<std::size_t>(d)] * scale;
        scale *= v.shape[static_cast<std::size_t>(d)];
      }
    if constexpr (std::is_same_v<T, bool>) out[static_cast<std::size_t>(at)].push_back(m.get<std::uint8_t>(i));
    else out[static_cast<std::size_t>(at)].push_back(static_cast<Accumulator<T>>(m.get<T>(i)));
  }
  return out;
}

Dims kept_shape(const Case& c) {
  Dims s;
  for (std::size_t d = 0; d < c.shape.size(); ++d)
    if (!(c.reduced >> d & 1)) s.push_back(c.shape[d]);
  return s;
}

template <class T> void check_values(const Case& c, ReduceOp op, std::mt19937& rng) {
  Strided in(dtype_of<T>, c.shape, c.order, c.step, c.broadcast, c.flipped), out(dtype_of<T>, kept_shape(c), {}, c.out_step);
  randomize<T>(in, rng);
  std::vector<Accumulator<T>> expected;
  for (const auto& x : groups<T>(in, c.reduced)) expected.push_back(define(op, x));
  for (const int threads : {1, 2, 7}) {
    if (threads > 1 && in.elements() < kShared) continue;
    runtime::set_threads(threads);
    reduce(op, in.view(), c.reduced, out.view());
    using Stored = std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>;
    for (std::size_t i = 0; i < expected.size(); ++i)
      ASSERT_TRUE(test::same_bits(out.get<Stored>(static_cast<std::int64_t>(i)), Stored(expected[i])))
          << "result " << i << ", " << threads << " threads";
  }
  EXPECT_TRUE(out.guards_stand());
}

template <class T> void check_index(const Case& c, bool max, std::mt19937& rng) {
  Strided in(dtype_of<T>, c.shape, c.order, c.step, c.broadcast, c.flipped), out(DType::i64, kept_shape(c), {}, c.out_step);
  randomize<T>(in, rng);
  const auto lists = groups<T>(in, c.reduced);
  for (const int threads : {1, 2, 7}) {
    if (threads > 1 && in.elements() < kShared) continue;
    runtime::set_threads(threads);
    reduce(max ? ReduceOp::argmax : ReduceOp::argmin, in.view(), c.reduced, out.view());
    for (std::size_t i = 0; i < lists.size(); ++i) {
      std::int64_t best = lists[i].empty() ? -1 : 0;
      for (std::size_t k = 1; k < lists[i].size(); ++k) {
        const auto x = lists[i][k], b = lists[i][static_cast<std::size_t>(best)];
        if (b == b && (x != x || (max ? x > b : x < b))) best = static_cast<std::int64_t>(k);
      }
      ASSERT_EQ(out.get<std::int64_t>(static_cast<std::int64_t>(i)), best) << "result " << i;
    }
  }
  EXPECT_TRUE(out.guards_stand());
}

template <class T> void check_all_cases() {
  std::mt19937 rng(5);
  int number = 0;
  for (const Case& c : cases()) {
    SCOPED_TRACE(std::string(name_of(dtype_of<T>)) + " case " + std::to_string(number++));
    if constexpr (std::is_same_v<T, bool>) {
      check_values<T>(c, ReduceOp::any, rng);
      check_values<T>(c, ReduceOp::all, rng);
    } else {
      for (const ReduceOp op : kValueOps) check_values<T>(c, op, rng);
      check_index<T>(c, true, rng);
      check_index<T>(c, false, rng);
    }
  }
  runtime::set_threads(2);
}

TEST(Reduce, FloatsOnEveryInstructionSet) {
  test::for_each_instruction_set([](std::int64_t) {
    check_all_cases<float>();
    check_all_cases<double>();
  });
}
TEST(Reduce, HalfFormats) {
  check_all_cases<bfloat16>();
  check_all_cases<float16>();
}
TEST(Reduce, IntegersWrap) {
  check_all_cases<std::int64_t>();
  check_all_cases<std::int32_t>();
  check_all_cases<std::int8_t>();
  check_all_cases<std::uint8_t>();
}
TEST(Reduce, Bool) { check_all_cases<bool>(); }

template <class T> T all_of(ReduceOp op, std::vector<T> x) {
  T y{};
  const auto n = static_cast<std::int64_t>(x.size());
  reduce(op, plan::contiguous_view(x.data(), dtype_of<T>, &n, 1), 1, plan::contiguous_view(&y, dtype_of<T>, nullptr, 0));
  return y;
}

TEST(Reduce, SpecialValues) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  test::for_each_instruction_set([&](std::int64_t) {
    for (const std::size_t n : {2u, 9u, 33u, 5000u})
      for (const std::size_t at : {std::size_t{0}, n / 2, n - 1}) {
        std::vector<float> x(n, -0.0f);
        EXPECT_TRUE(std::signbit(all_of(ReduceOp::amax, x)));
        EXPECT_FALSE(std::signbit(all_of(ReduceOp::sum, x)));  // lanes start at +0
        x[at] = 0.0f;
        EXPECT_FALSE(std::signbit(all_of(ReduceOp::amax, x)));
        EXPECT_TRUE(std::signbit(all_of(ReduceOp::amin, x)));
        x[at] = nan;
        for (const ReduceOp op : kValueOps) EXPECT_TRUE(std::isnan(all_of(op, x)));
        x[at] = -nan;
        for (const ReduceOp op : kValueOps) EXPECT_TRUE(std::isnan(all_of(op, x)));
        x[at] = inf;
        EXPECT_EQ(all_of(ReduceOp::sum, x), inf);
        EXPECT_EQ(all_of(ReduceOp::amax, x), inf);
        x[(at + 1) % n] = -inf;
        EXPECT_TRUE(std::isnan(all_of(ReduceOp::sum, x)));
        EXPECT_EQ(all_of(ReduceOp::amin, x), -inf);
        x.assign(n, std::numeric_limits<float>::denorm_min());
        EXPECT_EQ(all_of(ReduceOp::sum, x), static_cast<float>(n) * std::numeric_limits<float>::denorm_min());
      }
  });
}

TEST(Reduce, ArgOnTiesAndNaN) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto arg = [](ReduceOp op, std::vector<float> x, std::int64_t step) {
    std::vector<float> spread(x.size() * static_cast<std::size_t>(step));
    for (std::size_t i = 0; i < x.size(); ++i) spread[i * static_cast<std::size_t>(step)] = x[i];
    View v{reinterpret_cast<std::byte*>(spread.data()), DType::f32, 1, {static_cast<std::int64_t>(x.size())}, {step}};
    std::int64_t y = -7;
    reduce(op, v, 1, plan::contiguous_view(&y, DType::i64, nullptr, 0));
    return y;
  };
  for (const std::int64_t step : {1, 2}) {
    EXPECT_EQ(arg(ReduceOp::argmax, {1, 3, 3, 2}, step), 1);
    EXPECT_EQ(arg(ReduceOp::argmin, {4, 1, 3, 1}, step), 1);
    EXPECT_EQ(arg(ReduceOp::argmax, {1, nan, 9, nan}, step), 1);
    EXPECT_EQ(arg(ReduceOp::argmin, {nan, -9, nan}, step), 0);
    EXPECT_EQ(arg(ReduceOp::argmax, {-0.0f, 0.0f}, step), 0);
    EXPECT_EQ(arg(ReduceOp::argmax, {}, step), -1);
  }
}

TEST(Reduce, HalfIntoFloatDoesNotRound) {
  std::vector<bfloat16> x(300, bfloat16(1.0f));
  const std::int64_t n = 300;
  float y = 0;
  reduce(ReduceOp::sum, plan::contiguous_view(x.data(), DType::bf16, &n, 1), 1, plan::contiguous_view(&y, DType::f32, nullptr, 0));
  EXPECT_EQ(y, 300.0f);
  bfloat16 h;
  reduce(ReduceOp::sum, plan::contiguous_view(x.data(), DType::bf16, &n, 1), 1, plan::contiguous_view(&h, DType::bf16, nullptr, 0));
  EXPECT_EQ(h.bits, bfloat16(300.0f).bits);
}

}  // namespace
}  // namespace adjoint::cpu
