// tile_rows.cpp: runs a program row by row, each row in passes of tiles, with a reduction at the end of a pass.
// Not where reductions are defined: that is reduce.hpp, which computes them here too.
#include "kernels/cpu/tile_rows.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "kernels/cpu/scratch.hpp"
#include "kernels/cpu/tile_moves.hpp"
#include "kernels/cpu/tile_resolve.hpp"
#include "runtime/pool.hpp"

namespace adjoint::cpu {
namespace {

using plan::View;
constexpr std::int64_t kParallelFrom = 1 << 15;
constexpr std::int64_t kTileBytes = kTile * 8 + 64;  ///< one cache line more, so that tiles do not lie 4 KiB apart

std::int64_t padded(std::int64_t n) { return (n + kTilePad - 1) / kTilePad * kTilePad; }

template <class T> void repeat_as(std::byte* slot, std::int64_t n) {
  T first;
  std::memcpy(&first, slot, sizeof(T));
  std::fill_n(reinterpret_cast<T*>(slot), n, first);
}
void repeat(std::byte* slot, std::int64_t n, int size) {
  if (size == 4) repeat_as<std::uint32_t>(slot, n);
  else if (size == 8) repeat_as<std::uint64_t>(slot, n);
  else repeat_as<std::uint8_t>(slot, n);
}

/// Rows [first, last) on one thread.
class Rows {
 public:
  Rows(const RowProgram& p, const View* in, const View* out, int rank, const std::int64_t* shape)
      : p_(p), in_(in), out_(out), rank_(rank), shape_(shape), row_(shape[rank - 1]) {
    tile_ = std::min<std::int64_t>(kTile, padded(row_));
    const std::int64_t wide_bytes = padded(row_) * 8 + 64;
    const auto pointers = static_cast<std::int64_t>(p.registers.size());
    std::byte* memory = kernels::scratch<std::byte>(
        kernels::Slot::tile_rows, pointers * 8 + 64 + wide_bytes * p.wide_places + kTileBytes * (p.tile_places + 1));
    at_ = reinterpret_cast<std::byte**>(memory);
    std::byte* const wide = memory + (pointers * 8 + 63) / 64 * 64;
    tiles_ = wide + wide_bytes * p.wide_places;
    for (std::size_t r = 0; r < p.registers.size(); ++r) {
      const auto& reg = p.registers[r];
      at_[r] = reg.wide ? wide + wide_bytes * reg.place : tiles_ + kTileBytes * reg.place;
    }
    raw_ = tiles_ + kTileBytes * p.tile_places;
  }

  void run(std::int64_t first, std::int64_t last, const JoinedRows* joined) {
    seek(first);
    for (std::int64_t r = first; r < last; ++r) {
      for (std::size_t j = 0; j < p_.joins.size(); ++j) accumulators_[j] = joined->accumulators(j, r);
      one_row();
      next();
    }
  }

 private:
  void one_row() {
    for (std::size_t i = 0; i < p_.inputs.size(); ++i) {
      const auto& q = p_.inputs[i];
      if (!q.row) continue;
      std::memcpy(q.convert ? raw_ : at_[q.reg], in_[i].data + offset_[i] * q.size, q.size);
      if (q.convert) q.convert(at_[q.reg], raw_, nullptr, nullptr, kTilePad);
      repeat(at_[q.reg], tile_, p_.registers[q.reg].size);
    }
    row_steps(p_.first_row_steps);
    for (std::size_t k = 0; k < p_.passes.size(); ++k) {
      const auto& pass = p_.passes[k];
      const bool last = k + 1 == p_.passes.size();
      for (std::int64_t c = 0; c < row_; c += kTile) tile(pass, last, c, std::min<std::int64_t>(kTile, row_ - c));
      for (const auto& r : pass.reductions) reduce_row(r);
      row_steps(pass.row_steps);
    }
    const std::size_t n_in = p_.inputs.size();
    for (std::size_t o = 0; o < p_.outputs.size(); ++o) {
      const auto& q = p_.outputs[o];
      if (!q.row) continue;
      if (q.convert) q.convert(raw_, at_[q.reg], nullptr, nullptr, kTilePad);
      std::memcpy(out_[o].data + offset_[n_in + o] * q.size, q.convert ? raw_ : at_[q.reg], q.size);
    }
  }

