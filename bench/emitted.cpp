// emitted.cpp: fused groups by tiles, by emitted AVX2 and AVX-512 code, and by hand (the same functions in a loop that the
// compiler made), in ns an element and as a share of the bandwidth of memcpy over as many bytes. One thread.
// Usage: bench_emitted [seconds a figure] [part of a group's name]. What is emitted is checked against tiles before it is timed.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "emitted.cpp"
#include "kernels/cpu/simd_setup.hpp"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/activations-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace adjoint::cpu::HWY_NAMESPACE {

// What a loop is given: operands and results in the order of the program, and elements.
using In = const float* const*;
using Out = float* const*;

static void chain_by_hand(In in, Out out, std::size_t n) {
  const hn::ScalableTag<float> d;
  const float *x = in[0], *s = in[1];
  float* y = out[0];
  const auto a = hn::Set(d, s[0]), b = hn::Set(d, in[2][0]);
  for (std::size_t i = 0; i < n; i += hn::Lanes(d)) {
    const auto v = hn::LoadU(d, x + i);
    auto t = hn::Add(hn::Mul(v, a), b);
    t = hn::Sub(hn::Mul(t, v), a);
    t = hn::Add(hn::Mul(t, b), v);
    t = hn::IfThenZeroElse(hn::Le(t, hn::Zero(d)), t);
    hn::StoreU(hn::Sub(t, b), d, y + i);
  }
}
static void gelu_by_hand(In in, Out out, std::size_t n) {
  const hn::ScalableTag<float> d;
  for (std::size_t i = 0; i < n; i += hn::Lanes(d)) hn::StoreU(GeluTanh{}(d, hn::LoadU(d, in[0] + i)), d, out[0] + i);
}

/// f(i, k) for the vectors of a row, four side by side: k tells the accumulator.
template <class F> static HWY_INLINE void four(std::size_t n, F f) {
  const std::size_t lanes = hn::Lanes(hn::ScalableTag<float>());
  for (std::size_t i = 0; i < n; i += 4 * lanes)
    for (std::size_t k = 0; k < 4; ++k) f(i + k * lanes, k);
}
template <class V> static HWY_INLINE float joined(const V (&v)[4]) {
  return hn::GetLane(hn::SumOfLanes(hn::ScalableTag<float>(), hn::Add(hn::Add(v[0], v[1]), hn::Add(v[2], v[3]))));
}
constexpr std::size_t kNormRow = 1024;

