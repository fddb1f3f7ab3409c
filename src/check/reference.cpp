// reference.cpp: the walk over the graph. Not the definitions of the primitives: those are
// reference_*.cpp.
#include "check/reference.hpp"

#include <cstring>
#include <limits>
#include <mutex>
#include <unordered_map>

#include "check/reference_op.hpp"
#include "graph/topo.hpp"

namespace adjoint::check {
namespace {

Sizes sizes_of(const Shape& s) { return {s.begin(), s.end()}; }

template <class T, class Element> void widen(const std::byte* bytes, std::vector<T>& out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    Element e;
    std::memcpy(&e, bytes + i * sizeof(Element), sizeof(Element));
    if constexpr (std::is_same_v<Element, bfloat16> || std::is_same_v<Element, float16>)
      out[i] = T(static_cast<float>(e));
    else
      out[i] = T(e);
  }
}
template <class T> RefTensor<T> read(const Node& n) {
  RefTensor<T> r = filled(sizes_of(n.type.shape), n.type.dtype, T(0));
  if (n.kind == Kind::literal) {
    const T number = is_floating(n.type.dtype) ? T(n.number) : stored(T(n.integer), n.type.dtype);
    for (T& v : r.data) v = number;
    return r;
  }
  const Buffer* buffer = n.data.load(std::memory_order_acquire);
  if (!buffer)
    throw Error({.op = "reference", .message = "a leaf without data", .operands = {describe(n)}});
  switch (n.type.dtype) {
    case DType::f64:
      widen<T, double>(buffer->data, r.data);
      break;
    case DType::f32:
      widen<T, float>(buffer->data, r.data);
      break;
    case DType::bf16:
      widen<T, bfloat16>(buffer->data, r.data);
      break;
    case DType::f16:
      widen<T, float16>(buffer->data, r.data);
      break;
    case DType::i64:
      widen<T, std::int64_t>(buffer->data, r.data);
      break;
    case DType::i32:
      widen<T, std::int32_t>(buffer->data, r.data);
      break;
    case DType::i8:
      widen<T, std::int8_t>(buffer->data, r.data);
      break;
    case DType::u8:
    case DType::bool_:
      widen<T, std::uint8_t>(buffer->data, r.data);
      break;
  }
  return r;
}

template <class T>
RefTensor<T> apply_node(const Node& n, const std::vector<const RefTensor<T>*>& in) {
  if (const auto definition = find_definition<T>(n.prim->name))
    return definition(
        {n.prim->name, Settings(n.attrs.text()), in, sizes_of(n.type.shape), n.type.dtype});
  if (!n.prim->decompose)
    throw Error({.op = "reference",
                 .message = std::string(n.prim->name) + " has no definition",
                 .where = n.loc,
                 .operands = {describe(n)},
                 .hint = "write one in src/check, or give the primitive a decompose"});
  const Tensor simpler = n.prim->decompose(n);
  std::vector<Override<T>> operands;
  for (std::size_t k = 0; k < in.size(); ++k) operands.push_back({share(n.in[k]), *in[k]});
  return std::move(evaluate<T>(std::span(&simpler, 1), operands)[0]);
}

template <class T> void verify(const Node& n, const RefTensor<T>& y) {
  if (y.shape == sizes_of(n.type.shape) && y.dtype == n.type.dtype &&
      y.data.size() == static_cast<std::size_t>(count(y.shape)))
    return;
  throw Error({.op = "reference",
               .message = "by its definition " + std::string(n.prim ? n.prim->name : "the value") +
                          " is " + to_string(Type{Shape(y.shape), y.dtype}) + ", inferred was " +
                          to_string(n.type),
               .where = n.loc,
               .operands = {describe(n)}});
}

}  // namespace

template <class T> RefTensor<T> value_of(const Tensor& t) { return read<T>(*t.node()); }

