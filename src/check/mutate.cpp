// mutate.cpp: finding the places for faults in a rule's graph, and rebuilding the graph with one of them.
// Not the judgement of what the rows catch: that is faults.cpp.
#include "check/mutate.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "adjoint/ops.hpp"
#include "check/other_settings.hpp"
#include "graph/topo.hpp"

namespace adjoint::check {
namespace {

/// The function that a careless author might have written instead.
const Primitive* other_function(const Primitive& p) {
  static const std::map<std::string_view, std::string_view> other = {
      {"mul", "div"},     {"div", "mul"},       {"add", "sub"},     {"sub", "add"},     {"exp", "exp2"},        {"exp2", "exp"},
      {"sin", "cos"},     {"cos", "sin"},       {"sinh", "cosh"},   {"cosh", "sinh"},   {"sqrt", "square"},     {"square", "neg"},
      {"log", "log2"},    {"sigmoid", "tanh"},  {"tanh", "sigmoid"}, {"hypot", "add"},  {"erfc", "erf"},        {"gt", "lt"},
      {"lt", "gt"},       {"le", "gt"},         {"ge", "lt"},       {"eq", "ne"},       {"logical_and", "logical_or"},
      {"logical_or", "logical_and"},            {"sign", "abs"},    {"pow", "mul"},     {"ldexp", "mul"},       {"log1p", "exp"},
      {"amax", "amin"},   {"isinf", "isnan"},   {"isnan", "isinf"}};
  const auto at = other.find(p.name);
  return at == other.end() ? nullptr : find_primitive(at->second);
}

bool order_matters(const Node& n) {
  const auto name = n.prim->name;
  return name == "sub" || name == "div" || name == "pow" || name == "where" || name == "dot" || name == "gt" || name == "lt" || name == "atan2";
}

struct RuleGraph {
  Order order;
  std::vector<char> inside;  // made by the rule: not the forward node, its operands or what the rule was given
  explicit RuleGraph(const RuleCall& r) {
    std::vector<Node*> roots, stop{const_cast<Node*>(&r.node)};
    for (const auto& g : r.given) stop.push_back(g.node());
    for (Node* in : r.node.operands()) stop.push_back(in);
    for (const auto& c : r.results)
      if (c) roots.push_back(c.node());
    order = topological_order(roots, {.stop = stop, .through_computed = true});
    for (Node* n : order.nodes) inside.push_back(n->kind == Kind::op && n->arity > 0 && std::ranges::find(stop, n) == stop.end());
  }
};

/// What a rule might have used by mistake in the place of `operand`: other forward values of its type.
Tensors stale_for(const Node& operand, const RuleCall& r) {
  Tensors forward, others;
  for (std::size_t k = 0; k < r.node.arity; ++k) forward.push_back(r.in(k));
  forward.push_back(r.out());
  const bool is_forward = std::ranges::any_of(forward, [&](const Tensor& t) { return t.node() == &operand; });
  if (!is_forward) return {};
  for (const auto& t : forward)
    if (t.node() != &operand && t.type() == operand.type &&
        std::ranges::none_of(others, [&](const Tensor& o) { return o.node() == t.node(); })) others.push_back(t);
  return others;
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

/// Two axes of one size, if there are any.
std::optional<std::pair<int, int>> square_axes(const Tensor& t) {
  for (int i = 0; i < t.rank(); ++i)
    for (int j = i + 1; j < t.rank(); ++j)
      if (t.shape(i) == t.shape(j) && t.shape(i) > 1) return std::pair{i, j};
  return {};
}
Tensor transposed(const Tensor& t) {
  const auto [i, j] = *square_axes(t);
  Ints axes;
  for (int k = 0; k < t.rank(); ++k) axes.push_back(k == i ? j : k == j ? i : k);
  return permute(t, axes);
}

void places_in(const Node& n, std::uint32_t at, const RuleCall& r, std::vector<Mutation>& all) {
  if (other_function(*n.prim)) all.push_back({Fault::other_function, at});
  if (n.prim->name == "neg") all.push_back({Fault::drop, at});
  if (order_matters(n)) all.push_back({Fault::swap_operands, at});
  const bool arithmetic = n.prim->name == "mul" || n.prim->name == "div" || n.prim->name == "add" || n.prim->name == "sub";
  for (std::uint32_t k = 0; k < n.arity; ++k) {
    if (arithmetic && n.in[k]->kind == Kind::literal && n.in[k]->number != 0) all.push_back({Fault::double_literal, at, k});
    for (std::uint32_t c = 0; c < stale_for(*n.in[k], r).size(); ++c) all.push_back({Fault::stale_operand, at, k, c});
  }
  for (std::uint32_t c = 0; c < other_settings(n).size(); ++c) all.push_back({Fault::other_setting, at, 0, c});
}

/// Node `n` on operands `in`, with the fault; empty where this call has no such place.
Tensor faulty(const Mutation& m, const Node& n, Tensors in, const RuleCall& r) {
  const Primitive* prim = n.prim;
  Attrs attrs = n.attrs;
  switch (m.fault) {
    case Fault::other_function: prim = other_function(*prim); break;
    case Fault::drop: return in[0];
    case Fault::swap_operands: std::swap(in[in.size() - 2], in[in.size() - 1]); break;
    case Fault::double_literal: in[m.other] = literal(in[m.other].type(), 2 * in[m.other].node()->number, n.loc); break;
    case Fault::stale_operand: {
      const Tensors stale = stale_for(*n.in[m.other], r);
      if (m.choice >= stale.size()) return {};
      in[m.other] = stale[m.choice];
      break;
    }
    case Fault::other_setting: {
      const auto others = other_settings(n);
      if (m.choice >= others.size()) return {};
      attrs = others[m.choice];
      break;
    }
    default: break;
  }
  return apply(*prim, in, attrs, n.loc);
}

Tensors with_faulty_node(const Mutation& m, const RuleCall& r) {
  const RuleGraph g(r);
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
    if (!now[i]) return {};
  }
  Tensors result;
  std::size_t root = 0;
  for (const auto& c : r.results) result.push_back(c ? now[g.order.roots[root++]] : Tensor());
  return result;
}

Tensors with_faulty_result(const Mutation& m, const Tensors& results) {
  if (m.at >= results.size() || !results[m.at]) return {};
  Tensors d = results;
  switch (m.fault) {
    case Fault::flip_sign: d[m.at] = -d[m.at]; break;
    case Fault::double_it: d[m.at] = d[m.at] * 2.0; break;
    case Fault::forget: d[m.at] = zeros_like(d[m.at]); break;
    case Fault::reverse: d[m.at] = backwards(d[m.at]); break;
    case Fault::transpose:
      if (!square_axes(d[m.at])) return {};
      d[m.at] = transposed(d[m.at]);
      break;
    case Fault::exchange:
      if (m.other >= d.size() || !d[m.other]) return {};
      std::swap(d[m.at], d[m.other]);
      break;
    default: return {};
  }
  return d;
}

}  // namespace

std::string outline(const RuleCall& r) {
  const RuleGraph g(r);
  std::string s;
  for (std::size_t i = 0; i < g.order.nodes.size(); ++i) {
    if (!g.inside[i]) {
      s += '.';
      continue;
    }
    s += g.order.nodes[i]->prim->name;
    for (const auto k : g.order.inputs(i)) s += ' ' + std::to_string(k);
    s += ';';
  }
  std::size_t root = 0;
  for (const auto& c : r.results) s += c ? '>' + std::to_string(g.order.roots[root++]) : ">";
  return s;
}

std::vector<Mutation> mutations_of(const RuleCall& r) {
  std::vector<Mutation> all;
  for (std::uint32_t k = 0; k < r.results.size(); ++k) {
    const Tensor& c = r.results[k];
    if (!c || !is_floating(c.dtype())) continue;
    for (const Fault f : {Fault::flip_sign, Fault::double_it, Fault::forget}) all.push_back({f, k});
    if (c.rank() > 0 && c.shape(-1) > 1) all.push_back({Fault::reverse, k});
    if (square_axes(c)) all.push_back({Fault::transpose, k});
    for (std::uint32_t j = k + 1; j < r.results.size(); ++j)
      if (r.results[j] && r.results[j].node() != c.node() && r.results[j].type() == c.type()) all.push_back({Fault::exchange, k, j});
  }
  const RuleGraph g(r);
  for (std::uint32_t i = 0; i < g.order.nodes.size(); ++i)
    if (g.inside[i]) places_in(*g.order.nodes[i], i, r, all);
  return all;
}

Tensors mutated(const Mutation& m, const RuleCall& r) {
  try {
    Tensors d = m.fault <= Fault::transpose ? with_faulty_result(m, r.results) : with_faulty_node(m, r);
    for (std::size_t k = 0; k < d.size(); ++k)
      if (d[k] && !(d[k].type() == r.results[k].type())) return {};
    return d;
  } catch (const Error&) {
    return {};  // the types do not allow it
  }
}

std::string describe(const Mutation& m, const RuleCall& r) {
  static constexpr const char* names[] = {"sign of", "factor 2 in", "no", "exchanged", "reversed", "transposed", "another function for",
                                          "left out", "swapped operands of", "doubled number in", "stale operand of", "another setting of"};
  std::string s = names[static_cast<int>(m.fault)];
  if (m.fault <= Fault::transpose) return s + " result " + std::to_string(m.at);
  const RuleGraph g(r);
  const Node& n = *g.order.nodes[m.at];
  s += ' ' + std::string(n.prim->name) + " (node " + std::to_string(m.at);
  if (m.fault == Fault::other_setting) return s + ": " + other_settings(n)[m.choice].text() + " for " + n.attrs.text() + ")";
  return s + ", operand " + std::to_string(m.other) + ", choice " + std::to_string(m.choice) + ")";
}

}  // namespace adjoint::check
