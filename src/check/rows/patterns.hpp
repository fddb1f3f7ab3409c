// patterns.hpp: rows that many operations share: a public function as a call, and the usual shapes of its operands.
// Not the rows themselves.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "adjoint/ops.hpp"
#include "check/row.hpp"

namespace adjoint::check {

template <Tensor (*f)(const Arg&)> Tensor call1(const Tensors& x) { return f(x[0]); }
template <Tensor (*f)(const Arg&, const Arg&)> Tensor call2(const Tensors& x) { return f(x[0], x[1]); }
template <Tensor (*f)(const Arg&, const Arg&, const Arg&)> Tensor call3(const Tensors& x) { return f(x[0], x[1], x[2]); }

/// A function of one operand over [low, high]: ordinary, rank 0, one element, empty.
inline std::vector<Row> unary_rows(std::string op, Call call, double low, double high) {
  return {{.op = op, .in = {{{3, 5}, low, high}}, .call = call},
          {.op = op, .in = {{{}, low, high}}, .call = call},
          {.op = op, .in = {{{1, 1}, low, high}}, .call = call},
          {.op = op, .in = {{{0, 3}, low, high}}, .call = call}};
}
/// A function of two operands: ordinary, broadcast both ways, rank 0 with rank 2, one element, empty.
inline std::vector<Row> binary_rows(std::string op, Call call, std::pair<double, double> x, std::pair<double, double> y) {
  const auto a = [&](const Shape& s) { return Input{s, x.first, x.second}; };
  const auto b = [&](const Shape& s) { return Input{s, y.first, y.second}; };
  return {{.op = op, .in = {a({3, 4}), b({3, 4})}, .call = call},
          {.op = op, .in = {a({4, 1}), b({3})}, .call = call},
          {.op = op, .in = {a({}), b({2, 3})}, .call = call},
          {.op = op, .in = {a({1}), b({1})}, .call = call},
          {.op = op, .in = {a({2, 0}), b({1, 1})}, .call = call}};
}
/// A row whose operands sit at ties, bounds or corners.
inline Row at_ties(std::string op, Call call, std::vector<Input> in) {
  return {.op = std::move(op), .in = std::move(in), .call = call, .kink = true};
}

}  // namespace adjoint::check
