// reference_product.cpp: products of stacks of matrices, and convolutions. Not the blocked sums of
// the kernels: one plain sum.
#include "check/convolution.hpp"
#include "check/reference_op.hpp"

namespace adjoint::check {
namespace {

/// [b.., m, k] x [b.., k, n]
template <class T> RefTensor<T> dot(const Application<T>& c) {
  const auto &x = *c.in[0], &y = *c.in[1];
  const std::size_t last = x.shape.size() - 1;
  Sizes shape = x.shape;
  shape[last] = y.shape[last];
  RefTensor<T> z = filled(shape, x.dtype, T(0));
  each_index(shape, [&](const Sizes& index, std::size_t at) {
    Sizes p = index, q = index;
    for (std::int64_t k = 0; k < x.shape[last]; ++k) {
      p[last] = q[last - 1] = k;
      const T term = product(x.data[flat(p, x.shape)], y.data[flat(q, y.shape)], x.dtype);
      z.data[at] = stored(T(z.data[at] + term), x.dtype);
    }
  });
  return z;
}

template <class T>
constexpr std::pair<std::string_view, Definition<T>> kTable[] = {
    {"dot", dot<T>},
};

}  // namespace

template <class T> Table<T> product_table() { return kTable<T>; }
template Table<double> product_table<double>();
template Table<Quad> product_table<Quad>();

}  // namespace adjoint::check
