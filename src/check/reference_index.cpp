// reference_index.cpp: elements chosen by data: take and its transpose scatter_add; and the counted
// random numbers. Not indexing by numbers known when the graph is built: that is
// reference_shape.cpp.
#include "adjoint/error.hpp"
#include "check/reference_op.hpp"

namespace adjoint::check {
namespace {

[[noreturn]] void outside(std::int64_t index, std::int64_t size) {
  throw Error({.op = "reference",
               .message = "index " + std::to_string(index) + " is outside an axis of " +
                          std::to_string(size)});
}

/// Calls visit(flat position in `whole`, flat position in `part`): index j of `part` along the axis
/// stands at idx[j] of `whole`; where idx has several axes, they stand in the place of the one.
template <class T, class Visit>
void each_chosen(const Sizes& whole, const RefTensor<T>& idx, std::size_t axis, const Sizes& part,
                 Visit visit) {
  const std::size_t rank = idx.shape.size();
  each_index(part, [&](const Sizes& index, std::size_t at) {
    const auto begin = index.begin() + static_cast<std::ptrdiff_t>(axis),
               end = begin + static_cast<std::ptrdiff_t>(rank);
    const auto row = static_cast<std::int64_t>(idx.data[flat(Sizes(begin, end), idx.shape)]);
    if (row < 0 || row >= whole[axis]) outside(row, whole[axis]);
    Sizes to(index.begin(), begin);
    to.push_back(row);
    to.insert(to.end(), end, index.end());
    visit(flat(to, whole), at);
  });
}
template <class T> std::size_t axis_of(const Application<T>& c) {
  return static_cast<std::size_t>(c.settings.integer("axis"));
}

/// y[.., j, ..] = x[.., idx[j], ..]
template <class T> RefTensor<T> take(const Application<T>& c) {
  const auto &x = *c.in[0], &idx = *c.in[1];
  const std::size_t axis = axis_of(c);
  Sizes shape = x.shape;
  shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis), idx.shape.begin(),
               idx.shape.end());
  RefTensor<T> y = filled(shape, x.dtype, T(0));
  each_chosen(x.shape, idx, axis, shape,
              [&](std::size_t from, std::size_t to) { y.data[to] = x.data[from]; });
  return y;
}
/// y = base, then y[.., idx[j], ..] += x[.., j, ..] in the order of j. Operands: base, idx, x.
template <class T> RefTensor<T> scatter_add(const Application<T>& c) {
  RefTensor<T> y = *c.in[0];
  const auto &idx = *c.in[1], &x = *c.in[2];
  each_chosen(y.shape, idx, axis_of(c), x.shape, [&](std::size_t to, std::size_t from) {
    y.data[to] = stored(T(y.data[to] + x.data[from]), y.dtype);
  });
  return y;
}

/// The flat position of index[.., j] with its last entry replaced by idx there.
template <class T>
std::size_t along(const RefTensor<T>& idx, std::size_t at, Sizes index, const Sizes& shape) {
  index.back() = static_cast<std::int64_t>(idx.data[at]);
  if (index.back() < 0 || index.back() >= shape.back()) outside(index.back(), shape.back());
  return flat(index, shape);
}
/// y[.., j] = x[.., idx[.., j]]
template <class T> RefTensor<T> take_along(const Application<T>& c) {
  const auto &x = *c.in[0], &idx = *c.in[1];
  RefTensor<T> y = filled(idx.shape, x.dtype, T(0));
  each_index(idx.shape, [&](const Sizes& index, std::size_t at) {
    y.data[at] = x.data[along(idx, at, index, x.shape)];
  });
  return y;
}
/// Zeros, then y[.., idx[.., j]] += x[.., j]. Operands: idx, x.
template <class T> RefTensor<T> put_along(const Application<T>& c) {
  const auto &idx = *c.in[0], &x = *c.in[1];
  Sizes shape = x.shape;
  shape.back() = c.settings.integer("size");
  RefTensor<T> y = filled(shape, x.dtype, T(0));
  each_index(idx.shape, [&](const Sizes& index, std::size_t at) {
    T& v = y.data[along(idx, at, index, shape)];
    v = stored(T(v + x.data[at]), y.dtype);
  });
  return y;
}
/// y[.., c] = (target == c); a target that is no class is an error, or all false where it is to be
/// ignored.
template <class T> RefTensor<T> class_mask(const Application<T>& c) {
  const auto& target = *c.in[0];
  const std::int64_t classes = c.settings.integer("classes");
  Sizes shape = target.shape;
  shape.push_back(classes);
  RefTensor<T> y = filled(shape, DType::bool_, T(0));
  for (std::size_t i = 0; i < target.data.size(); ++i) {
    const auto t = static_cast<std::int64_t>(target.data[i]);
    if (c.settings.flag("ignoring") && t == c.settings.integer("ignore")) continue;
    if (t < 0 || t >= classes) outside(t, classes);
    y.data[i * static_cast<std::size_t>(classes) + static_cast<std::size_t>(t)] = T(1);
  }
  return y;
}
/// Windows over the last axes: the row-major place among those axes of the first largest element,
/// or of the first NaN.
template <class T> RefTensor<T> max_pool_index(const Application<T>& c) {
  const auto& x = *c.in[0];
  const Sizes size = c.settings.ints("size"), stride = c.settings.ints("stride"),
              dilation = c.settings.ints("dilation");
  const Sizes low = c.settings.ints("low"), out = c.settings.ints("out");
  const std::size_t lead = x.shape.size() - out.size();
  Sizes shape(x.shape.begin(), x.shape.begin() + static_cast<std::ptrdiff_t>(lead));
  const Sizes image(x.shape.begin() + static_cast<std::ptrdiff_t>(lead), x.shape.end());
  shape.insert(shape.end(), out.begin(), out.end());
  RefTensor<T> y = filled(shape, DType::i32, T(-1));
  each_index(shape, [&](const Sizes& index, std::size_t at) {
    T best = 0;
    each_index(size, [&](const Sizes& tap, std::size_t) {
      Sizes from = index;
      for (std::size_t d = 0; d < tap.size(); ++d) {
        from[lead + d] = index[lead + d] * stride[d] + tap[d] * dilation[d] - low[d];
        if (from[lead + d] < 0 || from[lead + d] >= image[d]) return;
      }
      const T v = x.data[flat(from, x.shape)];
      if (y.data[at] >= 0 && (best != best || !(v != v || v > best))) return;
      best = v;
      y.data[at] = T(static_cast<std::int64_t>(
          flat(Sizes(from.begin() + static_cast<std::ptrdiff_t>(lead), from.end()), image)));
    });
  });
  return y;
}

template <class T>
constexpr std::pair<std::string_view, Definition<T>> kTable[] = {
    {"take", take<T>},
    {"scatter_add", scatter_add<T>},
    {"take_along", take_along<T>},
    {"put_along", put_along<T>},
    {"class_mask", class_mask<T>},
    {"max_pool_index", max_pool_index<T>},
};

}  // namespace

template <class T> Table<T> index_table() { return kTable<T>; }
template Table<double> index_table<double>();
template Table<Quad> index_table<Quad>();

}  // namespace adjoint::check