/// h = r + (u >= p ? scale x : 0), y = (h - mean) / sqrt(variance + epsilon) gamma + beta.
static void drop_norm_by_hand(In in, Out out, std::size_t n) {
  const hn::ScalableTag<float> d;
  const auto p = hn::Set(d, in[5][0]), scale = hn::Set(d, in[6][0]);
  for (std::size_t at = 0; at < n; at += kNormRow) {
    const float *x = in[0] + at, *u = in[1] + at, *r = in[2] + at;
    float *h = out[0] + at, *y = out[1] + at;
    auto sum = hn::Zero(d);
    decltype(sum) a[4] = {sum, sum, sum, sum}, b[4] = {sum, sum, sum, sum};
    four(kNormRow, [&](std::size_t i, std::size_t k) {
      const auto v = hn::Add(hn::LoadU(d, r + i), hn::IfThenElseZero(hn::Ge(hn::LoadU(d, u + i), p), hn::Mul(hn::LoadU(d, x + i), scale)));
      hn::StoreU(v, d, h + i);
      a[k] = hn::Add(a[k], v);
    });
    const auto mean = hn::Set(d, joined(a) * in[7][0]);
    four(kNormRow, [&](std::size_t i, std::size_t k) {
      const auto c = hn::Sub(hn::LoadU(d, h + i), mean);
      b[k] = hn::MulAdd(c, c, b[k]);
    });
    const auto factor = hn::Set(d, 1 / __builtin_sqrtf(joined(b) * in[7][0] + in[8][0]));
    four(kNormRow, [&](std::size_t i, std::size_t) {
      const auto c = hn::Mul(hn::Sub(hn::LoadU(d, h + i), mean), factor);
      hn::StoreU(hn::MulAdd(c, hn::LoadU(d, in[3] + i), hn::LoadU(d, in[4] + i)), d, y + i);
    });
  }
}
/// The gradients of h, x, gamma and beta from those of y and h; mean and factor of each row are kept.
static void drop_norm_backward_by_hand(In in, Out out, std::size_t n) {
  const hn::ScalableTag<float> d;
  const auto p = hn::Set(d, in[7][0]), scale = hn::Set(d, in[8][0]);
  for (std::size_t i = 0; i < kNormRow; ++i) out[2][i] = out[3][i] = 0;
  for (std::size_t at = 0, row = 0; at < n; at += kNormRow, ++row) {
    const float *dy = in[0] + at, *dh = in[1] + at, *h = in[2] + at, *u = in[3] + at;
    const auto mean = hn::Set(d, in[5][row]), factor = hn::Set(d, in[6][row]);
    auto zero = hn::Zero(d);
    decltype(zero) a[4] = {zero, zero, zero, zero}, b[4] = {zero, zero, zero, zero};
    four(kNormRow, [&](std::size_t i, std::size_t k) {
      const auto g = hn::LoadU(d, dy + i), c = hn::Mul(hn::Sub(hn::LoadU(d, h + i), mean), factor), e = hn::Mul(g, hn::LoadU(d, in[4] + i));
      a[k] = hn::Add(a[k], e);
      b[k] = hn::MulAdd(e, c, b[k]);
      hn::StoreU(hn::MulAdd(g, c, hn::LoadU(d, out[2] + i)), d, out[2] + i);
      hn::StoreU(hn::Add(g, hn::LoadU(d, out[3] + i)), d, out[3] + i);
    });
    const auto s = hn::Set(d, joined(a) * in[9][0]), t = hn::Set(d, joined(b) * in[9][0]);
    four(kNormRow, [&](std::size_t i, std::size_t) {
      const auto c = hn::Mul(hn::Sub(hn::LoadU(d, h + i), mean), factor), e = hn::Mul(hn::LoadU(d, dy + i), hn::LoadU(d, in[4] + i));
      const auto v = hn::MulAdd(factor, hn::NegMulAdd(c, t, hn::Sub(e, s)), hn::LoadU(d, dh + i));
      hn::StoreU(v, d, out[0] + at + i);
      hn::StoreU(hn::IfThenElseZero(hn::Ge(hn::LoadU(d, u + i), p), hn::Mul(v, scale)), d, out[1] + at + i);
    });
  }
}

}  // namespace adjoint::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>

#include "kernels/cpu/emit.hpp"
#include "kernels/cpu/tiles.hpp"
#include "plan/scalar_functions.hpp"
#include "runtime/pool.hpp"
#include "timing.hpp"

namespace adjoint::cpu {
HWY_EXPORT(chain_by_hand);
HWY_EXPORT(gelu_by_hand);
HWY_EXPORT(drop_norm_by_hand);
HWY_EXPORT(drop_norm_backward_by_hand);
using In = const float* const*;
using Out = float* const*;
static void hand_chain(In in, Out out, std::size_t n) { HWY_DYNAMIC_DISPATCH(chain_by_hand)(in, out, n); }
static void hand_gelu(In in, Out out, std::size_t n) { HWY_DYNAMIC_DISPATCH(gelu_by_hand)(in, out, n); }
static void hand_drop_norm(In in, Out out, std::size_t n) { HWY_DYNAMIC_DISPATCH(drop_norm_by_hand)(in, out, n); }
static void hand_drop_norm_backward(In in, Out out, std::size_t n) { HWY_DYNAMIC_DISPATCH(drop_norm_backward_by_hand)(in, out, n); }
}  // namespace adjoint::cpu

