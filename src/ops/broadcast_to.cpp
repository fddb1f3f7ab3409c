// broadcast_to.cpp: repeat axes of size 1 and new leading axes. Always a view, with stride 0.
// Not tile: that repeats axes of any size.
#include "ops/batching.hpp"
#include "ops/common.hpp"
#include "ops/shape_ops.hpp"

namespace adjoint {

static const Primitive& broadcast_to_p = define({
    .name = "broadcast_to",
    .infer = [](const Infer& i) -> Type {
      const Shape &from = i.type(0).shape, &to = i.attrs.as<ToShape>().shape;
      bool fits = from.rank() <= to.rank();
      for (int k = 1; fits && k <= from.rank(); ++k) {
        const auto f = from[static_cast<std::size_t>(from.rank() - k)];
        fits = f == 1 || f == to[static_cast<std::size_t>(to.rank() - k)];
      }
      std::int64_t n = 1;
      for (auto d : to) fits = fits && d >= 0 && !__builtin_mul_overflow(n, d, &n);
      if (!fits)
        i.fail("cannot broadcast " + to_string(i.type(0)) + " to " + to_string(to),
               "shapes are aligned at the last axis; each size must be equal to the new one, or 1");
      return {to, i.type(0).dtype};
    },
    .vjp = [](const Vjp& r) -> Tensors { return {sum_to(r.ct, r.node.in[0]->type.shape, r.node.loc)}; },
    .jvp = [](const Jvp& r) { return broadcast_node(r.dot[0], r.node.type.shape, r.node.loc); },
    .batch = [](const Batch& b) {  // new axes come between that of the examples and those of the operand
      Shape from = b.all[0].shape();
      while (from.rank() <= b.node.type.shape.rank()) from.insert(1, 1);
      return broadcast_node(reshape_node(b.all[0], from, b.node.loc), in_front(b.size, b.node.type.shape), b.node.loc);
    },
    .alias = [](const Node& n, const Strided& in) -> std::optional<Strided> {
      Strided out{n.type.shape, n.type.shape, in.offset};
      const auto lead = n.type.shape.size() - in.shape.size();
      for (std::size_t i = 0; i < out.shape.size(); ++i)
        out.strides[i] = i < lead || in.shape[i - lead] != out.shape[i] ? 0 : in.strides[i - lead];
      return out;
    },
    .family = "D7",
});

Tensor broadcast_node(const Tensor& x, const Shape& shape, Loc loc) {
  return x.shape() == shape ? x : apply(broadcast_to_p, {&x}, ToShape{shape}, loc);
}
Tensor broadcast_to(const Arg& x, const Shape& shape) { return broadcast_node(need(x, broadcast_to_p), shape, x.loc); }

}  // namespace adjoint
