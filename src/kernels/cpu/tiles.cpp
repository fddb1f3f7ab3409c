// tiles.cpp: walks an index space in tiles of 512 and runs a resolved program on each.
// Not where registers are laid out (tile_resolve.cpp), nor where functions are computed (scalar_*.cpp).
#include "kernels/cpu/tiles.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <new>

#include "kernels/cpu/tile_moves.hpp"
#include "kernels/cpu/tile_resolve.hpp"
#include "kernels/cpu/tile_rows.hpp"
#include "runtime/pool.hpp"

namespace adjoint::cpu {
namespace {

using Impl = ResolvedProgram::Impl;
using plan::View;
constexpr std::int64_t kLongRow = 256;          ///< rows from here on are tiled one by one
constexpr std::int64_t kParallelFrom = 1 << 15;  ///< elements; or so many function values times four

/// A thread's memory for registers, one converted tile, and register pointers. It only grows.
class Scratch {
 public:
  std::byte* get(std::size_t bytes) {
    if (bytes > size_) {
      memory_.reset();
      memory_.reset(static_cast<std::byte*>(::operator new(bytes, std::align_val_t{64})));
      size_ = bytes;
    }
    return memory_.get();
  }

 private:
  struct Free {
    void operator()(std::byte* p) const { ::operator delete(p, std::align_val_t{64}); }
  };
  std::unique_ptr<std::byte, Free> memory_;
  std::size_t size_ = 0;
};
thread_local Scratch scratch;

// ---- the index space, the same for all parts ----

enum class Layout : std::uint8_t { scalar, linear, general };

struct Port {
  std::byte* data;
  Layout layout;
  bool through_register;  ///< an input that an output overwrites before its last use
  std::array<std::int64_t, plan::kMaxRank> strides;
};

struct Space {
  int rank = 0, ports = 0;
  std::int64_t elements = 1, row = 1;  ///< row: the innermost axis
  std::int64_t tiles = 0, tiles_per_row = 0;
  bool by_rows = false;
  std::array<std::int64_t, plan::kMaxRank> shape;
  std::array<Port, kMaxPorts> port;
};

/// Merges axes that lie behind one another in every port, and drops axes of size 1.
void collapse(Space& s, const View* const* views, int rank, const std::int64_t* shape) {
  for (int d = 0; d < rank; ++d) {
    if (shape[d] == 1) continue;
    const auto in = static_cast<std::size_t>(d);
    bool merge = s.rank > 0;
    for (int p = 0; merge && p < s.ports; ++p)
      merge = s.port[static_cast<std::size_t>(p)].strides[static_cast<std::size_t>(s.rank - 1)] ==
              views[p]->strides[in] * shape[d];
    const auto to = static_cast<std::size_t>(merge ? s.rank - 1 : s.rank++);
    s.shape[to] = merge ? s.shape[to] * shape[d] : shape[d];
    for (int p = 0; p < s.ports; ++p) s.port[static_cast<std::size_t>(p)].strides[to] = views[p]->strides[in];
  }
}

Layout classify(const Space& s, const Port& p) {
  bool all_zero = true, linear = true;
  std::int64_t expected = 1;
  for (int d = s.rank; d-- > 0;) {
    const auto i = static_cast<std::size_t>(d);
    all_zero = all_zero && p.strides[i] == 0;
    linear = linear && p.strides[i] == expected;
    expected *= s.shape[i];
  }
  return all_zero ? Layout::scalar : linear ? Layout::linear : Layout::general;
}

void prepare(Space& s, const Impl& program, const View* inputs, const View* outputs, int rank,
             const std::int64_t* shape) {
  const int n_in = static_cast<int>(program.inputs.size());
  s.ports = n_in + static_cast<int>(program.outputs.size());
  std::array<const View*, kMaxPorts> views;
  for (int p = 0; p < s.ports; ++p) {
    views[static_cast<std::size_t>(p)] = p < n_in ? &inputs[p] : &outputs[p - n_in];
    s.port[static_cast<std::size_t>(p)].data = views[static_cast<std::size_t>(p)]->data;
  }
  for (int d = 0; d < rank; ++d) s.elements *= shape[d];
  collapse(s, views.data(), rank, shape);
  bool general = false;
  for (int p = 0; p < s.ports; ++p) {
    Port& q = s.port[static_cast<std::size_t>(p)];
    q.layout = classify(s, q);
    if (p >= n_in && q.layout == Layout::scalar) q.layout = Layout::linear;  // one element
    general = general || q.layout == Layout::general;
  }
  s.row = s.rank > 0 ? s.shape[static_cast<std::size_t>(s.rank - 1)] : 1;
  s.by_rows = s.rank > 1 && general && s.row >= kLongRow;
  const std::int64_t span = s.by_rows ? s.row : s.elements;
  s.tiles_per_row = (span + kTile - 1) / kTile;
  s.tiles = s.by_rows ? s.tiles_per_row * (s.elements / s.row) : s.tiles_per_row;
  // Outputs of register form are written as soon as they are computed, the others at the end of the tile.
  const int end = static_cast<int>(program.steps.size());
  for (int i = 0; i < n_in; ++i) {
    Port& in = s.port[static_cast<std::size_t>(i)];
    in.through_register = false;
    for (int o = n_in; o < s.ports; ++o) {
      const Impl::Port& out = program.outputs[static_cast<std::size_t>(o - n_in)];
      const int written = out.in_place ? out.step : end - 1;
      if (s.port[static_cast<std::size_t>(o)].data == in.data)
        in.through_register |= program.inputs[static_cast<std::size_t>(i)].step > written;
    }
  }
}

// ---- one part: a range of tiles, on one thread ----

class Part {
 public:
  Part(const Space& space, const Impl& program) : s_(space), program_(program) {
    const std::size_t registers = program.slot.size(), table = (registers * sizeof(std::byte*) + 63) / 64 * 64;
    std::byte* memory = scratch.get(table + program.scratch + kTile * 2);
    at_ = reinterpret_cast<std::byte**>(memory);
    slots_ = memory + table;
    raw_ = slots_ + program.scratch;
    for (std::size_t r = 0; r < registers; ++r) at_[r] = slots_ + program.slot[r];
  }

