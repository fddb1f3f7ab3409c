// operands.cpp: drawing of operands and their views. Not the checks.
#include "check/operands.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "adjoint/ops.hpp"

namespace adjoint::check {
namespace {

std::uint64_t scramble(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

std::uint64_t seed_of(const Row& row, std::size_t k) {
  std::uint64_t h = scramble(k + row.in.size());
  for (const char c : row.op) h = scramble(h ^ static_cast<unsigned char>(c));
  return h;
}

template <class E> Tensor stored(const std::vector<double>& data, const Type& type) {
  std::vector<E> v;
  for (const double x : data) {
    if constexpr (std::is_same_v<E, bfloat16> || std::is_same_v<E, float16>) v.push_back(E(static_cast<float>(x)));
    else v.push_back(static_cast<E>(x));
  }
  return copy_bytes(v.data(), type);
}

}  // namespace

double draw(std::uint64_t seed, std::uint64_t at) { return static_cast<double>(scramble(scramble(seed) ^ at) >> 11) * 0x1p-53; }

std::vector<double> directions(std::int64_t count, std::uint64_t seed) {
  std::vector<double> v;
  for (std::int64_t i = 0; i < count; ++i) {
    const double u = draw(seed, static_cast<std::uint64_t>(i));
    // Eighths: every floating type holds them exactly.
    v.push_back((u < 0.5 ? -1 : 1) * (4 + std::floor(std::fmod(u * 1024, 1) * 9)) / 8);
  }
  return v;
}

Tensor leaf_of(const std::vector<double>& data, const Shape& shape, DType dtype) {
  const Type type{shape, dtype};
  switch (dtype) {
    case DType::f64: return stored<double>(data, type);
    case DType::f32: return stored<float>(data, type);
    case DType::bf16: return stored<bfloat16>(data, type);
    case DType::f16: return stored<float16>(data, type);
    case DType::i64: return stored<std::int64_t>(data, type);
    case DType::i32: return stored<std::int32_t>(data, type);
    case DType::i8: return stored<std::int8_t>(data, type);
    case DType::u8: return stored<std::uint8_t>(data, type);
    case DType::bool_: break;
  }
  std::vector<std::uint8_t> bits;
  for (const double x : data) bits.push_back(x != 0);
  return copy_bytes(bits.data(), type);
}

static std::vector<double> drawn(const Input& in, std::uint64_t seed) {
  std::vector<double> v(static_cast<std::size_t>(in.shape.numel()));
  for (std::size_t i = 0; i < v.size(); ++i) {
    const double u = draw(seed, i);
    if (!in.exact.empty()) v[i] = in.exact[i % in.exact.size()];
    else if (is_floating(in.dtype)) v[i] = in.low + u * (in.high - in.low);
    else if (in.dtype == DType::bool_) v[i] = u < 0.5;
    else v[i] = std::min(std::floor(in.low + u * (in.high - in.low + 1)), in.high);
  }
  return v;
}
std::vector<double> numbers_of(const Row& row, std::size_t k) { return drawn(row.in[k], seed_of(row, k)); }

Tensor example_of(const Row& row, std::size_t k, int example, DType floating) {
  const Input& in = row.in[k];
  std::vector<double> v = numbers_of(row, k);
  if (example > 0 && in.exact.empty()) v = drawn(in, seed_of(row, k) + static_cast<std::uint64_t>(example));
  else if (is_floating(in.dtype) && std::ranges::is_sorted(v)) std::ranges::for_each(v, [&](double& x) { x += example; });
  else if (!v.empty()) std::ranges::rotate(v, v.begin() + example % static_cast<int>(v.size()));
  return leaf_of(v, in.shape, in.dtype == DType::f64 ? floating : in.dtype);
}

Tensors operands_of(const Row& row, DType floating) {
  Tensors t;
  for (std::size_t k = 0; k < row.in.size(); ++k) t.push_back(example_of(row, k, 0, floating));
  return t;
}

std::vector<std::size_t> differentiable(const Row& row) {
  std::vector<std::size_t> which;
  for (std::size_t k = 0; k < row.in.size(); ++k)
    if (row.in[k].differentiable && is_floating(row.in[k].dtype)) which.push_back(k);
  return which;
}

Tensor as_view(const Tensor& x, Layout layout) {
  const int rank = x.rank();
  const std::vector<double> v = numbers(x);
  const auto n = static_cast<std::int64_t>(v.size());
  if (layout == Layout::transposed) {  // storage has its axes in the opposite order
    Shape back;
    Ints axes;
    for (int k = rank; k-- > 0;) back.push_back(x.shape(k)), axes.push_back(k);
    std::vector<double> moved(v.size());
    for (std::int64_t i = 0; i < n; ++i) {
      std::int64_t rest = i, to = 0;
      std::int64_t index[kMaxRank];
      for (int k = rank; k-- > 0;) index[k] = rest % x.shape(k), rest /= x.shape(k);
      for (int k = rank; k-- > 0;) to = to * x.shape(k) + index[k];
      moved[static_cast<std::size_t>(to)] = v[static_cast<std::size_t>(i)];
    }
    return permute(leaf_of(moved, back, x.dtype()), axes);
  }
  Shape wide = x.shape();
  const auto last = static_cast<std::size_t>(rank - 1);
  const std::int64_t size = wide[last], by = layout == Layout::strided ? 2 : 1;
  wide[last] = by * size;
  std::vector<double> spread(static_cast<std::size_t>(by * n), is_floating(x.dtype()) ? std::numeric_limits<double>::quiet_NaN() : 0);
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t row = i / size, column = i % size;
    const std::int64_t at = layout == Layout::strided ? by * column : size - 1 - column;
    spread[static_cast<std::size_t>(row * by * size + at)] = v[static_cast<std::size_t>(i)];
  }
  Ints start, stop, step;
  for (int k = 0; k < rank; ++k) {
    const bool here = k == rank - 1;
    start.push_back(here && layout == Layout::reversed ? -1 : 0);
    stop.push_back(here && layout == Layout::reversed ? -size - 1 : wide[static_cast<std::size_t>(k)]);
    step.push_back(!here ? 1 : layout == Layout::reversed ? -1 : by);
  }
  return slice(leaf_of(spread, wide, x.dtype()), start, stop, step);
}

namespace {

template <class U> void one_nan(std::vector<std::byte>& bytes, U exponent, U quiet) {
  for (std::size_t i = 0; i + sizeof(U) <= bytes.size(); i += sizeof(U)) {
    U u;
    std::memcpy(&u, &bytes[i], sizeof(U));
    const U magnitude = static_cast<U>(u & static_cast<U>(static_cast<U>(~U{0}) >> 1));
    if (magnitude > exponent) std::memcpy(&bytes[i], &quiet, sizeof(U));
  }
}

}  // namespace

std::vector<std::byte> bytes_of(const Tensor& x) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(x.numel()) * size_of(x.dtype()));
  x.copy_out(bytes.data(), x.dtype());
  switch (x.dtype()) {
    case DType::f64: one_nan<std::uint64_t>(bytes, 0x7FF0000000000000ull, 0x7FF8000000000000ull); break;
    case DType::f32: one_nan<std::uint32_t>(bytes, 0x7F800000u, 0x7FC00000u); break;
    case DType::bf16: one_nan<std::uint16_t>(bytes, 0x7F80, 0x7FC0); break;
    case DType::f16: one_nan<std::uint16_t>(bytes, 0x7C00, 0x7E00); break;
    default: break;
  }
  return bytes;
}

std::vector<double> numbers(const Tensor& x) { return x.to_vector<double>(); }

}  // namespace adjoint::check
