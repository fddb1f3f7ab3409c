// philox.hpp: counted random numbers for data: the value is a function of the key and the counter.
// Not the generator of random operations: rooms stand apart, and these 30 lines keep data so.
#pragma once

#include <array>
#include <cstdint>

namespace adjoint::data {

/// Philox4x32 with 10 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
constexpr std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> c,
                                              std::array<std::uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * c[0], b = std::uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<std::uint32_t>(b >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(b),
         static_cast<std::uint32_t>(a >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(a)};
    k = {k[0] + 0x9E3779B9u, k[1] + 0xBB67AE85u};
  }
  return c;
}

/// What random numbers are drawn for: no two purposes share a counter.
enum class Purpose : std::uint32_t { order = 1, augment = 2 };

/// Draws for one place of one epoch, in a fixed sequence.
class Draws {
 public:
  /// `place` and `epoch` below 2^48 and 2^32: no two of them share a block.
  constexpr Draws(std::uint64_t seed, Purpose purpose, std::uint64_t epoch, std::uint64_t place)
      : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
        counter_{0, static_cast<std::uint32_t>(place),
                 static_cast<std::uint32_t>(place >> 32) | static_cast<std::uint32_t>(purpose)
                                                               << 16,
                 static_cast<std::uint32_t>(epoch)} {}

  constexpr std::uint64_t bits() {
    if (used_ == 2) block_ = philox(counter_, key_), ++counter_[0], used_ = 0;
    const std::uint64_t low = block_[2 * used_], high = block_[2 * used_ + 1];
    ++used_;
    return high << 32 | low;
  }
  /// A whole number in [0, n), n >= 1. Its bias is at most n / 2^64.
  constexpr std::uint64_t below(std::uint64_t n) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(bits()) * n) >> 64);
  }
  /// True with probability p, to 2^-53.
  constexpr bool chance(double p) { return static_cast<double>(bits() >> 11) * 0x1p-53 < p; }

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_, block_{};
  unsigned used_ = 2;
};

}  // namespace adjoint::data