  void run(std::int64_t first, std::int64_t last) {
    const std::int64_t longest = std::min<std::int64_t>(kTile, s_.by_rows ? s_.row : s_.elements);
    fill_scalars(padded(longest));
    if (s_.by_rows) {
      seek(first / s_.tiles_per_row * s_.row);
      std::int64_t column = first % s_.tiles_per_row * kTile;
      for (std::int64_t t = first; t < last; ++t) {
        block(column, std::min<std::int64_t>(kTile, s_.row - column));
        column += kTile;
        if (column >= s_.row) {
          column = 0;
          next_row(index_, offset_.data(), s_.ports);
          linear_ += s_.row;
        }
      }
    } else {
      if (s_.rank > 1) seek(first * kTile);
      for (std::int64_t t = first; t < last; ++t) {
        const std::int64_t begin = t * kTile;
        block(begin, std::min<std::int64_t>(kTile, s_.elements - begin));
      }
    }
  }

 private:
  using Index = std::array<std::int64_t, plan::kMaxRank>;

  static std::int64_t padded(std::int64_t n) { return (n + kTilePad - 1) / kTilePad * kTilePad; }

  /// Elements [column, column + n): whole groups first, then the rest, which is padded in registers.
  void block(std::int64_t column, std::int64_t n) {
    const std::int64_t whole = n / kTilePad * kTilePad;
    if (whole) tile(column, whole);
    if (n > whole) tile(column + whole, n - whole);
  }

