// bundle.hpp: operations with several results. A node has one; such an operation has a bundle, bytes in which its results lie side by
// side, and `part` k is a view of it with its own shape and element type. `tuple` is the way back: values put side by side, which
// is how derivatives and definitions of such operations are written. A part of a tuple is the value itself, so that no tuple
// of a derivative is ever computed. Not a list of tensors: those are trees of the user's.
#pragma once

#include <span>
#include <vector>

#include "graph/node.hpp"

namespace adjoint {

/// Where parts lie in a bundle: each on a cache line of its own.
struct Layout {
  std::vector<Type> parts;
  std::vector<std::int64_t> offsets;
  Type bundle;  ///< u8[bytes]
};
/// Throws the Error "too many elements" of `op` when no tensor could hold them.
Layout layout_of(std::vector<Type> parts, std::string_view op, Loc loc);

struct Part { std::int64_t index = 0, offset = 0; Shape shape; DType dtype = DType::f32; };
struct Tuple { std::vector<std::int64_t> index, offset; Shape shape; };  // which parts there are, where they lie, and the bundle's shape

/// Part k of a bundle; of a tuple the value itself.
Tensor part_node(const Tensor& bundle, const Layout& layout, std::size_t k, Loc loc);
/// All parts.
Tensors parts_of(const Tensor& bundle, const Layout& layout, Loc loc);
/// A bundle of these values; an empty Tensor is no value, which is zeros where bytes are asked for. Null if there is none at all.
Tensor tuple_node(const Layout& layout, const Tensors& values, Loc loc);
/// The same of many examples side by side: what a batching rule returns.
Tensor tuple_of_all(const Layout& layout, const Tensors& values, std::int64_t examples, Loc loc);
/// The values of a tuple by part, empty where it has none.
Tensors values_of_tuple(const Tensor& tuple, std::size_t parts);
bool is_tuple(const Node& n);

/// The sum of two cotangents of one value: part by part of tuples.
Tensor add_cotangents(const Tensor& a, const Tensor& b);
/// The node again, over other operands of the same types: every rebuilding of a graph, so that parts of tuples fold.
Tensor remade(const Node& n, const Tensors& in);

}  // namespace adjoint
