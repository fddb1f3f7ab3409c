// programs.hpp: random programs over all operations that have rows, as data: made from a seed, built as a graph, made smaller.
// Not a test: what must hold for such a graph is the business of who builds it (tests/plan).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "check/row.hpp"

namespace adjoint::check {

/// What a statement makes. Operands of any type and size fit any statement: they are repeated, cut and converted.
enum class Form : std::uint8_t {
  leaf,      ///< data, now and then with zeros of both signs, NaN, infinities, no elements
  row,       ///< the call of a row on values of the program
  scalar,    ///< an elementwise primitive at the shape of its first operand
  pattern,   ///< what a simplifier is tempted by: x + 0, x - x, (x + y) + z, log(exp(x)), ...
  view,      ///< permute, slice, reshape, broadcast
  reduce,    ///< along some axes
  normalise, ///< softmax, layer_norm and others along the last axis
  product,   ///< matmul
  index,     ///< take, concat, where
  convert,   ///< cast
  draw,      ///< random numbers by key, dropout
  control,   ///< stop_gradient, a checkpointed region, a barrier
};
inline constexpr int kForms = 12;

struct Statement {
  Form form = Form::leaf;
  std::vector<std::uint32_t> from;  ///< earlier statements
  std::uint64_t seed = 0;           ///< all settings are functions of it
};

struct RandomProgram {
  std::uint64_t seed = 0;
  std::vector<Statement> statements;
  int derivatives = 0;       ///< highest order among the results: 0, 1 or 2
  bool update = false;       ///< leaves move along their gradients, with a momentum, as an optimizer's results
};
/// The program of a seed: 3 to about 40 statements, now and then 160.
RandomProgram random_program(std::uint64_t seed);

/// A program as a graph.
struct Built {
  Tensors leaves;            ///< that the graph reads
  Tensors values;            ///< of the statements
  Tensors roots;             ///< values that nobody reads, the loss, gradients, updates
  std::vector<char> update;  ///< per root: the result of an optimizer
  std::size_t gradients = 0; ///< of the roots
};
Built build(const RandomProgram& program);

/// A smaller program that still fails: statements are left out one by one, then derivatives, as long as `fails` says true.
RandomProgram shrunk(RandomProgram program, const std::function<bool(const RandomProgram&)>& fails);

/// The value of one statement; an operand or a number where these operands do not allow it.
Tensor value_of(const Statement& statement, const Tensors& from);

}  // namespace adjoint::check