  void tile(std::int64_t column, std::int64_t n) {
    const bool ragged = n < kTilePad;
    const std::size_t n_in = program_.inputs.size();
    for (std::size_t i = 0; i < n_in; ++i)
      if (s_.port[i].layout != Layout::scalar) load(s_.port[i], program_.inputs[i], i, column, n, ragged);
    for (std::size_t o = 0; o < program_.outputs.size(); ++o) {
      const Impl::Port& p = program_.outputs[o];
      if (!p.in_place) continue;
      const std::byte* direct = ragged ? nullptr : address(s_.port[n_in + o], n_in + o, column, p.size);
      at_[p.reg] = direct ? const_cast<std::byte*>(direct) : slots_ + program_.slot[p.reg];
    }
    const auto count = static_cast<std::size_t>(padded(n));
    for (const Impl::Step& step : program_.steps)
      step.kernel(at_[step.dst], at_[step.a], at_[step.b], at_[step.c], count);
    for (std::size_t o = 0; o < program_.outputs.size(); ++o)
      store(s_.port[n_in + o], program_.outputs[o], n_in + o, column, n, ragged);
    if (!s_.by_rows && s_.rank > 1) advance(n);
  }

  /// Where the tile's elements lie contiguously in memory, or nullptr. By rows, `column` counts within the row.
  std::byte* address(const Port& p, std::size_t port, std::int64_t column, int size) const {
    if (p.layout == Layout::linear) return p.data + (s_.by_rows ? linear_ + column : column) * size;
    const bool row_contiguous = s_.by_rows && p.strides[static_cast<std::size_t>(s_.rank - 1)] == 1;
    return row_contiguous ? p.data + (offset_[port] + column) * size : nullptr;
  }

  void load(const Port& p, const Impl::Port& q, std::size_t port, std::int64_t column, std::int64_t n, bool ragged) {
    std::byte* slot = slots_ + program_.slot[q.reg];
    std::byte* direct = address(p, port, column, q.size);
    if (direct && !ragged) {
      if (q.convert) q.convert(slot, direct, nullptr, nullptr, static_cast<std::size_t>(n));
      else if (p.through_register) std::memcpy(slot, direct, static_cast<std::size_t>(n * q.size));
      at_[q.reg] = q.convert || p.through_register ? slot : direct;
      return;
    }
    std::byte* to = q.convert ? raw_ : slot;
    if (direct) std::memcpy(to, direct, static_cast<std::size_t>(n * q.size));
    else segments(p, port, column, n, q.size, [&](std::byte* memory, std::int64_t stride, std::int64_t done, std::int64_t m) {
      load_segment(to + done * q.size, memory, stride, m, q.size);
    });
    const std::int64_t full = padded(n);
    if (full > n) std::memset(to + n * q.size, 0, static_cast<std::size_t>((full - n) * q.size));
    if (q.convert) q.convert(slot, raw_, nullptr, nullptr, static_cast<std::size_t>(full));
    at_[q.reg] = slot;
  }

  void store(const Port& p, const Impl::Port& q, std::size_t port, std::int64_t column, std::int64_t n, bool ragged) {
    std::byte* direct = address(p, port, column, q.size);
    const std::byte* from = at_[q.reg];
    if (direct == from) return;  // computed in place
    if (q.convert) {
      const bool straight = direct && !ragged;
      q.convert(straight ? direct : raw_, from, nullptr, nullptr, static_cast<std::size_t>(padded(n)));
      if (straight) return;
      from = raw_;
    }
    if (direct) std::memcpy(direct, from, static_cast<std::size_t>(n * q.size));
    else segments(p, port, column, n, q.size, [&](std::byte* memory, std::int64_t stride, std::int64_t done, std::int64_t m) {
      store_segment(memory, from + done * q.size, stride, m, q.size);
    });
  }

  /// Calls f(memory, stride, done, m) for each run of m elements of a tile that lie within one row.
  template <class F>
  void segments(const Port& p, std::size_t port, std::int64_t column, std::int64_t n, int size, F f) {
    const std::int64_t stride = s_.rank > 0 ? p.strides[static_cast<std::size_t>(s_.rank - 1)] : 1;
    if (s_.by_rows || s_.rank <= 1) {
      const std::int64_t row_start = s_.by_rows ? offset_[port] : 0;
      return f(p.data + (row_start + column * stride) * size, stride, std::int64_t{0}, n);
    }
    Index index = index_;
    std::int64_t offset = offset_[port], in_row = column_;
    for (std::int64_t done = 0; done < n;) {
      const std::int64_t m = std::min(n - done, s_.row - in_row);
      f(p.data + (offset + in_row * stride) * size, stride, done, m);
      done += m;
      in_row = 0;
      if (done < n) next_row(index, p.strides, offset);
    }
  }

