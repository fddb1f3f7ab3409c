// tensor.hpp: Tensor, a small handle to a node of an immutable graph, and Arg, what operations take.
// Not a container: a Tensor holds no elements until something asks for them.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "adjoint/dtype.hpp"
#include "adjoint/error.hpp"
#include "adjoint/shape.hpp"

/// The library: tensors, operations, gradients. Layers, optimizers, data and files have namespaces of their own.
namespace adjoint {

struct Node;
class Number;  // number.hpp

/// A value of the graph: shape, element type, and the user's source line that made it. Copying a Tensor
/// copies the handle. Values are pure; when they are computed never changes them.
class Tensor {
 public:
  Tensor() = default;  ///< no value; using it in an operation is an Error
  Tensor(const Tensor& o) noexcept;  ///< another handle to the same value
  Tensor(Tensor&& o) noexcept : node_(std::exchange(o.node_, nullptr)) {}  ///< takes the handle over
  Tensor& operator=(const Tensor& o) noexcept;  ///< rebinds this handle; values never change
  Tensor& operator=(Tensor&& o) noexcept;  ///< likewise
  ~Tensor();

  explicit operator bool() const { return node_ != nullptr; }  ///< false for a handle without a value
  /// Element type and shape. As all of these: throws Error at the caller's line for a handle without a value.
  const Type& type(Loc loc = Loc::current()) const { return node_ ? type_of(node_) : no_value(loc); }
  const Shape& shape(Loc loc = Loc::current()) const { return type(loc).shape; }  ///< sizes of the axes, known before anything is computed
  std::int64_t shape(int axis, Loc loc = Loc::current()) const;  ///< size of one axis; negative counts from the end
  DType dtype(Loc loc = Loc::current()) const { return type(loc).dtype; }  ///< element type
  int rank(Loc loc = Loc::current()) const { return type(loc).shape.rank(); }  ///< number of axes, at most 8
  std::int64_t numel(Loc loc = Loc::current()) const { return type(loc).shape.numel(); }  ///< number of elements
  Loc where(Loc loc = Loc::current()) const;  ///< the user's line that made this value

  /// The value of a tensor of one element. Runs what it needs, with every pending update.
  double item(Loc loc = Loc::current()) const;
  /// All elements, row-major, converted exactly when T is the tensor's type, else by cast rules.
  template <class T> std::vector<T> to_vector(Loc loc = Loc::current()) const {
    std::vector<T> v(elements_to_copy(sizeof(T), loc));
    copy_out(v.data(), dtype_of<T>, loc);
    return v;
  }
  /// Writes numel() elements of type `as` to `out`, row-major.
  void copy_out(void* out, DType as, Loc loc = Loc::current()) const;

  /// Imperative form. Marks this leaf so that backward() accumulates into grad(); returns *this.
  Tensor& requires_grad(Loc loc = Loc::current());
  bool wants_grad() const;  ///< requires_grad was called on it
  /// The accumulated gradient of a leaf; empty if backward() has not reached it.
  Tensor grad() const;
  void zero_grad();  ///< forgets grad(); the next backward() starts from zero

  /// The same value, computed now if need be, as a leaf with no history.
  Tensor detach(Loc loc = Loc::current()) const;

  Tensor& operator+=(const struct Arg& o);  ///< rebinds this handle to *this + o; other handles keep the old value
  Tensor& operator-=(const struct Arg& o);  ///< likewise
  Tensor& operator*=(const struct Arg& o);  ///< likewise
  Tensor& operator/=(const struct Arg& o);  ///< likewise

  /// For the library's own rooms.
  struct Take {};
  Tensor(Take, Node* node) noexcept : node_(node) {}  ///< takes over one handle
  Node* node() const { return node_; }  ///< null for a handle without a value

