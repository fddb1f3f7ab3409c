// triangle.cpp: tril and triu: a select by the distance from the diagonal. Not a multiplication by a mask.
#include "ops/index_ops.hpp"

namespace adjoint {

static const Primitive& tril_p = define({.name = "tril", .traits = {.inlined = true}, .family = "D7"});
static const Primitive& triu_p = define({.name = "triu", .traits = {.inlined = true}, .family = "D7"});

static Tensor triangle(const Primitive& prim, const Arg& x, std::int64_t offset, bool lower) {
  OpScope scope(prim.name.data(), x.loc);
  const Tensor t = need(x, prim);
  if (t.rank() < 2) fail(prim.name, x.loc, "needs a matrix, got " + to_string(t.type()), {&t}, "the operand has two axes or more; diag makes a matrix of a vector");
  const auto far = std::max(t.shape(-2), t.shape(-1));
  const Shape matrix{t.shape(-2), t.shape(-1)};
  const auto k = std::clamp(offset, -far - 1, far + 1);
  const Tensor row = iota_node(matrix, 0, DType::i64, x.loc), column = iota_node(matrix, 1, DType::i64, x.loc);
  const Tensor limit = row + scalar_i64(k, x.loc);
  const Tensor outside = lower ? gt(column, limit) : gt(limit, column);
  return where(broadcast_node(outside, t.shape(), x.loc), literal(t.type(), 0, x.loc), t);
}

Tensor tril(const Arg& x, std::int64_t offset) { return triangle(tril_p, x, offset, true); }
Tensor triu(const Arg& x, std::int64_t offset) { return triangle(triu_p, x, offset, false); }

}  // namespace adjoint
