// bundle.cpp: part and tuple, their rules, and the layout of bundles. Not an operation that has several results: scan is one.
#include "ops/bundle.hpp"

#include <numeric>

#include "graph/limits.hpp"
#include "ops/batching.hpp"
#include "ops/fail.hpp"

namespace adjoint {
namespace {

constexpr std::int64_t kAlign = 64;

Tensor tuple_of(const Shape& shape, const std::vector<std::int64_t>& index, const std::vector<std::int64_t>& offset, const Tensors& values, Loc loc);

/// Part `index` of a tuple, or an empty Tensor.
Tensor value_in(const Tensor& tuple, std::int64_t index) {
  const auto& t = tuple.node()->attrs.as<Tuple>();
  for (std::size_t k = 0; k < t.index.size(); ++k)
    if (t.index[k] == index) return share(tuple.node()->in[k]);
  return {};
}
/// Of what stands for a bundle in a derivative or on many examples: always a tuple.
Tensor value_in(const Tensor& tuple, const Node& part) {
  if (!is_tuple(*tuple.node()))
    throw Error({.op = "part", .message = "a rule of " + std::string(part.in[0]->prim->name) + " gave no tuple for its bundle", .where = part.loc,
                 .operands = {describe(part)}, .hint = "build it with tuple_node: one value a part"});
  return value_in(tuple, part.attrs.as<Part>().index);
}

const Primitive& part_p = define({
    .name = "part",
    .infer = [](const Infer& i) -> Type {
      const auto& p = i.attrs.as<Part>();
      return {p.shape, p.dtype};
    },
    .vjp = [](const Vjp& r) -> Tensors {
      const auto& p = r.attrs<Part>();
      return {tuple_of(r.node.in[0]->type.shape, {p.index}, {p.offset}, {r.ct}, r.node.loc)};
    },
    .jvp = [](const Jvp& r) { return value_in(r.dot[0], r.node); },
    .batch = [](const Batch& b) { return value_in(b.all[0], b.node); },
    .alias = [](const Node& n, const Strided& in) -> std::optional<Strided> {
      const auto& p = n.attrs.as<Part>();  // a bundle lies in one piece, and its first byte at a cache line
      Strided out{p.shape, p.shape, (in.offset + p.offset) / static_cast<std::int64_t>(size_of(p.dtype))};
      std::int64_t stride = 1;
      for (std::size_t k = p.shape.size(); k-- > 0;) out.strides[k] = stride, stride *= p.shape[k];
      return out;
    },
    .family = "D21",
});

const Primitive& tuple_p = define({
    .name = "tuple",
    .infer = [](const Infer& i) -> Type { return {i.attrs.as<Tuple>().shape, DType::u8}; },
    .vjp = [](const Vjp& r) -> Tensors {
      Tensors d;
      for (auto k : r.attrs<Tuple>().index) d.push_back(value_in(r.ct, k));
      return d;
    },
    .jvp = [](const Jvp& r) {
      const auto& t = r.attrs<Tuple>();
      return tuple_of(t.shape, t.index, t.offset, Tensors(r.dot.begin(), r.dot.end()), r.node.loc);
    },
    .batch = [](const Batch& b) {
      const auto& t = b.attrs<Tuple>();
      Tensors all;
      for (std::size_t k = 0; k < b.arity(); ++k) all.push_back(every(b, k));
      return tuple_of(in_front(b.size, t.shape), t.index, t.offset, all, b.node.loc);
    },
    .family = "D21",
});

Tensor tuple_of(const Shape& shape, const std::vector<std::int64_t>& index, const std::vector<std::int64_t>& offset, const Tensors& values, Loc loc) {
  Tuple t{{}, {}, shape};
  Tensors in;
  for (std::size_t k = 0; k < values.size(); ++k)
    if (values[k]) t.index.push_back(index[k]), t.offset.push_back(offset[k]), in.push_back(values[k]);
  return in.empty() ? Tensor() : apply(tuple_p, in, t, loc);
}

}  // namespace

Layout layout_of(std::vector<Type> parts, std::string_view op, Loc loc) {
  Layout l{std::move(parts), {}, {{}, DType::u8}};
  std::int64_t at = 0;
  for (const auto& t : l.parts) {
    std::int64_t bytes = 0;
    if (!possible(t.shape) || __builtin_mul_overflow(t.shape.numel(), static_cast<std::int64_t>(size_of(t.dtype)), &bytes) ||
        __builtin_add_overflow(at, bytes, &bytes) || bytes > (std::int64_t{1} << 58))
      fail(op, loc, "too many elements: a result would be " + to_string(t), {}, "sizes multiply to at most 2^58, for all results together");
    l.offsets.push_back(at);
    at = (bytes + kAlign - 1) / kAlign * kAlign;
  }
  l.bundle.shape.push_back(at);
  return l;
}

bool is_tuple(const Node& n) { return n.prim == &tuple_p && n.kind == Kind::op; }

Tensor part_node(const Tensor& bundle, const Layout& layout, std::size_t k, Loc loc) {
  if (is_tuple(*bundle.node()))
    if (Tensor value = value_in(bundle, static_cast<std::int64_t>(k))) return value;
  const Type& t = layout.parts[k];
  return apply(part_p, {&bundle}, Part{static_cast<std::int64_t>(k), layout.offsets[k], t.shape, t.dtype}, loc);
}

Tensors parts_of(const Tensor& bundle, const Layout& layout, Loc loc) {
  Tensors parts;
  for (std::size_t k = 0; k < layout.parts.size(); ++k) parts.push_back(part_node(bundle, layout, k, loc));
  return parts;
}

namespace {
std::vector<std::int64_t> numbers_to(std::size_t n) {
  std::vector<std::int64_t> list(n);
  std::iota(list.begin(), list.end(), std::int64_t{0});
  return list;
}
}  // namespace
Tensor tuple_node(const Layout& layout, const Tensors& values, Loc loc) {
  return tuple_of(layout.bundle.shape, numbers_to(values.size()), layout.offsets, values, loc);
}
Tensor tuple_of_all(const Layout& layout, const Tensors& values, std::int64_t examples, Loc loc) {
  return tuple_of(in_front(examples, layout.bundle.shape), numbers_to(values.size()), layout.offsets, values, loc);
}

Tensors values_of_tuple(const Tensor& tuple, std::size_t parts) {
  Tensors values;
  for (std::size_t k = 0; k < parts; ++k) values.push_back(value_in(tuple, static_cast<std::int64_t>(k)));
  return values;
}

Tensor add_cotangents(const Tensor& a, const Tensor& b) {
  if (!is_tuple(*a.node()) || !is_tuple(*b.node())) return a + b;
  const auto &t = a.node()->attrs.as<Tuple>(), &u = b.node()->attrs.as<Tuple>();
  Tuple sum = t;
  Tensors values;
  for (std::size_t k = 0; k < t.index.size(); ++k) {
    const Tensor mine = share(a.node()->in[k]), other = value_in(b, t.index[k]);
    values.push_back(other ? add_cotangents(mine, other) : mine);
  }
  for (std::size_t k = 0; k < u.index.size(); ++k)
    if (!value_in(a, u.index[k])) sum.index.push_back(u.index[k]), sum.offset.push_back(u.offset[k]), values.push_back(share(b.node()->in[k]));
  return tuple_of(sum.shape, sum.index, sum.offset, values, a.node()->loc);
}

Tensor remade(const Node& n, const Tensors& in) {
  if (n.prim == &part_p && is_tuple(*in[0].node()))
    if (Tensor value = value_in(in[0], n.attrs.as<Part>().index)) return value;
  return apply(*n.prim, in, n.attrs, n.loc);
}

}  // namespace adjoint