namespace {
using namespace adjoint;
using plan::RowReduction;
using plan::View;
using Reg = std::uint16_t;

/// Writes a program of f32 registers.
struct Program {
  plan::TileProgram p;
  Reg input(bool row = false) {
    p.inputs.push_back({p.registers, DType::f32, row});
    return p.registers++;
  }
  Reg call(const char* f, Reg a, Reg b = 0, Reg c = 0) {
    const auto op = plan::find_scalar_function(f);
    const DType d = plan::scalar_function(op).result == plan::ResultType::boolean ? DType::bool_ : DType::f32;
    p.instructions.push_back({static_cast<std::uint16_t>(op), d, DType::f32, p.registers, a, b, c});
    return p.registers++;
  }
  Reg reduce(RowReduction how, Reg a) {
    p.instructions.push_back({0, DType::f32, DType::f32, p.registers, a, 0, 0, how});
    return p.registers++;
  }
  void output(Reg r) { p.outputs.push_back({r, DType::f32}); }
  void sum_of_columns(Reg r) { p.outputs.push_back({r, DType::f32, false, plan::Join::columns, RowReduction::sum}); }
};

/// An operand is as large as the space ('e'), one element ('s'), one row ('r'), or one element a row ('w').
struct Workload {
  const char* name;
  plan::TileProgram program;
  std::string inputs;
  std::int64_t row;      ///< 0: all elements are one row
  bool in_place = false; ///< the first outputs overwrite the first inputs
  std::function<void(cpu::In, cpu::Out, std::size_t)> by_hand = {};
};

Workload chain() {
  Program b;
  const Reg x = b.input(), s = b.input(), t = b.input();
  Reg y = b.call("add", b.call("mul", x, s), t);
  y = b.call("sub", b.call("mul", y, x), s);
  y = b.call("add", b.call("mul", y, t), x);
  b.output(b.call("sub", b.call("relu", y), t));
  return {"8-op chain", b.p, "ess", 0, false, cpu::hand_chain};
}
Workload gelu() {
  Program b;
  b.output(b.call("gelu_tanh", b.input()));
  return {"gelu_tanh", b.p, "e", 0, false, cpu::hand_gelu};
}
Workload gelu_backward() {  // g (s + x s (1 - s) (a + c x^2)) with s = sigmoid(x (a + b x^2))
  Program b;
  const Reg x = b.input(), g = b.input(), one = b.input(), a = b.input(), c = b.input();
  const Reg q = b.call("square", x), s = b.call("sigmoid", b.call("mul", x, b.call("add", a, b.call("mul", c, q))));
  const Reg slope = b.call("mul", b.call("mul", x, b.call("mul", s, b.call("sub", one, s))), b.call("add", a, b.call("mul", c, q)));
  b.output(b.call("mul", g, b.call("add", s, slope)));
  return {"gelu_tanh backward", b.p, "eesss", 0};
}
Workload softmax() {
  Program b;
  const Reg x = b.input(), e = b.call("exp", b.call("sub", x, b.reduce(RowReduction::amax, x)));
  b.output(b.call("div", e, b.reduce(RowReduction::sum, e)));
  return {"softmax, rows of 1024", b.p, "e", 1024};
}
Workload layer_norm() {
  Program b;
  const Reg x = b.input(), gamma = b.input(), beta = b.input(), share = b.input(), epsilon = b.input();
  const Reg centred = b.call("sub", x, b.call("mul", b.reduce(RowReduction::sum, x), share));
  const Reg variance = b.call("mul", b.reduce(RowReduction::sum, b.call("square", centred)), share);
  const Reg scale = b.call("rsqrt", b.call("add", variance, epsilon));
  b.output(b.call("add", b.call("mul", b.call("mul", centred, scale), gamma), beta));
  return {"layer norm, rows of 768", b.p, "errss", 768};
}
Workload adam() {
  Program b;
  const Reg p = b.input(), m = b.input(), v = b.input(), g = b.input();
  const Reg b1 = b.input(), c1 = b.input(), b2 = b.input(), c2 = b.input(), rate = b.input(), epsilon = b.input();
  const Reg m2 = b.call("add", b.call("mul", m, b1), b.call("mul", g, c1));
  const Reg v2 = b.call("add", b.call("mul", v, b2), b.call("mul", b.call("square", g), c2));
  const Reg step = b.call("div", b.call("mul", m2, rate), b.call("add", b.call("sqrt", v2), epsilon));
  for (const Reg r : {b.call("sub", p, step), m2, v2}) b.output(r);
  return {"Adam, in place", b.p, "eeeessssss", 0, true};
}

Workload drop_norm() {  // dropout, residual, layer norm; the numbers that were drawn are an operand
  Program b;
  const Reg x = b.input(), u = b.input(), r = b.input(), gamma = b.input(), beta = b.input();
  const Reg p = b.input(), scale = b.input(), share = b.input(), epsilon = b.input(), zero = b.input();
  const Reg h = b.call("add", r, b.call("where", b.call("ge", u, p), b.call("mul", x, scale), zero));
  const Reg centred = b.call("sub", h, b.call("mul", b.reduce(RowReduction::sum, h), share));
  const Reg variance = b.call("mul", b.reduce(RowReduction::sum, b.call("square", centred)), share);
  const Reg factor = b.call("rsqrt", b.call("add", variance, epsilon));
  b.output(h);
  b.output(b.call("add", b.call("mul", b.call("mul", centred, factor), gamma), beta));
  return {"dropout, residual, layer norm", b.p, "eeerrsssss", 1024, false, cpu::hand_drop_norm};
}
Workload drop_norm_backward() {
  Program b;
  const Reg dy = b.input(), dh = b.input(), h = b.input(), u = b.input(), gamma = b.input(), mean = b.input(true), factor = b.input(true);
  const Reg p = b.input(), scale = b.input(), share = b.input(), zero = b.input();
  const Reg c = b.call("mul", b.call("sub", h, mean), factor), e = b.call("mul", dy, gamma);
  const Reg s = b.call("mul", b.reduce(RowReduction::sum, e), share), t = b.call("mul", b.reduce(RowReduction::sum, b.call("mul", e, c)), share);
  const Reg v = b.call("add", dh, b.call("mul", factor, b.call("sub", b.call("sub", e, s), b.call("mul", c, t))));
  b.output(v);
  b.output(b.call("where", b.call("ge", u, p), b.call("mul", v, scale), zero));
  b.sum_of_columns(b.call("mul", dy, c));
  b.sum_of_columns(dy);
  return {"the same, backward", b.p, "eeeerwwssss", 1024, false, cpu::hand_drop_norm_backward};
}

struct Operands {
  std::vector<std::vector<float>> memory;
  std::vector<View> in, out;
  std::vector<std::int64_t> shape;
  double bytes = 0;  ///< read and written, of operands as large as the space

