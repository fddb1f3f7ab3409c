// row_joins_test.cpp: what a group joins over its rows, or over all elements, has the bits of the reduce kernel: tiles and emitted
// code, every number of rows around lanes and blocks, threads, types and layouts. Not a test of which groups join: tests/plan.
#include "kernels/cpu/row_joins.hpp"

#include <gtest/gtest.h>

#include <string>

#include "adjoint/error.hpp"
#include "kernels/cpu/emit.hpp"
#include "kernels/tile_rows_support.hpp"
#include "runtime/pool.hpp"

namespace adjoint::cpu {
namespace {

using namespace tile_test;
using plan::Join;

/// Runs by each executor; returns how many runs were of emitted code.
int check(const TileProgram& p, const Dims& shape, std::mt19937& rng, const Dims& order = {}, std::int64_t step = 1) {
  int emitted = 0;
  for (const auto e : {GroupExecutor::tiles, GroupExecutor::avx2, GroupExecutor::avx512}) {
    if (!processor_has(e)) continue;
    SCOPED_TRACE(e == GroupExecutor::tiles ? "tiles" : e == GroupExecutor::avx2 ? "avx2" : "avx512");
    check_rows_with(p, shape, rng, order, step, [&](const TileProgram& q, const View* in, const View* out, int rank, const std::int64_t* s) {
      const auto code = EmittedGroup::make(q, {s, static_cast<std::size_t>(rank)}, {in, q.inputs.size()}, {out, q.outputs.size()}, e);
      if (code) ++emitted, code->run(in, out);
      else run_tiles(q, in, out, rank, s);
    });
  }
  return emitted;
}

struct Threads {
  int before = runtime::threads();
  ~Threads() { runtime::set_threads(before); }
};

/// Layer norm's backward pass: sums along the rows, and what goes to the gradients of scale and shift.
TileProgram norm_backward() {
  Builder b;
  const auto x = b.input(DType::f32), g = b.input(DType::f32), gamma = b.input(DType::f32), r = b.row_input(DType::f32);
  const auto c = b.call("mul", x, r), d = b.call("mul", g, gamma);
  const auto s = b.reduce(RowReduction::sum, d), t = b.reduce(RowReduction::sum, b.call("mul", d, c));
  b.output(b.call("mul", r, b.call("sub", b.call("sub", d, s), b.call("mul", c, t))));
  b.joined(b.call("mul", g, c), Join::columns, RowReduction::sum);
  b.joined(g, Join::columns, RowReduction::sum);
  return b.p;
}
/// A loss, and one more number.
TileProgram total() {
  Builder b;
  const auto x = b.input(DType::f32), y = b.call("mul", x, b.input(DType::f32));
  b.output(b.call("exp", y));
  b.joined(b.call("square", y), Join::all, RowReduction::sum);
  b.joined(y, Join::all, RowReduction::amax);
  return b.p;
}

TEST(RowJoins, ColumnsAtEveryNumberOfRows) {
  const Threads keep;
  std::mt19937 rng(1);
  for (const int threads : {1, 2, 3, 8}) {
    runtime::set_threads(threads);
    for (const std::int64_t rows : {0, 1, 2, 15, 16, 17, 31, 100, 1024, 4095, 4096, 4097, 8200, 12289})
      for (const std::int64_t columns : {1, 16, 33, 64}) {
        SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(columns) + " on " + std::to_string(threads));
        check(norm_backward(), {rows, columns}, rng);
      }
    check(norm_backward(), {70, 1000}, rng);
    check(norm_backward(), {40, 5000}, rng);
  }
}

TEST(RowJoins, AllAtEveryShape) {
  const Threads keep;
  std::mt19937 rng(2);
  for (const int threads : {1, 2, 3, 8}) {
    runtime::set_threads(threads);
    for (const std::int64_t columns : {16, 64, 256, 1024, 4096})
      for (const std::int64_t rows : {0, 1, 3, 4, 16, 17, 70, 257}) {
        SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(columns) + " on " + std::to_string(threads));
        check(total(), {rows, columns}, rng);
      }
  }
}

TEST(RowJoins, RandomPrograms) {
  const Threads keep;
  std::mt19937 rng(3);
  int emitted = 0;
  for (int k = 0; k < 300; ++k) {
    SCOPED_TRACE("program " + std::to_string(k));
    runtime::set_threads(1 + k % 4);
    const bool all = k % 3 == 0;
    const std::int64_t columns = all ? std::int64_t{16} << rng() % 6 : 1 + static_cast<std::int64_t>(rng() % 200);
    const auto program = random_program(rng, k % 2, 1 + static_cast<int>(rng() % 3), all);
    emitted += check(program, {1 + static_cast<std::int64_t>(rng() % 70), columns}, rng);
    if (k % 10 == 0) emitted += check(program, {4100, 16}, rng);
  }
  EXPECT_GT(emitted, 200);
}

TEST(RowJoins, Layouts) {
  std::mt19937 rng(4);
  for (int k = 0; k < 10; ++k) {
    SCOPED_TRACE("program " + std::to_string(k));
    const auto program = random_program(rng, k % 2, 2, true);
    check(program, {7, 5, 64}, rng, {1, 0, 2});
    check(program, {3, 4, 16}, rng, {2, 0, 1}, 2);
    check(program, {2, 3, 2, 3, 32}, rng);
  }
}

TEST(RowJoins, WhatIsNoJoin) {
  const auto message = [](const TileProgram& p) {
    try {
      ResolvedProgram resolved(p);
    } catch (const Error& e) {
      return std::string(e.message());
    }
    return std::string();
  };
  Builder row, number;
  row.joined(row.reduce(RowReduction::sum, row.input(DType::f32)), Join::columns, RowReduction::sum);
  number.joined(number.input(DType::i32), Join::columns, RowReduction::sum);
  EXPECT_NE(message(row.p).find("one value a row"), std::string::npos) << message(row.p);
  EXPECT_NE(message(number.p).find("is not defined"), std::string::npos) << message(number.p);
}

}  // namespace
}  // namespace adjoint::cpu
