// row_joins.cpp: shares rows among threads so that lanes keep their order, and joins lanes and blocks in the tree of reduce.hpp.
// Not where elements are made: tile_rows.cpp and emit.cpp.
#include "kernels/cpu/row_joins.hpp"

#include <algorithm>

#include "kernels/cpu/scratch.hpp"

namespace adjoint::cpu {

using plan::Join;
using plan::RowReduction;

ReduceOp reduce_op(RowReduction r) {
  switch (r) {
    case RowReduction::prod: return ReduceOp::prod;
    case RowReduction::amax: return ReduceOp::amax;
    case RowReduction::amin: return ReduceOp::amin;
    default: return ReduceOp::sum;
  }
}

std::vector<RowJoin> row_joins(const plan::TileProgram& program) {
  std::vector<RowJoin> joins;
  for (std::size_t o = 0; o < program.outputs.size(); ++o)
    if (const auto& q = program.outputs[o]; q.join != Join::none) joins.push_back({o, q.join, reduce_op(q.how), q.dtype});
  return joins;
}

JoinedRows::JoinedRows(const std::vector<RowJoin>& joins, std::int64_t rows, std::int64_t columns) : joins_(joins), rows_(rows), columns_(columns) {
  bool all = false, by_columns = false;
  std::int64_t bytes = 0;
  for (std::size_t k = 0; k < joins.size(); ++k) {
    const auto& j = joins[k];
    const bool down = j.join == Join::columns;
    const std::int64_t reduced = down ? rows : rows * columns, blocks = (reduced + kReduceBlock - 1) / kReduceBlock;
    const std::int64_t stride = (down ? columns : kReduceLanes) * j.size();
    places_[k] = {down, bytes, stride, blocks};
    bytes += (blocks * stride * (down ? kReduceLanes : 1) + 63) / 64 * 64;
    all = all || !down, by_columns = by_columns || down;
  }
  memory_ = kernels::scratch<std::byte>(kernels::Slot::reduce_lanes, bytes + 64);  // free: a group reduces along rows, which needs no lanes in memory
  for (std::size_t k = 0; k < joins.size(); ++k) {
    const std::int64_t used = places_[k].columns ? rows / kReduceBlock * kReduceLanes + std::min<std::int64_t>(kReduceLanes, rows % kReduceBlock) : places_[k].blocks;
    const std::int64_t n = used * places_[k].stride / joins[k].size();
    std::byte* const to = memory_ + places_[k].offset;
    if (joins[k].wide()) std::fill_n(reinterpret_cast<double*>(to), n, lane_kernels<double>(joins[k].op).neutral);
    else std::fill_n(reinterpret_cast<float*>(to), n, lane_kernels<float>(joins[k].op).neutral);
  }
  const std::int64_t block_rows = all ? std::max<std::int64_t>(1, kReduceBlock / std::max<std::int64_t>(columns, 1)) : 1;
  by_lanes_ = by_columns && block_rows <= kReduceLanes;
  grain_ = block_rows;
  piece_ = !by_columns ? block_rows : all ? std::min<std::int64_t>(kReduceLanes, block_rows) : kReduceLanes;
  unit_ = by_columns ? kReduceBlock : block_rows;
  units_ = (rows + unit_ - 1) / unit_;
}

template <class A>
void JoinedRows::finish_as(const RowJoin& join, const Place& place, const plan::View& out) const {
  const auto& k = lane_kernels<A>(join.op);
  A* const base = reinterpret_cast<A*>(memory_ + place.offset);
  const std::int64_t width = place.columns ? columns_ : 1, block = place.columns ? kReduceLanes * width : kReduceLanes;
  for (std::int64_t b = 0; b < place.blocks; ++b) {  // lane l joins l + 8, then + 4, + 2, + 1
    A* const lanes = base + b * block;
    if (!place.columns) {
      k.block(lanes, kReduceLanes, lanes);
      continue;
    }
    std::int64_t present = std::min<std::int64_t>(kReduceLanes, rows_ - b * kReduceBlock);
    for (std::int64_t half = kReduceLanes / 2; half > 0; present = std::min(present, half), half /= 2)
      if (present > half) k.next(lanes, lanes + half * width, (present - half) * width);
  }
  for (std::int64_t step = 1; step < place.blocks; step *= 2)  // the binary counter's tree, incomplete subtrees from the right
    for (std::int64_t b = 0; b + step < place.blocks; b += 2 * step) k.next(base + b * block, base + (b + step) * block, width);
  const std::int64_t stride = place.columns ? out.strides[static_cast<std::size_t>(out.rank - 1)] : 0;
  for (std::int64_t c = 0; c < width; ++c) {
    const A v = place.blocks > 0 ? base[c] : k.neutral;
    std::byte* const to = out.data + c * stride * static_cast<std::int64_t>(size_of(join.dtype));
    if constexpr (std::is_same_v<A, double>) *reinterpret_cast<double*>(to) = v;
    else if (join.dtype == DType::bf16) *reinterpret_cast<bfloat16*>(to) = bfloat16(v);
    else if (join.dtype == DType::f16) *reinterpret_cast<float16*>(to) = float16(v);
    else *reinterpret_cast<float*>(to) = v;
  }
}

void JoinedRows::finish(const plan::View* outputs) const {
  for (std::size_t j = 0; j < joins_.size(); ++j)
    joins_[j].wide() ? finish_as<double>(joins_[j], places_[j], outputs[joins_[j].output]) : finish_as<float>(joins_[j], places_[j], outputs[joins_[j].output]);
}

}  // namespace adjoint::cpu
