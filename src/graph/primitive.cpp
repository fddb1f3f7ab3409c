// primitive.cpp: the registry of records and the making of nodes. Not a list of operations: records
// register themselves from their own files.
#include "graph/primitive.hpp"

#include <algorithm>
#include <deque>
#include <map>

#include "graph/limits.hpp"
#include "graph/node.hpp"

namespace adjoint {
namespace detail {
void stamp(Node& n, Loc loc);
void refuse_donated(const Primitive& prim, std::span<const Tensor* const> in, Loc loc);
}  // namespace detail
namespace {

struct Registry {
  std::deque<Primitive> records;  // stable addresses
  std::map<std::string_view, const Primitive*> by_name;
  std::vector<const Primitive*> sorted;
};
Registry& registry() {
  static auto* r = new Registry;
  return *r;
}

}  // namespace

std::vector<std::string> operand_lines(std::span<const Tensor* const> in) {
  std::vector<std::string> lines;
  const char* names[] = {"left   ", "right  ", "third  "};
  for (std::size_t i = 0; i < in.size() && i < 8; ++i)
    lines.push_back((in.size() == 1 ? "operand  " : in.size() == 2 ? names[i] : "operand " + std::to_string(i) + "  ") +
                    (*in[i] ? describe(*in[i]->node()) : std::string("(no value)")));
  return lines;
}

const Primitive& define(Primitive p) {
  auto& r = registry();
  const auto& record = r.records.emplace_back(p);
  if (!r.by_name.emplace(record.name, &record).second)
    throw Error({.op = std::string(p.name), .message = "this operation is defined twice"});
  r.sorted.clear();
  return record;
}

std::span<const Primitive* const> primitives() {
  auto& r = registry();
  std::lock_guard lock(graph_mutex());
  if (r.sorted.empty())
    for (auto& [name, record] : r.by_name) r.sorted.push_back(record);
  return r.sorted;
}

const Primitive* find_primitive(std::string_view name) {
  auto& r = registry();
  const auto it = r.by_name.find(name);
  return it == r.by_name.end() ? nullptr : it->second;
}

namespace {
thread_local Loc failing_at;
}
void Infer::fail(std::string message, std::string hint) const {
  throw Error({.op = std::string(prim.name), .message = std::move(message), .where = user_loc(failing_at),
               .operands = operand_lines(in), .hint = std::move(hint)});
}

const Attrs& Vjp::attrs_of(const Node& n) { return n.attrs; }
Tensor Vjp::in(std::size_t i) const { return share(node.in[i]); }
Tensor Vjp::out() const { return share(const_cast<Node*>(&node)); }
Tensor Jvp::in(std::size_t i) const { return share(node.in[i]); }
Tensor Batch::in(std::size_t i) const { return share(node.in[i]); }
Tensor Jvp::out() const { return share(const_cast<Node*>(&node)); }

Tensor apply(const Primitive& prim, std::span<const Tensor* const> in, Attrs attrs, Loc loc) {
  for (auto* t : in)
    if (!*t)
      throw Error({.op = std::string(prim.name), .message = "an operand has no value", .where = user_loc(loc),
                   .operands = operand_lines(in),
                   .hint = "a default-constructed or moved-from Tensor was passed; give it a value first"});
  detail::refuse_donated(prim, in, loc);
  failing_at = loc;
  const Type type = prim.infer({prim, in, attrs});
  if (!possible(type.shape))
    throw Error({.op = std::string(prim.name), .message = "too many elements: the result would be " + to_string(type), .where = user_loc(loc),
                 .operands = operand_lines(in), .hint = "sizes multiply to at most 2^58"});
  Node* n = new_node();
  n->prim = &prim;
  n->attrs = std::move(attrs);
  n->type = type;
  n->arity = static_cast<std::uint32_t>(in.size());
  n->in = in.size() <= 3 ? n->inline_in : new Node*[in.size()];
  bool tracked = false, traced = false;
  for (std::size_t i = 0; i < in.size(); ++i) {
    Node* operand = in[i]->node();
    add_edge(operand);
    n->in[i] = operand;
    tracked |= operand->tracked;
    traced |= operand->traced;
  }
  n->tracked = tracked;
  n->traced = traced;
  detail::stamp(*n, loc);
  count_unevaluated(*n);
  return Tensor(Tensor::Take{}, n);
}

Tensor apply(const Primitive& prim, std::initializer_list<const Tensor*> in, Attrs attrs, Loc loc) {
  return apply(prim, std::span(in.begin(), in.size()), std::move(attrs), loc);
}

Tensor apply(const Primitive& prim, const Tensors& in, Attrs attrs, Loc loc) {
  const Tensor* few[4];
  std::vector<const Tensor*> many;
  const Tensor** pointers = few;
  if (in.size() > 4) {
    many.resize(in.size());
    pointers = many.data();
  }
  for (std::size_t i = 0; i < in.size(); ++i) pointers[i] = &in[i];
  return apply(prim, std::span<const Tensor* const>(pointers, in.size()), std::move(attrs), loc);
}

int normal_axis(std::int64_t axis, int rank, std::string_view op, Loc loc) {
  if (axis < -rank || axis >= rank)
    throw Error({.op = std::string(op),
                 .message = "axis " + std::to_string(axis) + " is out of range for rank " + std::to_string(rank),
                 .where = user_loc(loc),
                 .hint = rank == 0 ? "a scalar has no axes"
                                   : "axes run from " + std::to_string(-rank) + " to " + std::to_string(rank - 1)});
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

Tensor literal(const Type& type, double number, Loc loc) {
  Node* n = new_node();
  n->kind = Kind::literal;
  n->type = type;
  n->in = n->inline_in;
  if (is_floating(type.dtype)) n->number = number;
  else n->integer = number >= 9.2233720368547758e18   ? INT64_MAX
                    : number <= -9.2233720368547758e18 ? INT64_MIN
                                                       : static_cast<std::int64_t>(number);
  detail::stamp(*n, loc);
  return Tensor(Tensor::Take{}, n);
}

Tensor leaf(const Type& type, Buffer* data, Loc loc) {
  Node* n = new_node();
  n->kind = Kind::leaf;
  n->type = type;
  n->in = n->inline_in;
  n->data.store(data, std::memory_order_release);
  detail::stamp(*n, loc);
  return Tensor(Tensor::Take{}, n);
}

}  // namespace adjoint