  Operands(const Workload& w, std::int64_t n) {
    shape = w.row ? std::vector<std::int64_t>{n / w.row, w.row} : std::vector<std::int64_t>{n};
    const int rank = static_cast<int>(shape.size());
    memory.reserve(64);
    const auto add = [&](char kind, unsigned seed) {
      const auto size = static_cast<std::size_t>(kind == 'e' ? n : kind == 'r' ? w.row : kind == 'w' ? n / w.row : 1);
      auto& v = memory.emplace_back(size + 16);
      auto x = bench::numbers(std::min<std::size_t>(size, 1 << 16), seed);
      for (std::size_t i = 0; i < size; ++i) v[i] = std::fabs(x[i % x.size()]) + 0.1f;
      auto* at = reinterpret_cast<float*>((reinterpret_cast<std::uintptr_t>(v.data()) + 63) / 64 * 64);
      std::memmove(at, v.data(), size * 4);
      View view = plan::contiguous_view(at, DType::f32, shape.data(), rank);
      if (kind != 'e') view.strides = {};
      if (kind == 'w') view.strides[0] = 1;
      if (kind == 'r') view.strides[static_cast<std::size_t>(rank - 1)] = 1;
      if (kind == 'e') bytes += 4.0 * static_cast<double>(n);
      return view;
    };
    unsigned seed = 1;
    for (const char kind : w.inputs) in.push_back(add(kind, seed++));
    for (std::size_t o = 0; o < w.program.outputs.size(); ++o) {
      out.push_back(w.in_place ? in[o] : add(w.program.outputs[o].join == plan::Join::none ? 'e' : 'r', seed++));
      if (w.in_place) bytes += 4.0 * static_cast<double>(n);
    }
  }
};

std::unique_ptr<cpu::EmittedGroup> emit(const Workload& w, const Operands& o, cpu::GroupExecutor e) {
  return cpu::EmittedGroup::make(w.program, o.shape, o.in, o.out, e);
}

void check(const Workload& w, std::int64_t n) {
  for (const auto e : {cpu::GroupExecutor::avx2, cpu::GroupExecutor::avx512}) {
    if (!cpu::set_group_executor(e)) continue;
    Operands a(w, n), b(w, n);
    cpu::run_tiles(w.program, a.in.data(), a.out.data(), static_cast<int>(a.shape.size()), a.shape.data());
    const auto group = emit(w, b, e);
    bench::require(group != nullptr, "nothing was emitted");
    group->run(b.in.data(), b.out.data());
    for (std::size_t k = 0; k < a.out.size(); ++k)
      bench::require(std::memcmp(a.out[k].data, b.out[k].data, static_cast<std::size_t>(w.program.outputs[k].join == plan::Join::none ? n : w.row) * 4) == 0, w.name);
  }
}

void row(const Workload& w, std::int64_t n, double budget) {
  if (w.row) n = n / w.row * w.row;
  if (n == 0) n = w.row;
  check(w, std::min<std::int64_t>(n, w.row ? 64 * w.row : 1 << 17));
  Operands o(w, n);
  const cpu::ResolvedProgram tiles(w.program);
  std::vector<std::unique_ptr<cpu::EmittedGroup>> groups;
  for (const auto e : {cpu::GroupExecutor::avx2, cpu::GroupExecutor::avx512})
    groups.push_back(cpu::set_group_executor(e) ? emit(w, o, e) : nullptr);
  const auto half = static_cast<std::size_t>(o.bytes / 2);
  std::vector<char> from(half, 1), to(half, 2);
  const auto nothing = [] {};
  std::vector<const float*> hand_in;
  std::vector<float*> hand_out;
  for (const auto& v : o.in) hand_in.push_back(reinterpret_cast<const float*>(v.data));
  for (const auto& v : o.out) hand_out.push_back(reinterpret_cast<float*>(v.data));
  const auto run = [&](std::size_t k) { return [&, k] { if (groups[k]) groups[k]->run(o.in.data(), o.out.data()); else nothing(); }; };
  const auto times = bench::best_of_rivals(
      5 * budget, [&] { std::memcpy(to.data(), from.data(), half); },
      [&] { cpu::run_tiles(tiles, o.in.data(), o.out.data(), static_cast<int>(o.shape.size()), o.shape.data()); }, run(0), run(1),
      [&] {
        if (w.by_hand) w.by_hand(hand_in.data(), hand_out.data(), static_cast<std::size_t>(n));
      });
  std::printf("| %s | %lld |", w.name, static_cast<long long>(n));
  for (std::size_t k = 0; k < 5; ++k) {
    const bool there = k < 2 || (k == 4 ? static_cast<bool>(w.by_hand) : groups[k - 2] != nullptr);
    if (there) std::printf(" %.3f |", 1e9 * times[k] / static_cast<double>(n));
    else std::printf(" |");
  }
  std::printf(" %.0f %% | %.0f %% |\n", 100 * times[0] / times[1], 100 * times[0] / times[3]);
}

/// Time to make the code of a program that nobody holds yet.
void making(const Workload& w) {
  Operands o(w, w.row ? 8 * w.row : 1 << 12);
  double best = 1e9;
  std::int64_t bytes = 0;
  for (int k = 0; k < 50; ++k) {
    const auto start = std::chrono::steady_clock::now();
    const auto group = emit(w, o, cpu::group_executor());
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    bytes = group ? group->code_bytes() : 0;
  }
  std::printf("| %s | %.0f | %lld |\n", w.name, 1e6 * best, static_cast<long long>(bytes));
}

}  // namespace

int main(int argc, char** argv) {
  const double budget = argc > 1 ? std::atof(argv[1]) : 0.1;
  runtime::set_threads(1);
  const Workload all[] = {chain(), gelu(), gelu_backward(), softmax(), layer_norm(), drop_norm(), drop_norm_backward(), adam()};
  std::printf("| group | elements | copy ns | tiles ns | avx2 ns | avx512 ns | by hand ns | tiles, share of copy | avx512, share of copy |\n");
  std::printf("|---|---|---|---|---|---|---|---|---|\n");
  for (const auto& w : all)
    if (argc < 3 || std::strstr(w.name, argv[2]))
    for (const std::int64_t n : {std::int64_t{64}, std::int64_t{1} << 10, std::int64_t{1} << 17, std::int64_t{1} << 24})
      row(w, w.row == 768 && n > (1 << 20) ? 8192 * 768 : n, budget);
  std::printf("\n| group | us to make | bytes of pages |\n|---|---|---|\n");
  for (const auto& w : all) making(w);
}
#endif
