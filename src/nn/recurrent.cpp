// recurrent.cpp: the cells' formulas, and their start values. Not the loop: that is scan.
#include "adjoint/nn/recurrent.hpp"

#include <cmath>

namespace adjoint::nn {
namespace {

Tensor affine(const Arg& x, const Tensor& weight, const std::optional<Tensor>& bias) { return bias ? adjoint::linear(x, weight, *bias) : adjoint::linear(x, weight); }
Tensor part(const Tensor& z, std::int64_t k, std::int64_t hidden) { return narrow(z, -1, k * hidden, hidden); }

Tensor zeros_for(const Tensor& weight_hh, std::int64_t batch) { return zeros({batch, weight_hh.shape(1)}, weight_hh.dtype()); }

/// A cell whose weights have `gates` rows of hidden units.
template <class Cell> Cell cell(std::int64_t gates, std::int64_t in, std::int64_t hidden, const Key& key, const RecurrentOptions& o, Loc loc) {
  const double bound = 1 / std::sqrt(static_cast<double>(hidden));
  const auto draw = [&](const char* name, const Shape& shape) { return init_uniform(key.fold_in(name), shape, -bound, bound, o.dtype, loc); };
  Cell c{.weight_ih = draw("weight_ih", {gates * hidden, in}), .weight_hh = draw("weight_hh", {gates * hidden, hidden})};
  if (o.bias) c.bias_ih = draw("bias_ih", {gates * hidden}), c.bias_hh = draw("bias_hh", {gates * hidden});
  return c;
}

/// The biases of the forget gates add up to `value`: in one of both, zero in the other.
void open_forget_gates(LstmCell& c, double value, std::int64_t hidden, Loc loc) {
  const auto with = [&](const Tensor& bias, double start) {
    auto v = bias.to_vector<double>();
    for (std::int64_t k = hidden; k < 2 * hidden; ++k) v[static_cast<std::size_t>(k)] = start;
    Tensor fresh = cast(tensor(v, bias.shape()), bias.dtype()).detach(loc);
    fresh.requires_grad(loc);
    return fresh;
  };
  c.bias_ih = with(*c.bias_ih, value), c.bias_hh = with(*c.bias_hh, 0);
}

template <class Cell> Recurrent<Cell> layers(const char* op, std::int64_t gates, std::int64_t in, std::int64_t hidden, const Key& key, const RecurrentOptions& o, Loc loc) {
  if (in < 1 || hidden < 1 || o.layers < 1)
    throw Error({.op = op, .message = std::to_string(o.layers) + " layers from " + std::to_string(in) + " to " + std::to_string(hidden) + " features", .where = loc,
                 .hint = "sizes are >= 1"});
  if (o.forget_bias && !o.bias)
    throw Error({.op = op, .message = "a forget bias, and no biases", .where = loc, .hint = "leave .bias = true"});
  Recurrent<Cell> r;
  const std::int64_t sides = o.bidirectional ? 2 : 1;
  for (std::int64_t k = 0; k < o.layers; ++k)
    for (std::int64_t side = 0; side < sides; ++side) {
      const Key own = key.fold_in(side == 0 ? "forward" : "backward").fold_in(k);
      (side == 0 ? r.forward : r.backward).push_back(cell<Cell>(gates, k == 0 ? in : sides * hidden, hidden, own, o, loc));
    }
  return r;
}

}  // namespace

Tensor detail::sequence(const Arg& x, std::size_t cells, std::size_t states) {
  const Tensor t = x.value();
  if (t.rank() != 3)
    throw Error({.op = "Recurrent", .message = "the sequence is " + to_string(t.type()), .where = x.loc, .hint = "it has the axes [time, batch, features]; unsqueeze adds one"});
  if (states != 0 && states != cells)
    throw Error({.op = "Recurrent", .message = std::to_string(states) + " first states for " + std::to_string(cells) + " cells", .where = x.loc,
                 .hint = "give none (zeros), or one a cell: of each layer the forward cell's, then the backward cell's"});
  return t;
}

Tensor RnnCell::operator()(const Arg& x, const Tensor& h) const {
  OpScope scope("RnnCell", x.loc);
  const Tensor z = affine(x, weight_ih, bias_ih) + affine(h, weight_hh, bias_hh);
  return relu ? adjoint::relu(z) : tanh(z);
}
Tensor RnnCell::start(std::int64_t batch) const { return zeros_for(weight_hh, batch); }

LstmCell::State LstmCell::operator()(const Arg& x, const State& s) const {
  OpScope scope("LstmCell", x.loc);
  const Tensor z = affine(x, weight_ih, bias_ih) + affine(s.h, weight_hh, bias_hh);
  const auto n = weight_hh.shape(1);
  const Tensor i = sigmoid(part(z, 0, n)), f = sigmoid(part(z, 1, n)), g = tanh(part(z, 2, n)), o = sigmoid(part(z, 3, n));
  const Tensor c = f * s.c + i * g;
  return {o * tanh(c), c};
}
LstmCell::State LstmCell::start(std::int64_t batch) const { return {zeros_for(weight_hh, batch), zeros_for(weight_hh, batch)}; }

Tensor GruCell::operator()(const Arg& x, const Tensor& h) const {
  OpScope scope("GruCell", x.loc);
  const Tensor a = affine(x, weight_ih, bias_ih), b = affine(h, weight_hh, bias_hh);
  const auto size = weight_hh.shape(1);
  const Tensor r = sigmoid(part(a, 0, size) + part(b, 0, size)), z = sigmoid(part(a, 1, size) + part(b, 1, size));
  const Tensor n = tanh(part(a, 2, size) + r * part(b, 2, size));
  return (1.0 - z) * n + z * h;
}
Tensor GruCell::start(std::int64_t batch) const { return zeros_for(weight_hh, batch); }

Rnn rnn(std::int64_t in, std::int64_t hidden, const Key& key, RecurrentOptions o, Loc loc) {
  Rnn r = layers<RnnCell>("rnn", 1, in, hidden, key, o, loc);
  for (auto* side : {&r.forward, &r.backward})
    for (auto& c : *side) c.relu = o.relu;
  return r;
}
Lstm lstm(std::int64_t in, std::int64_t hidden, const Key& key, RecurrentOptions o, Loc loc) {
  Lstm r = layers<LstmCell>("lstm", 4, in, hidden, key, o, loc);
  for (auto* side : {&r.forward, &r.backward})
    for (auto& c : *side)
      if (o.forget_bias) open_forget_gates(c, *o.forget_bias, hidden, loc);
  return r;
}
Gru gru(std::int64_t in, std::int64_t hidden, const Key& key, RecurrentOptions o, Loc loc) { return layers<GruCell>("gru", 3, in, hidden, key, o, loc); }

}  // namespace adjoint::nn
