// dot.cpp: batched matrix product [b.., m, k] x [b.., k, n], and matmul on it. Transposes are views: the kernel
// reads any strides. Not einsum.
#include "ops/batching.hpp"
#include "ops/common.hpp"
#include "ops/shape_ops.hpp"

namespace adjoint {

static Tensor dot_node(const Tensor& x, const Tensor& y, Loc loc);
static Tensor flipped(const Tensor& x, Loc loc) {
  Ints axes;
  for (int i = 0; i < x.rank(); ++i) axes.push_back(i);
  std::swap(axes[axes.size() - 1], axes[axes.size() - 2]);
  return permute_node(x, axes, loc);
}

/// True for a transposed matrix: a view whose cotangent is best made the other way round, so that turning it back gives
/// elements in the order of the matrix itself. Each element is the same chain of products either way.
static bool is_flipped(const Tensor& x) {
  const Node& n = *x.node();
  if (n.kind != Kind::op || n.arity != 1 || n.prim->name != "permute") return false;
  const Ints& axes = n.attrs.as<Permutation>().axes;
  const auto last = axes.rank() - 1;
  return axes[axes.size() - 1] == last - 1 && axes[axes.size() - 2] == last;
}

static const Primitive& dot_p = define({
    .name = "dot",
    .infer = [](const Infer& i) -> Type {
      const Type &x = i.type(0), &y = i.type(1);
      const auto n = x.shape.size();
      if (n < 2 || y.shape.size() != n || x.dtype != y.dtype) i.fail("needs two stacks of matrices of one type, got " + to_string(x) + " and " + to_string(y), "matmul broadcasts and promotes");
      if (x.dtype == DType::bool_ || size_of(x.dtype) == 1) i.fail("products of " + to_string(x) + " are not defined", "cast to i32 or f32 first");
      Type out = x;
      for (std::size_t k = 0; k + 2 < n; ++k)
        if (x.shape[k] != y.shape[k]) i.fail("batch axes differ: " + to_string(x) + " and " + to_string(y), "matmul broadcasts them");
      if (x.shape[n - 1] != y.shape[n - 2])
        i.fail("inner sizes differ: " + to_string(x) + " by " + to_string(y) + ": " + std::to_string(x.shape[n - 1]) + " vs " +
                   std::to_string(y.shape[n - 2]),
               "the last axis of the left operand must equal the one before the last of the right one");
      out.shape[n - 1] = y.shape[n - 1];
      return out;
    },
    .vjp = [](const Vjp& r) -> Tensors {
      const Loc loc = r.node.loc;
      const Tensor x = r.in(0), y = r.in(1);
      Tensor dx, dy;
      if (r.wants(0)) dx = is_flipped(x) ? flipped(dot_node(y, flipped(r.ct, loc), loc), loc) : dot_node(r.ct, flipped(y, loc), loc);
      if (r.wants(1)) dy = is_flipped(y) ? flipped(dot_node(flipped(r.ct, loc), x, loc), loc) : dot_node(flipped(x, loc), r.ct, loc);
      return {dx, dy};
    },
    .jvp = [](const Jvp& r) {
      const Loc loc = r.node.loc;
      if (!r.dot[0]) return dot_node(r.in(0), r.dot[1], loc);
      if (!r.dot[1]) return dot_node(r.dot[0], r.in(1), loc);
      return dot_node(r.dot[0], r.in(1), loc) + dot_node(r.in(0), r.dot[1], loc);
    },
    .batch = [](const Batch& b) {
      if (b.all[1] || b.node.type.shape.rank() > 2) return batch_same(b);
      const Tensor y = dot_node(folded(b.all[0], b.node.loc), b.in(1), b.node.loc);  // one right matrix for all: one product of many rows
      return reshape_node(y, in_front(b.size, b.node.type.shape), b.node.loc);
    },
    .family = "D10",
});

static Tensor dot_node(const Tensor& x, const Tensor& y, Loc loc) { return apply(dot_p, {&x, &y}, {}, loc); }

static const Primitive& matmul_p = define({.name = "matmul", .traits = {.inlined = true}, .family = "D10"});

/// The batch axes of both operands broadcast together, in front of the two matrix axes.
static Tensor with_batch(const Tensor& t, const Shape& batch, Loc loc) {
  Shape full = batch;
  full.push_back(t.shape(-2));
  full.push_back(t.shape(-1));
  return broadcast_node(t, full, loc);
}

Tensor matmul(const Arg& x, const Arg& y) {
  OpScope scope("matmul", x.loc);
  Tensor a = need(x, matmul_p), b = need(y, matmul_p);
  const auto fail = [&](std::string why, std::string hint = {}) {
    const Tensor* operands[] = {&a, &b};
    throw Error({.op = "matmul", .message = std::move(why), .where = user_loc(x.loc), .operands = operand_lines(operands),
                 .hint = std::move(hint)});
  };
  if (a.rank() == 0 || b.rank() == 0)
    fail("a scalar operand: " + to_string(a.type()) + " by " + to_string(b.type()), "multiply by a number with *");
  const DType dtype = promote(a.dtype(), b.dtype());
  a = cast_to(a, dtype, x.loc), b = cast_to(b, dtype, x.loc);
  const bool row = a.rank() == 1, column = b.rank() == 1;
  if (row) a = reshape_node(a, {1, a.shape(0)}, x.loc);
  if (column) b = reshape_node(b, {b.shape(0), 1}, x.loc);
  if (a.shape(-1) != b.shape(-2))
    fail("inner sizes differ: " + to_string(x.tensor->type()) + " by " + to_string(y.tensor->type()) + ": " +
             std::to_string(a.shape(-1)) + " vs " + std::to_string(b.shape(-2)),
         a.shape(-1) == b.shape(-1) ? "transpose the right operand: matmul(x, transpose(y))" : "the last axis of the left operand equals the one before the last of the right one");
  Shape batch;
  const int lead = std::max(a.rank(), b.rank()) - 2;
  for (int i = 0; i < lead; ++i) {
    const auto size = [&](const Tensor& t) { const int k = i - (lead - (t.rank() - 2)); return k < 0 ? std::int64_t{1} : t.shape(k); };
    const auto p = size(a), q = size(b);
    if (p != q && p != 1 && q != 1) fail("batch axes do not broadcast: " + to_string(a.type()) + " and " + to_string(b.type()),
                                        "all axes but the last two are equal, or 1");
    batch.push_back(p == 1 ? q : p);
  }
  Tensor out;
  if (b.rank() == 2 && a.rank() > 2) {  // one matrix for the whole batch: one product of many rows
    Shape full = batch;
    full.push_back(a.shape(-2)), full.push_back(b.shape(-1));
    std::int64_t rows = 1;
    for (int i = 0; i + 1 < a.rank(); ++i) rows *= a.shape(i);
    out = reshape_node(dot_node(reshape_node(a, {rows, a.shape(-1)}, x.loc), b, x.loc), full, x.loc);
  } else {
    out = dot_node(with_batch(a, batch, x.loc), with_batch(b, batch, x.loc), x.loc);
  }
  if (!row && !column) return out;
  Shape dropped = out.shape();
  if (column) dropped.erase(dropped.rank() - 1);
  if (row) dropped.erase(dropped.rank() - (column ? 1 : 2));
  return reshape_node(out, dropped, x.loc);
}

}  // namespace adjoint
