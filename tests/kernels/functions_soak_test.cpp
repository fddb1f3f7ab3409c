// functions_soak_test.cpp: the error of each hot f32 function over every input, and its bits from tiles, AVX2 and AVX-512.
// A sample of the inputs in the suite, all 2^32 in scripts/soak, where the table of docs/measurements/functions.md is made.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "kernels/cpu/emit.hpp"
#include "kernels/cpu/tiles.hpp"
#include "kernels/tile_support.hpp"
#include "runtime/pool.hpp"
#include "support/same_bits.hpp"
#include "support/soak.hpp"

namespace adjoint::cpu {
namespace {

using namespace tile_test;

/// The reference of a function is itself in f64, which scalar_functions_test.cpp holds to 113-bit arithmetic.
struct Function {
  const char* name;
  double bound;
};
const Function kFunctions[] = {{"exp", 1.5},   {"expm1", 1.6}, {"log", 1.5}, {"log1p", 1.6}, {"tanh", 1.5},    {"sigmoid", 1.5}, {"erf", 1.5},
                               {"rsqrt", 1.5}, {"sin", 1.5},   {"cos", 1.5}, {"gelu", 4},    {"gelu_tanh", 4}, {"silu", 4},      {"softplus", 4}};

/// |y - want| in units of the last place of f32 at want.
double ulp_error(float y, double want) {
  const auto exponent = static_cast<int>(std::bit_cast<std::uint64_t>(want) >> 52 & 0x7FF) - 1023;
  if (exponent > 126) {  // near the largest number, or none
    if (std::isnan(want)) return std::isnan(y) ? 0 : std::numeric_limits<double>::infinity();
    if (std::isinf(y) && std::fabs(want) >= 0x1.ffffffp127 && std::signbit(y) == std::signbit(want)) return 0;
  }
  const int unit = std::max(exponent, -126) - 23;
  return std::fabs(static_cast<double>(y) - want) * std::bit_cast<double>(static_cast<std::uint64_t>(1023 - unit) << 52);
}

struct Found {
  double worst = 0;
  float at = 0;
  std::int64_t differ = 0;  ///< inputs at which two executors differ
};

/// The floats whose bits are first, first + stride, ... in [first, first + 2^24).
Found sweep(const Function& f, std::uint32_t first, std::uint32_t stride) {
  static constexpr std::int64_t kChunk = 1 << 12;
  Builder narrow, wide;
  narrow.output(narrow.call(f.name, narrow.input(DType::f32)));
  wide.output(wide.call(f.name, wide.input(DType::f64)));
  const ResolvedProgram tiles(narrow.p), reference(wide.p);
  alignas(64) static thread_local float x[kChunk], y[3][kChunk];
  alignas(64) static thread_local double wide_x[kChunk], want[kChunk];
  const auto view = [](void* data, DType d) { return plan::contiguous_view(data, d, &kChunk, 1); };
  const View in = view(x, DType::f32), wide_in = view(wide_x, DType::f64), wide_out = view(want, DType::f64);
  const View out[3] = {view(y[0], DType::f32), view(y[1], DType::f32), view(y[2], DType::f32)};
  std::unique_ptr<EmittedGroup> code[3];
  for (const auto e : {GroupExecutor::avx2, GroupExecutor::avx512})
    if (processor_has(e)) code[static_cast<int>(e)] = EmittedGroup::make(narrow.p, {&kChunk, 1}, {&in, 1}, {out, 1}, e);
  Found found;
  const std::uint64_t end = std::uint64_t{first} + (1 << 24);
  for (std::uint64_t bits = first; bits < end;) {
    for (std::int64_t i = 0; i < kChunk; ++i, bits += stride) {
      x[i] = std::bit_cast<float>(static_cast<std::uint32_t>(std::min(bits, end - 1)));
      wide_x[i] = static_cast<double>(x[i]);
    }
    run_tiles(reference, &wide_in, &wide_out, 1, &kChunk);
    run_tiles(tiles, &in, out, 1, &kChunk);
    for (int e = 1; e < 3; ++e) {
      if (!code[e]) continue;
      code[e]->run(&in, out + e);
      if (std::memcmp(y[0], y[e], sizeof x) == 0) continue;
      for (std::int64_t i = 0; i < kChunk; ++i) found.differ += !test::same_bits(y[0][i], y[e][i]);
    }
    for (std::int64_t i = 0; i < kChunk; ++i) {
      const double error = ulp_error(y[0][i], want[i]);
      if (!(error <= found.worst)) found.worst = error, found.at = x[i];
    }
  }
  return found;
}

/// The table's rows, as they stand in docs/measurements/functions.md.
std::string sweep_all(std::uint32_t stride) {
  std::ostringstream table;
  for (const auto& f : kFunctions) {
    if (const char* only = std::getenv("ADJOINT_FUNCTION"); only && std::string(only) != f.name) continue;
    Found total;
    std::mutex mutex;
    runtime::parallel(256, [&](std::int64_t part) {
      const Found found = sweep(f, static_cast<std::uint32_t>(part) << 24, stride);
      const std::lock_guard lock(mutex);
      if (!(found.worst <= total.worst)) total.worst = found.worst, total.at = found.at;
      total.differ += found.differ;
    });
    EXPECT_LE(total.worst, f.bound) << f.name << " at " << total.at;
    EXPECT_EQ(total.differ, 0) << f.name;
    char row[160];
    std::snprintf(row, sizeof row, "| %s | %.3f | %a | %g |\n", f.name, total.worst, static_cast<double>(total.at), f.bound);
    table << row;
    if (stride == 1) std::printf("%s", row), std::fflush(stdout);
  }
  return table.str();
}

TEST(FunctionTable, ASampleOfAllInputs) { sweep_all(4099); }

TEST(FunctionTable, SoakOverAllInputs) {
  const std::string rows = sweep_all(1);
  if (const char* build = std::getenv("ADJOINT_BUILD")) std::ofstream(std::string(build) + "/functions.md") << rows;
  support::soak_count("functions.inputs", (std::int64_t{1} << 32) * static_cast<std::int64_t>(std::size(kFunctions)));
}

}  // namespace
}  // namespace adjoint::cpu
