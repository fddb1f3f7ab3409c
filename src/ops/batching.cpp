// batching.cpp: what the batching rules of operations share. Not the walk over a graph: src/transform/vmap.cpp.
#include "ops/batching.hpp"

namespace adjoint {

Shape in_front(std::int64_t size, const Shape& shape, Loc loc) {
  Shape out = shape;
  out.insert(0, size, loc);
  return out;
}
Ints one_up(Ints axes) {
  for (auto& a : axes) ++a;
  return axes;
}
Tensor every(const Batch& b, std::size_t i) {
  return b.all[i] ? b.all[i] : broadcast_node(b.in(i), in_front(b.size, b.node.in[i]->type.shape), b.node.loc);
}
Tensor folded(const Tensor& t, Loc loc) {
  Shape s = t.shape();
  s[1] *= s[0];
  s.erase(0);
  return reshape_node(t, s, loc);
}

Tensor batch_same(const Batch& b) {
  Tensors in;
  for (std::size_t i = 0; i < b.arity(); ++i) in.push_back(every(b, i));
  return apply(*b.node.prim, in, b.node.attrs, b.node.loc);
}
Tensor batch_reduced(const Batch& b) {
  const auto& a = b.attrs<Axes>();
  return apply(*b.node.prim, {&b.all[0]}, Axes{one_up(a.axes), a.keepdim}, b.node.loc);
}

}  // namespace adjoint
