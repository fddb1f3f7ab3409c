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

/// y += x * w at every tap that is present; `size` says how large the operand that is computed is.
template <class T> Convolution settings_of(const Application<T>& c) {
  Convolution v;
  v.stride = c.settings.ints("stride"), v.dilation = c.settings.ints("dilation"),
  v.low = c.settings.ints("low");
  v.groups = c.settings.integer("groups");
  return v;
}
template <class T> Sizes sized(const Application<T>& c, std::int64_t first, std::int64_t second) {
  Sizes shape = {first, second};
  for (const auto n : c.settings.ints("size")) shape.push_back(n);
  return shape;
}
template <class T> RefTensor<T> conv(const Application<T>& c) {
  const auto &x = *c.in[0], &w = *c.in[1];
  Convolution v = settings_of(c);
  v.x = x.shape, v.w = w.shape, v.y = sized(c, x.shape[0], w.shape[0]);
  RefTensor<T> y = filled(v.y, x.dtype, T(0));
  each_tap(
      v, [&](std::size_t i, std::size_t j, std::size_t k) { y.data[k] += x.data[i] * w.data[j]; });
  return y;
}
template <class T> RefTensor<T> conv_input_grad(const Application<T>& c) {
  const auto &dy = *c.in[0], &w = *c.in[1];
  Convolution v = settings_of(c);
  v.y = dy.shape, v.w = w.shape, v.x = sized(c, dy.shape[0], w.shape[1] * v.groups);
  RefTensor<T> dx = filled(v.x, dy.dtype, T(0));
  each_tap(v, [&](std::size_t i, std::size_t j, std::size_t k) {
    dx.data[i] += dy.data[k] * w.data[j];
  });
  return dx;
}
template <class T> RefTensor<T> conv_weight_grad(const Application<T>& c) {
  const auto &x = *c.in[0], &dy = *c.in[1];
  Convolution v = settings_of(c);
  v.x = x.shape, v.y = dy.shape, v.w = sized(c, dy.shape[1], x.shape[1] / v.groups);
  RefTensor<T> dw = filled(v.w, x.dtype, T(0));
  each_tap(v, [&](std::size_t i, std::size_t j, std::size_t k) {
    dw.data[j] += x.data[i] * dy.data[k];
  });
  return dw;
}

template <class T>
constexpr std::pair<std::string_view, Definition<T>> kTable[] = {
    {"dot", dot<T>},
    {"conv", conv<T>},
    {"conv_input_grad", conv_input_grad<T>},
    {"conv_weight_grad", conv_weight_grad<T>},
};

}  // namespace

template <class T> Table<T> product_table() { return kTable<T>; }
template Table<double> product_table<double>();
template Table<Quad> product_table<Quad>();

}  // namespace adjoint::check
