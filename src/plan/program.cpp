// program.cpp: from the lowered graph to the intermediate form, and the upkeep that passes share. Not a pass.
#include "plan/program.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <concepts>
#include <unordered_map>

#include "ops/shape_ops.hpp"
#include "plan/plan.hpp"

namespace adjoint::plan {

int known_number(const Node& n) {
  if (n.kind != Kind::literal || n.computed() || !n.backward || n.traced) return 0;
  const double x = is_floating(n.type.dtype) ? n.number : static_cast<double>(n.integer);
  return x == 0 ? (std::signbit(x) ? 2 : 1) : x == 1 ? 3 : x == -1 ? 4 : 0;
}

Tensor literal_of_bits(const Type& type, std::int64_t bits, Loc loc) {
  Tensor t = literal(type, 0, loc);
  const auto real = [&](std::floating_point auto x) { t.node()->number = static_cast<double>(x); };
  const auto half = [&](auto x) {
    x.bits = static_cast<std::uint16_t>(bits);
    real(static_cast<float>(x));
  };
  switch (type.dtype) {
    case DType::f64: real(std::bit_cast<double>(bits)); break;
    case DType::f32: real(std::bit_cast<float>(static_cast<std::int32_t>(bits))); break;
    case DType::bf16: half(bfloat16()); break;
    case DType::f16: half(float16()); break;
    case DType::i64: t.node()->integer = bits; break;
    case DType::i32: t.node()->integer = static_cast<std::int32_t>(bits); break;
    case DType::i8: t.node()->integer = static_cast<std::int8_t>(bits); break;
    case DType::u8: t.node()->integer = static_cast<std::uint8_t>(bits); break;
    case DType::bool_: t.node()->integer = (bits & 0xFF) != 0; break;
  }
  return t;
}

std::uint32_t Program::add(Value v, std::span<const std::uint32_t> operands) {
  v.first = static_cast<std::uint32_t>(edges.size());
  v.arity = static_cast<std::uint32_t>(operands.size());
  edges.insert(edges.end(), operands.begin(), operands.end());
  values.push_back(v);
  return static_cast<std::uint32_t>(values.size() - 1);
}

Strided contiguous_strides(const Shape& shape) {
  Strided s{shape, shape, 0};
  std::int64_t stride = 1;
  for (std::size_t k = shape.size(); k-- > 0;) s.strides[k] = stride, stride *= shape[k];
  return s;
}

std::optional<Strided> Program::viewed(std::uint32_t i, Strided at) const {
  std::vector<std::uint32_t> views;
  for (; is_view(i); i = in(i)[0]) views.push_back(i);
  for (; !views.empty(); views.pop_back()) {
    const Node& n = *values[views.back()].node;
    auto next = n.prim->alias(n, at);
    if (!next) return next;
    at = *next;
  }
  return at;
}

bool Program::is_row_reduction(std::uint32_t i) const {
  if (!is_op(i) || reduction_of(prim(i)) == RowReduction::none) return false;
  const Type& from = type(in(i)[0]);
  const auto& [axes, keepdim] = values[i].node->attrs.as<Axes>();
  if (axes.size() != 1 || axes[0] != from.shape.rank() - 1 || !is_floating(from.dtype) || from.dtype != type(i).dtype) return false;
  const auto length = from.shape.back(), total = from.shape.numel();
  constexpr std::int64_t kShortest = 16, kLongest = 16'384, kFewRows = 16, kSmall = 32'768;
  return length >= kShortest && length <= kLongest && total > 0 && (total / length >= kFewRows || total <= kSmall);
}

Join Program::join_of(std::uint32_t i) const {
  if (!is_op(i) || reduction_of(prim(i)) == RowReduction::none) return Join::none;
  const Type& from = type(in(i)[0]);
  const auto& axes = values[i].node->attrs.as<Axes>().axes;
  const auto rank = from.shape.rank();
  if (!is_floating(from.dtype) || from.dtype != type(i).dtype || rank == 0) return Join::none;
  const auto total = from.shape.numel(), length = from.shape.back();
  if (total <= length) return static_cast<int>(axes.size()) == rank && total > 1 ? Join::all : Join::none;
  if (static_cast<int>(axes.size()) == rank) return Join::all;
  // Lanes of wider rows leave the second cache; of narrower ones a call, for 16 rows, takes longer than its elements.
  constexpr std::int64_t kNarrowest = 64, kWidest = 4096, kOneCall = 16;
  const bool few = length >= 2 && total / length <= kOneCall;
  if ((length < kNarrowest && !few) || length > kWidest || static_cast<int>(axes.size()) != rank - 1) return Join::none;
  for (const auto a : axes)
    if (a == rank - 1) return Join::none;
  return Join::columns;
}

RowReduction reduction_of(const Primitive& prim) {
  static const Primitive* const known[] = {nullptr, find_primitive("sum"), find_primitive("prod"), find_primitive("amax"), find_primitive("amin")};
  for (int k = 1; k < 5; ++k)
    if (known[k] == &prim) return static_cast<RowReduction>(k);
  return RowReduction::none;
}

Program import_graph(const Request& request, const Order& lowered) {
  Program p;
  p.update = request.update;
  p.donatable = request.donatable;
  // Lowering neither adds nor removes leaves of the user's graph; numbers that it makes are constants.
  std::unordered_map<const Node*, std::uint32_t> number;
  for (Node* n : request.order.nodes) {
    if (n->kind == Kind::literal && !n->computed()) {
      number[n] = static_cast<std::uint32_t>(p.literals.size());
      p.literals.push_back(n->type.dtype);
    } else if (n->arity == 0 || n->computed()) {
      number[n] = p.leaves++;
    }
  }
  p.values.reserve(lowered.nodes.size());
  for (std::uint32_t i = 0; i < lowered.nodes.size(); ++i) {
    Node* n = lowered.nodes[i];
    Value v{.node = n, .backward = n->backward};
    const bool literal = n->kind == Kind::literal && !n->computed();
    if (literal && !number.contains(n)) {
      v.role = Role::constant;
      v.number = static_cast<std::uint32_t>(p.literals.size());
      p.literals.push_back(n->type.dtype);
      p.constants.push_back(literal_bits(*n));
    } else if (literal || lowered.inputs(i).empty()) {
      const auto at = number.find(n);
      v.role = literal ? Role::literal : at != number.end() ? Role::leaf : Role::op;
      if (v.role != Role::op) v.number = at->second;
    }
    p.add(v, v.role == Role::op ? lowered.inputs(i) : std::span<const std::uint32_t>());
  }
  p.roots = lowered.roots;
  return p;
}

void compact(Program& p) {
  std::vector<char> needed(p.values.size(), 0);
  for (auto r : p.roots) needed[r] = 1;
  for (auto i = static_cast<std::uint32_t>(p.values.size()); i-- > 0;)
    if (needed[i])
      for (auto k : p.in(i)) needed[k] = 1;
  std::vector<std::uint32_t> now(p.values.size()), edges;
  edges.reserve(p.edges.size());
  std::uint32_t count = 0;
  for (std::uint32_t i = 0; i < p.values.size(); ++i) {
    if (!needed[i]) continue;
    Value v = p.values[i];
    const auto first = static_cast<std::uint32_t>(edges.size());
    for (auto k : p.in(i)) edges.push_back(now[k]);
    v.first = first;
    now[i] = count;
    p.values[count++] = v;
  }
  p.values.resize(count);
  p.edges = std::move(edges);
  for (auto& r : p.roots) r = now[r];
}

std::string to_string(const Program& p) {
  std::string text;
  for (std::uint32_t i = 0; i < p.values.size(); ++i) {
    const Value& v = p.values[i];
    text += '%' + std::to_string(i) + " = ";
    if (v.role == Role::op) text += std::string(v.node->prim->name);
    else text += (v.role == Role::leaf ? "leaf " : v.role == Role::literal ? "number " : "constant ") + std::to_string(v.number);
    if (v.role == Role::op) {
      text += '(';
      for (std::uint32_t k = 0; k < v.arity; ++k) text += (k ? ", %" : "%") + std::to_string(p.in(i)[k]);
      text += ')';
    }
    text += ' ' + adjoint::to_string(v.node->type);
    if (v.group >= 0) text += "  group " + std::to_string(v.group);
    if (v.row) text += ", a row each";
    if (v.join) text += ", joined";
    if (v.backward) text += "  backward";
    if (v.again) text += "  again";
    text += '\n';
  }
  text += "roots";
  for (auto r : p.roots) text += " %" + std::to_string(r);
  return text + '\n';
}

}  // namespace adjoint::plan
