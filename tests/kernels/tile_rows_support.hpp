// tile_rows_support.hpp: programs with reductions along rows, named and random, and their definition: one instruction at a
// time over whole arrays. Not a test.
#pragma once

#include "kernels/cpu/reduce.hpp"
#include "kernels/cpu/tile_stages.hpp"
#include "kernels/cpu/tiles.hpp"
#include "kernels/tile_support.hpp"
#include "support/same_bits.hpp"

namespace adjoint::cpu::tile_test {

using plan::RowReduction;

inline TileProgram softmax() {
  Builder b;
  const auto x = b.input(DType::f32);
  const auto e = b.call("exp", b.call("sub", x, b.reduce(RowReduction::amax, x)));
  b.output(b.call("div", e, b.reduce(RowReduction::sum, e)));
  return b.p;
}

struct NamedProgram {
  const char* name;
  TileProgram program;
};
inline std::vector<NamedProgram> row_programs() {
  std::vector<NamedProgram> all{{"softmax", softmax()}};
  {  // layer norm with one number for both 1/n and epsilon
    Builder b;
    const auto x = b.input(DType::f32), gamma = b.input(DType::f32), beta = b.input(DType::f32), r = b.row_input(DType::f32);
    const auto mean = b.call("mul", b.reduce(RowReduction::sum, x), r), c = b.call("sub", x, mean);
    const auto variance = b.call("mul", b.reduce(RowReduction::sum, b.call("square", c)), r);
    const auto scale = b.call("rsqrt", b.call("add", variance, r));
    b.output(b.call("add", b.call("mul", b.call("mul", c, scale), gamma), beta));
    b.row_output(mean);
    b.row_output(scale);
    all.push_back({"layer norm", b.p});
  }
  {  // backward of softmax, and the sum that it needs, in bf16
    Builder b;
    const auto y = b.input(DType::bf16), g = b.input(DType::bf16), yg = b.call("mul", y, g);
    const auto s = b.reduce(RowReduction::sum, yg);
    b.output(b.call("sub", yg, b.call("mul", y, s)));
    b.row_output(s);
    b.row_output(b.reduce(RowReduction::sum, yg, DType::f32));
    all.push_back({"softmax backward in bf16", b.p});
  }
  {  // row results alone, an output that repeats one, a mask
    Builder b;
    const auto x = b.input(DType::f64), k = b.input(DType::i32);
    const auto big = b.reduce(RowReduction::amax, x), small = b.reduce(RowReduction::amin, k);
    b.output(b.call("eq", x, big));
    b.output(big);
    b.row_output(small);
    b.row_output(b.reduce(RowReduction::prod, x));
    b.row_output(b.call("sub", big, b.cast(DType::f64, small)));
    all.push_back({"mixed types", b.p});
  }
  {
    Builder b;
    const auto x = b.input(DType::f32), r = b.row_input(DType::f16);
    b.output(x);
    b.output(b.call("mul", x, b.cast(DType::f32, b.call("neg", r))));
    b.row_output(r);
    all.push_back({"row input without a reduction", b.p});
  }
  return all;
}

/// Functions, casts and (with_rows) reductions at random, over f32, f64, bf16, f16, i32 and bool; so many joins, down the columns
/// or, if `all`, of everything.
inline TileProgram random_program(std::mt19937& rng, bool with_rows = true, int joins = 0, bool all = false) {
  Builder b;
  const DType types[] = {DType::f32, DType::f32, DType::f32, DType::f64, DType::bf16, DType::f16, DType::i32, DType::bool_};
  std::vector<char> row;
  const auto any = [&](auto accept) {  // a register that is accepted, or -1
    for (int t = 0; t < 20; ++t)
      if (const auto r = rng() % b.types.size(); accept(r)) return static_cast<int>(r);
    return -1;
  };
  const auto add_row = [&](bool is) { row.resize(b.types.size(), is); };
  for (unsigned i = 0, n = 1 + rng() % 4; i < n; ++i) {
    if (with_rows && i > 0 && rng() % 4 == 0) b.row_input(types[rng() % 7]), add_row(true);
    else b.input(types[i ? rng() % 8 : 0]), add_row(false);
  }
  const auto number = [&](std::size_t r) { return b.types[r] != DType::bool_; };
  const auto floating = [&](std::size_t r) { return static_cast<int>(b.types[r]) < 4; };
  const char* one[] = {"neg", "abs", "square", "relu", "sign"};
  const char* one_float[] = {"exp", "tanh", "sqrt", "sigmoid", "floor", "gelu", "expm1", "reciprocal",
                             "log", "log1p", "softplus", "log_sigmoid", "silu", "gelu_tanh", "erf", "erfc", "rsqrt", "ceil", "trunc", "round",
                             "sin", "cos", "tan", "cbrt"};
  const char* two[] = {"add", "sub", "mul", "maximum", "minimum", "lt", "eq", "ge"};
  for (unsigned i = 0, n = 3 + rng() % 20; i < n; ++i) {
    const auto same = [&](int a) { return any([&](std::size_t r) { return b.types[r] == b.types[static_cast<std::size_t>(a)]; }); };
    const auto r16 = [](int r) { return static_cast<std::uint16_t>(r); };
    const unsigned what = with_rows ? rng() % 10 : 1 + rng() % 9;
    bool is_row = false;
    if (what < 1) {
      const int a = any([&](std::size_t r) { return number(r) && !row[r]; });
      if (a < 0) continue;
      b.reduce(static_cast<RowReduction>(1 + rng() % 4), r16(a));
      is_row = true;
    } else if (what < 3) {
      const int a = any([&](std::size_t) { return true; });
      b.cast(types[rng() % 8], r16(a));
      is_row = row[static_cast<std::size_t>(a)];
    } else if (what < 5) {
      const bool f = rng() % 2;
      const int a = f ? any(floating) : any(number);
      if (a < 0) continue;
      b.call(f ? one_float[rng() % std::size(one_float)] : one[rng() % 5], r16(a));
      is_row = row[static_cast<std::size_t>(a)];
    } else if (what < 6) {
      const int c = any([&](std::size_t r) { return !number(r); }), x = any([&](std::size_t) { return true; });
      if (c < 0) continue;
      const int y = same(x);
      b.call("where", r16(c), r16(x), r16(y < 0 ? x : y));
      is_row = row[static_cast<std::size_t>(c)] && row[static_cast<std::size_t>(x)] && row[static_cast<std::size_t>(y < 0 ? x : y)];
    } else {
      const int x = any(number);
      if (x < 0) continue;
      const int y = same(x);
      b.call(two[rng() % 8], r16(x), r16(y < 0 ? x : y));
      is_row = row[static_cast<std::size_t>(x)] && row[static_cast<std::size_t>(y < 0 ? x : y)];
    }
    add_row(is_row);
  }
  for (unsigned i = 0, n = 1 + rng() % 3; i < n; ++i) {
    const auto r = static_cast<std::uint16_t>(i ? rng() % b.types.size() : b.types.size() - 1);
    if (row[r] && rng() % 2) b.row_output(r);
    else b.output(r);
  }
  for (int k = 0; k < joins; ++k)
    if (const int r = any([&](std::size_t q) { return floating(q) && !row[q]; }); r >= 0)
      b.joined(static_cast<std::uint16_t>(r), all && rng() % 2 ? plan::Join::all : plan::Join::columns, static_cast<RowReduction>(rng() % 2 ? 1 : 1 + rng() % 4));
  return b.p;
}

inline ReduceOp reduce_op_of(RowReduction how) {
  return how == RowReduction::sum ? ReduceOp::sum : how == RowReduction::prod ? ReduceOp::prod : how == RowReduction::amax ? ReduceOp::amax : ReduceOp::amin;
}

/// The definition. Registers are whole arrays [rows, row], those with one value a row repeated; outputs (one a row or one an
/// element) as bytes in row-major order.
inline std::vector<std::vector<std::byte>> define_rows(const TileProgram& p, const Operands& in, std::int64_t rows, std::int64_t row) {
  const TileStages stages = tile_stages(p);
  const std::int64_t n = rows * row, shape[] = {rows, row};
  std::vector<std::vector<std::byte>> reg(p.registers), per_row(p.registers);
  const auto narrow = [&](std::uint16_t r, std::size_t size) {  // from one a row to every element
    reg[r].resize(static_cast<std::size_t>(n) * size);
    for (std::int64_t i = 0; i < n; ++i)
      std::memcpy(reg[r].data() + static_cast<std::size_t>(i) * size, per_row[r].data() + static_cast<std::size_t>(i / row) * size, size);
  };
  for (std::size_t k = 0; k < p.inputs.size(); ++k) {
    const auto& q = p.inputs[k];
    const std::size_t size = size_of(q.dtype);
    auto& to = q.row ? per_row[q.reg] : reg[q.reg];
    to.resize(static_cast<std::size_t>(q.row ? rows : n) * size);
    for (std::int64_t i = 0; i < (q.row ? rows : n); ++i) std::memcpy(to.data() + static_cast<std::size_t>(i) * size, in[k]->at(i), size);
    if (q.row) narrow(q.reg, size);
  }
  for (const auto& i : p.instructions) {
    const std::size_t size = size_of(i.dtype);
    if (i.reduction != RowReduction::none) {
      const ReduceOp op = reduce_op_of(i.reduction);
      per_row[i.dst].resize(static_cast<std::size_t>(rows) * size);
      reduce(op, plan::contiguous_view(reg[i.a].data(), i.src, shape, 2), 2, plan::contiguous_view(per_row[i.dst].data(), i.dtype, shape, 1));
      narrow(i.dst, size);
      continue;
    }
    TileProgram single;
    const auto& f = plan::scalar_function(i.op);
    const std::uint16_t operands[] = {i.a, i.b, i.c};
    const bool is_row = stages.row[i.dst];
    auto& to = is_row ? per_row : reg;
    const std::int64_t count = is_row ? rows : n;
    std::vector<View> from;
    for (int k = 0; k < f.arity; ++k) {
      const DType d = k == 0 && f.name == "where" ? DType::bool_ : i.src;
      single.inputs.push_back({single.registers++, d});
      from.push_back(plan::contiguous_view(to[operands[k]].data(), d, &count, 1));
    }
    single.outputs.push_back({single.registers, i.dtype});
    single.instructions.push_back({i.op, i.dtype, i.src, single.registers++, 0, 1, 2});
    to[i.dst].resize(static_cast<std::size_t>(count) * size);
    const View out = plan::contiguous_view(to[i.dst].data(), i.dtype, &count, 1);
    run_tiles(single, from.data(), &out, 1, &count);
    if (is_row) narrow(i.dst, size);
  }
  std::vector<std::vector<std::byte>> out;
  for (const auto& q : p.outputs) {
    if (q.join == plan::Join::none) {
      out.push_back(q.row ? per_row[q.reg] : reg[q.reg]);
      continue;
    }
    const bool columns = q.join == plan::Join::columns;
    out.emplace_back(static_cast<std::size_t>(columns ? row : 1) * size_of(q.dtype));
    reduce(reduce_op_of(q.how), plan::contiguous_view(reg[q.reg].data(), q.dtype, shape, 2), columns ? 1 : 3, plan::contiguous_view(out.back().data(), q.dtype, &row, columns ? 1 : 0));
  }
  return out;
}

template <class T> bool same_elements(const std::vector<std::byte>& a, const std::vector<std::byte>& b) {
  for (std::size_t i = 0; i + sizeof(T) <= a.size(); i += sizeof(T)) {
    T x, y;
    std::memcpy(&x, a.data() + i, sizeof(T));
    std::memcpy(&y, b.data() + i, sizeof(T));
    if (!test::same_bits(x, y)) return false;
  }
  return a.size() == b.size();
}
inline bool same_elements(DType d, const std::vector<std::byte>& a, const std::vector<std::byte>& b) {
  switch (d) {
    case DType::f64: return same_elements<double>(a, b);
    case DType::f32: return same_elements<float>(a, b);
    case DType::bf16: return same_elements<bfloat16>(a, b);
    case DType::f16: return same_elements<float16>(a, b);
    default: return a == b;
  }
}

/// Views of a run: one element a row where the port says so.
inline std::vector<View> run_views(const Operands& operands, const std::vector<plan::TilePort>& ports, const Dims& shape) {
  std::vector<View> v;
  for (std::size_t k = 0; k < operands.size(); ++k) {
    v.push_back(operands[k]->view());
    v.back().rank = static_cast<int>(shape.size());
    if (ports[k].join != plan::Join::none) {
      const auto own = v.back().strides[0];
      v.back().strides = {};
      for (std::size_t d = 0; d < shape.size(); ++d) v.back().shape[d] = shape[d];
      if (ports[k].join == plan::Join::columns) v.back().strides[shape.size() - 1] = own;
    }
    if (ports[k].row) v.back().shape[shape.size() - 1] = shape.back(), v.back().strides[shape.size() - 1] = 0;
  }
  return v;
}

/// Runs a program on random operands with an executor (run_tiles, or another with its arguments) and compares all bits.
template <class Run> void check_rows_with(const TileProgram& p, const Dims& shape, std::mt19937& rng, Dims order, std::int64_t step, Run run) {
  Dims kept(shape.begin(), shape.end() - 1), kept_order;
  for (const auto d : order)
    if (d + 1 != static_cast<std::int64_t>(shape.size())) kept_order.push_back(d);
  std::int64_t rows = 1;
  for (const auto d : kept) rows *= d;
  const auto make = [&](const plan::TilePort& q) {
    if (q.join != plan::Join::none) return std::make_unique<Strided>(q.dtype, q.join == plan::Join::columns ? Dims{shape.back()} : Dims{}, Dims{}, step);
    return q.row ? std::make_unique<Strided>(q.dtype, kept, kept_order, step) : std::make_unique<Strided>(q.dtype, shape, order, step);
  };
  Operands in, out;
  const bool special = rng() % 2;
  for (const auto& q : p.inputs) {
    randomize(*in.emplace_back(make(q)), rng);
    if (special) sprinkle(*in.back(), rng);
  }
  for (const auto& q : p.outputs) out.push_back(make(q));
  const auto expected = define_rows(p, in, rows, shape.back());
  const auto vi = run_views(in, p.inputs, shape), vo = run_views(out, p.outputs, shape);
  run(p, vi.data(), vo.data(), static_cast<int>(shape.size()), shape.data());
  for (std::size_t o = 0; o < out.size(); ++o)
    EXPECT_TRUE(same_elements(p.outputs[o].dtype, out[o]->bytes(), expected[o])) << "output " << o;
  for (auto& m : out) EXPECT_TRUE(m->guards_stand());
}
inline void check_rows(const TileProgram& p, const Dims& shape, std::mt19937& rng, const Dims& order = {}, std::int64_t step = 1) {
  check_rows_with(p, shape, rng, order, step, [](const TileProgram& q, const View* in, const View* out, int rank, const std::int64_t* s) {
    run_tiles(ResolvedProgram(q), in, out, rank, s);
  });
}

}  // namespace adjoint::cpu::tile_test
