// emit_test.cpp: emitted code against the definition of its programs, bit for bit: every length, layout, thread count and
// instruction set, named and random programs, in place. Not a test of functions: scalar_functions_test.cpp.
#include "kernels/cpu/emit.hpp"

#include <gtest/gtest.h>

#include <cmath>
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

}  // namespace
}  // namespace adjoint::cpu
