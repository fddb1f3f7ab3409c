// key.cpp: deriving keys on the host, by the same counted cipher as the kernel of fold_in. Not the drawing of numbers,
// and not fold_in with a Tensor: src/ops/random_bits.cpp.
#include "adjoint/key.hpp"

#include <array>

#include "graph/node.hpp"

namespace adjoint {
namespace {

/// Philox4x32 with 10 rounds (Salmon et al., SC11).
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> c, std::array<std::uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c[0], p1 = std::uint64_t{0xCD9E8D57u} * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(p0)};
    k[0] += 0x9E3779B9u;
    k[1] += 0xBB67AE85u;
  }
  return c;
}

/// As kernels/cpu/philox.hpp says: the first two words of the block with counter (data, 1 << 32) under the key.
std::uint64_t folded(std::uint64_t key, std::uint64_t data) {
  const auto w = philox({static_cast<std::uint32_t>(data), static_cast<std::uint32_t>(data >> 32), 0u, 1u},
                        {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)});
  return w[0] | static_cast<std::uint64_t>(w[1]) << 32;
}

}  // namespace

Key Key::fold_in(std::uint64_t data) const {
  if (folded_) return fold_in(scalar_i64(static_cast<std::int64_t>(data)));
  return Key(folded(bits_, data));
}

Key Key::fold_in(std::string_view name) const {
  std::uint64_t h = 0xCBF29CE484222325u;  // FNV-1a
  for (const char c : name) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return fold_in(h);
}

Key Key::of(const Tensor& value) {
  if (!(value.type() == Type{Shape{}, DType::i64}))
    throw Error({.op = "Key::of", .message = "a key is a scalar of type i64, got " + to_string(value.type()), .where = user_loc(value.where()),
                 .operands = {describe(*value.node())}, .hint = "inside vmap, each example of a vector of keys is a scalar"});
  Key k;
  k.folded_ = value;
  return k;
}

std::vector<Key> Key::split(int n) const {
  std::vector<Key> keys;
  for (int i = 0; i < n; ++i) keys.push_back(fold_in(static_cast<std::uint64_t>(i)));
  return keys;
}

Tensor Key::value(Loc loc) const { return folded_ ? folded_ : scalar_i64(static_cast<std::int64_t>(bits_), loc); }

}  // namespace adjoint
