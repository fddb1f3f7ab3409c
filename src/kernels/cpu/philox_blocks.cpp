// philox_blocks.cpp: eight Philox blocks side by side in vectors. Integers only: every instruction set gives the same.
// Not the published definition, which philox.cpp has in plain code.
#include "kernels/cpu/philox_blocks.hpp"

#include "kernels/cpu/simd_setup.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/philox_blocks.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace adjoint::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::uint32_t kM0 = 0xD2511F53u, kM1 = 0xCD9E8D57u, kW0 = 0x9E3779B9u, kW1 = 0xBB67AE85u;

#if HWY_TARGET == HWY_SCALAR
static void blocks(std::uint64_t key, std::uint64_t first, std::uint64_t groups, std::uint32_t* words) {
  for (std::uint64_t i = 0; i < 8 * groups; ++i) {
    std::uint64_t c0 = static_cast<std::uint32_t>(first + i), c1 = (first + i) >> 32, c2 = 0, c3 = 0;
    auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
    for (int round = 0; round < 10; ++round, k0 += kW0, k1 += kW1) {
      const std::uint64_t p0 = kM0 * c0, p1 = kM1 * c2;
      c0 = (p1 >> 32) ^ c1 ^ k0;
      c1 = static_cast<std::uint32_t>(p1);
      c2 = (p0 >> 32) ^ c3 ^ k1;
      c3 = static_cast<std::uint32_t>(p0);
    }
    for (const std::uint64_t c : {c0, c1, c2, c3}) *words++ = static_cast<std::uint32_t>(c);
  }
}
#else
/// The upper and lower halves of the 64-bit products x * m.
template <class D, class V>
HWY_INLINE void multiply(D d, V x, V m, V& high, V& low) {
  const hn::RepartitionToWide<D> wide;
  const auto even = hn::MulEven(x, m);
  const auto odd = hn::MulEven(hn::BitCast(d, hn::ShiftRight<32>(hn::BitCast(wide, x))), m);
  high = hn::OddEven(hn::BitCast(d, odd), hn::BitCast(d, hn::ShiftRight<32>(even)));
  low = hn::OddEven(hn::BitCast(d, hn::ShiftLeft<32>(odd)), hn::BitCast(d, even));
}

static void blocks(std::uint64_t key, std::uint64_t first, std::uint64_t groups, std::uint32_t* words) {
  const hn::CappedTag<std::uint32_t, 8> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto m0 = hn::Set(d, kM0), m1 = hn::Set(d, kM1);
  for (std::uint64_t i = 0; i < 8 * groups; i += lanes, words += 4 * lanes) {
    alignas(64) std::uint32_t low_word[8], high_word[8];
    for (std::uint64_t l = 0; l < lanes; ++l) {
      low_word[l] = static_cast<std::uint32_t>(first + i + l);
      high_word[l] = static_cast<std::uint32_t>((first + i + l) >> 32);
    }
    auto c0 = hn::Load(d, low_word), c1 = hn::Load(d, high_word), c2 = hn::Zero(d), c3 = hn::Zero(d);
    auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
    for (int round = 0; round < 10; ++round, k0 += kW0, k1 += kW1) {
      auto high0 = c0, low0 = c0, high1 = c0, low1 = c0;
      multiply(d, c0, m0, high0, low0);
      multiply(d, c2, m1, high1, low1);
      c0 = hn::Xor(hn::Xor(high1, c1), hn::Set(d, k0));
      c2 = hn::Xor(hn::Xor(high0, c3), hn::Set(d, k1));
      c1 = low1;
      c3 = low0;
    }
    hn::StoreInterleaved4(c0, c1, c2, c3, d, words);
  }
}
#endif

}  // namespace adjoint::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace adjoint::cpu {
HWY_EXPORT(blocks);
void philox_blocks(std::uint64_t key, std::uint64_t first, std::uint64_t groups, std::uint32_t* words) {
  HWY_DYNAMIC_DISPATCH(blocks)(key, first, groups, words);
}
}  // namespace adjoint::cpu
#endif  // HWY_ONCE
