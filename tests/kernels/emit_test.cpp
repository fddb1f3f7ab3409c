// emit_test.cpp: emitted code against the definition of its programs, bit for bit: every length, layout, thread count and
// instruction set, named and random programs, in place. Not a test of functions: scalar_functions_test.cpp.
#include "kernels/cpu/emit.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "kernels/tile_rows_support.hpp"
#include "runtime/pool.hpp"

namespace adjoint::cpu {
namespace {

using namespace tile_test;
using enum plan::RowReduction;

std::unique_ptr<EmittedGroup> emitted(const TileProgram& p, const View* in, const View* out, int rank, const std::int64_t* shape, GroupExecutor e) {
  return EmittedGroup::make(p, {shape, static_cast<std::size_t>(rank)}, {in, p.inputs.size()}, {out, p.outputs.size()}, e);
}

/// Calls f(executor) with those that this processor has besides tiles.
template <class F> void for_each_emitter(F f) {
  const GroupExecutor before = group_executor();
  for (const auto e : {GroupExecutor::avx2, GroupExecutor::avx512}) {
    if (!set_group_executor(e)) continue;
    SCOPED_TRACE(e == GroupExecutor::avx2 ? "avx2" : "avx512");
    f(e);
  }
  set_group_executor(before);
}

/// How many programs were emitted, and how many were left to tiles.
struct Tally {
  int emitted = 0, left = 0;
};
void check(const TileProgram& p, const Dims& shape, std::mt19937& rng, GroupExecutor e, Tally& tally, const Dims& order = {}, std::int64_t step = 1) {
  check_rows_with(p, shape, rng, order, step, [&](const TileProgram& q, const View* in, const View* out, int rank, const std::int64_t* s) {
    if (const auto group = emitted(q, in, out, rank, s, e)) ++tally.emitted, group->run(in, out);
    else ++tally.left, run_tiles(ResolvedProgram(q), in, out, rank, s);
  });
}

TEST(Emit, NamedRowProgramsAtEveryLength) {
  for_each_emitter([](GroupExecutor e) {
    std::mt19937 rng(1);
    for (const int threads : {1, 2, 7}) {
      runtime::set_threads(threads);
      for (const std::int64_t n : {0, 1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 100, 511, 1000, 4095, 4096, 4097, 9000, 20000, 70000})
        for (const auto& named : row_programs()) {
          if (named.name == std::string("mixed types")) continue;  // reduces integers: tiles
          SCOPED_TRACE(named.name + std::string(" of ") + std::to_string(n));
          Tally tally;
          check(named.program, {n < 4000 ? 9 : 3, n}, rng, e, tally);
          EXPECT_EQ(tally.emitted, 1);
        }
    }
    runtime::set_threads(2);
  });
}

TEST(Emit, RandomPrograms) {
  for_each_emitter([](GroupExecutor e) {
    std::mt19937 rng(2);
    Tally tally;
    for (int k = 0; k < 400; ++k) {
      SCOPED_TRACE("program " + std::to_string(k));
      const auto program = random_program(rng, k % 2);
      check(program, {1 + static_cast<std::int64_t>(rng() % 5), static_cast<std::int64_t>(rng() % 300)}, rng, e, tally);
    }
    EXPECT_GT(tally.emitted, tally.left);
  });
}

TEST(Emit, EveryLayout) {
  for_each_emitter([](GroupExecutor e) {
    std::mt19937 rng(3);
    Tally tally;
    for (int k = 0; k < 12; ++k) {
      SCOPED_TRACE("program " + std::to_string(k));
      const auto program = random_program(rng, k % 3 == 0);
      check(program, {33}, rng, e, tally);
      check(program, {0, 33}, rng, e, tally);
      check(program, {3, 4, 5}, rng, e, tally, {2, 0, 1}, 2);
      check(program, {5, 7, 53}, rng, e, tally, {1, 0, 2}, 1);
      check(program, {4, 60}, rng, e, tally, {1, 0}, 3);
      check(program, {2, 3, 2, 3, 2, 3, 2, 19}, rng, e, tally);
      check(program, {5, 1, 7, 21}, rng, e, tally, {2, 1, 0, 3});
    }
    EXPECT_GT(tally.emitted, 24);
  });
}

TEST(Emit, ManyElementsOnThreads) {
  for_each_emitter([](GroupExecutor e) {
    std::mt19937 rng(4);
    for (const int threads : {1, 2, 7}) {
      runtime::set_threads(threads);
      Tally tally;
      for (int k = 0; k < 3; ++k) check(random_program(rng, false), {70001}, rng, e, tally);
      check(random_program(rng, false), {901, 77}, rng, e, tally, {1, 0});
    }
    runtime::set_threads(2);
  });
}

/// Contiguous memory for each port of a program; outputs lie where `share` says (the index of an input, or -1).
struct Memory {
  std::vector<std::vector<std::byte>> blocks;
  std::vector<View> in, out;
  Memory(const TileProgram& p, const Dims& shape, std::mt19937 rng, const std::vector<int>& share) {
    const auto add = [&](const plan::TilePort& q) {
      Strided values(q.dtype, q.row ? Dims(shape.begin(), shape.end() - 1) : shape);
      randomize(values, rng);
      blocks.push_back(values.bytes());
      View v = plan::contiguous_view(blocks.back().data(), q.dtype, shape.data(), static_cast<int>(shape.size()));
      if (q.row)
        for (auto& stride : v.strides) stride /= shape.back();
      return v;
    };
    for (const auto& q : p.inputs) in.push_back(add(q));
    for (std::size_t o = 0; o < p.outputs.size(); ++o) out.push_back(share[o] < 0 ? add(p.outputs[o]) : in[static_cast<std::size_t>(share[o])]);
  }
};

// An output may lie where an input of the same size and kind lies, in whatever order they are read and written.
TEST(Emit, InPlace) {
  for_each_emitter([](GroupExecutor e) {
    std::mt19937 rng(5);
    int shared = 0;
    for (int k = 0; k < 150; ++k) {
      SCOPED_TRACE("program " + std::to_string(k));
      auto p = random_program(rng, k % 2);
      if (k % 5 == 0) p.outputs.push_back({p.inputs[0].reg, p.inputs[0].dtype, p.inputs[0].row});  // an input passed on
      std::vector<int> share(p.outputs.size(), -1);
      std::vector<char> taken(p.inputs.size(), 0);
      for (std::size_t o = 0; o < p.outputs.size(); ++o)
        for (std::size_t i = 0; i < p.inputs.size() && share[o] < 0; ++i)
          if (!taken[i] && p.outputs[o].row == p.inputs[i].row && size_of(p.outputs[o].dtype) == size_of(p.inputs[i].dtype))
            share[o] = static_cast<int>(i), taken[i] = 1, ++shared;
      const Dims shape{3, 1 + static_cast<std::int64_t>(rng() % 200)};
      const auto seed = rng();
      Memory apart(p, shape, std::mt19937(seed), std::vector<int>(p.outputs.size(), -1)), together(p, shape, std::mt19937(seed), share);
      const auto group = emitted(p, apart.in.data(), apart.out.data(), 2, shape.data(), e);
      if (!group) continue;
      group->run(apart.in.data(), apart.out.data());
      group->run(together.in.data(), together.out.data());
      for (std::size_t o = 0; o < p.outputs.size(); ++o) {
        const auto bytes = static_cast<std::size_t>(p.outputs[o].row ? 3 : 3 * shape[1]) * size_of(p.outputs[o].dtype);
        const std::vector<std::byte> a(apart.out[o].data, apart.out[o].data + bytes), b(together.out[o].data, together.out[o].data + bytes);
        EXPECT_TRUE(same_elements(p.outputs[o].dtype, a, b)) << "output " << o;
      }
    }
    EXPECT_GT(shared, 100);
  });
}

TEST(Emit, StoresThatPassByTheCaches) {
  Builder b;
  const auto x = b.input(DType::f32), y = b.call("add", x, b.call("square", x));
  b.output(y);
  b.output(b.call("neg", y));
  const std::int64_t n = (std::int64_t{9} << 20) + 5;
  std::vector<float> from(static_cast<std::size_t>(n)), to(from.size() + 16), minus(from.size() + 16);
  for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<float>(i % 1001) * 0.01f - 5;
  const auto aligned = [](std::vector<float>& v) { return reinterpret_cast<float*>((reinterpret_cast<std::uintptr_t>(v.data()) + 63) / 64 * 64); };
  for (const std::int64_t shift : {0, 1}) {  // 1: not aligned, hence ordinary stores
    float *p = aligned(to) + shift, *q = aligned(minus) + shift;
    const View in = plan::contiguous_view(from.data(), DType::f32, &n, 1);
    const View out[] = {plan::contiguous_view(p, DType::f32, &n, 1), plan::contiguous_view(q, DType::f32, &n, 1)};
    for_each_emitter([&](GroupExecutor e) {
      std::fill(to.begin(), to.end(), 0.0f), std::fill(minus.begin(), minus.end(), 0.0f);
      const auto group = emitted(b.p, &in, out, 1, &n, e);
      ASSERT_NE(group, nullptr);
      group->run(&in, out);
      std::int64_t wrong = 0;
      for (std::int64_t i = 0; i < n; ++i) {
        const float v = from[static_cast<std::size_t>(i)], want = v + v * v;
        wrong += p[i] != want || q[i] != -want;
      }
      EXPECT_EQ(wrong, 0);
    });
  }
}

TEST(Emit, WhatIsLeftToTiles) {
  const auto made = [](const TileProgram& p, const Dims& strides, GroupExecutor e) {
    const std::int64_t shape[] = {40, 50};
    View v = plan::contiguous_view(nullptr, DType::f32, shape, 2);
    v.strides[0] = strides[0], v.strides[1] = strides[1];
    const View out = plan::contiguous_view(nullptr, DType::f32, shape, 2);
    return emitted(p, &v, &out, 2, shape, e) != nullptr;
  };
  const auto program = [](const char* f) {
    Builder b;
    b.output(b.call(f, b.input(DType::f32)));
    return b.p;
  };
  for_each_emitter([&](GroupExecutor e) {
    EXPECT_TRUE(made(program("exp"), {50, 1}, e));
    EXPECT_TRUE(made(program("exp"), {1, 0}, e));
    EXPECT_FALSE(made(program("exp"), {1, 40}, e)) << "transposed";
    EXPECT_TRUE(made(program("sin"), {50, 1}, e));
    EXPECT_TRUE(made(program("lgamma"), {50, 1}, e)) << "a function that has no recorded form is called";
  });
  EXPECT_FALSE(made(program("exp"), {50, 1}, GroupExecutor::tiles));
}

TEST(Emit, EqualProgramsShareTheirCodeAndNoPageIsWritableAndExecutable) {
  const auto program = softmax();
  const std::int64_t shape[] = {4, 100};
  const View v = plan::contiguous_view(nullptr, DType::f32, shape, 2);
  for_each_emitter([&](GroupExecutor e) {
    const auto a = emitted(program, &v, &v, 2, shape, e), b = emitted(program, &v, &v, 2, shape, e);
    ASSERT_TRUE(a && b);
    EXPECT_EQ(a->code(), b->code());
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) EXPECT_EQ(line.find(" rwx"), line.npos) << line;
  });
}

}  // namespace
}  // namespace adjoint::cpu
