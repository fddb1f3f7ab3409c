// mutate.cpp: finding the places for faults in a rule's graph, and rebuilding the graph with one of them.
// Not the judgement of what the rows catch: that is faults.cpp.
#include "check/mutate.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "adjoint/ops.hpp"
#include "graph/topo.hpp"
#include "ops/shape_ops.hpp"

namespace adjoint::check {
namespace {

/// The function that a careless author might have written instead.
const Primitive* other_function(const Primitive& p) {
  static const std::map<std::string_view, std::string_view> other = {
      {"mul", "div"},     {"div", "mul"},       {"add", "sub"},     {"sub", "add"},     {"exp", "exp2"},        {"exp2", "exp"},
      {"sin", "cos"},     {"cos", "sin"},       {"sinh", "cosh"},   {"cosh", "sinh"},   {"sqrt", "square"},     {"square", "neg"},
      {"log", "log2"},    {"sigmoid", "tanh"},  {"tanh", "sigmoid"}, {"hypot", "add"},  {"erfc", "erf"},        {"gt", "lt"},
      {"lt", "gt"},       {"le", "gt"},         {"ge", "lt"},       {"eq", "ne"},       {"logical_and", "logical_or"},
      {"logical_or", "logical_and"},            {"sign", "abs"},    {"pow", "mul"},     {"ldexp", "mul"},       {"log1p", "exp"}};
  const auto at = other.find(p.name);
  return at == other.end() ? nullptr : find_primitive(at->second);
}

bool order_matters(const Node& n) {
  const auto name = n.prim->name;
  return name == "sub" || name == "div" || name == "pow" || name == "where" || name == "dot" || name == "gt" || name == "lt" || name == "atan2";
}

struct RuleGraph {
  Order order;
  std::vector<char> inside;  // made by the rule: not the forward node, its operands or the cotangent
  RuleGraph(const Vjp& r, const Tensors& cotangents) {
    std::vector<Node*> roots, stop{const_cast<Node*>(&r.node), r.ct.node()};
    for (Node* in : r.node.operands()) stop.push_back(in);
    for (const auto& c : cotangents)
      if (c) roots.push_back(c.node());
    order = topological_order(roots, {.stop = stop, .through_computed = true});
    for (Node* n : order.nodes) inside.push_back(n->kind == Kind::op && n->arity > 0 && std::ranges::find(stop, n) == stop.end());
  }
};

/// Something of the same type as `operand` that a rule might have used by mistake.
Tensor stale_for(const Node& operand, const Vjp& r) {
  std::vector<Tensor> forward;
  for (std::size_t k = 0; k < r.arity(); ++k) forward.push_back(r.in(k));
  forward.push_back(r.out());
  const bool is_forward = std::ranges::any_of(forward, [&](const Tensor& t) { return t.node() == &operand; });
  if (!is_forward) return {};
  for (const auto& t : forward)
    if (t.node() != &operand && t.type() == operand.type) return t;
  return {};
}

/// Attributes that work along another axis and give a result of the same type.
std::optional<Attrs> along_other_axis(const Node& n) {
  const Shape& in = n.in[0]->type.shape;
  if (n.prim->name == "sum") {
    auto a = n.attrs.as<Axes>();
    if (a.axes.rank() != 1) return {};
    for (int k = 0; k < in.rank(); ++k)
      if (k != a.axes[0] && in[static_cast<std::size_t>(k)] == in[static_cast<std::size_t>(a.axes[0])]) {
        a.axes = Ints{k};
        return Attrs(a);
      }
  }
  if (n.prim->name == "permute") {
    Permutation same;
    for (int k = 0; k < in.rank(); ++k) same.axes.push_back(k);
    if (!(same.axes == n.attrs.as<Permutation>().axes) && in == n.type.shape) return Attrs(same);
  }
  return {};
}
std::optional<Attrs> shifted(const Node& n) {
  if (n.prim->name == "slice") {
    auto s = n.attrs.as<Slices>();
    for (std::size_t k = 0; k < s.start.size(); ++k) {
      const auto size = n.in[0]->type.shape[k], last = s.start[k] + s.step[k] * (s.size[k] - 1);
      const auto by = std::max(last, s.start[k]) + 1 < size ? 1 : std::min(last, s.start[k]) > 0 ? -1 : 0;
      if (by == 0 || s.size[k] == 0) continue;
      s.start[k] += by;
      return Attrs(s);
    }
  }
  if (n.prim->name == "embed") {
    auto e = n.attrs.as<Embedding>();
    for (std::size_t k = 0; k < e.start.size(); ++k) {
      const auto size = n.in[0]->type.shape[k], last = e.start[k] + e.step[k] * (size - 1);
      const auto by = std::max(last, e.start[k]) + 1 < e.shape[k] ? 1 : std::min(last, e.start[k]) > 0 ? -1 : 0;
      if (by == 0 || size == 0) continue;
      e.start[k] += by;
      return Attrs(e);
    }
  }
  return {};
}

Tensor backwards(const Tensor& t) {
  Ints start, stop, step;
  for (int k = 0; k < t.rank(); ++k) {
    const bool last = k == t.rank() - 1;
    start.push_back(last ? -1 : 0);
    stop.push_back(last ? -t.shape(k) - 1 : t.shape(k));
    step.push_back(last ? -1 : 1);
  }
  return slice(t, start, stop, step);
}

void places_in(const Node& n, std::uint32_t at, const Vjp& r, std::vector<Mutation>& all) {
  if (other_function(*n.prim)) all.push_back({Fault::other_function, at, 0});
  if (n.prim->name == "neg") all.push_back({Fault::drop, at, 0});
  if (order_matters(n)) all.push_back({Fault::swap_operands, at, 0});
  const bool arithmetic = n.prim->name == "mul" || n.prim->name == "div" || n.prim->name == "add" || n.prim->name == "sub";
  for (std::uint32_t k = 0; k < n.arity; ++k) {
    if (arithmetic && n.in[k]->kind == Kind::literal && n.in[k]->number != 0) all.push_back({Fault::double_literal, at, k});
    if (stale_for(*n.in[k], r)) all.push_back({Fault::stale_operand, at, k});
  }
  if (along_other_axis(n)) all.push_back({Fault::other_axis, at, 0});
  if (shifted(n)) all.push_back({Fault::shift, at, 0});
}

/// Node `n` on operands `in`, with the fault.
Tensor faulty(const Mutation& m, const Node& n, Tensors in, const Vjp& r) {
  const Primitive* prim = n.prim;
  Attrs attrs = n.attrs;
  // The fault was found on another row of the operation, whose graph may differ: where it does not fit, nothing changes.
  const bool reads_other = m.fault == Fault::double_literal || m.fault == Fault::stale_operand;
  if (in.empty() || (m.fault == Fault::swap_operands && in.size() < 2) || (reads_other && m.other >= in.size()) ||
      (m.fault == Fault::double_literal && in[m.other].node()->kind != Kind::literal) ||
      (m.fault == Fault::other_function && !other_function(*prim)) || (m.fault == Fault::other_axis && !along_other_axis(n)) ||
      (m.fault == Fault::shift && !shifted(n)) || (m.fault == Fault::stale_operand && !stale_for(*n.in[m.other], r)) ||
      (m.fault == Fault::drop && !(in[0].type() == n.type)))
    return apply(*prim, in, attrs, n.loc);
  switch (m.fault) {
    case Fault::other_function: prim = other_function(*prim); break;
    case Fault::drop: return in[0];
    case Fault::swap_operands: std::swap(in[in.size() - 2], in[in.size() - 1]); break;
    case Fault::double_literal: in[m.other] = literal(in[m.other].type(), 2 * in[m.other].node()->number, n.loc); break;
    case Fault::stale_operand: in[m.other] = stale_for(*n.in[m.other], r); break;
    case Fault::other_axis: attrs = *along_other_axis(n); break;
    case Fault::shift: attrs = *shifted(n); break;
    default: break;
  }
  return apply(*prim, in, attrs, n.loc);
}

Tensors with_faulty_node(const Mutation& m, const Vjp& r, const Tensors& cotangents) {
  const RuleGraph g(r, cotangents);
  if (m.at >= g.order.nodes.size() || !g.inside[m.at]) return {};
  std::vector<Node*> nodes = g.order.nodes;
  Tensors now;
  for (Node* n : nodes) now.push_back(share(n));
  for (std::size_t i = m.at; i < nodes.size(); ++i) {
    if (!g.inside[i]) continue;
    Tensors in;
    bool changed = i == m.at;
    for (const auto k : g.order.inputs(i)) {
      in.push_back(now[k]);
      changed |= now[k].node() != nodes[k];
    }
    if (changed) now[i] = i == m.at ? faulty(m, *nodes[i], in, r) : apply(*nodes[i]->prim, in, nodes[i]->attrs, nodes[i]->loc);
  }
  Tensors result;
  std::size_t root = 0;
  for (const auto& c : cotangents) result.push_back(c ? now[g.order.roots[root++]] : Tensor());
  return result;
}

Tensors with_faulty_cotangent(const Mutation& m, const Tensors& cotangents) {
  if (m.at >= cotangents.size() || !cotangents[m.at]) return {};
  Tensors d = cotangents;
  switch (m.fault) {
    case Fault::flip_sign: d[m.at] = -d[m.at]; break;
    case Fault::double_it: d[m.at] = d[m.at] * 2.0; break;
    case Fault::forget: d[m.at] = zeros_like(d[m.at]); break;
    case Fault::reverse: d[m.at] = backwards(d[m.at]); break;
    case Fault::exchange:
      if (m.other >= d.size() || !d[m.other]) return {};
      std::swap(d[m.at], d[m.other]);
      break;
    default: return {};
  }
  return d;
}

}  // namespace

std::vector<Mutation> mutations_of(const Vjp& r, const Tensors& cotangents) {
  std::vector<Mutation> all;
  for (std::uint32_t k = 0; k < cotangents.size(); ++k) {
    const Tensor& c = cotangents[k];
    if (!c || !is_floating(c.dtype())) continue;
    for (const Fault f : {Fault::flip_sign, Fault::double_it, Fault::forget}) all.push_back({f, k, 0});
    if (c.rank() > 0 && c.shape(-1) > 1) all.push_back({Fault::reverse, k, 0});
    for (std::uint32_t j = k + 1; j < cotangents.size(); ++j)
      if (cotangents[j] && cotangents[j].node() != c.node() && cotangents[j].type() == c.type()) all.push_back({Fault::exchange, k, j});
  }
  const RuleGraph g(r, cotangents);
  for (std::uint32_t i = 0; i < g.order.nodes.size(); ++i)
    if (g.inside[i]) places_in(*g.order.nodes[i], i, r, all);
  return all;
}

Tensors mutated(const Mutation& m, const Vjp& r, const Tensors& cotangents) {
  try {
    Tensors d = m.fault <= Fault::reverse ? with_faulty_cotangent(m, cotangents) : with_faulty_node(m, r, cotangents);
    for (std::size_t k = 0; k < d.size(); ++k)
      if (d[k] && !(d[k].type() == r.node.in[k]->type)) return {};
    return d;
  } catch (const Error&) {
    return {};  // the types do not allow it
  }
}

std::string describe(const Mutation& m, const Vjp& r, const Tensors& cotangents) {
  static constexpr const char* names[] = {"sign of", "factor 2 in", "no", "exchanged", "reversed", "another function for", "left out",
                                          "swapped operands of", "doubled number in", "stale operand of", "another axis for", "shifted"};
  std::string s = names[static_cast<int>(m.fault)];
  if (m.fault <= Fault::reverse) return s + " cotangent " + std::to_string(m.at);
  const RuleGraph g(r, cotangents);
  return s + " " + std::string(g.order.nodes[m.at]->prim->name) + " (node " + std::to_string(m.at) + ", operand " + std::to_string(m.other) + ")";
}

}  // namespace adjoint::check
