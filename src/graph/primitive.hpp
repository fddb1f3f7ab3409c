// primitive.hpp: everything known about one operation, as one record in one file; no central list.
// Not a kernel: kernels register themselves under the primitive's name.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "adjoint/tensor.hpp"
#include "graph/attrs.hpp"

namespace adjoint {

struct Primitive;

/// What `infer` sees: the operand types and attributes; `fail` throws the Error at the user's line.
struct Infer {
  const Primitive& prim;
  std::span<const Tensor* const> in;
  const Attrs& attrs;
  const Type& type(std::size_t i) const { return in[i]->type(); }
  [[noreturn]] void fail(std::string message, std::string hint = {}) const;
};

/// What a backward rule sees: the node's operands, its own result, the cotangent of the result, and which
/// operands need one. A rule returns one Tensor an operand; an empty Tensor means "none".
struct Vjp {
  const Node& node;
  const Tensor& ct;
  std::span<const bool> wanted;
  Tensor in(std::size_t i) const;
  Tensor out() const;
  std::size_t arity() const { return wanted.size(); }
  bool wants(std::size_t i) const { return wanted[i]; }
  template <class A> const A& attrs() const { return attrs_of(node).template as<A>(); }
  static const Attrs& attrs_of(const Node&);
};

/// What a forward rule sees: the operands, the result and the tangents; an empty tangent is zero.
struct Jvp {
  const Node& node;
  std::span<const Tensor> dot;
  Tensor in(std::size_t i) const;
  Tensor out() const;
  std::size_t arity() const { return dot.size(); }
  template <class A> const A& attrs() const { return Vjp::attrs_of(node).as<A>(); }
};

/// What a batching rule sees: the node as one example knows it, and each operand of all examples side by side along a new
/// axis 0; an empty one is the same for every example. A rule returns the results side by side likewise.
struct Batch {
  const Node& node;
  std::span<const Tensor> all;
  std::int64_t size;  ///< number of examples, at least 1
  Tensor in(std::size_t i) const;
  std::size_t arity() const { return all.size(); }
  template <class A> const A& attrs() const { return Vjp::attrs_of(node).as<A>(); }
};

/// A strided view in elements, relative to the operand's first element.
struct Strided {
  Shape shape, strides;
  std::int64_t offset = 0;
};

enum class Gradient : std::uint8_t {
  smooth,   ///< has vjp and jvp, by hand or through decompose
  zero,     ///< integer, boolean or piecewise constant: a declared zero, never "missing"
  refused,  ///< asking for it is an error when the gradient graph is built
};

struct Primitive {
  std::string_view name;
  struct Traits {
    bool elementwise = false;  ///< runs in a fused group, through the scalar function of this name
    bool inlined = false;      ///< a named function of other operations: it makes no node of its own
    Gradient gradient = Gradient::smooth;
  } traits = {};
  Type (*infer)(const Infer&) = nullptr;                      ///< the only place where shapes are decided
  Tensor (*decompose)(const Node&) = nullptr;                 ///< in simpler operations: the definition
  Tensors (*vjp)(const Vjp&) = nullptr;                       ///< else the vjp of decompose
  Tensor (*jvp)(const Jvp&) = nullptr;                        ///< else the jvp of decompose
  Tensor (*batch)(const Batch&) = nullptr;                    ///< else, if elementwise, the same on all examples; else (or where it
                                                              ///< returns an empty Tensor) the batch of decompose
  std::optional<Strided> (*alias)(const Node&, const Strided& in) = nullptr;  ///< a view of operand 0
  std::string_view family = {};                               ///< of the op table: "D1" ... "D24"
};

/// Registers the record and returns it with a fixed address. Tests, docs and loaders enumerate the registry.
const Primitive& define(Primitive);
/// All records, in order of name.
std::span<const Primitive* const> primitives();
/// The record of that name, or null.
const Primitive* find_primitive(std::string_view name);

/// Makes a node. Operands are Tensors of matching types, or `infer` throws. `loc` is the user's call.
Tensor apply(const Primitive&, std::span<const Tensor* const> in, Attrs attrs, Loc loc);
Tensor apply(const Primitive&, std::initializer_list<const Tensor*> in, Attrs attrs, Loc loc);
Tensor apply(const Primitive&, const Tensors& in, Attrs attrs, Loc loc);

/// The lines of an Error that say where each operand came from.
std::vector<std::string> operand_lines(std::span<const Tensor* const> in);
/// A number seen as a full tensor. A literal is an input of the plan: its value is no part of a plan's key.
Tensor literal(const Type& type, double number, Loc loc);
/// Axis in [-rank, rank) made non-negative, or an Error for `op`.
int normal_axis(std::int64_t axis, int rank, std::string_view op, Loc loc);

}  // namespace adjoint
