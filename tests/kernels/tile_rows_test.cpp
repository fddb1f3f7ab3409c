// tile_rows_test.cpp: programs with reductions along rows against the same instructions one at a time over whole arrays,
// with the reduce kernel for the reductions. Not a test of that kernel: reduce_test.cpp.
#include "kernels/tile_rows_support.hpp"

#include <gtest/gtest.h>

#include <string>

#include "adjoint/error.hpp"
#include "runtime/pool.hpp"
#include "support/instruction_sets.hpp"

namespace adjoint::cpu {
namespace {

using namespace tile_test;
using enum plan::RowReduction;

TEST(TileRows, NamedProgramsAtEveryLength) {
  std::mt19937 rng(1);
  for (const int threads : {1, 2, 7}) {
    runtime::set_threads(threads);
    for (const std::int64_t n : {0, 1, 3, 15, 16, 17, 100, 511, 512, 513, 1000, 4095, 4096, 4097, 9000, 20000})
      for (const auto& named : row_programs()) {
        SCOPED_TRACE(named.name + std::string(" of ") + std::to_string(n) + ", " + std::to_string(threads) + " threads");
        check_rows(named.program, {n < 4000 ? 9 : 3, n}, rng);
      }
  }
  runtime::set_threads(2);
}

TEST(TileRows, RandomProgramsOnEveryInstructionSet) {
  test::for_each_instruction_set([&](std::int64_t) {
    std::mt19937 rng(2);
    for (int k = 0; k < 60; ++k) {
      SCOPED_TRACE("program " + std::to_string(k));
      check_rows(random_program(rng), {1 + static_cast<std::int64_t>(rng() % 5), static_cast<std::int64_t>(rng() % 700)}, rng);
    }
  });
}

TEST(TileRows, EveryLayout) {
  std::mt19937 rng(3);
  for (const auto& named : row_programs()) {
    SCOPED_TRACE(named.name);
    check_rows(named.program, {33}, rng);
    check_rows(named.program, {0, 33}, rng);
    check_rows(named.program, {3, 4, 5}, rng, {2, 0, 1}, 2);
    check_rows(named.program, {5, 7, 530}, rng, {1, 0, 2}, 1);
    check_rows(named.program, {40, 600}, rng, {1, 0}, 3);
  }
}

// The input is overwritten in the last pass, after the passes that read it again.
TEST(TileRows, InPlace) {
  for (const std::int64_t n : {5, 600, 5000}) {
    const std::int64_t shape[] = {7, n};
    const auto program = softmax();
    std::vector<float> x;
    for (std::int64_t i = 0; i < 7 * n; ++i) x.push_back(static_cast<float>(i % 97) * 0.1f);
    auto y = x, z = x;
    const View in = plan::contiguous_view(x.data(), DType::f32, shape, 2), out = plan::contiguous_view(y.data(), DType::f32, shape, 2);
    const View both = plan::contiguous_view(z.data(), DType::f32, shape, 2);
    run_tiles(ResolvedProgram(program), &in, &out, 2, shape);
    run_tiles(ResolvedProgram(program), &both, &both, 2, shape);
    EXPECT_EQ(y, z);
    double sum = 0;
    for (std::int64_t i = 0; i < n; ++i) sum += y[static_cast<std::size_t>(i)];
    EXPECT_NEAR(sum, 1, 1e-5);
  }
}

TEST(TileRows, MalformedProgramsAreErrors) {
  const auto message = [](const Builder& b) -> std::string {
    try {
      ResolvedProgram r(b.p);
    } catch (const Error& e) {
      return e.message();
    }
    return "";
  };
  Builder b;
  const auto x = b.input(DType::f32);
  b.row_output(x);
  EXPECT_EQ(message(b), "an output of one element a row reads register 0, which holds one value an element");
  b = {};
  b.row_output(b.reduce(sum, b.reduce(sum, b.input(DType::f32))));
  EXPECT_EQ(message(b), "a reduction reads register 1, which holds one value a row");
  b = {};
  b.row_output(b.reduce(sum, b.input(DType::bool_)));
  EXPECT_EQ(message(b), "a reduction of bool is not defined: cast it first");
  b = {};
  b.row_output(b.reduce(sum, b.input(DType::i32), DType::i64));
  EXPECT_EQ(message(b), "a reduction of i32 gives i32, not i64");
}

}  // namespace
}  // namespace adjoint::cpu
