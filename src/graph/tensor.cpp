// tensor.cpp: the handle: copying, types, creation, and the imperative flags. Not evaluation.
#include "adjoint/tensor.hpp"

#include "graph/limits.hpp"
#include "graph/memory.hpp"
#include "graph/node.hpp"
#include "graph/number.hpp"

namespace adjoint {

Tensor::Tensor(const Tensor& o) noexcept : node_(o.node_) { if (node_) add_handle(node_); }
Tensor& Tensor::operator=(const Tensor& o) noexcept {
  if (o.node_) add_handle(o.node_);
  Node* old = std::exchange(node_, o.node_);
  if (old) drop(old, 1);
  return *this;
}
Tensor& Tensor::operator=(Tensor&& o) noexcept {
  if (this == &o) return *this;
  Node* old = std::exchange(node_, std::exchange(o.node_, nullptr));
  if (old) drop(old, 1);
  return *this;
}
Tensor::~Tensor() { if (node_) drop(node_, 1); }

const Type& Tensor::type_of(const Node* node) { return node->type; }
const Type& Tensor::no_value(Loc loc) {
  throw Error({.op = "tensor", .message = "this tensor has no value", .where = user_loc(loc),
               .hint = "a default-constructed or moved-from Tensor was used; give it a value first"});
}

Loc Tensor::where(Loc loc) const {
  if (!node_) no_value(loc);
  return node_->loc;
}
std::int64_t Tensor::shape(int axis, Loc loc) const {
  const Shape& s = shape(loc);
  return s[static_cast<std::size_t>(normal_axis(axis, s.rank(), "shape", loc))];
}

Tensor& Tensor::requires_grad(Loc loc) {
  if (!node_) no_value(loc);
  const Node& n = *node_;
  if (n.kind == Kind::op && !n.computed())
    throw Error({.op = "requires_grad", .message = "only a leaf can ask for gradients", .where = user_loc(loc),
                 .operands = {describe(n)}, .hint = "call detach() first, or use grad(loss, x), which takes any value"});
  if (!is_floating(n.type.dtype))
    throw Error({.op = "requires_grad", .message = "a tensor of " + std::string(name_of(n.type.dtype)) + " has no gradient",
                 .where = user_loc(loc), .operands = {describe(n)}, .hint = "cast it to a floating type"});
  if (n.arity > 0 || n.kind == Kind::literal) *this = detach(loc);
  std::lock_guard lock(graph_mutex());
  node_->wants_grad = node_->tracked = true;
  return *this;
}
bool Tensor::wants_grad() const { return node_ && node_->wants_grad; }
Tensor Tensor::grad() const {
  std::lock_guard lock(graph_mutex());
  return node_ && node_->extra ? node_->extra->grad : Tensor();
}
void Tensor::zero_grad() {
  std::lock_guard lock(graph_mutex());
  if (node_ && node_->extra) node_->extra->grad = Tensor();
}

Tensor Arg::value(DType as) const { return tensor ? *tensor : number_as(*this, {Shape{}, as}, loc); }

static const Type& checked(const Type& type, const char* op, Loc loc) {
  if (!possible(type.shape))
    throw Error({.op = op, .message = "not a possible shape: " + to_string(type), .where = user_loc(loc),
                 .hint = "sizes are >= 0 and multiply to at most 2^58"});
  return type;
}

static void check_pointer(const void* data, const Type& type, const char* op, Loc loc) {
  if (!data && type.shape.numel() != 0)
    throw Error({.op = op, .message = "no memory given for " + to_string(type), .where = user_loc(loc),
                 .hint = "point to as many elements as the shape has, or use zeros()"});
}

std::size_t Tensor::elements_to_copy(std::size_t bytes_each, Loc loc) const {
  const auto n = static_cast<std::size_t>(numel(loc));
  need_memory(n > SIZE_MAX / bytes_each ? SIZE_MAX : n * bytes_each, "the vector", "to_vector", loc);
  return n;
}

Tensor full(const Shape& shape, double value, DType dtype, Loc loc) {
  return literal(checked({shape, dtype}, "full", loc), value, loc);
}
Tensor zeros(const Shape& shape, DType dtype, Loc loc) { return literal(checked({shape, dtype}, "zeros", loc), 0, loc); }
Tensor ones(const Shape& shape, DType dtype, Loc loc) { return literal(checked({shape, dtype}, "ones", loc), 1, loc); }
Tensor full_like(const Tensor& x, double value, Loc loc) { return literal(x.type(loc), value, loc); }
Tensor zeros_like(const Tensor& x, Loc loc) { return literal(x.type(loc), 0, loc); }
Tensor ones_like(const Tensor& x, Loc loc) { return literal(x.type(loc), 1, loc); }
Tensor scalar(double value, DType dtype, Loc loc) { return literal({Shape{}, dtype}, value, loc); }
Tensor scalar_i64(std::int64_t value, Loc loc) {
  Tensor t = literal({Shape{}, DType::i64}, 0, loc);
  t.node()->integer = value;
  return t;
}

namespace detail {
void check_size(std::size_t have, const Type& type, Loc loc) {
  checked(type, "tensor", loc);
  if (static_cast<std::int64_t>(have) != type.shape.numel())
    throw Error({.op = "tensor", .message = std::to_string(have) + " elements given for " + to_string(type) + ", which has " +
                                            std::to_string(type.shape.numel()),
                 .where = user_loc(loc), .hint = "the shape's sizes multiply to the number of elements"});
}
}  // namespace detail

Tensor from_bytes(const void* data, const Type& type, std::shared_ptr<const void> owner, Loc loc) {
  checked(type, "from_data", loc);
  check_pointer(data, type, "from_data", loc);
  const auto bytes = static_cast<std::size_t>(type.shape.numel()) * size_of(type.dtype);
  return leaf(type, borrow_buffer(data, bytes, std::move(owner)), loc);
}

Tensor copy_bytes(const void* data, const Type& type, Loc loc) {
  checked(type, "tensor", loc);
  check_pointer(data, type, "tensor", loc);
  const auto bytes = static_cast<std::size_t>(type.shape.numel()) * size_of(type.dtype);
  need_memory(bytes, "a copy of the data", "tensor", loc);
  Buffer* b = new_buffer(bytes);
  if (bytes) __builtin_memcpy(b->data, data, bytes);
  return leaf(type, b, loc);
}

}  // namespace adjoint