template <class T>
std::vector<RefTensor<T>> evaluate(std::span<const Tensor> outputs,
                                   std::span<const Override<T>> overrides) {
  std::lock_guard lock(graph_mutex());
  std::vector<Node*> roots, stop;
  std::unordered_map<const Node*, const RefTensor<T>*> replaced;
  for (const auto& t : outputs) t.type(), roots.push_back(t.node());
  for (const auto& o : overrides)
    if (replaced.emplace(o.at.node(), &o.value).second) stop.push_back(o.at.node());
  const Order order = topological_order(roots, {.stop = stop, .through_computed = true});

  std::vector<std::uint32_t> uses(order.nodes.size(),
                                  0);  // a value is let go of after its last use
  for (const auto k : order.input) ++uses[k];
  for (const auto k : order.roots) ++uses[k];
  std::vector<RefTensor<T>> value(order.nodes.size());
  const std::vector<Node*> nodes =
      order.nodes;  // decompose adds nodes and walks: marks in nodes change, this list not
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node& n = *nodes[i];
    if (const auto at = replaced.find(&n); at != replaced.end()) {
      value[i] = *at->second;
      value[i].dtype = n.type.dtype;
    } else if (n.arity == 0 && (n.kind != Kind::op || n.computed())) {
      value[i] = read<T>(n);
    } else {
      std::vector<const RefTensor<T>*> in;
      for (const auto k : order.inputs(i)) in.push_back(&value[k]);
      value[i] = apply_node<T>(n, in);
    }
    verify(n, value[i]);
    for (const auto k : order.inputs(i))
      if (--uses[k] == 0) value[k] = {};
  }
  std::vector<RefTensor<T>> result;
  for (const auto k : order.roots) result.push_back(value[k]);
  return result;
}

template <class T>
NumericGradient<T> numeric_gradient(const Tensor& output, const RefTensor<T>& w, const Tensor& x,
                                    std::span<const Override<T>> overrides) {
  std::vector<Override<T>> at(overrides.begin(), overrides.end());
  std::size_t mine = 0;
  while (mine < at.size() && at[mine].at.node() != x.node()) ++mine;
  if (mine == at.size()) at.push_back({x, evaluate<T>(std::span(&x, 1), overrides)[0]});
  auto& value = at[mine].value;
  NumericGradient<T> g{filled(value.shape, value.dtype, T(0)),
                       filled(value.shape, value.dtype, T(0))};
  for (std::size_t i = 0; i < value.data.size(); ++i) {
    const T v = value.data[i], size = Elementary<T>::abs(v);
    const T h = Elementary<T>::scale(size > 1 ? size : T(1), kHasQuad ? -37 : -20);
    const T above = v + h, below = v - h;
    value.data[i] = above;
    const auto up = evaluate<T>(std::span(&output, 1), at)[0];
    value.data[i] = below;
    const auto down = evaluate<T>(std::span(&output, 1), at)[0];
    value.data[i] = v;
    for (std::size_t k = 0; k < up.data.size(); ++k) {
      const T term = w.data.at(k) * (up.data[k] - down.data[k]) / (above - below);
      g.q.data[i] += term;
      g.scale.data[i] += Elementary<T>::abs(term);
    }
  }
  return g;
}

namespace {

template <class T> T norm(const std::vector<T>& v) {
  T s = 0;
  for (const T x : v) s += x * x;
  return Elementary<T>::sqrt(s);
}
/// |a - b| / size; equal infinities and NaNs in the same places count as no difference.
template <class T> double relative(const std::vector<T>& a, const std::vector<T>& b, T size) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  if (a.size() != b.size()) return infinite;
  std::vector<T> d;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool both_nan = a[i] != a[i] && b[i] != b[i];
    if (a[i] == b[i] || both_nan) continue;
    if (!(Elementary<T>::abs(a[i] - b[i]) < T(infinite))) return infinite;
    d.push_back(a[i] - b[i]);
  }
  const T off = norm(d);
  if (off == 0) return 0;
  return size > 0 && size < T(infinite) ? static_cast<double>(off / size) : infinite;
}

}  // namespace

template <class T>
double gradient_error(const RefTensor<T>& g, const NumericGradient<T>& reference) {
  const T q = norm(reference.q.data), scale = norm(reference.scale.data);
  return relative(g.data, reference.q.data, q > scale ? q : scale);
}
template <class T> double norm_error(const RefTensor<T>& a, const RefTensor<T>& b) {
  return relative(a.data, b.data, norm(b.data));
}

template RefTensor<double> value_of(const Tensor&);
template RefTensor<Quad> value_of(const Tensor&);
template std::vector<RefTensor<double>> evaluate(std::span<const Tensor>,
                                                 std::span<const Override<double>>);
template std::vector<RefTensor<Quad>> evaluate(std::span<const Tensor>,
                                               std::span<const Override<Quad>>);
template NumericGradient<Quad> numeric_gradient(const Tensor&, const RefTensor<Quad>&,
                                                const Tensor&, std::span<const Override<Quad>>);
template double gradient_error(const RefTensor<Quad>&, const NumericGradient<Quad>&);
template double norm_error(const RefTensor<Quad>&, const RefTensor<Quad>&);
template double norm_error(const RefTensor<double>&, const RefTensor<double>&);

}  // namespace adjoint::check
