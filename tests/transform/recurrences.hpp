// recurrences.hpp: three recurrent cells, each as a step, written out as a C++ loop, and differentiated by hand. For the tests of
// scan. Not the layers of adjoint/nn.
#pragma once

#include <string>
#include <vector>

#include "adjoint/grad.hpp"
#include "adjoint/key.hpp"
#include "adjoint/ops.hpp"
#include "adjoint/scan.hpp"

namespace adjoint::test {

struct Weights {
  Tensor x, h, b;  // [in, width], [hidden, width], [width]
};
struct State {
  Tensor h, c;  // c of the LSTM; as large as h and unused elsewhere
};

inline Tensor columns(const Tensor& t, std::int64_t from, std::int64_t n) { return narrow(t, 1, from * n, n); }

/// Slopes as the library computes them, from the result.
inline Tensor sigmoid_slope(const Tensor& y) { return y * (1.0 - y); }
inline Tensor tanh_slope(const Tensor& y) { return (1.0 - y) * (1.0 + y); }

struct Rnn {
  static constexpr std::int64_t width = 1;
  static State step(const Weights& w, const State& s, const Tensor& x) { return {tanh(matmul(x, w.x) + matmul(s.h, w.h) + w.b), s.c}; }
  /// Adjoints of the state before the step, given those of the state after it; sums and those of x on the side.
  static State back(const Weights& w, const State& s, const Tensor& x, const State& d, Weights& sum, Tensor& dx) {
    const Tensor y = tanh(matmul(x, w.x) + matmul(s.h, w.h) + w.b);
    const Tensor a = d.h * tanh_slope(y);
    sum.b = sum.b + adjoint::sum(a, {0});
    sum.h = sum.h + matmul(transpose(s.h), a);
    sum.x = sum.x + matmul(transpose(x), a);
    dx = matmul(a, transpose(w.x));
    return {matmul(a, transpose(w.h)), d.c};
  }
};

struct Lstm {
  static constexpr std::int64_t width = 4;
  struct Gates {
    Tensor i, f, g, o, c, t;
  };
  static Gates gates(const Weights& w, const State& s, const Tensor& x) {
    const Tensor z = matmul(x, w.x) + matmul(s.h, w.h) + w.b;
    const auto n = s.h.shape(1);
    const Tensor i = sigmoid(columns(z, 0, n)), f = sigmoid(columns(z, 1, n)), g = tanh(columns(z, 2, n)), o = sigmoid(columns(z, 3, n));
    const Tensor c = f * s.c + i * g;
    return {i, f, g, o, c, tanh(c)};
  }
  static State step(const Weights& w, const State& s, const Tensor& x) {
    const Gates q = gates(w, s, x);
    return {q.o * q.t, q.c};
  }
  static State back(const Weights& w, const State& s, const Tensor& x, const State& d, Weights& sum, Tensor& dx) {
    const Gates q = gates(w, s, x);
    const Tensor dc = d.c + (d.h * q.o) * tanh_slope(q.t);
    const Tensor z = concat({dc * q.g * sigmoid_slope(q.i), dc * s.c * sigmoid_slope(q.f), dc * q.i * tanh_slope(q.g), d.h * q.t * sigmoid_slope(q.o)}, 1);
    sum.b = sum.b + adjoint::sum(z, {0});
    sum.h = sum.h + matmul(transpose(s.h), z);
    sum.x = sum.x + matmul(transpose(x), z);
    dx = matmul(z, transpose(w.x));
    return {matmul(z, transpose(w.h)), dc * q.f};
  }
};

struct Gru {
  static constexpr std::int64_t width = 3;
  struct Gates {
    Tensor r, z, hn, n;
  };
  static Gates gates(const Weights& w, const State& s, const Tensor& x) {
    const auto m = s.h.shape(1);
    const Tensor a = matmul(x, w.x) + w.b, b = matmul(s.h, w.h);
    const Tensor r = sigmoid(columns(a, 0, m) + columns(b, 0, m)), z = sigmoid(columns(a, 1, m) + columns(b, 1, m));
    const Tensor hn = columns(b, 2, m);
    return {r, z, hn, tanh(columns(a, 2, m) + r * hn)};
  }
  static State step(const Weights& w, const State& s, const Tensor& x) {
    const Gates q = gates(w, s, x);
    return {(1.0 - q.z) * q.n + q.z * s.h, s.c};
  }
  static State back(const Weights& w, const State& s, const Tensor& x, const State& d, Weights& sum, Tensor& dx, const Tensor& later = {}) {
    const Gates q = gates(w, s, x);
    const Tensor dn = d.h * (1.0 - q.z) * tanh_slope(q.n);
    const Tensor dz = (d.h * s.h + (-(d.h * q.n))) * sigmoid_slope(q.z), dr = dn * q.hn * sigmoid_slope(q.r);
    const Tensor a = concat({dr, dz, dn}, 1), b = concat({dr, dz, dn * q.r}, 1);
    sum.b = sum.b + adjoint::sum(a, {0});
    sum.h = sum.h + matmul(transpose(s.h), b);
    sum.x = sum.x + matmul(transpose(x), a);
    dx = matmul(a, transpose(w.x));
    const Tensor through = d.h * q.z;  // the last use of h in the step comes first
    return {(later ? later + through : through) + matmul(b, transpose(w.h)), d.c};
  }
};

/// What a recurrence gives: the last state, all h, and the gradient of sum(h * target) + sum(last h) by everything.
struct Outcome {
  Tensors all;  // last h, last c, ys, d weights, d first state, d xs
};

struct Problem {
  Weights w;
  State first;
  Tensor xs;      // [T, batch, in]
  Tensor target;  // [T, batch, hidden]
  std::int64_t steps() const { return xs.shape(0); }
  Tensors wrt() const { return {w.x, w.h, w.b, first.h, first.c}; }
};

template <class Cell> Problem problem(std::int64_t steps, DType dtype, std::int64_t batch = 3, std::int64_t in = 4, std::int64_t hidden = 5) {
  std::uint64_t seed = 1;
  const auto draw = [&](const Shape& shape) {
    Tensor t = uniform(Key(seed++), shape, {.low = -0.7, .high = 0.7, .dtype = dtype});
    return t.detach();
  };
  Problem p{{draw({in, Cell::width * hidden}), draw({hidden, Cell::width * hidden}), draw({Cell::width * hidden})},
            {draw({batch, hidden}), draw({batch, hidden})}, draw({steps, batch, in}), draw({steps, batch, hidden})};
  return p;
}

/// A C++ loop; the sequence's elements are leaves of their own, so that their gradients are not summed into one.
template <class Cell> Tensors unrolled(const Problem& p) {
  State s = p.first;
  Tensors xs, hs;
  for (std::int64_t t = 0; t < p.steps(); ++t) {
    xs.push_back(select(p.xs, 0, t).detach());
    s = Cell::step(p.w, s, xs.back());
    hs.push_back(s.h);
  }
  Tensor loss;
  for (std::int64_t t = 0; t < p.steps(); ++t) {
    const Tensor part = sum(hs[static_cast<std::size_t>(t)] * select(p.target, 0, t));
    loss = loss ? loss + part : part;
  }
  if (!loss) loss = sum(s.h) + sum(s.c);
  Tensors wrt = p.wrt();
  wrt.insert(wrt.end(), xs.begin(), xs.end());
  const Tensors d = grad(loss, wrt);
  Tensors out{s.h, s.c};
  if (!hs.empty()) out.push_back(stack(hs)), out.push_back(stack(Tensors(d.begin() + 5, d.end())));
  out.insert(out.end(), d.begin(), d.begin() + 5);
  return out;
}

template <class Cell> Tensors scanned(const Problem& p, const ScanOptions& options = {}) {
  const auto [s, hs] = scan([&](const State& state, const Tensor& x) {
    const State next = Cell::step(p.w, state, x);
    return std::pair(next, next.h);
  }, p.first, p.xs, options);
  const Tensor loss = p.steps() > 0 ? sum(hs * p.target) : sum(s.h) + sum(s.c);
  Tensors wrt = p.wrt();
  wrt.push_back(p.xs);
  const Tensors d = grad(loss, wrt);
  Tensors out{s.h, s.c};
  if (p.steps() > 0) out.push_back(hs), out.push_back(d[5]);
  out.insert(out.end(), d.begin(), d.begin() + 5);
  return out;
}

/// Backpropagation through time, written by hand.
template <class Cell> Tensors by_hand(const Problem& p) {
  std::vector<State> states{p.first};
  Tensors xs, hs;
  for (std::int64_t t = 0; t < p.steps(); ++t) {
    xs.push_back(select(p.xs, 0, t));
    states.push_back(Cell::step(p.w, states.back(), xs.back()));
    hs.push_back(states.back().h);
  }
  Weights sums{-zeros_like(p.w.x), -zeros_like(p.w.h), -zeros_like(p.w.b)};  // -0 changes no sum
  State d{zeros_like(p.first.h), std::is_same_v<Cell, Lstm> ? -zeros_like(p.first.c) : zeros_like(p.first.c)};
  Tensors dx(xs.size());
  if (xs.empty()) d = {ones_like(p.first.h), ones_like(p.first.c)}, sums = {zeros_like(p.w.x), zeros_like(p.w.h), zeros_like(p.w.b)};
  else d.h = select(p.target, 0, p.steps() - 1);
  for (std::size_t t = xs.size(); t-- > 0;) {
    const Tensor earlier = t > 0 ? select(p.target, 0, static_cast<std::int64_t>(t) - 1) : Tensor();
    if constexpr (std::is_same_v<Cell, Gru>) {
      d = Cell::back(p.w, states[t], xs[t], d, sums, dx[t], earlier);
    } else {
      d = Cell::back(p.w, states[t], xs[t], d, sums, dx[t]);
      if (earlier) d.h = d.h + earlier;
    }
  }
  Tensors out{states.back().h, states.back().c};
  if (!hs.empty()) out.push_back(stack(hs)), out.push_back(stack(dx));
  out.insert(out.end(), {sums.x, sums.h, sums.b, d.h, d.c});
  return out;
}

}  // namespace adjoint::test
