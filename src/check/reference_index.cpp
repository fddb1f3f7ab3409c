// reference_index.cpp: elements chosen by data: take and its transpose scatter_add; and the counted
// random numbers. Not indexing by numbers known when the graph is built: that is
// reference_shape.cpp.
#include <array>

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

template <class T>
constexpr std::pair<std::string_view, Definition<T>> kTable[] = {
    {"take", take<T>},
    {"scatter_add", scatter_add<T>},
};

}  // namespace

template <class T> Table<T> index_table() { return kTable<T>; }
template Table<double> index_table<double>();
template Table<Quad> index_table<Quad>();

}  // namespace adjoint::check
