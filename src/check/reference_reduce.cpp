// reference_reduce.cpp: reductions, each as one loop over the elements in row-major order. Not the
// library's fixed order: in T the order does not matter to the digits that are compared.
#include <algorithm>

#include "adjoint/error.hpp"
#include "check/reference_op.hpp"
#include "check/scalar_reference.hpp"

namespace adjoint::check {
namespace {

bool listed(const Sizes& axes, std::size_t d) {
  return std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(d)) != axes.end();
}
/// `axes` as a list, or the one `axis`.
template <class T> Sizes axes_of(const Application<T>& c) {
  return c.settings.has("axes") ? c.settings.ints("axes") : Sizes{c.settings.integer("axis")};
}
template <class T> bool keeps_axes(const Application<T>& c) {
  return c.settings.has("keepdim") && c.settings.flag("keepdim");
}

/// Calls visit(output position, position among the reduced axes, element).
template <class T, class Visit>
void each_reduced(const RefTensor<T>& x, const Sizes& axes, Visit visit) {
  Sizes kept, gone;
  for (std::size_t d = 0; d < x.shape.size(); ++d)
    (listed(axes, d) ? gone : kept).push_back(x.shape[d]);
  each_index(x.shape, [&](const Sizes& index, std::size_t at) {
    Sizes k, g;
    for (std::size_t d = 0; d < index.size(); ++d) (listed(axes, d) ? g : k).push_back(index[d]);
    visit(flat(k, kept), flat(g, gone), x.data[at]);
  });
}
template <class T> RefTensor<T> start(const Application<T>& c, const Sizes& axes, T value) {
  Sizes shape;
  for (std::size_t d = 0; d < c.in[0]->shape.size(); ++d) {
    if (!listed(axes, d))
      shape.push_back(c.in[0]->shape[d]);
    else if (keeps_axes(c))
      shape.push_back(1);
  }
  return filled(std::move(shape), c.dtype, value);
}

/// y = f(y, x) over the elements, from `first`.
template <class T, class F> RefTensor<T> fold(const Application<T>& c, T first, F f) {
  const Sizes axes = axes_of(c);
  RefTensor<T> y = start(c, axes, first);
  each_reduced(*c.in[0], axes, [&](std::size_t to, std::size_t, T v) {
    y.data[to] = stored(T(f(y.data[to], v)), c.dtype);
  });
  return y;
}
/// The value that a maximum over nothing has: -inf, or the least integer.
template <class T> T lowest(DType d) {
  if (is_floating(d)) return -Scalar<T>::infinity();
  const int bits = static_cast<int>(size_of(d)) * 8;
  return d == DType::u8 || d == DType::bool_ ? T(0) : -Elementary<T>::scale(T(1), bits - 1);
}
template <class T> T highest(DType d) {
  return is_floating(d) ? Scalar<T>::infinity() : d == DType::u8 ? T(255) : -lowest<T>(d) - 1;
}

template <class T> RefTensor<T> sum(const Application<T>& c) {
  return fold(c, T(0), [](T a, T b) { return a + b; });
}
template <class T> RefTensor<T> prod(const Application<T>& c) {
  return fold(c, T(1), [d = c.dtype](T a, T b) { return product(a, b, d); });
}
template <class T> RefTensor<T> amax(const Application<T>& c) {
  return fold(c, lowest<T>(c.dtype), Scalar<T>::maximum);
}
template <class T> RefTensor<T> amin(const Application<T>& c) {
  return fold(c, highest<T>(c.dtype), Scalar<T>::minimum);
}
template <class T> RefTensor<T> any(const Application<T>& c) {
  return fold(c, T(0), Scalar<T>::logical_or);
}
template <class T> RefTensor<T> all(const Application<T>& c) {
  return fold(c, T(1), Scalar<T>::logical_and);
}

/// Position of the extreme element among the reduced axes: the first NaN, else the first extreme
/// one; -1 over nothing.
template <class T, class Better> RefTensor<T> position(const Application<T>& c, Better better) {
  const Sizes axes = axes_of(c);
  RefTensor<T> y = start(c, axes, T(-1)), best = y;
  each_reduced(*c.in[0], axes, [&](std::size_t to, std::size_t k, T v) {
    const T old = best.data[to];
    const bool take = y.data[to] < 0 || (old == old && (v != v || better(v, old)));
    if (take) best.data[to] = v, y.data[to] = T(static_cast<std::int64_t>(k));
  });
  return y;
}
template <class T> RefTensor<T> argmax(const Application<T>& c) {
  return position(c, [](T v, T old) { return v > old; });
}
template <class T> RefTensor<T> argmin(const Application<T>& c) {
  return position(c, [](T v, T old) { return v < old; });
}

template <class T>
constexpr std::pair<std::string_view, Definition<T>> kTable[] = {
    {"sum", sum<T>},       {"prod", prod<T>},     {"amax", amax<T>}, {"amin", amin<T>},
    {"argmax", argmax<T>}, {"argmin", argmin<T>}, {"any", any<T>},   {"all", all<T>},
};

}  // namespace

template <class T> Table<T> reduction_table() { return kTable<T>; }
template Table<double> reduction_table<double>();
template Table<Quad> reduction_table<Quad>();

}  // namespace adjoint::check
