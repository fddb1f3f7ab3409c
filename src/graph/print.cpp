// print.cpp: graphs as text and DOT. Not the printing of values, which needs the runtime.
#include "adjoint/print.hpp"

#include <cstdio>

#include "graph/topo.hpp"

namespace adjoint {
namespace {

Order order_of(std::span<const Tensor> roots) {
  std::vector<Node*> nodes;
  for (const auto& t : roots) t.type(), nodes.push_back(t.node());
  return topological_order(nodes, {.through_computed = true});
}

std::string label(const Node& n) {
  if (n.kind == Kind::literal) {
    char number[32];
    if (is_floating(n.type.dtype)) std::snprintf(number, sizeof number, "%.9g", n.number);
    else std::snprintf(number, sizeof number, "%lld", static_cast<long long>(n.integer));
    return number;
  }
  if (n.kind == Kind::leaf) return n.extra && !n.extra->name.empty() ? n.extra->name : n.wants_grad ? "parameter" : "data";
  return std::string(n.prim->name);
}

std::string escaped(const std::string& s) {
  std::string out;
  for (char c : s) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::string graph_text(std::span<const Tensor> roots) {
  std::lock_guard lock(graph_mutex());
  const Order order = order_of(roots);
  std::string text;
  for (std::size_t i = 0; i < order.nodes.size(); ++i) {
    const Node& n = *order.nodes[i];
    text += '%' + std::to_string(i) + ' ' + to_string(n.type) + ' ' + label(n);
    if (n.kind == Kind::op) {
      text += '(';
      const auto inputs = order.inputs(i);
      for (std::size_t k = 0; k < inputs.size(); ++k) text += (k ? ", %" : "%") + std::to_string(inputs[k]);
      if (const auto settings = n.attrs.text(); !settings.empty()) text += "; " + settings;
      text += ')';
    }
    if (n.backward) text += "  backward";
    if (n.scope && n.kind == Kind::op && (n.backward || label(n) != n.scope)) text += std::string(n.backward ? " of " : "  of ") + n.scope;
    if (n.loc.line > 0) text += "  at " + to_string(n.loc);
    text += '\n';
  }
  return text;
}

std::string graph_dot(std::span<const Tensor> roots) {
  std::lock_guard lock(graph_mutex());
  const Order order = order_of(roots);
  std::string text = "digraph adjoint {\n  node [shape=box, fontname=\"monospace\"];\n";
  for (std::size_t i = 0; i < order.nodes.size(); ++i) {
    const Node& n = *order.nodes[i];
    text += "  n" + std::to_string(i) + " [label=\"" + escaped(label(n)) + "\\n" + escaped(to_string(n.type)) + '"';
    if (n.kind != Kind::op) text += ", shape=ellipse";
    if (n.backward) text += ", style=dashed";
    text += "];\n";
    for (auto k : order.inputs(i)) text += "  n" + std::to_string(k) + " -> n" + std::to_string(i) + ";\n";
  }
  return text + "}\n";
}

std::string graph_text(const Tensor& root) { return graph_text(std::span(&root, 1)); }
std::string graph_dot(const Tensor& root) { return graph_dot(std::span(&root, 1)); }

}  // namespace adjoint
