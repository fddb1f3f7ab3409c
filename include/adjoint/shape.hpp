// shape.hpp: a short list of 64-bit integers, used for shapes, axes and strides. Not an owner of data:
// rank is at most 8, so that a shape never allocates.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>
#include <vector>

#include "adjoint/dtype.hpp"
#include "adjoint/error.hpp"

namespace adjoint {

inline constexpr int kMaxRank = 8;

/// Sizes of the axes of a tensor, outermost first; `Shape{}` is a scalar. Also serves as the list of
/// axes, strides or offsets of an operation. Throws Error when more than 8 entries are given.
class Shape {
 public:
  constexpr Shape() = default;
  /// Throws Error for more than 8 entries, as all constructors, at the caller's line.
  constexpr Shape(std::initializer_list<std::int64_t> dims, Loc loc = Loc::current()) : Shape(std::span(dims.begin(), dims.size()), loc) {}
  /// The entries of a span.
  constexpr explicit Shape(std::span<const std::int64_t> dims, Loc loc = Loc::current()) {
    if (dims.size() > static_cast<std::size_t>(kMaxRank)) too_long(dims.size(), loc);
    for (auto d : dims) dims_[static_cast<std::size_t>(rank_++)] = d;
  }
  /// The entries of a vector.
  explicit Shape(const std::vector<std::int64_t>& dims, Loc loc = Loc::current()) : Shape(std::span<const std::int64_t>(dims), loc) {}

  constexpr int rank() const { return rank_; }  ///< number of entries
  constexpr bool empty() const { return rank_ == 0; }  ///< no entries: the shape of a scalar
  constexpr std::size_t size() const { return static_cast<std::size_t>(rank_); }  ///< number of entries
  constexpr std::int64_t operator[](std::size_t i) const { return dims_[i]; }  ///< entry i, not checked
  constexpr std::int64_t& operator[](std::size_t i) { return dims_[i]; }  ///< likewise
  constexpr const std::int64_t* begin() const { return dims_.data(); }  ///< entries in order
  constexpr const std::int64_t* end() const { return dims_.data() + rank_; }  ///< one past the last
  constexpr std::int64_t* begin() { return dims_.data(); }  ///< likewise
  constexpr std::int64_t* end() { return dims_.data() + rank_; }  ///< likewise
  constexpr std::int64_t back() const { return dims_[static_cast<std::size_t>(rank_ - 1)]; }  ///< the last entry; there must be one
  std::span<const std::int64_t> span() const { return {dims_.data(), size()}; }  ///< the entries, while this object lives

  /// Appends an entry.  throws  Error if there are 8 already
  constexpr void push_back(std::int64_t d, Loc loc = Loc::current()) {
    if (rank_ == kMaxRank) too_long(kMaxRank + 1, loc);
    dims_[static_cast<std::size_t>(rank_++)] = d;
  }
  void insert(int at, std::int64_t d, Loc loc = Loc::current());  ///< a new entry in front of entry `at`
  void erase(int at);  ///< removes entry `at`

  /// Product of the entries; the largest number when 64 bits do not hold it. Shapes of tensors were checked when the
  /// tensor was made, so that cannot be there.
  constexpr std::int64_t numel() const {
    std::int64_t n = 1;
    for (auto d : *this)
      if (__builtin_mul_overflow(n, d, &n)) return INT64_MAX;
    return n;
  }
  /// The same entries.
  constexpr bool operator==(const Shape& o) const {
    if (rank_ != o.rank_) return false;
    for (std::size_t i = 0; i < size(); ++i)
      if (dims_[i] != o.dims_[i]) return false;
    return true;
  }

 private:
  [[noreturn]] static void too_long(std::size_t n, Loc loc);
  std::array<std::int64_t, kMaxRank> dims_{};
  std::int32_t rank_ = 0;
};
using Ints = Shape;  ///< the same list where it means axes, strides or offsets

/// "[32,10]"
std::string to_string(const Shape&);
/// Writes to_string().
std::ostream& operator<<(std::ostream&, const Shape&);

/// Element type and shape: what is known about a value before it is computed.
struct Type {
  Shape shape;
  DType dtype = DType::f32;
  bool operator==(const Type&) const = default;  ///< the same shape and element type
};
/// "f32[32,10]"
std::string to_string(const Type&);

}  // namespace adjoint
