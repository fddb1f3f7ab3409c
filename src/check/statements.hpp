// statements.hpp: choices as functions of a seed, and values made to fit where they are put. Not the programs: programs.hpp.
#pragma once

#include "check/operands.hpp"
#include "check/programs.hpp"

namespace adjoint::check {

/// A run of choices; the same for the same seed.
class Choices {
 public:
  explicit Choices(std::uint64_t seed) : seed_(seed) {}
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(draw(seed_, at_++) * static_cast<double>(n)); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  double real(double low, double high) { return low + (high - low) * draw(seed_, at_++); }
  std::uint64_t seed() { return seed_ * 0x9E3779B97F4A7C15ull + ++at_; }

 private:
  std::uint64_t seed_, at_ = 0;
};

/// Three of four have one to three axes of 1 to 5; the others none, an empty one, or enough elements for several tiles.
Shape shape_of(Choices& choices);
/// Data of the type; one in four holds special values.
Tensor data_of(const Shape& shape, DType dtype, Choices& choices);
/// The elements of x, repeated or cut and converted.
Tensor fitted(const Tensor& x, const Shape& shape, DType dtype);

}  // namespace adjoint::check
