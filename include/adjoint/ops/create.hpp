// create.hpp: tensors made from a rule instead of data: sequences, the identity, and memory without a meaning.
// Not zeros, ones and full, which stand beside Tensor; nor random numbers: random.hpp. All are constants: no gradient (zero).
#pragma once

#include <optional>

#include "adjoint/tensor.hpp"

namespace adjoint {

/// start, start + step, start + 2 step, ... up to `stop`, which is left out: a vector of ceil((stop - start) / step) elements, the quotient taken in f64.
///   value    of a floating type: element i is start + i * step, product and sum each rounded to f64, and then once to `dtype`; no error adds up along the way.
///            Of an integer type: exact
///   edges    start = stop: no elements. A step that is no binary fraction may give one element more or less than meant: linspace counts instead
///   throws   Error for a step of 0, a step that leads away from stop, NaN or infinity, or more elements than a tensor holds; for bool; for an integer type
///            unless start and step are whole and every element fits into it
Tensor arange(double start, double stop, double step = 1, DType dtype = DType::f32, Loc loc = Loc::current());

/// `count` numbers at equal distances d = (stop - start) / (count - 1), both ends included.
///   value    both ends are exact (to the rounding of `dtype`). Element i is start + i d in the first half and stop - (count - 1 - i) d in the second, in f64, rounded
///            once to `dtype`
///   error    <= 2 epsilons of f64 times max(|start|, |stop|) before the rounding to `dtype`
///   edges    count = 1: start; count = 0: no elements
///   throws   Error for a negative count, an end that is NaN or infinite, ends that lie further apart than f64 holds, or a type that is not floating
Tensor linspace(double start, double stop, std::int64_t count, DType dtype = DType::f32, Loc loc = Loc::current());

/// base to the powers linspace(start, stop, count): equal ratios. Powers are taken in f64 and rounded once to `dtype`.
///   edges    as linspace; what overflows `dtype` is infinity
///   throws   Error as linspace, and unless the base is positive and finite
Tensor logspace(double start, double stop, std::int64_t count, double base = 10, DType dtype = DType::f32, Loc loc = Loc::current());

/// The matrix [rows, columns] with 1 where row and column are equal, else 0; `columns` is `rows` unless given. Any element type; in bool it is the mask of the
/// diagonal.   throws  Error for a negative size
Tensor eye(std::int64_t rows, std::optional<std::int64_t> columns = {}, DType dtype = DType::f32, Loc loc = Loc::current());

/// zeros, for code that does not care what is in it. Values are pure, so there is no memory whose bytes are left to chance: all elements are 0.
///   throws   Error for a negative size
Tensor empty(const Shape& shape, DType dtype = DType::f32, Loc loc = Loc::current());

}  // namespace adjoint
