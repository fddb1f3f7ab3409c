// body.cpp: cutting a function's graph out of the graph around it, and putting it back in. Not the tracing of a user's function.
#include "transform/body.hpp"

#include <algorithm>
#include <unordered_map>

#include "graph/attrs.hpp"
#include "ops/bundle.hpp"

namespace adjoint {
namespace {

using Places = std::unordered_map<const Node*, std::uint32_t>;

/// What lies between the inputs and the outputs.
struct Inside {
  std::vector<Node*> nodes, captured, numbers;
};

/// Operands before users, found from the outputs; iterative, as every walk.
Inside look(const Tensors& inputs, const Tensors& outputs, const Recording* inside) {
  enum : char { fresh, open, done };
  Inside found;
  std::unordered_map<const Node*, char> seen;
  for (const auto& t : inputs) seen[t.node()] = done;
  std::vector<Node*> stack;
  for (std::size_t k = outputs.size(); k-- > 0;) stack.push_back(outputs[k].node());
  while (!stack.empty()) {
    Node* n = stack.back();
    char& state = seen[n];
    const bool leaf = (n->kind == Kind::literal && !n->computed()) || n->kind != Kind::op || n->computed() || (inside && !inside->made(n));
    if (state == fresh && !leaf) {
      state = open;
      for (std::size_t k = n->arity; k-- > 0;) stack.push_back(n->in[k]);
      continue;
    }
    stack.pop_back();
    if (state == done) continue;
    if (!leaf) found.nodes.push_back(n);
    else if (n->kind == Kind::literal && !n->computed()) found.numbers.push_back(n);
    else found.captured.push_back(n);
    state = done;
  }
  return found;
}

std::uint64_t hash_of(const Type& t) {
  std::uint64_t h = mix(3, static_cast<std::uint64_t>(t.dtype) | static_cast<std::uint64_t>(t.shape.rank()) << 8);
  for (auto d : t.shape) h = mix(h, static_cast<std::uint64_t>(d));
  return h;
}

std::uint64_t hash_of(const Body& body) {
  Places at;
  std::uint64_t h = 11;
  for (const auto& t : body.inputs) {
    h = mix(mix(h, hash_of(t.type())), t.node()->kind == Kind::literal);
    at.emplace(t.node(), static_cast<std::uint32_t>(at.size()));
  }
  for (const Node* n : body.nodes) {
    h = mix(mix(mix(h, reinterpret_cast<std::uintptr_t>(n->prim)), n->attrs.hash()), hash_of(n->type));
    for (const Node* operand : n->operands()) h = mix(h, at.at(operand));
    at.emplace(n, static_cast<std::uint32_t>(at.size()));
  }
  for (const auto& t : body.outputs) h = mix(h, at.at(t.node()));
  return h;
}

/// The nodes made anew; `now` holds what stands for the inputs.
void rebuild(std::span<Node* const> nodes, std::unordered_map<const Node*, Tensor>& now) {
  Tensors in;
  for (const Node* n : nodes) {
    in.clear();
    for (const Node* operand : n->operands()) in.push_back(now.at(operand));
    const BackwardScope scope(*n, n->backward);
    now[n] = remade(*n, in);
  }
}

Tensor number_like(const Node& n) {
  Tensor t = literal(n.type, 0, n.loc);
  if (is_floating(n.type.dtype)) t.node()->number = n.number;
  else t.node()->integer = n.integer;
  return t;
}

}  // namespace

Tensor stand_in(const Type& type, Loc loc) {
  Tensor t = leaf(type, nullptr, loc);
  t.node()->traced = true;
  return t;
}
Tensors stand_ins(const Tensors& like) {
  Tensors all;
  for (const auto& t : like) all.push_back(stand_in(t.type(), t.where()));
  return all;
}

Closed close(const Tensors& inputs, const Tensors& outputs, const Recording* inside) {
  const Inside found = look(inputs, outputs, inside);
  auto body = std::make_shared<Body>();
  Closed closed;
  std::unordered_map<const Node*, Tensor> now;
  const auto add = [&](const Node* n, Tensor stand) {
    now[n] = stand;
    body->inputs.push_back(std::move(stand));
  };
  for (const auto& t : inputs) add(t.node(), stand_in(t.type(), t.where()));
  for (Node* n : found.captured) add(n, stand_in(n->type, n->loc)), closed.captured.push_back(share(n));
  for (Node* n : found.numbers) add(n, number_like(*n)), closed.captured.push_back(share(n));
  rebuild(found.nodes, now);
  for (const auto& t : outputs) body->outputs.push_back(now.at(t.node()));
  body->nodes = look(body->inputs, body->outputs, nullptr).nodes;  // fewer, where parts of tuples were folded
  body->hash = hash_of(*body);
  closed.body = std::move(body);
  return closed;
}

Tensors call(const Body& body, const Tensors& inputs) {
  std::unordered_map<const Node*, Tensor> now;
  for (std::size_t k = 0; k < inputs.size(); ++k) now[body.inputs[k].node()] = inputs[k];
  rebuild(body.nodes, now);
  Tensors out;
  for (const auto& t : body.outputs) out.push_back(now.at(t.node()));
  return out;
}

}  // namespace adjoint
