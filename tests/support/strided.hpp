// strided.hpp: memory for strided views with guards around and between the elements, so that a stray write is seen.
// Not a tensor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "plan/operand.hpp"

namespace adjoint::test {

using plan::View;
using Dims = std::vector<std::int64_t>;

/// Owns the memory of one view. All bytes that belong to no element keep the guard's value.
class Strided {
 public:
  static constexpr std::byte kGuard{0xA5};

  /// Row-major over `order` (a permutation of the axes, outermost first; empty: 0, 1, ...), `step` elements apart;
  /// axes of `broadcast` (bits) have stride 0, those of `flipped` run backwards.
  Strided(DType dtype, const Dims& shape, Dims order = {}, std::int64_t step = 1, unsigned broadcast = 0,
          unsigned flipped = 0) {
    const int rank = static_cast<int>(shape.size());
    if (order.empty())
      for (int d = 0; d < rank; ++d) order.push_back(d);
    view_.dtype = dtype;
    view_.rank = rank;
    std::int64_t stride = step, first = 0;
    for (int k = rank; k-- > 0;) {
      const auto d = static_cast<std::size_t>(order[static_cast<std::size_t>(k)]);
      view_.shape[d] = shape[d];
      if (broadcast >> d & 1) continue;
      view_.strides[d] = flipped >> d & 1 ? -stride : stride;
      if ((flipped >> d & 1) && shape[d] > 0) first += stride * (shape[d] - 1);
      stride *= shape[d];
    }
    const auto size = static_cast<std::int64_t>(size_of(dtype));
    memory_.assign(static_cast<std::size_t>((stride + 2 * kMargin) * size), kGuard);
    view_.data = memory_.data() + (kMargin + first) * size;
  }
  Strided(const Strided&) = delete;

  const View& view() const { return view_; }
  std::int64_t elements() const { return view_.elements(); }

  /// The address of the element with row-major index i.
  std::byte* at(std::int64_t i) const {
    std::int64_t offset = 0;
    for (int d = view_.rank; d-- > 0;) {
      const auto k = static_cast<std::size_t>(d);
      offset += i % view_.shape[k] * view_.strides[k];
      i /= view_.shape[k];
    }
    return view_.data + offset * static_cast<std::int64_t>(size_of(view_.dtype));
  }
  template <class T> T get(std::int64_t i) const {
    T v;
    std::memcpy(&v, at(i), sizeof(T));
    return v;
  }
  template <class T> void set(std::int64_t i, T v) { std::memcpy(at(i), &v, sizeof(T)); }

  /// The elements in row-major order, as bytes.
  std::vector<std::byte> bytes() const {
    const std::size_t size = size_of(view_.dtype);
    std::vector<std::byte> out(static_cast<std::size_t>(elements()) * size);
    for (std::int64_t i = 0; i < elements(); ++i) std::memcpy(out.data() + static_cast<std::size_t>(i) * size, at(i), size);
    return out;
  }
  /// True if no byte outside the elements was written. Destroys the elements.
  bool guards_stand() {
    for (std::int64_t i = 0; i < elements(); ++i) std::memset(at(i), static_cast<int>(kGuard), size_of(view_.dtype));
    for (const std::byte b : memory_)
      if (b != kGuard) return false;
    return true;
  }

 private:
  static constexpr std::int64_t kMargin = 64;
  View view_;
  std::vector<std::byte> memory_;
};

}  // namespace adjoint::test
