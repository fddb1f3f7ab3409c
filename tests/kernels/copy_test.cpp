// copy_test.cpp: kernels that move elements, against loops over row-major indices, with guards around every element.
// Not a test of shapes: those were checked where the graph was built.
#include "kernels/cpu/copy.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "runtime/pool.hpp"
#include "support/strided.hpp"

namespace adjoint::cpu {
namespace {

using plan::View;
using test::Dims;
using test::Strided;
constexpr DType kBySize[] = {DType::u8, DType::bf16, DType::f32, DType::f64};

void randomize(Strided& m, std::mt19937& rng) {
  const std::size_t size = size_of(m.view().dtype);
  for (std::int64_t i = 0; i < m.elements(); ++i)
    for (std::size_t b = 0; b < size; ++b) m.at(i)[b] = static_cast<std::byte>(rng());
}

struct Layout {
  Dims shape;
  Dims from = {}, to = {};
  std::int64_t from_step = 1, to_step = 1;
  unsigned broadcast = 0, flipped_from = 0, flipped_to = 0;
};
std::vector<Layout> layouts() {
  return {
      {{}}, {{0, 3}}, {{7}}, {{5, 6, 7}}, {{300, 400}}, {{3, 4}, {1, 0}}, {{100, 70}, {1, 0}}, {{100, 70}, {}, {1, 0}},
      {{400, 300}, {1, 0}}, {{4, 33, 65}, {0, 2, 1}}, {{4, 33, 65}, {2, 1, 0}}, {{4, 33, 65}, {1, 2, 0}, {2, 0, 1}},
      {{6, 50, 60}, {2, 0, 1}, {}, 1, 3}, {{6, 50, 60}, {}, {}, 2, 3}, {{50, 60}, {}, {}, 1, 1, 0b01},
      {{50, 60}, {}, {}, 1, 1, 0b10}, {{50, 60}, {1, 0}, {}, 1, 1, 0, 0b11, 0b01}, {{500, 600}, {1, 0}, {}, 1, 1, 0, 0, 0b10},
      {{1, 40, 1, 50}, {3, 1, 2, 0}}, {{2, 3, 2, 3, 2, 3, 2, 3}, {7, 5, 3, 1, 0, 2, 4, 6}}, {{100000}, {}, {}, 3, 1},
  };
}

TEST(Copy, EveryLayoutAndSize) {
  std::mt19937 rng(1);
  for (const DType d : kBySize)
    for (std::size_t k = 0; k < layouts().size(); ++k) {
      const Layout l = layouts()[k];
      SCOPED_TRACE(std::string(name_of(d)) + " layout " + std::to_string(k));
      Strided from(d, l.shape, l.from, l.from_step, l.broadcast, l.flipped_from);
      randomize(from, rng);
      for (const int threads : {1, 7}) {
        runtime::set_threads(threads);
        Strided to(d, l.shape, l.to, l.to_step, 0, l.flipped_to);
        copy(from.view(), to.view());
        EXPECT_EQ(to.bytes(), from.bytes());
        EXPECT_TRUE(to.guards_stand());
      }
    }
  runtime::set_threads(2);
}

TEST(Copy, Fill) {
  for (const Layout& l : layouts()) {
    Strided to(DType::f32, l.shape, l.to, l.to_step, 0, l.flipped_to);
    const float value = 2.5f;
    fill(to.view(), &value);
    for (std::int64_t i = 0; i < to.elements(); ++i) ASSERT_EQ(to.get<float>(i), 2.5f);
    EXPECT_TRUE(to.guards_stand());
  }
}

TEST(Copy, Iota) {
  for (const int axis : {0, 1, 2}) {
    const Dims shape{5, 700, 3};
    Strided f(DType::f32, shape, {2, 0, 1}), i(DType::i64, shape), b(DType::u8, shape), h(DType::bf16, shape);
    for (Strided* m : {&f, &i, &b, &h}) iota(m->view(), axis);
    for (std::int64_t e = 0; e < f.elements(); ++e) {
      const std::int64_t at = axis == 0 ? e / 2100 : axis == 1 ? e / 3 % 700 : e % 3;
      ASSERT_EQ(f.get<float>(e), static_cast<float>(at));
      ASSERT_EQ(i.get<std::int64_t>(e), at);
      ASSERT_EQ(b.get<std::uint8_t>(e), static_cast<std::uint8_t>(at));
      ASSERT_EQ(h.get<std::uint16_t>(e), bfloat16(static_cast<float>(at)).bits);
    }
    for (Strided* m : {&f, &i, &b, &h}) EXPECT_TRUE(m->guards_stand());
  }
}

TEST(Copy, ConcatAndPad) {
  std::mt19937 rng(2);
  for (const int axis : {0, 1, 2}) {
    Dims shape{4, 5, 6};
    const auto with = [&](std::int64_t n) {
      Dims s = shape;
      s[static_cast<std::size_t>(axis)] = n;
      return s;
    };
    Strided a(DType::f32, with(3), {1, 2, 0}), b(DType::f32, with(0)), c(DType::f32, with(8)), out(DType::f32, with(11), {2, 1, 0});
    randomize(a, rng), randomize(c, rng);
    const View parts[] = {a.view(), b.view(), c.view()};
    concat(parts, 3, axis, out.view());
    const std::int64_t inner = axis == 0 ? 30 : axis == 1 ? 6 : 1;
    for (std::int64_t e = 0; e < out.elements(); ++e) {
      const std::int64_t o = e / (inner * 11), j = e / inner % 11, i = e % inner;
      const auto want = j < 3 ? a.get<std::uint32_t>((o * 3 + j) * inner + i) : c.get<std::uint32_t>((o * 8 + j - 3) * inner + i);
      ASSERT_EQ(out.get<std::uint32_t>(e), want);
    }
    EXPECT_TRUE(out.guards_stand());
  }
  Strided x(DType::i32, {3, 4}, {1, 0}), y(DType::i32, {6, 9});
  randomize(x, rng);
  const std::int64_t low[] = {2, 3};
  const std::int32_t value = -5;
  pad(x.view(), low, &value, y.view());
  for (std::int64_t e = 0; e < 54; ++e) {
    const std::int64_t r = e / 9 - 2, c = e % 9 - 3;
    const bool inside = r >= 0 && r < 3 && c >= 0 && c < 4;
    ASSERT_EQ(y.get<std::int32_t>(e), inside ? x.get<std::int32_t>(r * 4 + c) : -5);
  }
  EXPECT_TRUE(y.guards_stand());
}

struct IndexedCase {
  std::int64_t outer, size, inner, count;
  Dims order;
  std::int64_t step;
};
std::vector<IndexedCase> indexed_cases() {
  return {{1, 10, 64, 33, {}, 1},  {3, 7, 5, 20, {}, 1},      {1, 100, 1, 50, {}, 1},      {4, 9, 1, 30, {}, 1},
          {3, 7, 5, 20, {2, 1, 0}, 1}, {3, 7, 5, 20, {1, 0, 2}, 3}, {1, 50, 768, 100, {}, 1}, {40, 6, 300, 9, {}, 1},
          {2, 5, 3, 0, {}, 1},     {2, 5, 0, 3, {}, 1},       {1, 200, 16, 5000, {}, 1}};
}

template <class F> void for_indexed_cases(F f) {
  std::mt19937 rng(3);
  for (const auto& c : indexed_cases())
    for (const DType index_type : {DType::i64, DType::i32}) {
      SCOPED_TRACE(std::to_string(c.outer) + "x" + std::to_string(c.size) + "x" + std::to_string(c.inner));
      Strided idx(index_type, {c.count}, {}, 2);
      std::vector<std::int64_t> values;
      for (std::int64_t j = 0; j < c.count; ++j) {
        values.push_back(static_cast<std::int64_t>(rng() % static_cast<std::uint32_t>(c.size)));
        if (index_type == DType::i64) idx.set(j, values.back());
        else idx.set(j, static_cast<std::int32_t>(values.back()));
      }
      f(c, idx, values, rng);
    }
}

TEST(Indexed, Take) {
  for_indexed_cases([](const IndexedCase& c, Strided& idx, const std::vector<std::int64_t>& values, std::mt19937& rng) {
    for (const DType d : kBySize)
      for (const int threads : {1, 7}) {
        runtime::set_threads(threads);
        Strided x(d, {c.outer, c.size, c.inner}, c.order, c.step), out(d, {c.outer, c.count, c.inner}, c.order, c.step);
        randomize(x, rng);
        ASSERT_EQ(take(x.view(), 1, idx.view(), out.view()), -1);
        for (std::int64_t e = 0; e < out.elements(); ++e) {
          const std::int64_t o = e / (c.count * c.inner), j = e / c.inner % c.count, i = e % c.inner;
          const auto from = (o * c.size + values[static_cast<std::size_t>(j)]) * c.inner + i;
          ASSERT_EQ(std::memcmp(out.at(e), x.at(from), size_of(d)), 0);
        }
        EXPECT_TRUE(out.guards_stand());
      }
  });
  runtime::set_threads(2);
}

template <class T> T small_value(std::mt19937& rng) {
  if constexpr (std::is_integral_v<T>) return static_cast<T>(rng());
  else return T(static_cast<float>(rng() % 1000) * 0.37f - 100);
}

template <class T> void check_scatter(const IndexedCase& c, Strided& idx, const std::vector<std::int64_t>& values, std::mt19937& rng) {
  using Sum = std::conditional_t<std::is_same_v<T, bfloat16> || std::is_same_v<T, float16>, float, T>;
  std::vector<T> before;
  Strided src(dtype_of<T>, {c.outer, c.count, c.inner}, c.order, c.step);
  for (std::int64_t e = 0; e < src.elements(); ++e) src.set(e, small_value<T>(rng));
  for (std::int64_t e = 0; e < c.outer * c.size * c.inner; ++e) before.push_back(small_value<T>(rng));
  std::vector<Sum> sums;
  for (const T v : before) sums.push_back(static_cast<Sum>(v));
  for (std::int64_t o = 0; o < c.outer; ++o)
    for (std::int64_t j = 0; j < c.count; ++j)
      for (std::int64_t i = 0; i < c.inner; ++i) {
        Sum& s = sums[static_cast<std::size_t>((o * c.size + values[static_cast<std::size_t>(j)]) * c.inner + i)];
        const Sum v = static_cast<Sum>(src.get<T>((o * c.count + j) * c.inner + i));
        if constexpr (std::is_integral_v<T>) s = static_cast<T>(static_cast<std::uint64_t>(s) + static_cast<std::uint64_t>(v));
        else s = s + v;
      }
  for (const int threads : {1, 2, 7}) {
    runtime::set_threads(threads);
    Strided out(dtype_of<T>, {c.outer, c.size, c.inner}, c.order, c.step);
    for (std::int64_t e = 0; e < out.elements(); ++e) out.set(e, before[static_cast<std::size_t>(e)]);
    ASSERT_EQ(scatter_add(out.view(), 1, idx.view(), src.view()), -1);
    for (std::int64_t e = 0; e < out.elements(); ++e) {
      const T want = T(sums[static_cast<std::size_t>(e)]), got = out.get<T>(e);
      ASSERT_EQ(std::memcmp(&got, &want, sizeof(T)), 0) << "element " << e;
    }
    EXPECT_TRUE(out.guards_stand());
  }
}

TEST(Indexed, ScatterAddInOrder) {
  for_indexed_cases([](const IndexedCase& c, Strided& idx, const std::vector<std::int64_t>& values, std::mt19937& rng) {
    check_scatter<float>(c, idx, values, rng);
    check_scatter<double>(c, idx, values, rng);
    check_scatter<bfloat16>(c, idx, values, rng);
    check_scatter<float16>(c, idx, values, rng);
    check_scatter<std::int64_t>(c, idx, values, rng);
    check_scatter<std::int32_t>(c, idx, values, rng);
    check_scatter<std::int8_t>(c, idx, values, rng);
    check_scatter<std::uint8_t>(c, idx, values, rng);
  });
  runtime::set_threads(2);
}

TEST(Indexed, BadIndicesAreReportedAndNothingIsWritten) {
  for (const std::int64_t bad : {-1, 4, 1 << 30}) {
    Strided x(DType::f32, {4, 2}), y(DType::f32, {3, 2}), idx(DType::i64, {3});
    idx.set(0, std::int64_t{3}), idx.set(1, std::int64_t{bad}), idx.set(2, std::int64_t{-9});
    EXPECT_EQ(take(x.view(), 0, idx.view(), y.view()), 1);
    EXPECT_TRUE(y.guards_stand());
    EXPECT_EQ(scatter_add(x.view(), 0, idx.view(), y.view()), 1);
    EXPECT_TRUE(x.guards_stand());
  }
}

}  // namespace
}  // namespace adjoint::cpu
