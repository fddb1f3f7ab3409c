// operands.hpp: the operands of a row as tensors: drawn by a counted generator, in any floating type, contiguous or as
// views; and raw bytes of results. Not the checks.
#pragma once

#include <cstddef>
#include <vector>

#include "check/row.hpp"

namespace adjoint::check {

/// A number in [0, 1) that depends on its place alone.
double draw(std::uint64_t seed, std::uint64_t at);
/// Numbers of magnitude 1/2 to 3/2 and either sign: seeds and tangents that leave nothing out.
std::vector<double> directions(std::int64_t count, std::uint64_t seed);

/// Row-major data as a leaf of any element type; floating data is rounded to it.
Tensor leaf_of(const std::vector<double>& data, const Shape& shape, DType dtype);
/// The numbers that operand `k` of the row holds.
std::vector<double> numbers_of(const Row& row, std::size_t k);
/// All operands; those that are f64 in the row get type `floating`.
Tensors operands_of(const Row& row, DType floating = DType::f64);
/// Operand `k` in other numbers for each example, of which number 0 is the row's own: drawn anew; given numbers are rotated, or, if they
/// stand in order, moved up, so that they still do. f64 becomes `floating`.
Tensor example_of(const Row& row, std::size_t k, int example, DType floating = DType::f64);
/// The indices of operands that can be differentiated.
std::vector<std::size_t> differentiable(const Row& row);

enum class Layout { transposed, strided, reversed };
/// The same values behind a view of other storage, which holds NaN (or the least number) between them.
Tensor as_view(const Tensor& x, Layout layout);

/// The elements in memory; all NaNs count as one.
std::vector<std::byte> bytes_of(const Tensor& x);
/// The elements as numbers.
std::vector<double> numbers(const Tensor& x);

}  // namespace adjoint::check
