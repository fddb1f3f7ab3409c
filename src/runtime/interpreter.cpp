// interpreter.cpp: a composite is its definition, an elementwise operation a program of one instruction, a view a copy
// element by element, and everything else its kernel on contiguous operands.
// Not a user of the passes: their faults are what it is compared for.
#include "runtime/interpreter.hpp"

#include <algorithm>
#include <cstring>

#include "plan/scalar_functions.hpp"
#include "runtime/alone.hpp"

namespace adjoint::runtime {
namespace {

using plan::View;

Tensor fresh(const Type& type, Loc loc) {
  return leaf(type, new_buffer(static_cast<std::size_t>(type.shape.numel()) * size_of(type.dtype)), loc);
}
std::byte* bytes_of(const Tensor& t) { return t.node()->data.load(std::memory_order_acquire)->data; }
View view_of(const Tensor& t) { return plan::contiguous_view(bytes_of(t), t.dtype(), t.shape().begin(), t.rank()); }

[[noreturn]] void failed(const Node& n, std::string what) {
  throw Error({.op = std::string(n.prim->name), .message = std::move(what), .where = n.loc, .operands = {describe(n)}});
}

Tensor literal_value(const Type& type, std::int64_t bits, Loc loc) {
  Tensor t = fresh(type, loc);
  const auto size = size_of(type.dtype);
  for (std::int64_t i = 0; i < type.shape.numel(); ++i) std::memcpy(bytes_of(t) + static_cast<std::size_t>(i) * size, &bits, size);
  return t;
}

/// The elements that the view `n` of operand `x` shows, in row-major order.
Tensor shown(const Node& n, const Tensor& x) {
  Strided rows{x.shape(), x.shape(), 0};
  std::int64_t stride = 1;
  for (std::size_t k = rows.shape.size(); k-- > 0;) rows.strides[k] = stride, stride *= rows.shape[k];
  const auto view = n.prim->alias(n, rows);
  if (!view) failed(n, "is no view of contiguous elements");
  Tensor y = fresh(n.type, n.loc);
  const auto size = static_cast<std::int64_t>(size_of(n.type.dtype));
  std::byte* to = bytes_of(y);
  const std::byte* from = bytes_of(x) + view->offset * size;
  Shape index = view->shape;
  for (auto& i : index) i = 0;
  for (std::int64_t count = y.numel(); count > 0; --count, to += size) {
    std::memcpy(to, from, static_cast<std::size_t>(size));
    for (std::size_t k = index.size(); k-- > 0;) {  // the next index
      from += view->strides[k] * size;
      if (++index[k] < view->shape[k]) break;
      from -= view->shape[k] * view->strides[k] * size;
      index[k] = 0;
    }
  }
  return y;
}

plan::StepFn one_instruction(const Node& n, const Tensors& in, std::span<const View> from_views, const View& to) {
  plan::TileProgram program;
  plan::TileInstruction& i = program.instructions.emplace_back();
  const int op = plan::find_scalar_function(n.prim->name);
  if (op < 0) failed(n, "there is no scalar function of this name");
  std::uint16_t* const from[] = {&i.a, &i.b, &i.c};
  for (const auto& x : in) {
    *from[program.registers] = program.registers;
    program.inputs.push_back({program.registers++, x.dtype()});
  }
  i.op = static_cast<std::uint16_t>(op);
  i.dtype = n.type.dtype;
  i.src = in.back().dtype();
  i.dst = program.registers++;
  program.outputs.push_back({i.dst, i.dtype});
  return plan::tile_factory()(program, n.type.shape.span(), from_views, std::span(&to, 1));
}

Tensor computed(const Node& n, const Tensors& in) {
  const Tensor y = fresh(n.type, n.loc);
  std::vector<View> from;
  for (const auto& x : in) from.push_back(view_of(x));
  const View to = view_of(y);
  plan::StepFn step;
  if (n.prim->traits.elementwise) step = one_instruction(n, in, from, to);
  else if (const auto* kernel = plan::find_kernel(n.prim->name)) step = kernel->prepare({n.attrs, from, to});
  if (!step) failed(n, "this build has no kernel for these operands");
  if (const char* what = step(from.data(), &to)) failed(n, what);
  return y;
}

/// What the composite `n` is in simpler operations, computed on the operands' values. As deep as definitions are nested.
Tensor defined(const Node& n) {
  std::unique_lock lock(graph_mutex());
  const Tensor simple = n.prim->decompose(n);
  Node* const root = simple.node();
  const Order order = topological_order(std::span(&root, 1));
  const Interpreter definition(order);
  std::vector<Buffer*> leaves;
  std::vector<std::int64_t> literals;
  for (const Node* m : order.nodes) {
    if (m->kind == Kind::literal) literals.push_back(literal_bits(*m));
    else if (m->arity == 0) leaves.push_back(m->data.load(std::memory_order_acquire));
  }
  lock.unlock();
  return definition.run(leaves, literals)[0];
}

Tensor value_of(const Node& n, const Tensors& in) {
  if (n.prim->alias) return shown(n, in[0]);
  if (n.prim->decompose && !n.prim->traits.elementwise) return defined(n);
  return computed(n, in);
}

}  // namespace

Interpreter::Interpreter(const Order& order) : roots_(order.roots) {
  std::uint32_t leaves = 0, literals = 0;
  for (std::uint32_t i = 0; i < order.nodes.size(); ++i) {
    const Node& n = *order.nodes[i];
    Item item{.attrs = n.attrs, .type = n.type, .loc = n.loc};
    item.literal = n.kind == Kind::literal && !n.computed();
    if (item.literal) item.input = literals++;
    else if (n.arity == 0 || n.computed()) item.input = leaves++;
    else item.prim = n.prim;
    for (auto k : order.inputs(i)) {
      item.in.push_back(k);
      items_[k].last_reader = i;
    }
    items_.push_back(std::move(item));
  }
  for (auto r : roots_) items_[r].last_reader = static_cast<std::uint32_t>(items_.size());
}

Tensors Interpreter::run(std::span<Buffer* const> leaves, std::span<const std::int64_t> literals) const {
  const Alone alone;
  Tensors values;
  for (std::uint32_t i = 0; i < items_.size(); ++i) {
    const Item& item = items_[i];
    if (item.literal) {
      values.push_back(literal_value(item.type, literals[item.input], item.loc));
    } else if (!item.prim) {
      retain(leaves[item.input]);
      values.push_back(leaf(item.type, leaves[item.input], item.loc));
    } else {
      Tensors in;
      for (auto k : item.in) in.push_back(values[k]);
      const Tensor node = apply(*item.prim, in, item.attrs, item.loc);  // as the user wrote it, over computed operands
      values.push_back(value_of(*node.node(), in));
    }
    for (auto k : item.in)
      if (items_[k].last_reader == i) values[k] = Tensor();
  }
  Tensors results;
  for (auto r : roots_) {
    Tensor& value = results.emplace_back(values[r]);
    if (items_[r].prim || items_[r].literal) continue;
    value = fresh(items_[r].type, items_[r].loc);  // a leaf's bytes may be overwritten later
    std::memcpy(bytes_of(value), bytes_of(values[r]), value.node()->data.load()->bytes);
  }
  return results;
}

}  // namespace adjoint::runtime
