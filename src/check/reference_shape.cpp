// reference_shape.cpp: operations that move elements and compute nothing, each as "which element
// comes from where". Not views: every result is written out.
#include <algorithm>
#include <bit>
#include <numeric>

#include "adjoint/error.hpp"
#include "check/reference_op.hpp"

namespace adjoint::check {
namespace {

/// y[index] = x[from(index)] for every index of `shape`.
template <class T, class From> RefTensor<T> gather(const RefTensor<T>& x, Sizes shape, From from) {
  RefTensor<T> y = filled(std::move(shape), x.dtype, T(0));
  each_index(y.shape, [&](const Sizes& index, std::size_t at) {
    y.data[at] = x.data.at(flat(from(index), x.shape));
  });
  return y;
}
/// y[to(index)] += x[index] over zeros of `shape`.
template <class T, class To> RefTensor<T> scatter(const RefTensor<T>& x, Sizes shape, To to) {
  RefTensor<T> y = filled(std::move(shape), x.dtype, T(0));
  each_index(x.shape, [&](const Sizes& index, std::size_t at) {
    y.data.at(flat(to(index), y.shape)) += x.data[at];
  });
  return y;
}

template <class T> RefTensor<T> same(const Application<T>& c) { return *c.in[0]; }
template <class T> RefTensor<T> reshape(const Application<T>& c) {
  RefTensor<T> y = *c.in[0];
  y.shape = c.settings.ints("shape");
  return y;
}
/// Axis i of the result is axis axes[i] of x.
template <class T> RefTensor<T> permute(const Application<T>& c) {
  const Sizes axes = c.settings.ints("axes");
  const auto& x = *c.in[0];
  Sizes shape;
  for (const auto a : axes) shape.push_back(x.shape.at(static_cast<std::size_t>(a)));
  return gather(x, shape, [&](const Sizes& index) {
    Sizes from(index.size());
    for (std::size_t d = 0; d < index.size(); ++d)
      from[static_cast<std::size_t>(axes[d])] = index[d];
    return from;
  });
}
template <class T> RefTensor<T> broadcast_to(const Application<T>& c) {
  const auto& x = *c.in[0];
  return gather(x, c.settings.ints("shape"), [&](const Sizes& index) {
    Sizes from(index.end() - static_cast<std::ptrdiff_t>(x.shape.size()), index.end());
    for (std::size_t d = 0; d < from.size(); ++d)
      if (x.shape[d] == 1) from[d] = 0;
    return from;
  });
}
Sizes affine(const Sizes& index, const Sizes& start, const Sizes& step) {
  Sizes at(index.size());
  for (std::size_t d = 0; d < at.size(); ++d) at[d] = start.at(d) + index[d] * step.at(d);
  return at;
}
template <class T> RefTensor<T> slice(const Application<T>& c) {
  const Sizes start = c.settings.ints("start"), step = c.settings.ints("step");
  return gather(*c.in[0], c.settings.ints("size"),
                [&](const Sizes& i) { return affine(i, start, step); });
}
/// x written into zeros: the transpose of slice.
template <class T> RefTensor<T> embed(const Application<T>& c) {
  const Sizes start = c.settings.ints("start"), step = c.settings.ints("step");
  return scatter(*c.in[0], c.settings.ints("shape"),
                 [&](const Sizes& i) { return affine(i, start, step); });
}
/// In a bundle, element i of a part stands at the place of the part's first byte + i: elements are not shorter than bytes.
template <class T> RefTensor<T> tuple(const Application<T>& c) {
  const Sizes offset = c.settings.ints("offset");
  RefTensor<T> y = filled(c.settings.ints("shape"), DType::u8, T(0));
  for (std::size_t k = 0; k < c.in.size(); ++k)
    std::copy(c.in[k]->data.begin(), c.in[k]->data.end(), y.data.begin() + offset.at(k));
  return y;
}
template <class T> RefTensor<T> part(const Application<T>& c) {
  RefTensor<T> y = filled(c.settings.ints("shape"), c.dtype, T(0));
  std::copy_n(c.in[0]->data.begin() + c.settings.integer("offset"), y.data.size(), y.data.begin());
  return y;
}
template <class T> RefTensor<T> concat(const Application<T>& c) {
  const auto axis = static_cast<std::size_t>(c.settings.integer("axis"));
  Sizes shape = c.in[0]->shape;
  shape.at(axis) = 0;
  for (const auto* part : c.in) shape[axis] += part->shape[axis];
  RefTensor<T> y = filled(shape, c.in[0]->dtype, T(0));
  std::int64_t first = 0;
  for (const auto* part : c.in) {
    each_index(part->shape, [&](Sizes index, std::size_t at) {
      index[axis] += first;
      y.data[flat(index, shape)] = part->data[at];
    });
    first += part->shape[axis];
  }
  return y;
}
template <class T> RefTensor<T> flip(const Application<T>& c) {
  const Sizes axes = c.settings.ints("axes");
  const auto& x = *c.in[0];
  return gather(x, x.shape, [&](Sizes index) {
    for (const auto a : axes) {
      const auto d = static_cast<std::size_t>(a);
      index[d] = x.shape[d] - 1 - index[d];
    }
    return index;
  });
}
/// y[index] = index[axis]
template <class T> RefTensor<T> iota(const Application<T>& c) {
  const auto axis = static_cast<std::size_t>(c.settings.integer("axis"));
  RefTensor<T> y = filled(c.settings.ints("shape"), c.dtype, T(0));
  each_index(y.shape, [&](const Sizes& index, std::size_t at) {
    y.data[at] = stored(T(index.at(axis)), c.dtype);
  });
  return y;
}
/// y[index] = element offset + sum of index * stride of x, counted in row-major order.
template <class T> RefTensor<T> as_strided(const Application<T>& c) {
  const Sizes strides = c.settings.ints("strides");
  RefTensor<T> y = filled(c.settings.ints("shape"), c.in[0]->dtype, T(0));
  each_index(y.shape, [&](const Sizes& index, std::size_t at) {
    const auto from = std::inner_product(index.begin(), index.end(), strides.begin(),
                                         c.settings.integer("offset"));
    y.data[at] = c.in[0]->data.at(static_cast<std::size_t>(from));
  });
  return y;
}
/// The transpose: that element of zeros += x[index].
template <class T> RefTensor<T> strided_add(const Application<T>& c) {
  const Sizes strides = c.settings.ints("strides");
  RefTensor<T> y = filled(c.settings.ints("shape"), c.in[0]->dtype, T(0));
  each_index(c.in[0]->shape, [&](const Sizes& index, std::size_t at) {
    const auto to = std::inner_product(index.begin(), index.end(), strides.begin(),
                                       c.settings.integer("offset"));
    T& v = y.data.at(static_cast<std::size_t>(to));
    v = stored(T(v + c.in[0]->data[at]), y.dtype);
  });
  return y;
}

/// The bits of v as an element of this type, in the low bytes.
template <class T> std::uint64_t bits_of(T v, DType dtype) {
  switch (dtype) {
    case DType::f64: return std::bit_cast<std::uint64_t>(static_cast<double>(v));
    case DType::f32: return std::bit_cast<std::uint32_t>(static_cast<float>(v));
    case DType::bf16: return bfloat16(static_cast<float>(v)).bits;
    case DType::f16: return float16(static_cast<float>(v)).bits;
    default: return static_cast<std::uint64_t>(static_cast<std::int64_t>(v));
  }
}
/// The element of this type that has these bits; `stored` cuts integers to their bytes.
template <class T> T with_bits(std::uint64_t bits, DType dtype) {
  const auto low = static_cast<std::uint16_t>(bits);
  switch (dtype) {
    case DType::f64: return T(std::bit_cast<double>(bits));
    case DType::f32: return T(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    case DType::bf16: return T(std::bit_cast<float>(std::uint32_t{low} << 16));
    case DType::f16: return T(static_cast<float>(std::bit_cast<float16>(low)));
    default: return stored(T(static_cast<std::int64_t>(bits)), dtype);
  }
}
template <class T> RefTensor<T> bitcast(const Application<T>& c) {
  RefTensor<T> y = *c.in[0];
  for (T& v : y.data) v = with_bits<T>(bits_of(v, y.dtype), c.dtype);
  y.dtype = c.dtype;
  return y;
}

/// Control of derivatives and of the plan changes no value: operand 0 as it is.
template <class T>
constexpr std::pair<std::string_view, Definition<T>> kTable[] = {
    {"reshape", reshape<T>},
    {"tuple", tuple<T>},
    {"part", part<T>},
    {"permute", permute<T>},
    {"broadcast_to", broadcast_to<T>},
    {"slice", slice<T>},
    {"embed", embed<T>},
    {"concat", concat<T>},
    {"flip", flip<T>},
    {"iota", iota<T>},
    {"bitcast", bitcast<T>},
    {"stop_gradient", same<T>},
    {"as_strided", as_strided<T>},
    {"strided_add", strided_add<T>},
    {"straight_through", same<T>},
    {"scale_gradient", same<T>},
    {"clip_gradient", same<T>},
    {"name_value", same<T>},
    {"identity_barrier", same<T>},
    {"checkpoint", same<T>},
    {"contiguous", same<T>},
    {"custom_vjp", same<T>},
    {"custom_jvp", same<T>},
    {"probe", same<T>},
};

}  // namespace

template <class T> Table<T> shape_table() { return kTable<T>; }
template Table<double> shape_table<double>();
template Table<Quad> shape_table<Quad>();

}  // namespace adjoint::check
