// prod.cpp: product over axes. Its gradient multiplies all other elements, through a tree and without a division, so
// that zeros are exact in every order of derivative. Not cumprod.
#include "ops/batching.hpp"
#include "ops/reduce_ops.hpp"

namespace adjoint {
namespace {

/// [rows, 2 p] as [rows, p, 2].
Tensor pairs(const Tensor& t, Loc loc) { return reshape_node(t, {t.shape(0), t.shape(1) / 2, 2}, loc); }

/// x [rows, n] -> [rows, n]: the product of all other elements of the row. Up the tree: products of pairs; down: what
/// lies outside a pair, times the partner.
Tensor others(const Tensor& x, Loc loc) {
  const auto rows = x.shape(0), n = x.shape(1);
  std::int64_t width = 1;
  while (width < n) width *= 2;
  Tensors level{width == n ? x : concat_node({x, literal({{rows, width - n}, x.dtype()}, 1, loc)}, 1, loc)};
  while (level.back().shape(1) > 1) {
    const Tensor two = pairs(level.back(), loc);
    const Tensor product = slice_axis(two, 2, 0, 1, 1, loc) * slice_axis(two, 2, 1, 1, 1, loc);
    level.push_back(reshape_node(product, {rows, two.shape(1)}, loc));
  }
  Tensor outside = literal({{rows, 1}, x.dtype()}, 1, loc);
  for (std::size_t k = level.size() - 1; k-- > 0;) {
    const Tensor partner = flip_axis(pairs(level[k], loc), 2, loc);
    const Tensor above = broadcast_node(reshape_node(outside, {rows, outside.shape(1), 1}, loc), partner.shape(), loc);
    outside = reshape_node(above * partner, {rows, 2 * outside.shape(1)}, loc);
  }
  return slice_axis(outside, 1, 0, n, 1, loc);
}

/// The derivative of prod with respect to each element of x.
Tensor slope(const Tensor& x, const Ints& axes, Loc loc) {
  const auto n = elements_along(x, axes);
  if (x.numel() == 0) return literal(x.type(), 0, loc);
  Ints order;
  for (int k = 0; k < x.rank(); ++k)
    if (std::ranges::find(axes, std::int64_t{k}) == axes.end()) order.push_back(k);
  for (auto a : axes) order.push_back(a);
  const Tensor last = permute_node(x, order, loc);
  const Tensor d = reshape_node(others(reshape_node(last, {x.numel() / n, n}, loc), loc), last.shape(), loc);
  Ints back = order;
  for (std::size_t k = 0; k < order.size(); ++k) back[static_cast<std::size_t>(order[k])] = static_cast<std::int64_t>(k);
  return permute_node(d, back, loc);
}

const Primitive& prod_p = define({
    .name = "prod",
    .infer = infer_reduced,
    .vjp = [](const Vjp& r) -> Tensors {
      const auto& a = r.attrs<Axes>();
      const Tensor x = r.in(0);
      return {spread(r.ct, x.shape(), a.axes, r.node.loc) * slope(x, a.axes, r.node.loc)};
    },
    .jvp = [](const Jvp& r) {
      const auto& a = r.attrs<Axes>();
      return sum_node(r.dot[0] * slope(r.in(0), a.axes, r.node.loc), a.axes, a.keepdim, r.node.loc);
    },
    .batch = batch_reduced,
    .family = "D5",
});

}  // namespace

Tensor prod_node(const Tensor& x, const Ints& axes, bool keepdim, Loc loc) { return apply(prod_p, {&x}, Axes{axes, keepdim}, loc); }
Tensor prod(const Arg& x, const Ints& axes, bool keepdim) {
  const Tensor t = need(x, prod_p);
  return prod_node(t, normal_axes(axes, t, "prod", x.loc), keepdim, x.loc);
}

}  // namespace adjoint
