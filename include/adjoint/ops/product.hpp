// product.hpp: products of vectors, matrices and batches of them. Each element is an fma chain over k in blocks
// of 1,024 joined by a fixed tree, so its bits depend on its two vectors alone; f16 and bf16 accumulate in f32.
// Element types are promoted. Not convolutions.
#pragma once

#include <string_view>

#include "adjoint/tensor.hpp"

namespace adjoint {

/// Matrix product as in numpy: [.., m, k] x [.., k, n] -> [.., m, n]; leading axes broadcast; a vector on the left is
/// a row, on the right a column, and its axis is dropped from the result. f16 and bf16 accumulate in f32.
///   gradient  dx = ct y^T, dy = x^T ct
Tensor matmul(const Arg& x, const Arg& y);

/// sum x_i y_i of two vectors.  gradient  dx = ct y, dy = ct x
Tensor dot(const Arg& x, const Arg& y);
/// dot of two tensors of one shape, flattened.  gradient  dx = ct y, dy = ct x
Tensor vdot(const Arg& x, const Arg& y);
/// x_i y_j of two vectors.  gradient  dx = ct y, dy = ct^T x
Tensor outer(const Arg& x, const Arg& y);
/// Matrix [m, k] by vector [k].  gradient  dx = ct y^T, dy = x^T ct
Tensor mv(const Arg& x, const Arg& y);
/// Matrix [m, k] by matrix [k, n].  gradient  dx = ct y^T, dy = x^T ct
Tensor mm(const Arg& x, const Arg& y);
/// Matrices of two batches of one size, pair by pair.  gradient  as mm
Tensor bmm(const Arg& x, const Arg& y);
/// beta c + alpha x y, c broadcast.  gradient  dc = beta ct, dx = alpha ct y^T, dy = alpha x^T ct
Tensor addmm(const Arg& c, const Arg& x, const Arg& y, double beta = 1, double alpha = 1);
/// The same for batches.  gradient  as addmm
Tensor baddbmm(const Arg& c, const Arg& x, const Arg& y, double beta = 1, double alpha = 1);
/// x w^T (+ bias): x [.., in], w [out, in], bias [out].  gradient  dx = ct w, dw = ct^T x, dbias = ct summed over all but
/// the last axis
Tensor linear(const Arg& x, const Arg& w);
/// The same with a bias.
Tensor linear(const Arg& x, const Arg& w, const Arg& bias);
/// y_o = x^T w_o z: x [.., p], w [out, p, q], z [.., q].  gradient  that of the products
Tensor bilinear(const Arg& x, const Arg& w, const Arg& z);
/// Sums over the last `axes` axes of x and the first ones of y.  gradient  that of the product
Tensor tensordot(const Arg& x, const Arg& y, int axes = 2);
/// Sums over the named pairs of axes; the rest of x, then the rest of y.  gradient  that of the product
Tensor tensordot(const Arg& x, const Arg& y, const Ints& axes_x, const Ints& axes_y);
/// The product of a chain of matrices (vectors allowed at the ends) in the cheapest order.  gradient  that of the products
Tensor multi_dot(const Tensors& chain, Loc loc = Loc::current());
/// Rows of x [rows, k] in groups of the given sizes, in order, each by its own matrix of w [groups, k, n].
///   gradient  dx = ct w_g^T, dw_g = x_g^T ct_g
Tensor grouped_mm(const Arg& x, const Arg& w, const std::vector<std::int64_t>& sizes);

/// Einstein summation, "ij,jk->ik": letters a-z A-Z name axes; those not in the output are summed; a letter may repeat
/// within an operand (its diagonal); "..." stands for leading axes that broadcast. Without "->" the output has the letters
/// that occur once, in alphabetical order. Contracted pair by pair from the left by batched products.
///   gradient  einsum of ct with the other operands   throws  a subscript that does not fit its operand
Tensor einsum(std::string_view subscripts, const Tensors& operands, Loc loc = Loc::current());

}  // namespace adjoint
