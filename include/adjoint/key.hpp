// key.hpp: Key, the value from which random numbers are counted. Not a generator: it has no state, and the same key
// gives the same numbers for ever, on every machine and in every plan.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "adjoint/tensor.hpp"

namespace adjoint {

/// A key of 64 bits. Use each key for one purpose, and derive others from it: fold_in gives a key that is independent
/// for every number, name or step. A key is a value of the graph (a number unless folded with a Tensor), so that a new key in
/// each step makes no new plan.
class Key {
 public:
  /// The key of a seed. Equal seeds are equal keys.
  explicit Key(std::uint64_t seed = 0) : bits_(seed) {}
  /// By a number, such as a layer's or a step's.
  Key fold_in(std::uint64_t data) const;
  /// By a name, such as the path of a layer.
  Key fold_in(std::string_view name) const;
  /// By a scalar of type i64 in the graph, such as an optimizer's step.
  Key fold_in(const Tensor& data, Loc loc = Loc::current()) const;
  /// The key that a scalar of type i64 holds.
  static Key of(const Tensor& value);
  /// n keys, independent of each other: fold_in(0) ... fold_in(n - 1).
  std::vector<Key> split(int n) const;
  /// The key as a scalar of type i64.
  Tensor value(Loc loc = Loc::current()) const;

  /// For the library's own rooms.
  struct Access;

 private:
  std::uint64_t bits_;
  Tensor folded_ = {};  // set once a Tensor was folded in
};

/// For the library's own rooms: the bits of a Key.
struct Key::Access {
  static std::uint64_t bits(const Key& k) { return k.bits_; }  ///< of a key without a Tensor in it
  static Tensor& folded(Key& k) { return k.folded_; }  ///< or empty
};

}  // namespace adjoint
