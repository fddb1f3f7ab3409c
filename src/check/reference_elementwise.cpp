// reference_elementwise.cpp: the scalar functions applied to every element: floating ones in T,
// integer ones in 64 bits. Not the functions of floating numbers themselves: those are in
// scalar_reference.hpp.
#include <bit>
#include <limits>
#include <numeric>

#include "adjoint/error.hpp"
#include "check/reference_op.hpp"
#include "check/scalar_reference.hpp"

namespace adjoint::check {
namespace {

using I = std::int64_t;
using U = std::uint64_t;

int bits_of(DType d) { return static_cast<int>(size_of(d)) * 8; }

I wrap(I v, DType d) {
  switch (d) {
    case DType::i32:
      return static_cast<std::int32_t>(v);
    case DType::i8:
      return static_cast<std::int8_t>(v);
    case DType::u8:
      return static_cast<std::uint8_t>(v);
    case DType::bool_:
      return v != 0;
    default:
      return v;
  }
}

// Arithmetic modulo 2^64, so that no overflow is undefined; the caller wraps to the element type.
I plus(I x, I y) { return static_cast<I>(static_cast<U>(x) + static_cast<U>(y)); }
I minus(I x, I y) { return static_cast<I>(static_cast<U>(x) - static_cast<U>(y)); }
I times(I x, I y) { return static_cast<I>(static_cast<U>(x) * static_cast<U>(y)); }
/// x mod y with the sign of x; 0 where y is 0.
I modulo(I x, I y) { return y == 0 || y == -1 ? 0 : x % y; }
I floor_mod(I x, I y) {
  const I r = modulo(x, y);
  return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}
I floor_div(I x, I y) {
  if (y == 0) return 0;
  return y == -1 ? minus(0, x) : x / y - (modulo(x, y) != 0 && (x < 0) != (y < 0));
}
I power(I x, I n) {
  if (n < 0) return x == 1 ? 1 : x == -1 ? (n % 2 ? -1 : 1) : 0;
  I y = 1;
  for (; n > 0; n >>= 1, x = times(x, x))
    if (n & 1) y = times(y, x);
  return y;
}
I gcd(I x, I y) {
  U a = x < 0 ? U{0} - static_cast<U>(x) : static_cast<U>(x),
    b = y < 0 ? U{0} - static_cast<U>(y) : static_cast<U>(y);
  while (b != 0) a = std::exchange(b, a % b);
  return static_cast<I>(a);
}

using IntFn = I (*)(I, I, I, DType);
constexpr std::pair<std::string_view, IntFn> kIntegers[] = {
    {"neg", [](I x, I, I, DType) { return minus(0, x); }},
    {"abs", [](I x, I, I, DType) { return x < 0 ? minus(0, x) : x; }},
    {"square", [](I x, I, I, DType) { return times(x, x); }},
    {"sign", [](I x, I, I, DType) { return I{(x > 0) - (x < 0)}; }},
    {"relu", [](I x, I, I, DType) { return x > 0 ? x : 0; }},
    {"logical_not", [](I x, I, I, DType) { return I{x == 0}; }},
    {"bitwise_not", [](I x, I, I, DType d) { return d == DType::bool_ ? I{x == 0} : ~x; }},
    {"popcount",
     [](I x, I, I, DType d) {
       const U mask = bits_of(d) == 64 ? ~U{0} : (U{1} << bits_of(d)) - 1;
       return I{std::popcount(static_cast<U>(x) & mask)};
     }},
    {"add", [](I x, I y, I, DType) { return plus(x, y); }},
    {"sub", [](I x, I y, I, DType) { return minus(x, y); }},
    {"mul", [](I x, I y, I, DType) { return times(x, y); }},
    {"pow", [](I x, I y, I, DType) { return power(x, y); }},
    {"fmod", [](I x, I y, I, DType) { return modulo(x, y); }},
    {"remainder", [](I x, I y, I, DType) { return floor_mod(x, y); }},
    {"floor_divide", [](I x, I y, I, DType) { return floor_div(x, y); }},
    {"maximum", [](I x, I y, I, DType) { return std::max(x, y); }},
    {"minimum", [](I x, I y, I, DType) { return std::min(x, y); }},
    {"bitwise_and", [](I x, I y, I, DType) { return x & y; }},
    {"bitwise_or", [](I x, I y, I, DType) { return x | y; }},
    {"bitwise_xor", [](I x, I y, I, DType) { return x ^ y; }},
    {"shift_left",
     [](I x, I n, I, DType d) {
       return n < 0 || n >= bits_of(d) ? 0 : static_cast<I>(static_cast<U>(x) << n);
     }},
    {"shift_right",
     [](I x, I n, I, DType d) {
       return x >> (n < 0 || n >= bits_of(d) ? 63 : n);  // a sign fills; of u8, zero
     }},
    {"gcd", [](I x, I y, I, DType) { return gcd(x, y); }},
    {"logical_and", [](I x, I y, I, DType) { return I{x && y}; }},
    {"logical_or", [](I x, I y, I, DType) { return I{x || y}; }},
    {"logical_xor", [](I x, I y, I, DType) { return I{(x != 0) != (y != 0)}; }},
    {"eq", [](I x, I y, I, DType) { return I{x == y}; }},
    {"ne", [](I x, I y, I, DType) { return I{x != y}; }},
    {"lt", [](I x, I y, I, DType) { return I{x < y}; }},
    {"le", [](I x, I y, I, DType) { return I{x <= y}; }},
    {"gt", [](I x, I y, I, DType) { return I{x > y}; }},
    {"ge", [](I x, I y, I, DType) { return I{x >= y}; }},
    {"clamp", [](I x, I low, I high, DType) { return std::min(std::max(x, low), high); }},
};

[[noreturn]] void undefined(std::string_view name, DType d) {
  throw Error({.op = "reference",
               .message = std::string(name) + " is not defined for " + std::string(name_of(d))});
}

template <class T> RefTensor<T> cast(const Application<T>& c) {
  RefTensor<T> y = *c.in[0];
  const bool truncates = is_floating(y.dtype) && is_integer(c.dtype);
  const I low = c.dtype == DType::u8 ? 0 : std::numeric_limits<I>::min() >> (64 - bits_of(c.dtype));
  const I high = c.dtype == DType::u8 ? 255 : -(low + 1);
  for (T& v : y.data)
    if (truncates)
      v = v != v ? T(0) : v <= T(low) ? T(low) : v >= T(high) ? T(high) : Elementary<T>::trunc(v);
    else
      v = stored(v, c.dtype);
  y.dtype = c.dtype;
  return y;
}

template <class T> RefTensor<T> where(const Application<T>& c) {
  RefTensor<T> y = *c.in[1];
  for (std::size_t i = 0; i < y.data.size(); ++i)
    if (c.in[0]->data[i] == 0) y.data[i] = c.in[2]->data[i];
  return y;
}

template <class T> RefTensor<T> integers(const Application<T>& c) {
  RefTensor<T> y = filled(c.in[0]->shape, c.dtype, T(0));
  const DType from = c.in[0]->dtype;
  const auto f = find_scalar(kIntegers, c.name);
  if (!f) undefined(c.name, from);
  for (std::size_t i = 0; i < y.data.size(); ++i) {
    const auto at = [&](std::size_t k) {
      return k < c.in.size() ? static_cast<I>(c.in[k]->data[i]) : 0;
    };
    y.data[i] = T(wrap(f(at(0), at(1), at(2), from), c.dtype));
  }
  return y;
}

/// Defined by the type's own grid, so it is computed there.
template <class T> RefTensor<T> nextafter(const Application<T>& c) {
  if (c.dtype != DType::f64 && c.dtype != DType::f32) undefined(c.name, c.dtype);
  RefTensor<T> y = *c.in[0];
  for (std::size_t i = 0; i < y.data.size(); ++i) {
    const auto x = static_cast<double>(y.data[i]), to = static_cast<double>(c.in[1]->data[i]);
    y.data[i] = c.dtype == DType::f64
                    ? T(std::nextafter(x, to))
                    : T(std::nextafter(static_cast<float>(x), static_cast<float>(to)));
  }
  return y;
}

template <class T> RefTensor<T> scalar_function(const Application<T>& c) {
  if (!is_floating(c.in[0]->dtype)) return integers(c);
  RefTensor<T> y = filled(c.in[0]->shape, c.dtype, T(0));
  const auto f1 = find_scalar(kUnary<T>, c.name);
  const auto f2 = find_scalar(kBinary<T>, c.name);
  const auto f3 = find_scalar(kTernary<T>, c.name);
  if (!f1 && !f2 && !f3) undefined(c.name, c.in[0]->dtype);
  if (c.in.size() != (f1 ? 1u : f2 ? 2u : 3u)) undefined(c.name, c.in[0]->dtype);
  const auto at = [&](std::size_t k, std::size_t i) { return c.in[k]->data.at(i); };
  for (std::size_t i = 0; i < y.data.size(); ++i)
    y.data[i] = f1 ? f1(at(0, i)) : f2 ? f2(at(0, i), at(1, i)) : f3(at(0, i), at(1, i), at(2, i));
  return y;
}

}  // namespace

template <class T> T stored(T value, DType dtype) {
  if (dtype == DType::bool_) return T(value != 0);
  if (!is_integer(dtype)) return value;
  const T half = Elementary<T>::scale(
      T(1), 63);  // into [-2^63, 2^63) before the conversion, which is exact there
  if (value >= half || value < -half) value = Scalar<T>::remainder(value + half, 2 * half) - half;
  return T(wrap(static_cast<I>(value), dtype));
}
template double stored(double, DType);
template Quad stored(Quad, DType);

template <class T> T product(T x, T y, DType dtype) {
  if (!is_integer(dtype)) return x * y;
  return T(wrap(times(static_cast<I>(x), static_cast<I>(y)), dtype));
}
template double product(double, double, DType);
template Quad product(Quad, Quad, DType);

template <class T> Definition<T> elementwise_definition(std::string_view name) {
  if (name == "cast") return cast<T>;
  if (name == "where") return where<T>;
  if (name == "nextafter") return nextafter<T>;
  const bool known = find_scalar(kUnary<T>, name) || find_scalar(kBinary<T>, name) ||
                     find_scalar(kTernary<T>, name) || find_scalar(kIntegers, name);
  return known ? scalar_function<T> : nullptr;
}
template Definition<double> elementwise_definition<double>(std::string_view);
template Definition<Quad> elementwise_definition<Quad>(std::string_view);

}  // namespace adjoint::check
