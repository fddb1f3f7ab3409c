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

namespace adjoint::cpu {
namespace {

using namespace tile_test;

double sigmoid(double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }
/// x times what goes to 0 for x -> -inf.
double times(double x, double f) { return std::isinf(x) && x < 0 ? -0.0 : x * f; }

struct Function {
  const char* name;
  double (*reference)(double);  ///< to far less than an ULP of f32
  double bound;
  double within = std::numeric_limits<double>::infinity();  ///< the bound holds for |x| up to here
};
const Function kFunctions[] = {
    {"exp", [](double x) { return std::exp(x); }, 1.5},
    {"expm1", [](double x) { return std::expm1(x); }, 1.6},
    {"log", [](double x) { return std::log(x); }, 1.5},
    {"log1p", [](double x) { return std::log1p(x); }, 1.6},
    {"tanh", [](double x) { return std::tanh(x); }, 1.5},
    {"sigmoid", sigmoid, 1.5},
    {"erf", [](double x) { return std::erf(x); }, 1.5},
    {"rsqrt", [](double x) { return 1 / std::sqrt(x); }, 1.5},
    {"sin", [](double x) { return std::sin(x); }, 1.5},
    {"cos", [](double x) { return std::cos(x); }, 1.5},
    {"gelu", [](double x) { return times(x, std::erfc(-x * 0.70710678118654752440) / 2); }, 4},
    {"gelu_tanh", [](double x) { return times(x, sigmoid(1.5957691216057307117 * (x + 0.044715 * x * x * x))); }, 4},
    {"silu", [](double x) { return times(x, sigmoid(x)); }, 4},
    {"softplus", [](double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }, 4},
};

/// |y - want| in units of the last place of f32 at want.
double ulp_error(float y, double want) {
  if (std::isnan(want)) return std::isnan(y) ? 0 : std::numeric_limits<double>::infinity();
  if (std::isinf(y) && std::fabs(want) >= 0x1.ffffffp127 && std::signbit(y) == std::signbit(want)) return 0;
  const auto exponent = static_cast<int>(std::bit_cast<std::uint64_t>(want) >> 52 & 0x7FF) - 1023;
  const int unit = std::max(exponent, -126) - 23;
  return std::fabs(static_cast<double>(y) - want) / std::bit_cast<double>(static_cast<std::uint64_t>(unit + 1023) << 52);
}

struct Found {
  double worst = 0;
  float at = 0;
  std::int64_t differ = 0;  ///< inputs at which two executors differ
};

/// All floats whose bits are first, first + stride, ... in [first, first + 2^24).
Found sweep(const Function& f, std::uint32_t first, std::uint32_t stride) {
  constexpr std::int64_t kChunk = 1 << 14;
  Builder b;
  b.output(b.call(f.name, b.input(DType::f32)));
  const ResolvedProgram tiles(b.p);
  alignas(64) static thread_local float x[kChunk], y[3][kChunk];
  const View in = plan::contiguous_view(x, DType::f32, &kChunk, 1);
  const View out[3] = {plan::contiguous_view(y[0], DType::f32, &kChunk, 1), plan::contiguous_view(y[1], DType::f32, &kChunk, 1),
                       plan::contiguous_view(y[2], DType::f32, &kChunk, 1)};
  std::unique_ptr<EmittedGroup> code[3];
  for (const auto e : {GroupExecutor::avx2, GroupExecutor::avx512})
    if (processor_has(e)) code[static_cast<int>(e)] = EmittedGroup::make(b.p, {&kChunk, 1}, {&in, 1}, {out, 1}, e);
  Found found;
  const std::uint64_t end = std::uint64_t{first} + (1 << 24);
  for (std::uint64_t bits = first; bits < end;) {
    for (auto& v : x) v = std::bit_cast<float>(static_cast<std::uint32_t>(std::min(bits, end - 1))), bits += stride;
    run_tiles(tiles, &in, out, 1, &kChunk);
    for (int e = 1; e < 3; ++e) {
      if (!code[e]) continue;
      code[e]->run(&in, out + e);
      if (std::memcmp(y[0], y[e], sizeof x) == 0) continue;
      for (std::int64_t i = 0; i < kChunk; ++i) found.differ += !test::same_bits(y[0][i], y[e][i]);
    }
    for (std::int64_t i = 0; i < kChunk; ++i) {
      if (std::fabs(static_cast<double>(x[i])) > f.within) continue;
      const double error = ulp_error(y[0][i], f.reference(static_cast<double>(x[i])));
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
  }
  return table.str();
}

TEST(FunctionTable, ASampleOfAllInputs) { sweep_all(4099); }

TEST(FunctionTable, SoakOverAllInputs) {
  const std::string rows = sweep_all(1);
  if (const char* build = std::getenv("ADJOINT_BUILD")) std::ofstream(std::string(build) + "/functions.md") << rows;
  std::printf("%s", rows.c_str());
}

}  // namespace
}  // namespace adjoint::cpu