 private:
  static const Type& type_of(const Node* node);
  [[noreturn]] static const Type& no_value(Loc loc);
  std::size_t elements_to_copy(std::size_t bytes_each, Loc loc) const;  ///< numel(), or an Error when memory cannot hold them
  Node* node_ = nullptr;
};
using Tensors = std::vector<Tensor>;  ///< a list of values, such as all results or all operands

/// What an operation takes: a Tensor or a number, and the place of the call. A number has no element
/// type of its own: it takes that of the other operand (of f32 if there is none).
struct Arg {
  const Tensor* tensor = nullptr;  ///< null for a number; outlives the call as any argument does
  double number = 0;
  Loc loc;
  std::uint64_t term = 0;          ///< of a Number in a trace: how it was computed
  const Tensor* scalar = nullptr;  ///< of a Number that is a scalar of the graph; it has no element type of its own either
  /// Implicit, so that operations take Tensors as they are.
  Arg(const Tensor& t, Loc l = Loc::current()) : tensor(&t), loc(l) {}  // NOLINT: implicit by design
  /// Implicit, so that operations take numbers as they are; one such constructor only.
  Arg(double c, Loc l = Loc::current()) : number(c), loc(l) {}  // NOLINT: implicit by design
  /// A setting, which may change from step to step.
  Arg(const Number& n, Loc l = Loc::current());  // NOLINT: implicit by design
  /// The operand as a Tensor; a number becomes a scalar of type `as`.
  Tensor value(DType as = DType::f32) const;
};

/// Opened by composite operations and layers: nodes made inside report the caller's line and the name.
/// The outermost scope wins, so that an error names the user's line, not the library's.
class OpScope {
 public:
  OpScope(const char* op, Loc loc);  ///< opens the scope; `op` outlives it
  ~OpScope();
  OpScope(const OpScope&) = delete;
  OpScope& operator=(const OpScope&) = delete;
  const char* op;
  Loc loc;
  OpScope* outer;
};

// ---- creation -------------------------------------------------------------------------------------

/// A tensor over the caller's memory, not copied: the memory must stay alive and unchanged while the tensor
/// or anything computed from it lives, or give `owner`, which is held as long as needed.
template <class T>
Tensor from_data(std::span<const T> data, const Shape& shape, std::shared_ptr<const void> owner = nullptr,
                 Loc loc = Loc::current());
/// The same without element types in C++: `data` is row-major in memory, type.shape.numel() elements.
Tensor from_bytes(const void* data, const Type& type, std::shared_ptr<const void> owner, Loc loc = Loc::current());
/// A tensor that owns a copy of the data.
Tensor copy_bytes(const void* data, const Type& type, Loc loc = Loc::current());
/// A tensor that owns a copy of `data`, row-major.  throws  Error unless data.size() == shape.numel()
template <class T> Tensor tensor(const std::vector<T>& data, const Shape& shape, Loc loc = Loc::current());
/// A vector of f32.
inline Tensor tensor(std::initializer_list<double> data, Loc loc = Loc::current());

/// All elements `value`, converted to `dtype`.  gradient  none: a constant
Tensor full(const Shape& shape, double value, DType dtype = DType::f32, Loc loc = Loc::current());
/// All elements 0.
Tensor zeros(const Shape& shape, DType dtype = DType::f32, Loc loc = Loc::current());
/// All elements 1.
Tensor ones(const Shape& shape, DType dtype = DType::f32, Loc loc = Loc::current());
/// full with the shape and element type of x. The gradient does not reach x.
Tensor full_like(const Tensor& x, double value, Loc loc = Loc::current());
/// All elements 0, shaped as x.
Tensor zeros_like(const Tensor& x, Loc loc = Loc::current());
/// All elements 1, shaped as x.
Tensor ones_like(const Tensor& x, Loc loc = Loc::current());
/// A scalar of any element type; integers keep all 64 bits.
Tensor scalar(double value, DType dtype = DType::f32, Loc loc = Loc::current());
/// A scalar of type i64.
Tensor scalar_i64(std::int64_t value, Loc loc = Loc::current());

// ---- running --------------------------------------------------------------------------------------

/// Computes these values, and every pending update, as one plan; afterwards they are held in memory.
void eval(std::span<const Tensor> values, Loc loc = Loc::current());
/// The same for one value.
void eval(const Tensor& value, Loc loc = Loc::current());
/// Number of threads used by kernels; results do not depend on it.
void set_threads(int n, Loc loc = Loc::current());
/// The number in use: set_threads', or one a core.
int threads();

/// Bytes of the largest arena (temporaries of one plan) so far.
std::int64_t largest_arena_bytes();

/// The value, computed if need be, as nested brackets; large tensors are shortened. graph_text prints the graph instead.
std::ostream& operator<<(std::ostream&, const Tensor&);

// ---- details --------------------------------------------------------------------------------------

namespace detail {
/// Throws unless `have` elements are what `type` has.
void check_size(std::size_t have, const Type& type, Loc loc);
}
template <class T>
Tensor from_data(std::span<const T> data, const Shape& shape, std::shared_ptr<const void> owner, Loc loc) {
  const Type type{shape, dtype_of<T>};
  detail::check_size(data.size(), type, loc);
  return from_bytes(data.data(), type, std::move(owner), loc);
}
template <class T> Tensor tensor(const std::vector<T>& data, const Shape& shape, Loc loc) {
  const Type type{shape, dtype_of<T>};
  detail::check_size(data.size(), type, loc);
  return copy_bytes(data.data(), type, loc);
}
inline Tensor tensor(std::initializer_list<double> data, Loc loc) {
  std::vector<float> v;
  for (double d : data) v.push_back(static_cast<float>(d));
  return tensor(v, Shape{static_cast<std::int64_t>(v.size())}, loc);
}

}  // namespace adjoint
