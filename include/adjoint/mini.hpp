// mini.hpp: all of backpropagation in one header: nodes of value, grad, parents and backward.
// Not the library, which is held to it by the tests: no views, no plan, no speed, no dependency.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>
/// The minimal engine.
namespace adjoint::mini {
using Shape = std::vector<std::size_t>;
/// The scalar functions of T. Specialise it for a scalar that `<cmath>` does not know.
template <class T> struct Math {
  static T exp(T x) { return std::exp(x); }
  static T log(T x) { return std::log(x); }
  static T sqrt(T x) { return std::sqrt(x); }
  static T tanh(T x) { return std::tanh(x); }
};
// Every error is a std::invalid_argument.
[[noreturn]] inline void fail(const std::string& s) { throw std::invalid_argument("mini: " + s); }
inline std::string text(const Shape& s) {
  std::string t;
  for (const auto n : s) t += (t.empty() ? "" : ", ") + std::to_string(n);
  return "[" + t + "]";
}
inline std::size_t count(const Shape& s) {
  std::size_t n = 1;
  for (const auto d : s) {
    if (d > 0 && n > std::numeric_limits<std::ptrdiff_t>::max() / d) fail("too large: " + text(s));
    n *= d;
  }
  return n;
}

/// A dense row-major array. A number is an array of shape [].
template <class T = double> struct Array {
  Shape shape;
  std::vector<T> data;
  Array(T x = 0) : data{x} {}  // NOLINT: implicit, so that `loss->grad = 1` reads as in the book
  Array(Shape s, std::vector<T> d) : shape(std::move(s)), data(std::move(d)) {
    if (count(shape) != data.size()) fail("wrong number of values for " + text(shape));
  }
  static Array zeros(const Shape& s) { return Array(s, std::vector<T>(count(s))); }
};

template <class T = double> class Node {
 public:
  Array<T> value, grad;
  std::vector<std::shared_ptr<Node>> parents;
  std::function<void(const Array<T>&)> backward = [](const Array<T>&) {};  // a leaf: nothing to do
  explicit Node(Array<T> v) : value(std::move(v)), grad(Array<T>::zeros(value.shape)) {}
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  ~Node() {  // releases a chain of any length by a loop, where destructors would call each other
    for (auto dead = std::move(parents); !dead.empty();) {
      const auto node = std::move(dead.back());
      dead.pop_back();
      if (node.use_count() > 1) continue;
      for (auto& p : node->parents) dead.push_back(std::move(p));
      node->parents.clear();
    }
  }
};
template <class T = double> using Var = std::shared_ptr<Node<T>>;

/// What a call does to leaves: start their adjoints from zero, or add to what earlier calls left.
enum class Leaves { overwrite, accumulate };

/// Every node that `loss` depends on, once, parents first; linear time, no recursion. It opens a
/// call: adjoints belong to the call and start from zero here. Were they kept inside the graph, a
/// second call would add stale ones, and the gradient of (a^2)^2 at 3 would turn from 108 to 216.
template <class T>
std::vector<Node<T>*> sort_graph(const Var<T>& loss, Leaves leaves = Leaves::overwrite) {
  std::vector<Node<T>*> order;
  std::vector<std::pair<Node<T>*, std::size_t>> path{{loss.get(), 0}};  // node, parents visited
  std::unordered_set<const Node<T>*> seen{loss.get()};
  while (!path.empty()) {
    auto& [node, next] = path.back();
    if (next < node->parents.size()) {
      Node<T>* parent = node->parents[next++].get();
      if (seen.insert(parent).second) path.emplace_back(parent, 0);
    } else {
      const bool keep = node->parents.empty() && leaves == Leaves::accumulate;
      if (!keep) node->grad = Array<T>::zeros(node->value.shape);
      order.push_back(node);
      path.pop_back();
    }
  }
  return order;
}
template <class T> std::vector<T> reverse(std::vector<T> v) { return {v.rbegin(), v.rend()}; }

/// Fills `grad` of every node behind `loss`, which must have one element.
template <class T> void backward(const Var<T>& loss, Leaves leaves = Leaves::overwrite) {
  if (loss->value.data.size() != 1) fail("backward: a loss of shape " + text(loss->value.shape));
  const auto topological_order = sort_graph(loss, leaves);
  loss->grad.data[0] += 1;  // = 1, but for a loss that is itself a leaf and accumulates
  for (auto* node : reverse(topological_order)) node->backward(node->grad);
}

/// A rule gets its node and the node's adjoint, and adds to the grads of the node's parents.
template <class T, class Rule> Var<T> make(Array<T> value, std::vector<Var<T>> parents, Rule rule) {
  const auto node = std::make_shared<Node<T>>(std::move(value));
  node->parents = std::move(parents);
  node->backward = [self = node.get(), rule](const Array<T>& ct) { rule(*self, ct.data); };
  return node;
}
template <class T = double> Var<T> leaf(Array<T> x) { return std::make_shared<Node<T>>(x); }
template <class T = double> Var<T> leaf(Shape s, std::vector<T> d) { return leaf(Array<T>(s, d)); }

/// f(v) gives {y, dy/dv} for each element v of x.
template <class T, class F> Var<T> map(Var<T> x, F f) {
  Array<T> y = x->value;
  for (T& v : y.data) v = f(v)[0];
  return make(std::move(y), {x}, [f](Node<T>& n, const std::vector<T>& ct) {
    auto& p = *n.parents[0];
    for (std::size_t i = 0; i < ct.size(); ++i) p.grad.data[i] += ct[i] * f(p.value.data[i])[1];
  });
}
/// y[i] = x[from(i)] on flat positions; an element that is read often sums its adjoints.
template <class T, class From> Var<T> pick(Var<T> x, const Shape& shape, From from) {
  Array<T> y = Array<T>::zeros(shape);
  for (std::size_t i = 0; i < y.data.size(); ++i) y.data[i] = x->value.data.at(from(i));
  return make(std::move(y), {x}, [from](Node<T>& n, const std::vector<T>& ct) {
    for (std::size_t i = 0; i < ct.size(); ++i) n.parents[0]->grad.data[from(i)] += ct[i];
  });
}
template <class T> Var<T> reshape(Var<T> x, const Shape& shape) {
  if (count(shape) != x->value.data.size())
    fail("reshape: " + text(x->value.shape) + " to " + text(shape));
  return pick(x, shape, [](std::size_t i) { return i; });
}
/// y[i, j] = x[j, i]
template <class T> Var<T> transpose(Var<T> x) {
  const Shape s = x->value.shape;
  if (s.size() != 2) fail("transpose: " + text(s) + " is no matrix");
  return pick(x, {s[1], s[0]}, [s](std::size_t i) { return i % s[0] * s[1] + i / s[0]; });
}
/// Shapes are aligned at the last axis; a size of 1 and a missing axis repeat.
template <class T> Var<T> broadcast_to(Var<T> x, const Shape& shape) {
  const Shape s = x->value.shape;
  if (s == shape) return x;
  for (std::size_t k = 1; k <= s.size(); ++k)
    if (k > shape.size() || (s.end()[-k] != 1 && s.end()[-k] != shape.end()[-k]))
      fail("cannot broadcast " + text(s) + " to " + text(shape));
  return pick(x, shape, [s, shape](std::size_t i) {
    std::size_t at = 0, stride = 1;
    for (std::size_t k = 1; k <= s.size(); i /= shape.end()[-k], stride *= s.end()[-k], ++k)
      at += i % shape.end()[-k] % s.end()[-k] * stride;
    return at;
  });
}
/// f(p, q) gives {y, dy/dp, dy/dq} for each pair of elements of a and b, after broadcasting.
template <class T, class F> Var<T> zip(Var<T> a, Var<T> b, F f) {
  Shape shape = a->value.shape, other = b->value.shape;
  if (shape.size() < other.size()) std::swap(shape, other);
  for (std::size_t k = 1; k <= other.size(); ++k)  // what does not fit is refused by broadcast_to
    if (shape.end()[-k] == 1) shape.end()[-k] = other.end()[-k];
  a = broadcast_to(a, shape), b = broadcast_to(b, shape);
  Array<T> y = a->value;
  for (std::size_t i = 0; i < y.data.size(); ++i) y.data[i] = f(y.data[i], b->value.data[i])[0];
  return make(std::move(y), {a, b}, [f](Node<T>& n, const std::vector<T>& ct) {
    auto &p = *n.parents[0], &q = *n.parents[1];
    for (std::size_t i = 0; i < ct.size(); ++i) {
      const auto [value, dp, dq] = f(p.value.data[i], q.value.data[i]);
      p.grad.data[i] += ct[i] * dp;
      q.grad.data[i] += ct[i] * dq;
    }
  });
}
/// The sum over one axis, which disappears; a negative axis counts from the end.
template <class T> Var<T> sum(Var<T> x, int axis) {
  Shape shape = x->value.shape;
  const int rank = static_cast<int>(shape.size());
  if (axis < -rank || axis >= rank) fail("sum: no such axis of " + text(shape));
  const auto at = (axis < 0 ? shape.end() : shape.begin()) + axis;
  const auto inner = count(Shape(at + 1, shape.end())), n = *at;
  shape.erase(at);
  const auto to = [=](std::size_t i) { return i / (inner * n) * inner + i % inner; };
  Array<T> y = Array<T>::zeros(shape);
  for (std::size_t i = 0; i < x->value.data.size(); ++i) y.data[to(i)] += x->value.data[i];
  return make(std::move(y), {x}, [to](Node<T>& node, const std::vector<T>& ct) {
    auto& dx = node.parents[0]->grad.data;
    for (std::size_t i = 0; i < dx.size(); ++i) dx[i] += ct[to(i)];
  });
}
/// y[i, j] = sum over k of a[i, k] b[k, j]
template <class T> Var<T> matmul(Var<T> a, Var<T> b) {
  const Shape s = a->value.shape, t = b->value.shape;
  if (s.size() != 2 || t.size() != 2 || s[1] != t[0]) fail("matmul: " + text(s) + " by " + text(t));
  const auto each = [rows = s[0], mid = s[1], cols = t[1]](auto&& visit) {
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t k = 0; k < mid; ++k)
        for (std::size_t j = 0; j < cols; ++j) visit(i * cols + j, i * mid + k, k * cols + j);
  };
  Array<T> y = Array<T>::zeros({s[0], t[1]});
  each([&](auto z, auto p, auto q) { y.data[z] += a->value.data[p] * b->value.data[q]; });
  return make(std::move(y), {a, b}, [each](Node<T>& n, const std::vector<T>& ct) {
    auto &p = *n.parents[0], &q = *n.parents[1];
    each([&](auto z, auto i, auto j) { p.grad.data[i] += ct[z] * q.value.data[j]; });
    each([&](auto z, auto i, auto j) { q.grad.data[j] += ct[z] * p.value.data[i]; });
  });
}
template <class T> Var<T> add(Var<T> a, Var<T> b) {
  return zip(a, b, [](T p, T q) { return std::array<T, 3>{p + q, 1, 1}; });
}
template <class T> Var<T> mul(Var<T> a, Var<T> b) {
  return zip(a, b, [](T p, T q) { return std::array<T, 3>{p * q, q, p}; });
}
template <class T> Var<T> div(Var<T> a, Var<T> b) {
  return zip(a, b, [](T p, T q) { return std::array<T, 3>{p / q, 1 / q, -p / q / q}; });
}
template <class T> Var<T> relu(Var<T> x) {
  return map(x, [](T v) { return v > 0 ? std::array<T, 2>{v, 1} : std::array<T, 2>{0, 0}; });
}
template <class T> Var<T> tanh(Var<T> x) {
  return map(x, [](T v) {
    const T y = Math<T>::tanh(v);
    return std::array<T, 2>{y, 1 - y * y};
  });
}
template <class T> Var<T> exp(Var<T> x) {
  return map(x, [](T v) { return std::array<T, 2>{Math<T>::exp(v), Math<T>::exp(v)}; });
}
template <class T> Var<T> log(Var<T> x) {
  return map(x, [](T v) { return std::array<T, 2>{Math<T>::log(v), 1 / v}; });
}
template <class T> Var<T> sqrt(Var<T> x) {
  return map(x, [](T v) { return std::array<T, 2>{Math<T>::sqrt(v), 1 / Math<T>::sqrt(4 * v)}; });
}
template <class T> Var<T> sigmoid(Var<T> x) {
  return map(x, [](T v) {
    const T e = Math<T>::exp(v < 0 ? v : -v), y = 1 / (1 + e);
    return std::array<T, 2>{v < 0 ? e * y : y, e * y * y};
  });
}
template <class T> Var<T> neg(Var<T> x) { return mul(x, leaf<T>(-1)); }
template <class T> Var<T> sub(Var<T> a, Var<T> b) { return add(a, neg(b)); }
template <class T> Var<T> square(Var<T> x) { return mul(x, x); }
template <class T> Var<T> sum(Var<T> x) { return sum(reshape(x, {x->value.data.size()}), 0); }
template <class T> Var<T> mean(Var<T> x) { return div(sum(x), leaf<T>(T(x->value.data.size()))); }
template <class T> Var<T> mse(Var<T> a, Var<T> y) { return mean(square(sub(a, y))); }
}  // namespace adjoint::mini
