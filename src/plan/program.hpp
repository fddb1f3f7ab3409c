// program.hpp: the intermediate form between a graph and a plan: values in an order that may run, which passes rewrite.
// Not the graph: nothing here has a derivative, and a value may be computed twice.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "graph/topo.hpp"
#include "plan/tile_program.hpp"

namespace adjoint::plan {

/// Of a literal that a backward rule made: 1 for 0, 2 for -0, 3 for 1, 4 for -1. 0 for every other number, and for the user's own, which
/// may change each step.
int known_number(const Node& literal);
/// The literal of this type whose number has these bits in the low bytes.
Tensor literal_of_bits(const Type& type, std::int64_t bits, Loc loc);

enum class Role : std::uint8_t {
  leaf,      ///< data that the run brings along
  literal,   ///< a number of the user's graph: an input of the run
  constant,  ///< a number that a definition brought in: known for ever
  op,        ///< a primitive applied to operands
};

/// One value. Operands stand in Program::edges, before it in Program::values.
struct Value {
  Node* node = nullptr;       ///< primitive, attributes, type and the user's line; kept alive by the caller
  std::uint32_t first = 0;    ///< of its operands in Program::edges
  std::uint32_t arity = 0;
  std::uint32_t number = 0;   ///< of a leaf or a literal (constants stand behind the literals)
  std::int32_t group = -1;    ///< fused group, set by fuse(); -1: runs alone
  Role role = Role::op;
  bool backward = false;      ///< made by a gradient
  bool again = false;         ///< computed before: a copy that rematerialisation made
  bool row = false;           ///< in a group: one value a row of the group's space, which its reductions run along
  bool join = false;          ///< in a group: a reduction over its rows, or over all its elements, that nothing in the group reads
};

/// Values in topological order. Passes rewrite it in place; verify() holds what they may rely on.
struct Program {
  std::vector<Value> values;
  std::vector<std::uint32_t> edges;
  std::vector<std::uint32_t> roots;
  std::vector<char> update;            ///< per root: the result of an optimizer
  std::vector<char> donatable;         ///< per leaf: its buffer may be overwritten
  std::vector<DType> literals;         ///< of the graph, then constants
  std::vector<std::int64_t> constants; ///< bits
  std::uint32_t leaves = 0;
  Tensors made;                        ///< nodes that passes made, kept alive

  std::span<const std::uint32_t> in(std::uint32_t i) const { return {edges.data() + values[i].first, values[i].arity}; }
  std::span<std::uint32_t> in(std::uint32_t i) { return {edges.data() + values[i].first, values[i].arity}; }
  const Primitive& prim(std::uint32_t i) const { return *values[i].node->prim; }
  const Type& type(std::uint32_t i) const { return values[i].node->type; }
  bool is_op(std::uint32_t i) const { return values[i].role == Role::op; }
  /// A number whose bits passes may read: a constant, or one of known_number(), which is part of the plan's key.
  bool is_known(std::uint32_t i) const { return values[i].role == Role::constant || (values[i].role == Role::literal && known_number(*values[i].node) != 0); }
  double known_value(std::uint32_t i) const { return is_floating(type(i).dtype) ? values[i].node->number : static_cast<double>(values[i].node->integer); }
  /// A view of its operand: costs nothing, and lives where the operand lies.
  bool is_view(std::uint32_t i) const { return is_op(i) && prim(i).alias; }
  bool is_elementwise(std::uint32_t i) const { return is_op(i) && prim(i).traits.elementwise; }
  /// A reduction along the last axis that a fused group may hold: rows neither so short nor so few that its kernel is better.
  bool is_row_reduction(std::uint32_t i) const;
  /// How value i, a reduction, could join the elements of a group that its operand is in: down the columns, or all of them; or none.
  Join join_of(std::uint32_t i) const;
  std::int64_t bytes(std::uint32_t i) const { return type(i).shape.numel() * static_cast<std::int64_t>(size_of(type(i).dtype)); }
  /// The value in whose memory i lies: itself, or what it is a view of.
  std::uint32_t storage(std::uint32_t i) const {
    while (is_view(i)) i = in(i)[0];
    return i;
  }
  /// Where value i lies in the memory of storage(i), which lies as `whole`; nothing if a view there needs a copy.
  std::optional<Strided> viewed(std::uint32_t i, Strided whole) const;
  /// Whether user i and its operand k run in one group.
  bool together(std::uint32_t i, std::uint32_t k) const { return values[i].group >= 0 && values[storage(k)].group == values[i].group; }
  /// Adds a value with these operands; returns its number.
  std::uint32_t add(Value v, std::span<const std::uint32_t> operands);
};

/// How that primitive joins the elements of a row, or none.
RowReduction reduction_of(const Primitive& prim);
/// Row-major, without gaps.
Strided contiguous_strides(const Shape& shape);

struct Request;
/// The program of a lowered graph. Leaves and literals keep the numbers of the request's order.
Program import_graph(const Request& request, const Order& lowered);
/// Keeps what the roots need (dead code goes), in the same order.
void compact(Program& program);
/// One line a value: "%3 = add(%1, %2) f32[4]  backward". What ADJOINT_TRACE shows before and after each pass.
std::string to_string(const Program& program);
/// What every pass may rely on, or an Error (op = "plan") that names the pass and both values: operands before users, element
/// types and arities that their records accept, one group one space, no path that leaves a group and comes back.
void verify(const Program& program, const char* after);

}  // namespace adjoint::plan
