// fail.hpp: the Error of an operation's own checks, in one line. Not the shape rule's: Infer::fail is that.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "adjoint/tensor.hpp"

namespace adjoint {

/// Throws the Error of operation `op` at the user's line, with a line for each operand that has a value.
[[noreturn]] void fail(std::string_view op, Loc loc, std::string message, std::initializer_list<const Tensor*> operands,
                       std::string hint = {});
/// x * y for sizes, or the Error "too many elements" of `op`.
std::int64_t checked_product(std::int64_t x, std::int64_t y, std::string_view op, Loc loc);
/// n, or an Error of `op` when a list of n entries is too long to be written out as a constant (2^27).
std::int64_t checked_list(std::int64_t n, std::string_view op, Loc loc);
/// The elements of `shape`, checked likewise; every size must be >= 0.
std::int64_t checked_elements(const Shape& shape, std::string_view op, Loc loc);

}  // namespace adjoint