  void row_steps(const std::vector<RowProgram::Step>& steps) {
    for (const auto& s : steps) {
      s.kernel(at_[s.dst], at_[s.a], at_[s.b], at_[s.c], kTilePad);
      if (s.round) s.round(at_[s.dst], at_[s.dst], nullptr, nullptr, kTilePad);
      repeat(at_[s.dst], tile_, p_.registers[s.dst].size);
    }
  }

  void reduce_row(const RowProgram::Reduction& r) {
    const View in = plan::contiguous_view(at_[r.a], r.accumulator, &row_, 1);
    const View out = plan::contiguous_view(at_[r.dst], r.accumulator, nullptr, 0);
    reduce(r.op, in, 1, out);
    repeat(at_[r.dst], kTilePad, p_.registers[r.dst].size);
    if (r.result != r.accumulator) round_kernel(r.result)(at_[r.dst], at_[r.dst], nullptr, nullptr, kTilePad);
    repeat(at_[r.dst], tile_, p_.registers[r.dst].size);
  }

  /// The place of register r in the tile at column c.
  std::byte* place(std::uint16_t r, std::int64_t c) const {
    return p_.registers[r].wide ? at_[r] + c * p_.registers[r].size : at_[r];
  }

  void tile(const RowProgram::Pass& pass, bool last, std::int64_t c, std::int64_t n) {
    const std::int64_t full = padded(n);
    for (const auto i : pass.loads) load(i, c, n, full);
    for (const auto& s : pass.steps) {
      std::byte* dst = place(s.dst, c);
      s.kernel(dst, place(s.a, c), place(s.b, c), place(s.c, c), static_cast<std::size_t>(full));
      if (s.round) s.round(dst, dst, nullptr, nullptr, static_cast<std::size_t>(full));
    }
    if (!last) return;
    for (std::size_t o = 0; o < p_.outputs.size(); ++o)
      if (!p_.outputs[o].row && !p_.outputs[o].join) store(o, c, n, full);
    for (std::size_t j = 0; j < p_.joins.size(); ++j) {
      const auto& q = p_.joins[j];
      const std::byte* from = place(p_.outputs[q.output].reg, c);
      q.wide() ? join<double>(q, accumulators_[j], from, c, n) : join<float>(q, accumulators_[j], from, c, n);
    }
  }

  /// Elements [c, c + n) of the row.
  template <class A> static void join(const RowJoin& q, std::byte* accumulators, const std::byte* elements, std::int64_t c, std::int64_t n) {
    const auto& k = lane_kernels<A>(q.op);
    A* const to = reinterpret_cast<A*>(accumulators);
    const A* const from = reinterpret_cast<const A*>(elements);
    if (q.join == plan::Join::columns) return k.next(to + c, from, n);
    std::int64_t i = 0;
    for (; i + 4 * kReduceLanes <= n; i += 4 * kReduceLanes) {
      const A* const x[4] = {from + i, from + i + kReduceLanes, from + i + 2 * kReduceLanes, from + i + 3 * kReduceLanes};
      k.next4(to, x, kReduceLanes);
    }
    for (; i < n; i += kReduceLanes) k.next(to, from + i, std::min<std::int64_t>(kReduceLanes, n - i));
  }