  /// Steps the outer axes (all but the innermost) to the next row.
  void next_row(Index& index, std::int64_t* offsets, int ports) const {
    for (int d = s_.rank - 1; d-- > 0;) {
      const auto i = static_cast<std::size_t>(d);
      const bool wrap = ++index[i] == s_.shape[i];
      if (wrap) index[i] = 0;
      for (int p = 0; p < ports; ++p) {
        const std::int64_t stride = s_.port[static_cast<std::size_t>(p)].strides[i];
        offsets[p] += wrap ? stride * (1 - s_.shape[i]) : stride;
      }
      if (!wrap) return;
    }
  }
  void next_row(Index& index, const Index& strides, std::int64_t& offset) const {
    for (int d = s_.rank - 1; d-- > 0;) {
      const auto i = static_cast<std::size_t>(d);
      offset += strides[i];
      if (++index[i] < s_.shape[i]) return;
      index[i] = 0;
      offset -= strides[i] * s_.shape[i];
    }
  }

  /// Sets the row state to the row that holds element `element`.
  void seek(std::int64_t element) {
    linear_ = element;
    std::int64_t rest = element / s_.row;
    column_ = element % s_.row;
    for (int p = 0; p < s_.ports; ++p) offset_[static_cast<std::size_t>(p)] = 0;
    for (int d = s_.rank - 1; d-- > 0;) {
      const auto i = static_cast<std::size_t>(d);
      index_[i] = rest % s_.shape[i];
      rest /= s_.shape[i];
      for (int p = 0; p < s_.ports; ++p)
        offset_[static_cast<std::size_t>(p)] += index_[i] * s_.port[static_cast<std::size_t>(p)].strides[i];
    }
  }
  /// Moves the row state n elements on, across rows.
  void advance(std::int64_t n) {
    column_ += n;
    while (column_ >= s_.row) {
      column_ -= s_.row;
      next_row(index_, offset_.data(), s_.ports);
    }
  }

  /// Inputs that are one element for the whole space stay in their registers for all tiles.
  void fill_scalars(std::int64_t n) {
    for (std::size_t i = 0; i < program_.inputs.size(); ++i) {
      if (s_.port[i].layout != Layout::scalar) continue;
      const Impl::Port& q = program_.inputs[i];
      std::byte* slot = slots_ + program_.slot[q.reg];
      load_segment(q.convert ? raw_ : slot, s_.port[i].data, 0, n, q.size);
      if (q.convert) q.convert(slot, raw_, nullptr, nullptr, static_cast<std::size_t>(n));
    }
  }

  const Space& s_;
  const Impl& program_;
  std::byte **at_, *slots_, *raw_;
  Index index_;                                   ///< of the current row; the innermost axis is not used
  std::array<std::int64_t, kMaxPorts> offset_;    ///< of the current row's first element, for each port
  std::int64_t linear_ = 0, column_ = 0;          ///< the current row's first element; the place in the row
};

}  // namespace

void run_tiles(const ResolvedProgram& program, const View* inputs, const View* outputs, int rank,
               const std::int64_t* shape) {
  const Impl& impl = program.impl();
  if (impl.rows) return run_rows(*impl.rows, inputs, outputs, rank, shape);
  Space space;
  prepare(space, impl, inputs, outputs, rank, shape);
  if (space.elements == 0) return;
  const bool large = space.elements >= kParallelFrom ||
                     space.elements * static_cast<std::int64_t>(impl.steps.size()) >= 4 * kParallelFrom;
  const std::int64_t parts = large ? std::min<std::int64_t>(runtime::threads(), space.tiles) : 1;
  const auto body = [&](std::int64_t part) {
    Part(space, impl).run(space.tiles * part / parts, space.tiles * (part + 1) / parts);
  };
  if (parts <= 1) body(0);
  else runtime::parallel(parts, body);
}

void run_tiles(const plan::TileProgram& program, const View* inputs, const View* outputs, int rank,
               const std::int64_t* shape) {
  run_tiles(ResolvedProgram(program), inputs, outputs, rank, shape);
}

}  // namespace adjoint::cpu
