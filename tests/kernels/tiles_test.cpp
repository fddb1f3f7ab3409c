// tiles_test.cpp: fused programs against the same functions applied one element at a time, for all layouts, lengths,
// threads and instruction sets. Not a test of the functions themselves: scalar_functions_test.cpp.
#include "kernels/cpu/tiles.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <limits>
#include <memory>
#include <random>
#include <string>

#include "adjoint/error.hpp"
#include "kernels/cpu/scalar_kernels.hpp"
#include "kernels/tile_support.hpp"
#include "plan/scalar_functions.hpp"
#include "runtime/pool.hpp"
#include "support/instruction_sets.hpp"
#include "support/strided.hpp"

namespace adjoint::cpu {
namespace {

using namespace tile_test;

/// One element in register form, repeated so that a kernel can be called on it.
using Lane = std::array<std::byte, 8 * kTilePad>;
std::size_t form_size(DType d) { return d == DType::bf16 || d == DType::f16 ? 4 : size_of(d); }

Lane repeat(const void* x, std::size_t size) {
  Lane lane;
  for (std::size_t i = 0; i < kTilePad; ++i) std::memcpy(lane.data() + i * size, x, size);
  return lane;
}
template <class H> float widen(const std::byte* x) {
  H h;
  std::memcpy(&h.bits, x, 2);
  return static_cast<float>(h);
}
/// The definition: every instruction on one element, 16-bit formats through the conversions of dtype.hpp.
void evaluate(const TileProgram& p, const std::vector<std::byte*>& in, const std::vector<std::byte*>& out) {
  std::vector<Lane> reg(p.registers);
  for (std::size_t i = 0; i < in.size(); ++i) {
    const DType d = p.inputs[i].dtype;
    const float f = d == DType::bf16 ? widen<bfloat16>(in[i]) : d == DType::f16 ? widen<float16>(in[i]) : 0;
    reg[p.inputs[i].reg] = form_size(d) == size_of(d) ? repeat(in[i], size_of(d)) : repeat(&f, 4);
  }
  for (const auto& k : p.instructions) {
    const bool cast = plan::scalar_function(k.op).name == "cast";
    const ScalarKernel kernel = cast ? cast_kernel(k.src, k.dtype) : scalar_kernel(k.op, k.src);
    kernel(reg[k.dst].data(), reg[k.a].data(), reg[k.b].data(), reg[k.c].data(), kTilePad);
    float f;
    std::memcpy(&f, reg[k.dst].data(), 4);
    if (k.dtype == DType::bf16) f = static_cast<float>(bfloat16(f));
    if (k.dtype == DType::f16) f = static_cast<float>(float16(f));
    if (form_size(k.dtype) != size_of(k.dtype)) reg[k.dst] = repeat(&f, 4);
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    const DType d = p.outputs[i].dtype;
    float f;
    std::memcpy(&f, reg[p.outputs[i].reg].data(), 4);
    const std::uint16_t half = d == DType::bf16 ? bfloat16(f).bits : float16(f).bits;
    if (form_size(d) == size_of(d)) std::memcpy(out[i], reg[p.outputs[i].reg].data(), size_of(d));
    else std::memcpy(out[i], &half, 2);
  }
}

/// Runs a program on the operands (outputs last) and compares each element's bits, and the guards.
void check(const TileProgram& p, Operands& in, Operands& out, const Dims& shape) {
  std::vector<std::vector<std::byte>> expected;
  const std::int64_t n = out.empty() ? 0 : out[0]->elements();
  for (const auto& o : p.outputs) expected.emplace_back(static_cast<std::size_t>(n) * size_of(o.dtype));
  for (std::int64_t i = 0; i < n; ++i) {
    std::vector<std::byte*> from, to;
    for (const auto& m : in) from.push_back(m->at(i));
    for (std::size_t o = 0; o < expected.size(); ++o)
      to.push_back(expected[o].data() + static_cast<std::size_t>(i) * size_of(p.outputs[o].dtype));
    evaluate(p, from, to);
  }
  const auto vi = views(in), vo = views(out);
  run_tiles(ResolvedProgram(p), vi.data(), vo.data(), static_cast<int>(shape.size()), shape.data());
  for (std::size_t o = 0; o < out.size(); ++o) EXPECT_EQ(out[o]->bytes(), expected[o]) << "output " << o;
  for (auto& m : out) EXPECT_TRUE(m->guards_stand());
}

/// y = relu(a * s + b), also its bf16 cast and its sign as a bool; s may be a broadcast scalar.
TileProgram sample_program() {
  Builder b;
  const auto x = b.input(DType::f32), s = b.input(DType::f32), h = b.input(DType::bf16);
  const auto y = b.call("relu", b.call("add", b.call("mul", x, s), b.cast(DType::f32, h)));
  b.output(y);
  b.output(b.cast(DType::bf16, y));
  b.output(b.call("gt", y, s));
  return b.p;
}

TEST(Tiles, EveryLengthAndThreadCount) {
  const TileProgram p = sample_program();
  std::mt19937 rng(1);
  for (const int threads : {1, 2, 7}) {
    runtime::set_threads(threads);
    for (const std::int64_t n : {0, 1, 2, 15, 16, 17, 31, 511, 512, 513, 1000, 1024, 5000, 40000}) {
      SCOPED_TRACE(std::to_string(n) + " elements, " + std::to_string(threads) + " threads");
      const Dims shape{n};
      Operands in, out;
      for (const DType d : {DType::f32, DType::f32, DType::bf16})
        randomize(*in.emplace_back(std::make_unique<Strided>(d, shape)), rng);
      for (const DType d : {DType::f32, DType::bf16, DType::bool_}) out.push_back(std::make_unique<Strided>(d, shape));
      check(p, in, out, shape);
    }
  }
  runtime::set_threads(2);
}

struct LayoutCase {
  Dims shape;
  Dims order[4];           ///< of the three inputs and the outputs
  std::int64_t step[4] = {1, 1, 1, 1};
  unsigned broadcast[3] = {0, 0, 0}, flipped[4] = {0, 0, 0, 0};
};
std::vector<LayoutCase> layout_cases() {
  return {
      {{}, {}},
      {{3, 5, 7}, {{}, {}, {}, {}}, {1, 1, 1, 1}, {0, 0b111, 0}},                   // a scalar
      {{40, 10}, {}, {1, 1, 1, 1}, {0, 0b01, 0b10}},                                // short rows, broadcast both ways
      {{5, 300}, {}, {1, 1, 1, 1}, {0, 0b01, 0b10}},                                // long rows
      {{3, 1037}, {}, {1, 1, 1, 1}, {0b10, 0b01, 0}},
      {{33, 65}, {{1, 0}, {}, {1, 0}, {}}},                                         // transposed inputs
      {{33, 65}, {{}, {1, 0}, {}, {1, 0}}},                                         // transposed outputs
      {{7, 300}, {{1, 0}, {}, {}, {1, 0}}, {1, 2, 3, 2}},                           // gaps
      {{4, 9, 31}, {{2, 0, 1}, {1, 2, 0}, {}, {0, 2, 1}}, {1, 1, 2, 3}, {0b010, 0b101, 0}, {0b001, 0, 0b110, 0b100}},
      {{2, 3, 2, 3, 2, 3, 2, 5}, {}, {1, 1, 1, 1}, {0b10101010, 0b01010101, 0b11}},
      {{1, 600, 1}, {}, {1, 1, 1, 1}, {0, 0b101, 0}},
      {{60000}, {}, {2, 1, 3, 1}, {0, 0, 0}, {1, 0, 0, 1}},                         // backwards, on all threads
      {{300, 400}, {{1, 0}, {}, {}, {}}, {1, 1, 1, 1}, {0, 0b01, 0b10}},
      {{6000, 17}, {}, {1, 1, 1, 1}, {0, 0b01, 0b10}},
      {{0, 5}, {}},
  };
}

TEST(Tiles, EveryLayout) {
  const TileProgram p = sample_program();
  std::mt19937 rng(2);
  int number = 0;
  for (const auto& c : layout_cases()) {
    SCOPED_TRACE("case " + std::to_string(number++));
    const DType types[] = {DType::f32, DType::f32, DType::bf16};
    Operands in, out;
    for (std::size_t i = 0; i < 3; ++i)
      randomize(*in.emplace_back(std::make_unique<Strided>(types[i], c.shape, c.order[i], c.step[i], c.broadcast[i],
                                                           c.flipped[i])), rng);
    for (const DType d : {DType::f32, DType::bf16, DType::bool_})
      out.push_back(std::make_unique<Strided>(d, c.shape, c.order[3], c.step[3], 0, c.flipped[3]));
    check(p, in, out, c.shape);
  }
}

TEST(Tiles, EveryTypeAndInstructionSet) {
  std::mt19937 rng(3);
  test::for_each_instruction_set([&](std::int64_t) {
    for (int t = 0; t < kDTypeCount; ++t) {
      const auto d = static_cast<DType>(t);
      SCOPED_TRACE(std::string(name_of(d)));
      Builder b;
      const auto x = b.input(d), y = b.input(d);
      const auto less = b.call("lt", x, y), chosen = b.call("where", less, x, y);
      b.output(less);
      b.output(chosen);
      b.output(d == DType::bool_ ? b.call("logical_xor", chosen, y) : b.call("mul", b.call("sub", chosen, y), x));
      for (int to = 0; to < kDTypeCount; ++to) b.output(b.cast(static_cast<DType>(to), chosen));
      Operands in, out;
      const Dims shape{7, 53};
      for (int i = 0; i < 2; ++i) randomize(*in.emplace_back(std::make_unique<Strided>(d, shape)), rng);
      for (const auto& o : b.p.outputs) out.push_back(std::make_unique<Strided>(o.dtype, shape));
      check(b.p, in, out, shape);
    }
  });
}

TEST(Tiles, LongProgramsReuseRegisters) {
  Builder b;
  const auto x = b.input(DType::f32), y = b.input(DType::f64);
  auto f = x;
  auto g = y;
  for (int i = 0; i < 60; ++i) {
    f = b.call(i % 3 ? "add" : "mul", f, b.cast(DType::f32, g));
    g = b.call(i % 2 ? "minimum" : "sub", g, b.cast(DType::f64, f));
  }
  b.output(f);
  b.output(g);
  EXPECT_LE(ResolvedProgram(b.p).scratch_bytes(), 10 * (4096 + 64));
  std::mt19937 rng(4);
  Operands in, out;
  const Dims shape{777};
  for (const DType d : {DType::f32, DType::f64}) randomize(*in.emplace_back(std::make_unique<Strided>(d, shape)), rng);
  for (const DType d : {DType::f32, DType::f64}) out.push_back(std::make_unique<Strided>(d, shape));
  check(b.p, in, out, shape);
}

// p and m are overwritten in place, in an order in which the first output is written before the second is computed.
TEST(Tiles, InPlaceUpdates) {
  Builder b;
  const auto p = b.input(DType::f32), m = b.input(DType::f32), g = b.input(DType::f32);
  const auto next_p = b.call("sub", p, m);
  const auto next_m = b.call("add", b.call("mul", m, p), g);  // reads the old p
  b.output(next_p);
  b.output(next_m);
  for (const std::int64_t n : {5, 512, 1003, 70000}) {
    const Dims shape{n};
    std::vector<float> pv, mv, gv, want_p, want_m;
    for (std::int64_t i = 0; i < n; ++i) {
      pv.push_back(static_cast<float>(i % 97) * 0.5f);
      mv.push_back(static_cast<float>(i % 89) - 40);
      gv.push_back(static_cast<float>(i % 13));
      want_p.push_back(pv.back() - mv.back());
      want_m.push_back(mv.back() * pv.back() + gv.back());
    }
    const View in[] = {plan::contiguous_view(pv.data(), DType::f32, &n, 1),
                       plan::contiguous_view(mv.data(), DType::f32, &n, 1),
                       plan::contiguous_view(gv.data(), DType::f32, &n, 1)};
    const View out[] = {in[0], in[1]};
    run_tiles(ResolvedProgram(b.p), in, out, 1, &n);
    EXPECT_EQ(pv, want_p);
    EXPECT_EQ(mv, want_m);
  }
}

TEST(Tiles, PassedThroughSwappedAndDoubledOutputs) {
  Builder b;
  const auto x = b.input(DType::f32), y = b.input(DType::f32);
  const auto z = b.call("add", x, y);
  for (const auto r : {y, x, z, z}) b.output(r);
  const std::int64_t n = 1234;
  std::vector<float> a(1234), c(1234), s(1234), t(1234);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<float>(i), c[i] = -2 * static_cast<float>(i) - 1;
  const auto a0 = a, c0 = c;
  const auto view = [&](std::vector<float>& v) { return plan::contiguous_view(v.data(), DType::f32, &n, 1); };
  const View in[] = {view(a), view(c)}, out[] = {view(a), view(c), view(s), view(t)};
  run_tiles(ResolvedProgram(b.p), in, out, 1, &n);
  EXPECT_EQ(a, c0);
  EXPECT_EQ(c, a0);
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_EQ(s[i], a0[i] + c0[i]);
  EXPECT_EQ(s, t);
}

std::string message_of(const TileProgram& p) {
  try {
    ResolvedProgram r(p);
  } catch (const Error& e) {
    EXPECT_EQ(e.op(), "tiles");
    return e.message();
  }
  return "";
}

TEST(Tiles, MalformedProgramsAreErrors) {
  const auto base = [] {
    Builder b;
    const auto x = b.input(DType::f32), y = b.input(DType::f32);
    b.output(b.call("add", x, y));
    return b;
  };
  EXPECT_EQ(message_of(base().p), "");
  auto b = base();
  b.p.instructions[0].op = 9999;
  EXPECT_EQ(message_of(b.p), "there is no scalar function 9999");
  b = base();
  b.p.instructions[0].b = 7;
  EXPECT_EQ(message_of(b.p), "add reads register 7, which is not defined before");
  b = base();
  b.p.instructions[0].b = 2;
  EXPECT_EQ(message_of(b.p), "add reads register 2, which is not defined before");
  b = base();
  b.p.instructions[0].dst = 1;
  EXPECT_EQ(message_of(b.p), "register 1 is defined twice");
  b = base();
  b.p.instructions[0].dst = 3;
  EXPECT_EQ(message_of(b.p), "register 3 is out of range");
  b = base();
  b.p.instructions[0].src = DType::f64;
  EXPECT_EQ(message_of(b.p), "add reads register 0 as f64, but it holds f32");
  b = base();
  b.p.instructions[0].dtype = DType::f64;
  EXPECT_EQ(message_of(b.p), "add of f32 gives f32, not f64");
  b = base();
  b.p.outputs[0].dtype = DType::bf16;
  EXPECT_EQ(message_of(b.p), "an output reads register 2 as bf16, but it holds f32");
  Builder div;
  const auto i = div.input(DType::i32);
  div.output(div.emit("div", DType::i32, DType::i32, i, i));
  EXPECT_EQ(message_of(div.p), "div is not defined on i32");
  Builder many;
  for (int k = 0; k < 70; ++k) many.input(DType::f32);
  EXPECT_EQ(message_of(many.p), "a program has at most 64 inputs and outputs");
}

}  // namespace
}  // namespace adjoint::cpu
