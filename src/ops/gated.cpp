// gated.cpp: one half of an axis times an activation of the other: glu, swiglu, geglu, reglu.
// Not the products of matrices that usually stand before them.
#include "ops/common.hpp"
#include "ops/shape_ops.hpp"

namespace adjoint {
namespace {

const Primitive& glu_p = define(inlined("glu", "D2"));
const Primitive& swiglu_p = define(inlined("swiglu", "D2"));
const Primitive& geglu_p = define(inlined("geglu", "D2"));
const Primitive& reglu_p = define(inlined("reglu", "D2"));

std::pair<Tensor, Tensor> halves(const Primitive& prim, const Arg& x, int axis) {
  const Tensor t = need_float(x, prim);
  const int a = normal_axis(axis, t.rank(), prim.name, x.loc);
  const std::int64_t size = t.shape(a);
  if (size % 2 != 0)
    throw Error({.op = std::string(prim.name), .message = "axis " + std::to_string(a) + " of " + to_string(t.type()) + " cannot be halved",
                 .where = user_loc(x.loc), .operands = {describe(*t.node())}, .hint = "the axis holds two halves of one size"});
  Ints from, middle, to;
  for (int k = 0; k <= a; ++k) {
    from.push_back(0);
    middle.push_back(k == a ? size / 2 : 0);
    to.push_back(t.shape(k));
  }
  Ints half = to;
  half[static_cast<std::size_t>(a)] = size / 2;
  return {slice(t, from, half), slice(t, middle, to)};
}

}  // namespace

Tensor glu(const Arg& x, int axis) {
  OpScope scope("glu", x.loc);
  const auto [a, b] = halves(glu_p, x, axis);
  return a * sigmoid(b);
}
Tensor swiglu(const Arg& x, int axis) {
  OpScope scope("swiglu", x.loc);
  const auto [a, b] = halves(swiglu_p, x, axis);
  return silu(a) * b;
}
Tensor geglu(const Arg& x, int axis) {
  OpScope scope("geglu", x.loc);
  const auto [a, b] = halves(geglu_p, x, axis);
  return gelu(a) * b;
}
Tensor reglu(const Arg& x, int axis) {
  OpScope scope("reglu", x.loc);
  const auto [a, b] = halves(reglu_p, x, axis);
  return relu(a) * b;
}

}  // namespace adjoint