  void load(std::uint16_t i, std::int64_t c, std::int64_t n, std::int64_t full) {
    const auto& q = p_.inputs[i];
    const std::int64_t stride = in_[i].strides[static_cast<std::size_t>(rank_ - 1)];
    std::byte* memory = in_[i].data + (offset_[i] + c * stride) * q.size;
    std::byte* own = q.direct ? tiles_ + kTileBytes * p_.registers[q.reg].place : place(q.reg, c);
    if (q.direct && stride == 1 && n == full) {
      at_[q.reg] = memory;
      return;
    }
    std::byte* to = q.convert ? raw_ : own;
    load_segment(to, memory, stride, n, q.size);
    std::memset(to + n * q.size, 0, static_cast<std::size_t>((full - n) * q.size));
    if (q.convert) q.convert(own, raw_, nullptr, nullptr, static_cast<std::size_t>(full));
    if (q.direct) at_[q.reg] = own;
  }

  void store(std::size_t o, std::int64_t c, std::int64_t n, std::int64_t full) {
    const auto& q = p_.outputs[o];
    const std::int64_t stride = out_[o].strides[static_cast<std::size_t>(rank_ - 1)];
    const std::byte* from = place(q.reg, c);
    if (q.convert) {
      q.convert(raw_, from, nullptr, nullptr, static_cast<std::size_t>(full));
      from = raw_;
    }
    store_segment(out_[o].data + (offset_[p_.inputs.size() + o] + c * stride) * q.size, from, stride, n, q.size);
  }

  const View& view(std::size_t port) const { return port < p_.inputs.size() ? in_[port] : out_[port - p_.inputs.size()]; }
  std::size_t ports() const { return p_.inputs.size() + p_.outputs.size(); }

  void seek(std::int64_t row) {
    for (std::size_t q = 0; q < ports(); ++q) offset_[q] = 0;
    for (int d = rank_ - 1; d-- > 0;) {
      const auto i = static_cast<std::size_t>(d);
      index_[i] = row % shape_[d];
      row /= shape_[d];
      for (std::size_t q = 0; q < ports(); ++q) offset_[q] += index_[i] * view(q).strides[i];
    }
  }
  void next() {
    for (int d = rank_ - 1; d-- > 0;) {
      const auto i = static_cast<std::size_t>(d);
      const bool wrap = ++index_[i] == shape_[d];
      if (wrap) index_[i] = 0;
      for (std::size_t q = 0; q < ports(); ++q) offset_[q] += view(q).strides[i] * (wrap ? 1 - shape_[d] : 1);
      if (!wrap) return;
    }
  }

  const RowProgram& p_;
  const View *in_, *out_;
  int rank_;
  const std::int64_t* shape_;
  std::int64_t row_, tile_;
  std::byte **at_, *tiles_, *raw_;
  std::array<std::byte*, kMaxPorts> accumulators_{};  ///< of the current row, for each join
  std::array<std::int64_t, plan::kMaxRank> index_{};
  std::array<std::int64_t, kMaxPorts> offset_{};  ///< of the current row, for each port
};

}  // namespace

void run_rows(const RowProgram& program, const View* inputs, const View* outputs, int rank, const std::int64_t* shape) {
  std::int64_t rows = 1;
  for (int d = 0; d + 1 < rank; ++d) rows *= shape[d];
  const std::int64_t threads = rows * std::max<std::int64_t>(shape[rank - 1], 1) >= kParallelFrom ? runtime::threads() : 1;
  if (!program.joins.empty()) {
    const JoinedRows joined(program.joins, rows, shape[rank - 1]);
    runtime::parallel(joined.parts(threads), [&](std::int64_t part) {
      Rows walk(program, inputs, outputs, rank, shape);
      joined.stretches(part, joined.parts(threads), [&](std::int64_t first, std::int64_t last) { walk.run(first, last, &joined); });
    });
    return joined.finish(outputs);
  }
  if (rows == 0) return;
  const std::int64_t parts = std::min(threads, rows);
  const auto body = [&](std::int64_t part) {
    Rows(program, inputs, outputs, rank, shape).run(rows * part / parts, rows * (part + 1) / parts, nullptr);
  };
  if (parts <= 1) body(0);
  else runtime::parallel(parts, body);
}

}  // namespace adjoint::cpu
