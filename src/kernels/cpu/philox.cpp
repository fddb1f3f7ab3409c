// philox.cpp: Philox4x32-10, block by block; ranges are shared among threads, because an element knows its own counter.
// Not distributions: they are made of these by the operations.
#include "kernels/cpu/philox.hpp"

#include <algorithm>

#include "kernels/cpu/philox_blocks.hpp"
#include "runtime/pool.hpp"

namespace adjoint::cpu {
namespace {

using Block = std::array<std::uint32_t, 4>;
constexpr std::int64_t kShare = 1 << 14;  ///< elements of a part

constexpr Block encrypt(Block c, std::uint32_t k0, std::uint32_t k1) {
  constexpr std::uint64_t kM0 = 0xD2511F53u, kM1 = 0xCD9E8D57u;
  constexpr std::uint32_t kW0 = 0x9E3779B9u, kW1 = 0xBB67AE85u;
  for (int round = 0; round < 10; ++round, k0 += kW0, k1 += kW1) {
    const std::uint64_t p0 = kM0 * c[0], p1 = kM1 * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<std::uint32_t>(p0)};
  }
  return c;
}

constexpr std::uint32_t low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
constexpr std::uint32_t high(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }

/// f(words, at, count): words first + at, ... of a key, in pieces that stay in the nearest cache.
template <class F>
void for_words(std::uint64_t key, std::uint64_t first, std::int64_t n, F f) {
  constexpr std::uint64_t kPiece = 1024;
  std::uint32_t words[kPiece];
  for (std::int64_t at = 0; at < n;) {
    const std::uint64_t word = first + static_cast<std::uint64_t>(at), skip = word % 4;
    const auto left = static_cast<std::uint64_t>(n - at), count = left < kPiece - skip ? left : kPiece - skip;
    philox_blocks(key, word / 4, (skip + count + 31) / 32, words);
    f(words + skip, at, static_cast<std::int64_t>(count));
    at += static_cast<std::int64_t>(count);
  }
}

template <class F>
void share(std::int64_t n, F f) {
  const std::int64_t parts = (n + kShare - 1) / kShare;
  runtime::parallel(parts, [&](std::int64_t p) {
    const std::int64_t begin = p * kShare;
    f(begin, n - begin < kShare ? n - begin : kShare);
  });
}

}  // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  return encrypt(counter, key[0], key[1]);
}

void random_bits(std::uint64_t key, std::uint64_t first, std::int64_t n, std::uint32_t* out) {
  share(n, [&](std::int64_t begin, std::int64_t count) {
    for_words(key, first + static_cast<std::uint64_t>(begin), count,
              [&](const std::uint32_t* w, std::int64_t at, std::int64_t m) { std::copy_n(w, m, out + begin + at); });
  });
}

void random_uniform(std::uint64_t key, std::uint64_t first, std::int64_t n, float* out) {
  share(n, [&](std::int64_t begin, std::int64_t count) {
    for_words(key, first + static_cast<std::uint64_t>(begin), count,
              [&](const std::uint32_t* w, std::int64_t at, std::int64_t m) {
                float* y = out + begin + at;
                for (std::int64_t i = 0; i < m; ++i) y[i] = static_cast<float>(static_cast<int>(w[i] >> 8)) * 0x1p-24f;
              });
  });
}

void random_uniform(std::uint64_t key, std::uint64_t first, std::int64_t n, double* out) {
  share(n, [&](std::int64_t begin, std::int64_t count) {
    // Pieces hold whole pairs: the first word's index is even, and so is every piece's length but perhaps the last's.
    for_words(key, 2 * (first + static_cast<std::uint64_t>(begin)), 2 * count,
              [&](const std::uint32_t* w, std::int64_t at, std::int64_t m) {
                double* y = out + begin + at / 2;
                for (std::int64_t i = 0; i < m / 2; ++i)
                  y[i] = (static_cast<double>(w[2 * i] >> 5) * 0x1p26 + static_cast<double>(w[2 * i + 1] >> 6)) * 0x1p-53;
              });
  });
}

std::uint64_t fold_in(std::uint64_t key, std::uint64_t data) {
  const Block b = encrypt({low(data), high(data), 0, 1}, low(key), high(key));
  return (std::uint64_t{b[1]} << 32) | b[0];
}

}  // namespace adjoint::cpu
