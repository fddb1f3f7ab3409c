// reshape.cpp: the same elements, row-major, in another shape. A view wherever the strides allow it.
// Not a copy by meaning: the plan inserts one where a view is impossible.
#include "ops/batching.hpp"
#include "ops/common.hpp"
#include "ops/shape_ops.hpp"

namespace adjoint {

/// Strides of `shape` over the elements of `in`, if they can be expressed; axes are matched in groups of equal size.
static std::optional<Strided> reshaped(const Strided& in, const Shape& shape) {
  Strided out{shape, shape, in.offset};
  if (shape.numel() == 0) {
    for (std::size_t i = 0; i < shape.size(); ++i) out.strides[i] = 0;
    return out;
  }
  std::size_t a = 0, b = 0;  // next axis of the old and of the new shape
  while (b < shape.size()) {
    if (shape[b] == 1) {
      out.strides[b++] = 0;
      continue;
    }
    while (in.shape[a] == 1) ++a;
    std::size_t a1 = a + 1, b1 = b + 1;
    std::int64_t na = in.shape[a], nb = shape[b];
    while (na != nb) {
      if (na < nb) na *= in.shape[a1++];
      else nb *= shape[b1++];
    }
    std::size_t inner = a1 - 1;  // the old axes a..a1 must lie like one axis
    std::int64_t stride = 0, expected = 0;
    bool first = true;
    for (std::size_t k = a1; k-- > a;) {
      if (in.shape[k] == 1) continue;
      if (first) stride = expected = in.strides[k], inner = k, first = false;
      else if (in.strides[k] != expected) return std::nullopt;
      expected = in.strides[k] * in.shape[k];
    }
    (void)inner;
    for (std::size_t k = b1; k-- > b;) {
      out.strides[k] = shape[k] == 1 ? 0 : stride;
      stride *= shape[k];
    }
    a = a1;
    b = b1;
  }
  return out;
}

static const Primitive& reshape_p = define({
    .name = "reshape",
    .infer = [](const Infer& i) -> Type {
      const Shape& shape = i.attrs.as<ToShape>().shape;
      if (shape.numel() != i.type(0).shape.numel())
        i.fail("cannot reshape " + to_string(i.type(0)) + " to " + to_string(shape) + ": " +
               std::to_string(i.type(0).shape.numel()) + " elements against " + std::to_string(shape.numel()),
               "the sizes multiply to the number of elements; one may be -1 and is inferred");
      return {shape, i.type(0).dtype};
    },
    .vjp = [](const Vjp& r) -> Tensors { return {reshape_node(r.ct, r.node.in[0]->type.shape, r.node.loc)}; },
    .jvp = [](const Jvp& r) { return reshape_node(r.dot[0], r.node.type.shape, r.node.loc); },
    .batch = [](const Batch& b) { return reshape_node(b.all[0], in_front(b.size, b.node.type.shape), b.node.loc); },
    .alias = [](const Node& n, const Strided& in) { return reshaped(in, n.type.shape); },
    .family = "D7",
});

Tensor reshape_node(const Tensor& x, const Shape& shape, Loc loc) {
  return x.shape() == shape ? x : apply(reshape_p, {&x}, ToShape{shape}, loc);
}

Tensor reshape(const Arg& x, const Shape& shape) {
  const Tensor t = need(x, reshape_p);
  Shape full = shape;
  int unknown = -1;
  std::int64_t known = 1;
  for (std::size_t i = 0; i < full.size(); ++i) {
    const auto fail = [&](const std::string& why) {
      throw Error({.op = "reshape", .message = why + " in " + to_string(shape), .where = user_loc(x.loc),
                   .operands = {describe(*t.node())}, .hint = "give at most one -1; all other sizes are >= 0"});
    };
    if (full[i] == -1 && unknown >= 0) fail("more than one -1");
    else if (full[i] == -1) unknown = static_cast<int>(i);
    else if (full[i] < 0) fail("a negative size");
    else if (__builtin_mul_overflow(known, full[i], &known)) fail("too many elements");
  }
  if (unknown >= 0) {
    if (known == 0 || t.numel() % known != 0)
      throw Error({.op = "reshape", .message = "cannot infer -1: " + to_string(t.type()) + " does not divide into " + to_string(shape),
                   .where = user_loc(x.loc), .operands = {describe(*t.node())}, .hint = "check the other sizes"});
    full[static_cast<std::size_t>(unknown)] = t.numel() / known;
  }
  return reshape_node(t, full, x.loc);
}

}  // namespace adjoint
