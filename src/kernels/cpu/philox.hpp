// philox.hpp: counted random numbers (Philox4x32-10): element i of key k is a function of i and k alone.
// Not a stream: there is no state, so recomputing gives the same bits on any thread.
#pragma once

#include <array>
#include <cstdint>

namespace adjoint::cpu {

/// The block cipher of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC11), 10 rounds.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// out[j] = bits of element first + j: word i % 4 of the block with counter (i / 4, 0) under `key` (low word first).
void random_bits(std::uint64_t key, std::uint64_t first, std::int64_t n, std::uint32_t* out);
/// out[j] uniform in [0, 1): (bits of element first + j >> 8) * 2^-24.
void random_uniform(std::uint64_t key, std::uint64_t first, std::int64_t n, float* out);
/// out[j] uniform in [0, 1): 53 bits from words 2i and 2i+1 with i = first + j: ((w0 >> 5) * 2^26 + (w1 >> 6)) * 2^-53.
void random_uniform(std::uint64_t key, std::uint64_t first, std::int64_t n, double* out);

/// A new key from a key and any number: the first two words of the block with counter words (low, high of data; 0, 1). The set bit keeps
/// derived keys apart from the numbers that the key itself gives.
std::uint64_t fold_in(std::uint64_t key, std::uint64_t data);

}  // namespace adjoint::cpu
