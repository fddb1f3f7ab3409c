// random_graphs.hpp: random graphs as data over the operations of the minimal engine, read either
// as a graph of the engine (in any scalar type) or as a graph of the library. Not a test.
#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "adjoint/mini.hpp"
#include "adjoint/ops.hpp"
#include "check/quad.hpp"

#if __has_include(<quadmath.h>) && defined(__SIZEOF_FLOAT128__)
namespace adjoint::mini {
template <> struct Math<__float128> : check::Elementary<__float128> {};
}  // namespace adjoint::mini
#endif

namespace adjoint::check {

/// A small generator (splitmix64), so that a graph is its number on every machine.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15ull;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(next() % n); }
  double real(double low, double high) {
    return low + (high - low) * static_cast<double>(next() >> 11) * 0x1p-53;
  }

 private:
  std::uint64_t state_;
};

/// One node: its operation, the positions of its operands, and what else the operation needs.
struct Step {
  std::string_view op;
  std::size_t a = 0, b = 0;
  mini::Shape shape = {};         // of a leaf, of reshape and broadcast_to
  int axis = 0;                   // of sum_axis
  std::vector<double> data = {};  // of a leaf
};
using Recipe = std::vector<Step>;

// ---- what the two sides spell differently

inline Shape library_shape(const mini::Shape& s) {
  Shape out;
  for (const auto n : s) out.push_back(static_cast<std::int64_t>(n));
  return out;
}
template <class T> mini::Var<T> make_leaf(const Step& s, const mini::Var<T>*) {
  return mini::leaf<T>(s.shape, std::vector<T>(s.data.begin(), s.data.end()));
}
inline Tensor make_leaf(const Step& s, const Tensor*) {
  return tensor(s.data, library_shape(s.shape));
}
template <class T> mini::Var<T> sum_axis(const mini::Var<T>& x, int axis) { return sum(x, axis); }
inline Tensor sum_axis(const Tensor& x, int axis) { return sum(x, {axis}); }
template <class T> mini::Var<T> to_shape(const mini::Var<T>& x, const mini::Shape& s) {
  return reshape(x, s);
}
inline Tensor to_shape(const Tensor& x, const mini::Shape& s) {
  return reshape(x, library_shape(s));
}
template <class T> mini::Var<T> widened(const mini::Var<T>& x, const mini::Shape& s) {
  return broadcast_to(x, s);
}
inline Tensor widened(const Tensor& x, const mini::Shape& s) {
  return broadcast_to(x, library_shape(s));
}

// ---- operations, by name: one definition for both sides

template <class V> V run(const Step& s, const V& a, const V& b) {
  if (s.op == "leaf") return make_leaf(s, &a);
  if (s.op == "add") return add(a, b);
  if (s.op == "sub") return sub(a, b);
  if (s.op == "mul") return mul(a, b);
  if (s.op == "div") return div(a, b);
  if (s.op == "neg") return neg(a);
  if (s.op == "exp") return exp(a);
  if (s.op == "log") return log(a);
  if (s.op == "sqrt") return sqrt(a);
  if (s.op == "square") return square(a);
  if (s.op == "tanh") return tanh(a);
  if (s.op == "sigmoid") return sigmoid(a);
  if (s.op == "relu") return relu(a);
  if (s.op == "matmul") return matmul(a, b);
  if (s.op == "transpose") return transpose(a);
  if (s.op == "reshape") return to_shape(a, s.shape);
  if (s.op == "broadcast_to") return widened(a, s.shape);
  if (s.op == "sum") return sum(a);
  if (s.op == "mean") return mean(a);
  if (s.op == "sum_axis") return sum_axis(a, s.axis);
  if (s.op == "mse") return mean(square(sub(a, b)));
  mini::fail("no such operation: " + std::string(s.op));
}
/// Every value of the recipe, in its order.
template <class V> std::vector<V> build(const Recipe& recipe) {
  std::vector<V> values;
  const V none{};
  for (const auto& s : recipe) {
    const bool leaf = s.op == "leaf";
    values.push_back(run(s, leaf ? none : values[s.a], leaf ? none : values[s.b]));
  }
  return values;
}

// ---- making recipes

/// Builds a recipe and, beside it, the engine's values, by which it keeps operands inside the
/// domains of the operations, away from kinks, and within a factor of 8 of 1.
class RecipeMaker {
 public:
  explicit RecipeMaker(std::uint64_t seed) : dice_(seed) {}

  /// A graph of about `size` operations over 3 to 6 leaves of rank 0 to 3. Its last value is the
  /// loss.
  Recipe graph(std::size_t size) {
    for (std::size_t i = 0, n = 3 + dice_.below(4); i < n; ++i) add_leaf(random_shape());
    while (recipe_.size() < size) grow();
    const std::size_t sinks = 1 + dice_.below(3);  // what is not behind a sink is a dead branch
    std::size_t loss = reduce(recipe_.size() - 1);
    for (std::size_t i = 1; i < sinks; ++i)
      loss = push({"add", loss, reduce(dice_.below(recipe_.size()))});
    return std::move(recipe_);
  }

 private:
  using V = mini::Var<double>;

