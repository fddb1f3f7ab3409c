// index_ops.hpp: node makers of the primitives that move elements: by data, side by side, by strides. For other
// operations' rules. Not public: users call the functions of include/adjoint/ops/index.hpp and shape.hpp.
#pragma once

#include "ops/fail.hpp"
#include "ops/shape_ops.hpp"

namespace adjoint {

struct OneAxis { std::int64_t axis = 0; };
struct RowSize { std::int64_t size = 0; };
struct Iota { Shape shape; std::int64_t axis = 0; DType dtype = DType::i64; };
struct Strides { Shape shape, strides; std::int64_t offset = 0; };  // of as_strided: the view; of strided_add: the result's shape

/// out[o.., j.., i..] = x[o.., idx[j..], i..]: the axes of idx stand in the place of `axis`.
Tensor take_node(const Tensor& x, const Tensor& idx, std::int64_t axis, Loc loc);
/// base, then out[o.., idx[j..], i..] += src[o.., j.., i..] in the order of j.
Tensor scatter_add_node(const Tensor& base, const Tensor& idx, const Tensor& src, std::int64_t axis, Loc loc);
/// out[b.., j] = x[b.., idx[b.., j]]
Tensor take_along_node(const Tensor& x, const Tensor& idx, Loc loc);
/// zeros of size `size` along the last axis, then out[b.., idx[b.., j]] += src[b.., j] in the order of j.
Tensor put_along_node(const Tensor& idx, const Tensor& src, std::int64_t size, Loc loc);
Tensor concat_node(const Tensors& parts, std::int64_t axis, Loc loc);
/// out[..., i, ...] = i along `axis`.
Tensor iota_node(const Shape& shape, std::int64_t axis, DType dtype, Loc loc);
/// The view [i..] -> element offset + sum i * stride of x in row-major order.
Tensor as_strided_node(const Tensor& x, const Strides& view, Loc loc);
/// Its transpose: zeros of to.shape, then element offset + sum i * stride += x[i..], in row-major order of i.
Tensor strided_add_node(const Tensor& x, const Strides& to, Loc loc);
/// Row-major strides of a shape.
Ints strides_of(const Shape& shape);

Tensor slice_node(const Tensor& x, const Slices& s, Loc loc);
Tensor embed_node(const Tensor& x, const Embedding& e, Loc loc);
/// x[start : start + size : step] along one axis, the others whole.
Tensor slice_axis(const Tensor& x, int axis, std::int64_t start, std::int64_t size, std::int64_t step, Loc loc);
/// x with one axis moved to another place.
Tensor move_axis(const Tensor& x, int from, int to, Loc loc);
/// x in reverse along one axis.
Tensor flip_axis(const Tensor& x, int axis, Loc loc);
/// A constant i64 tensor of these elements.
Tensor constant_indices(const std::vector<std::int64_t>& values, const Shape& shape, Loc loc);
/// An index operand: i64 or i32, or an Error of `op`.
void need_indices(const Tensor& idx, std::string_view op, Loc loc);

}  // namespace adjoint
