// tile_support.hpp: writes tile programs and fills their operands with random values, for all tests of their executors.
// Not an executor.
#pragma once

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <random>
#include <vector>

#include "plan/scalar_functions.hpp"
#include "plan/tile_program.hpp"
#include "support/strided.hpp"

namespace adjoint::cpu::tile_test {

using plan::TileProgram;
using plan::View;
using test::Dims;
using test::Strided;

inline std::uint16_t op(const char* name) {
  const int i = plan::find_scalar_function(name);
  EXPECT_GE(i, 0) << name;
  return static_cast<std::uint16_t>(i);
}

/// Appends to a program and numbers its registers.
struct Builder {
  TileProgram p;
  std::vector<DType> types;
  std::uint16_t add(DType d) {
    types.push_back(d);
    return p.registers++;
  }
  std::uint16_t input(DType d) {
    const auto r = add(d);
    p.inputs.push_back({r, d});
    return r;
  }
  std::uint16_t call(const char* name, std::uint16_t a, std::uint16_t b = 0, std::uint16_t c = 0) {
    const auto& f = plan::scalar_function(op(name));
    const DType src = types[f.name == "where" ? b : a];
    return emit(name, f.result == plan::ResultType::boolean ? DType::bool_ : src, src, a, b, c);
  }
  std::uint16_t reduce(plan::RowReduction how, std::uint16_t a) { return reduce(how, a, types[a]); }
  std::uint16_t reduce(plan::RowReduction how, std::uint16_t a, DType to) {
    const auto r = add(to);
    p.instructions.push_back({0, to, types[a], r, a, 0, 0, how});
    return r;
  }
  std::uint16_t row_input(DType d) {
    const auto r = input(d);
    p.inputs.back().row = true;
    return r;
  }
  void row_output(std::uint16_t r) { p.outputs.push_back({r, types[r], true}); }
  std::uint16_t cast(DType to, std::uint16_t a) { return emit("cast", to, types[a], a); }
  std::uint16_t emit(const char* name, DType d, DType src, std::uint16_t a, std::uint16_t b = 0, std::uint16_t c = 0) {
    const auto r = add(d);
    p.instructions.push_back({op(name), d, src, r, a, b, c});
    return r;
  }
  void joined(std::uint16_t r, plan::Join join, plan::RowReduction how) { p.outputs.push_back({r, types[r], false, join, how}); }
  void output(std::uint16_t r) { p.outputs.push_back({r, types[r]}); }
};

inline void randomize(Strided& m, std::mt19937& rng) {
  std::normal_distribution<float> normal(0, 2);
  for (std::int64_t i = 0; i < m.elements(); ++i) switch (m.view().dtype) {
      case DType::f64: m.set(i, static_cast<double>(normal(rng))); break;
      case DType::f32: m.set(i, normal(rng)); break;
      case DType::bf16: m.set(i, bfloat16(normal(rng)).bits); break;
      case DType::f16: m.set(i, float16(normal(rng)).bits); break;
      case DType::i64: m.set(i, static_cast<std::int64_t>((std::uint64_t{rng()} << 32) | rng())); break;
      case DType::i32: m.set(i, static_cast<std::int32_t>(rng())); break;
      case DType::bool_: m.set(i, static_cast<std::uint8_t>(rng() & 1)); break;
      default: m.set(i, static_cast<std::uint8_t>(rng())); break;
    }
}

/// Puts NaN, infinities, zeros of both signs, subnormals and the largest numbers among the elements of a float type.
inline void sprinkle(Strided& m, std::mt19937& rng) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const float special[] = {inf, -inf, nan, -0.0f, 0.0f, 1e-40f, -1e-45f, 3e38f, -1e30f, 1, -1, 88.8f, -104};
  for (std::int64_t i = 0; i < m.elements(); ++i) {
    if (rng() % 24) continue;
    const float x = special[rng() % 13];
    switch (m.view().dtype) {
      case DType::f64: m.set(i, static_cast<double>(x)); break;
      case DType::f32: m.set(i, x); break;
      case DType::bf16: m.set(i, bfloat16(x).bits); break;
      case DType::f16: m.set(i, float16(x).bits); break;
      default: break;
    }
  }
}

using Operands = std::vector<std::unique_ptr<Strided>>;
inline std::vector<View> views(const Operands& o) {
  std::vector<View> v;
  for (const auto& m : o) v.push_back(m->view());
  return v;
}

}  // namespace adjoint::cpu::tile_test
