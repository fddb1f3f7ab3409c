// reference_random.cpp: counted random numbers (Philox4x32-10), written from the published
// description. Not the kernels' implementation: the bits of the two are compared.
#include <array>
#include <utility>

#include "check/philox.hpp"
#include "check/reference_op.hpp"

namespace adjoint::check {

Block philox(Block c, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p = std::uint64_t{0xD2511F53} * c[0], q = std::uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<std::uint32_t>(q >> 32) ^ c[1] ^ key[0], static_cast<std::uint32_t>(q),
         static_cast<std::uint32_t>(p >> 32) ^ c[3] ^ key[1], static_cast<std::uint32_t>(p)};
    key = {key[0] + 0x9E3779B9u, key[1] + 0xBB67AE85u};
  }
  return c;
}

namespace {

Block block(std::uint64_t key, std::uint64_t low, std::uint64_t high) {
  const auto word = [](std::uint64_t v, int shift) {
    return static_cast<std::uint32_t>(v >> shift);
  };
  return philox({word(low, 0), word(low, 32), word(high, 0), word(high, 32)},
                {word(key, 0), word(key, 32)});
}
/// Word n of the numbers that belong to a key.
std::uint64_t word(std::uint64_t key, std::uint64_t n) { return block(key, n / 4, 0)[n % 4]; }

template <class T> std::uint64_t bits_of(const RefTensor<T>& keys, std::size_t k = 0) {
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(keys.data.at(k)));
}
/// Keys [k..] and what each of them gives, side by side: zeros so far.
template <class T> RefTensor<T> drawn(const RefTensor<T>& keys, const Sizes& each, DType dtype) {
  Sizes shape = keys.shape;
  shape.insert(shape.end(), each.begin(), each.end());
  return filled(shape, dtype, T(0));
}
/// Element `at` of results side by side: whose it is, and which one.
struct Place {
  std::size_t key, n;
};
template <class T> Place place_of(std::size_t at, const RefTensor<T>& keys, const RefTensor<T>& y) {
  const std::size_t each = y.data.size() / keys.data.size();
  return {at / each, at % each};
}
template <class T> RefTensor<T> random_bits(const Application<T>& c) {
  RefTensor<T> y = drawn(*c.in[0], c.settings.ints("shape"), c.dtype);
  for (std::size_t i = 0; i < y.data.size(); ++i) {
    const Place p = place_of(i, *c.in[0], y);
    y.data[i] = stored(T(static_cast<std::int64_t>(word(bits_of(*c.in[0], p.key), p.n))), c.dtype);
  }
  return y;
}
/// A multiple of 2^-53 in f64 from two words, of 2^-24 in other types from one; in [0, 1).
template <class T> RefTensor<T> random_uniform(const Application<T>& c) {
  RefTensor<T> y = drawn(*c.in[0], c.settings.ints("shape"), c.dtype);
  for (std::size_t i = 0; i < y.data.size(); ++i) {
    const bool wide = c.dtype == DType::f64;
    const auto [k, at] = place_of(i, *c.in[0], y);
    const std::uint64_t key = bits_of(*c.in[0], k);
    const std::uint64_t n =
        wide ? (word(key, 2 * at) >> 5 << 26) + (word(key, 2 * at + 1) >> 6) : word(key, at) >> 8;
    y.data[i] = T(static_cast<std::int64_t>(n)) * T(wide ? 0x1p-53 : 0x1p-24);
  }
  return y;
}
/// The first two words of the block (data, 2^32), as one number.
std::uint64_t folded(std::uint64_t key, std::uint64_t data) {
  const Block b = block(key, data, std::uint64_t{1} << 32);
  return b[0] | std::uint64_t{b[1]} << 32;
}
template <class T> RefTensor<T> fold_in(const Application<T>& c) {
  RefTensor<T> y = *c.in[0];
  for (std::size_t i = 0; i < y.data.size(); ++i)
    y.data[i] = T(static_cast<std::int64_t>(folded(bits_of(*c.in[0], i), bits_of(*c.in[1], i))));
  return y;
}

/// Element n of the uniform numbers in f64.
double unit(std::uint64_t key, std::uint64_t n) {
  return static_cast<double>((word(key, 2 * n) >> 5 << 26) + (word(key, 2 * n + 1) >> 6)) * 0x1p-53;
}
/// Fisher-Yates from the end: place i is swapped with place floor(u_i (i + 1)), in f64.
template <class T> RefTensor<T> permutation(const Application<T>& c) {
  const auto n = static_cast<std::size_t>(c.settings.integer("n"));
  RefTensor<T> y = drawn(*c.in[0], {c.settings.integer("n")}, DType::i64);
  for (std::size_t k = 0; k < c.in[0]->data.size(); ++k) {
    for (std::size_t i = 0; i < n; ++i) y.data[k * n + i] = T(static_cast<std::int64_t>(i));
    for (std::size_t i = n; i-- > 1;) {
      const double place = unit(bits_of(*c.in[0], k), i) * static_cast<double>(i + 1);
      std::swap(y.data[k * n + i], y.data[k * n + static_cast<std::size_t>(place)]);
    }
  }
  return y;
}
/// How many uniform numbers of fold_in(key, i) can be multiplied, in f64, before the product is at
/// most limit[i].
template <class T> RefTensor<T> poisson(const Application<T>& c) {
  RefTensor<T> y = filled(c.in[1]->shape, c.dtype, T(0));
  for (std::size_t i = 0; i < y.data.size(); ++i) {
    const Place p = place_of(i, *c.in[0], y);
    const std::uint64_t key = folded(bits_of(*c.in[0], p.key), p.n);
    double product = 1;
    for (std::uint64_t n = 0; (product *= unit(key, n)) > static_cast<double>(c.in[1]->data[i]);
         ++n)
      y.data[i] += 1;
  }
  return y;
}

template <class T>
constexpr std::pair<std::string_view, Definition<T>> kTable[] = {
    {"random_bits", random_bits<T>}, {"random_uniform", random_uniform<T>},
    {"fold_in", fold_in<T>},         {"permutation", permutation<T>},
    {"poisson", poisson<T>},
};

}  // namespace

template <class T> Table<T> random_table() { return kTable<T>; }
template Table<double> random_table<double>();
template Table<Quad> random_table<Quad>();

}  // namespace adjoint::check
