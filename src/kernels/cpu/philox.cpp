// philox.cpp: Philox4x32-10, block by block; ranges are shared among threads, because an element knows its own counter.
// Not distributions: they are made of these by the operations.
#include "kernels/cpu/philox.hpp"

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

/// Eight blocks with consecutive counters: side by side, so that the compiler can work on them as vectors.
void encrypt8(std::uint64_t key, std::uint64_t first, std::uint32_t (&words)[32]) {
  std::uint32_t c0[8], c1[8], c2[8] = {}, c3[8] = {};
  for (unsigned i = 0; i < 8; ++i) c0[i] = low(first + i), c1[i] = high(first + i);
  std::uint32_t k0 = low(key), k1 = high(key);
  for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u)
    for (int i = 0; i < 8; ++i) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0[i], p1 = std::uint64_t{0xCD9E8D57u} * c2[i];
      c0[i] = high(p1) ^ c1[i] ^ k0;
      c1[i] = low(p1);
      c2[i] = high(p0) ^ c3[i] ^ k1;
      c3[i] = low(p0);
    }
  for (int i = 0; i < 8; ++i) {
    words[4 * i] = c0[i];
    words[4 * i + 1] = c1[i];
    words[4 * i + 2] = c2[i];
    words[4 * i + 3] = c3[i];
  }
}

/// Words first, first + 1, ... of a key, in order.
template <class F>
void for_words(std::uint64_t key, std::uint64_t first, std::int64_t n, F f) {
  std::uint32_t words[32];
  std::uint64_t block = first / 4;
  std::uint64_t skip = first % 4;
  for (std::int64_t i = 0; i < n; block += 8, skip = 0) {
    encrypt8(key, block, words);
    for (std::uint64_t w = skip; w < 32 && i < n; ++w) f(i++, words[w]);
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
              [&](std::int64_t i, std::uint32_t w) { out[begin + i] = w; });
  });
}

void random_uniform(std::uint64_t key, std::uint64_t first, std::int64_t n, float* out) {
  share(n, [&](std::int64_t begin, std::int64_t count) {
    for_words(key, first + static_cast<std::uint64_t>(begin), count,
              [&](std::int64_t i, std::uint32_t w) { out[begin + i] = static_cast<float>(w >> 8) * 0x1p-24f; });
  });
}

void random_uniform(std::uint64_t key, std::uint64_t first, std::int64_t n, double* out) {
  share(n, [&](std::int64_t begin, std::int64_t count) {
    std::uint32_t upper = 0;
    for_words(key, 2 * (first + static_cast<std::uint64_t>(begin)), 2 * count, [&](std::int64_t i, std::uint32_t w) {
      if (i % 2 == 0) upper = w;
      else
        out[begin + i / 2] = static_cast<double>((std::uint64_t{upper >> 5} << 26) + (w >> 6)) * 0x1p-53;
    });
  });
}

std::uint64_t fold_in(std::uint64_t key, std::uint64_t data) {
  const Block b = encrypt({low(data), high(data), 0, 1}, low(key), high(key));
  return (std::uint64_t{b[1]} << 32) | b[0];
}

}  // namespace adjoint::cpu
