// other_settings.cpp: the wrong axes and places by kind of settings. Not the choice where a fault goes: mutate.cpp.
#include "check/other_settings.hpp"

#include <algorithm>
#include <utility>

#include "ops/conv_ops.hpp"
#include "ops/index_ops.hpp"
#include "ops/norm_ops.hpp"
#include "ops/pool_ops.hpp"
#include "ops/shape_ops.hpp"
#include "ops/softmax_ops.hpp"

namespace adjoint::check {
namespace {

using Variants = std::vector<Attrs>;

/// Ascending axes with one of them replaced by each that is not among them.
std::vector<Ints> other_axes(const Ints& axes, int rank) {
  std::vector<Ints> all;
  for (std::size_t i = 0; i < axes.size(); ++i)
    for (std::int64_t k = 0; k < rank; ++k) {
      const auto has = [&](std::int64_t axis) { return std::ranges::find(axes, axis) != axes.end(); };
      if (has(k)) continue;
      Ints other;
      for (std::int64_t axis = 0; axis < rank; ++axis)
        if (axis == k || (axis != axes[i] && has(axis))) other.push_back(axis);
      all.push_back(other);
    }
  return all;
}
/// The list with two unequal entries exchanged.
std::vector<Ints> exchanged(const Ints& list) {
  std::vector<Ints> all;
  for (std::size_t i = 0; i < list.size(); ++i)
    for (std::size_t j = i + 1; j < list.size(); ++j) {
      if (list[i] == list[j]) continue;
      Ints other = list;
      std::swap(other[i], other[j]);
      all.push_back(other);
    }
  return all;
}

/// Where a slice or an insertion may start instead, so that first and last stay in [0, size).
std::vector<std::int64_t> other_starts(std::int64_t start, std::int64_t step, std::int64_t count, std::int64_t size) {
  std::vector<std::int64_t> all;
  const auto last = start + step * (count - 1);
  for (const std::int64_t by : {1, -1})
    if (count > 0 && std::min(start, last) + by >= 0 && std::max(start, last) + by < size) all.push_back(start + by);
  return all;
}
void starts(const Slices& s, const Shape& from, Variants& all) {
  for (std::size_t k = 0; k < s.start.size(); ++k)
    for (const auto at : other_starts(s.start[k], s.step[k], s.size[k], from[k])) {
      Slices other = s;
      other.start[k] = at;
      all.emplace_back(other);
    }
}
void starts(const Embedding& e, const Shape& from, Variants& all) {
  for (std::size_t k = 0; k < e.start.size(); ++k)
    for (const auto at : other_starts(e.start[k], e.step[k], from[k], e.shape[k])) {
      Embedding other = e;
      other.start[k] = at;
      all.emplace_back(other);
    }
}
void strides(const Strides& s, Variants& all) {
  for (std::size_t i = 0; i < s.shape.size(); ++i)
    for (std::size_t j = i + 1; j < s.shape.size(); ++j) {
      if (s.shape[i] != s.shape[j] || s.strides[i] == s.strides[j]) continue;  // of one size: the same range is reached
      Strides other = s;
      std::swap(other.strides[i], other.strides[j]);
      all.emplace_back(other);
    }
}

/// Windows: padding moved by one, and what belongs to one axis given to another. Absent taps are legal.
template <class Windows> void windows(const Windows& w, std::initializer_list<Ints Windows::*> lists, Variants& all) {
  for (std::size_t k = 0; k < w.low.size(); ++k) {
    Windows other = w;
    ++other.low[k];
    all.emplace_back(other);
  }
  for (const auto list : lists)
    for (const auto& wrong : exchanged(w.*list)) {
      Windows other = w;
      other.*list = wrong;
      all.emplace_back(other);
    }
}

}  // namespace

std::vector<Attrs> other_settings(const Node& n) {
  Variants all;
  const Attrs& a = n.attrs;
  const Shape& from = n.in[0]->type.shape;
  if (a.holds<Axes>()) {
    for (const auto& axes : other_axes(a.as<Axes>().axes, from.rank())) all.emplace_back(Axes{axes, a.as<Axes>().keepdim});
  } else if (a.holds<Normalized>()) {
    for (const auto& axes : other_axes(a.as<Normalized>().axes, from.rank())) all.emplace_back(Normalized{axes, a.as<Normalized>().eps});
  } else if (a.holds<Permutation>()) {
    for (const auto& axes : exchanged(a.as<Permutation>().axes)) all.emplace_back(Permutation{axes});
  } else if (a.holds<ToShape>() && n.prim->name == "reshape") {
    for (const auto& shape : exchanged(a.as<ToShape>().shape)) all.emplace_back(ToShape{shape});
  } else if (a.holds<SoftmaxAxis>()) {
    for (std::int64_t k = 0; k < from.rank(); ++k)
      if (k != a.as<SoftmaxAxis>().axis) all.emplace_back(SoftmaxAxis{k});
  } else if (a.holds<OneAxis>()) {
    for (std::int64_t k = 0; k < from.rank(); ++k)
      if (k != a.as<OneAxis>().axis) all.emplace_back(OneAxis{k});
  } else if (a.holds<Slices>()) {
    starts(a.as<Slices>(), from, all);
  } else if (a.holds<Embedding>()) {
    starts(a.as<Embedding>(), from, all);
  } else if (a.holds<Strides>()) {
    strides(a.as<Strides>(), all);
  } else if (a.holds<ConvAttrs>()) {
    windows<ConvAttrs>(a.as<ConvAttrs>(), {&ConvAttrs::stride, &ConvAttrs::dilation, &ConvAttrs::low}, all);
  } else if (a.holds<PoolAttrs>()) {
    windows<PoolAttrs>(a.as<PoolAttrs>(), {&PoolAttrs::stride, &PoolAttrs::dilation, &PoolAttrs::low}, all);
  }
  return all;
}

}  // namespace adjoint::check
