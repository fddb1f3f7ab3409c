// mutate.hpp: broken files made from good ones: bits flipped, lengths that lie, pieces cut,
// doubled, swapped. Repeatable from a seed. Not coverage-guided fuzzing.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "io/io_support.hpp"

namespace adjoint::testing {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t bits() {  // splitmix64
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t n) { return n == 0 ? 0 : static_cast<std::size_t>(bits() % n); }

 private:
  std::uint64_t state_;
};

// Numbers that lengths lie with.
inline constexpr std::array<std::uint64_t, 16> kLies = {0,
                                                        1,
                                                        2,
                                                        7,
                                                        8,
                                                        0x7f,
                                                        0xff,
                                                        0xffff,
                                                        0x7fffffff,
                                                        0x80000000,
                                                        0xffffffff,
                                                        0x100000000,
                                                        100'000'001,
                                                        0x7fffffffffffffff,
                                                        0x8000000000000000,
                                                        0xffffffffffffffff};

inline constexpr std::array<std::string_view, 28> kTokens = {"{",
                                                             "}",
                                                             "[",
                                                             "]",
                                                             "\"",
                                                             ",",
                                                             ":",
                                                             "\\",
                                                             "-1",
                                                             "0",
                                                             "1e9",
                                                             "18446744073709551615",
                                                             "9223372036854775808",
                                                             "99999999999999999999999",
                                                             "null",
                                                             "true",
                                                             "\"dtype\"",
                                                             "\"shape\"",
                                                             "\"data_offsets\"",
                                                             "\"__metadata__\"",
                                                             "\"F64\"",
                                                             "\"F4\"",
                                                             "\\u0000",
                                                             "\\ud800",
                                                             "\xff",
                                                             " ",
                                                             "\n",
                                                             "{\"a\":{\"a\":{\"a\":{"};

inline std::size_t length_of_piece(Dice& dice, std::size_t size) {
  return std::min(size, std::size_t{1} << dice.below(8));
}

// One change somewhere in `b`; the first bytes, where headers lie, are twice as likely.
inline void change_once(Bytes& b, Dice& dice) {
  const std::size_t reach = dice.below(2) ? std::min<std::size_t>(b.size(), 64) : b.size();
  const std::size_t at = dice.below(reach), left = b.size() - std::min(at, b.size());
  const auto place = [&](std::size_t i) { return b.begin() + static_cast<std::ptrdiff_t>(i); };
  switch (dice.below(8)) {
    case 0:  // a bit
      if (left) b[at] ^= static_cast<std::byte>(1u << dice.below(8));
      break;
    case 1:  // a byte
      if (left) b[at] = static_cast<std::byte>(dice.bits());
      break;
    case 2: {  // a length that lies, in either byte order
      const std::uint64_t lie = kLies[dice.below(kLies.size())] + dice.below(3) - 1;
      const std::size_t width = std::min<std::size_t>(left, dice.below(2) ? 4 : 8);
      const bool big = dice.below(2);
      for (std::size_t i = 0; i < width; ++i)
        b[at + (big ? width - 1 - i : i)] = static_cast<std::byte>(lie >> (8 * i));
      break;
    }
    case 3:
      b.resize(dice.below(b.size() + 1));
      break;  // the end is missing
    case 4:   // something follows
      for (std::size_t n = length_of_piece(dice, 64); n > 0; --n)
        b.push_back(static_cast<std::byte>(dice.bits()));
      break;
    case 5: {  // a piece is missing
      const std::size_t n = length_of_piece(dice, left);
      b.erase(place(at), place(at + n));
      break;
    }
    case 6: {  // a piece stands there twice
      const std::size_t n = length_of_piece(dice, left);
      const Bytes piece(place(at), place(at + n));
      b.insert(place(dice.below(b.size() + 1)), piece.begin(), piece.end());
      break;
    }
    default: {  // a word of the format, over or between what is there
      const Bytes token = bytes_of(kTokens[dice.below(kTokens.size())]);
      const std::size_t n = dice.below(2) ? std::min(left, token.size()) : 0;
      b.erase(place(std::min(at, b.size())), place(std::min(at, b.size()) + n));
      b.insert(place(std::min(at, b.size())), token.begin(), token.end());
    }
  }
}

/// A changed copy of `good`; one change most of the time, up to eight.
inline Bytes mutated(const Bytes& good, Dice& dice) {
  Bytes b = good;
  const std::size_t changes = dice.below(2) ? 1 : 1 + dice.below(8);
  for (std::size_t i = 0; i < changes; ++i) change_once(b, dice);
  return b;
}

}  // namespace adjoint::testing