  mini::Shape random_shape() {
    mini::Shape s(dice_.below(4));
    for (auto& n : s) n = 1 + dice_.below(4);
    return s;
  }
  std::size_t add_leaf(const mini::Shape& shape) {
    Step s{"leaf", 0, 0, shape};
    for (std::size_t n = mini::count(shape); n > 0; --n) s.data.push_back(dice_.real(-2, 2));
    return push(std::move(s));
  }
  std::size_t push(Step s) {
    const V none, a = s.op == "leaf" ? none : values_[s.a],
                  b = s.op == "leaf" ? none : values_[s.b];
    values_.push_back(run(s, a, b));
    recipe_.push_back(std::move(s));
    return recipe_.size() - 1;
  }
  const mini::Array<double>& at(std::size_t i) const { return values_[i]->value; }
  double largest(std::size_t i) const {
    double m = 0;
    for (const double v : at(i).data) m = std::max(m, std::abs(v));
    return m;
  }
  std::size_t reduce(std::size_t i) { return push({"mean", push({"square", i, i}), 0}); }
  /// x^2 + 1/2: positive, for log, sqrt and as a divisor.
  std::size_t positive(std::size_t i) {
    const std::size_t half = push({"leaf", 0, 0, {}, 0, {0.5}});
    return push({"add", push({"square", i, i}), half});
  }
  /// Scaled by a power of two into [-2, 2]: a saturated tanh would leave a gradient of nothing but
  /// rounding.
  std::size_t calm(std::size_t i) {
    int e = 0;
    std::frexp(largest(i), &e);
    return push({"mul", i, push({"leaf", 0, 0, {}, 0, {std::ldexp(1.0, 1 - e)}})});
  }
  std::size_t any() {  // half of the time one of the newest, so that graphs become deep
    const std::size_t n = recipe_.size(), recent = std::min<std::size_t>(n, 4);
    return dice_.below(2) ? n - 1 - dice_.below(recent) : dice_.below(n);
  }
  std::size_t partner(std::size_t a) {  // something that broadcasts with a
    for (int tries = 0; tries < 8; ++tries) {
      const std::size_t b = any();
      const mini::Shape &s = at(a).shape, &t = at(b).shape;
      bool fits = true;
      for (std::size_t k = 1; k <= std::min(s.size(), t.size()); ++k) {
        const auto p = s[s.size() - k], q = t[t.size() - k];
        fits = fits && (p == q || p == 1 || q == 1);
      }
      if (fits && at(a).data.size() * at(b).data.size() <= 400) return b;
    }
    return a;
  }
  std::size_t matrix(std::size_t i) {
    const auto& s = at(i).shape;
    if (s.size() == 2) return i;
    const auto n = at(i).data.size(), rows = s.empty() ? 1 : s.back();
    return push({"reshape", i, i, n ? mini::Shape{n / rows, rows} : mini::Shape{0, 1}});
  }

  void grow() {
    constexpr std::string_view kinds[] = {
        "add",     "sub",          "mul",  "div",     "neg",      "exp",    "log",
        "sqrt",    "square",       "tanh", "sigmoid", "relu",     "matmul", "transpose",
        "reshape", "broadcast_to", "sum",  "mean",    "sum_axis", "mse",    "leaf"};
    const auto op = kinds[dice_.below(std::size(kinds))];
    const std::size_t a = any();
    const auto& shape = at(a).shape;
    std::size_t made = a;
    if (op == "leaf")
      made = add_leaf(random_shape());
    else if (op == "add" || op == "sub" || op == "mul" || op == "mse")
      made = push({op, a, partner(a)});
    else if (op == "div")
      made = push({op, a, positive(partner(a))});
    else if (op == "log" || op == "sqrt")
      made = push({op, positive(a)});
    else if (op == "exp" || op == "tanh" || op == "sigmoid")
      made = push({op, largest(a) > 2 ? calm(a) : a});
    else if (op == "matmul") {
      const std::size_t left = matrix(a), right = matrix(any());
      const auto cols = at(left).shape[1], rows = at(right).shape[0];
      if (cols == rows)
        made = push({op, left, right});
      else
        made = push({op, left, push({"transpose", left})});
    } else if (op == "transpose")
      made = push({op, matrix(a)});
    else if (op == "reshape")
      made = push({op, a, a, mini::Shape{1, at(a).data.size()}});
    else if (op == "broadcast_to" && shape.size() < 3 && at(a).data.size() <= 24) {
      mini::Shape wide = shape;
      wide.insert(wide.begin(), 2 + dice_.below(2));
      made = push({op, a, a, wide});
    } else if (op == "sum_axis" && !shape.empty()) {
      const int rank = static_cast<int>(shape.size());
      made = push({op, a, a, {}, static_cast<int>(dice_.below(2 * shape.size())) - rank});
    } else if (op == "relu" && near_kink(a))
      made = push({"sigmoid", calm(a)});
    else if (op != "broadcast_to" && op != "sum_axis")
      made = push({op, a, a});
    if (largest(made) > 8) calm(made);
  }
  bool near_kink(std::size_t i) const {
    for (const double v : at(i).data)
      if (std::abs(v) < 1e-6) return true;
    return false;
  }

  Dice dice_;
  Recipe recipe_;
  std::vector<V> values_;
};

}  // namespace adjoint::check
