// micro.hpp: a machine that records: functions of the -inl.hpp files, called with its values, write down their vector
// operations instead of computing. Not an encoder: emit_code.cpp turns what was recorded into instructions.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "adjoint/dtype.hpp"

namespace adjoint::cpu::micro {

enum class Op : std::uint8_t {
  constant, input, row, kept,                     ///< sources (these come first): bits; port; slot of the row; array of the row
  add, sub, mul, div, fma, sqrt, min, max, round,  ///< of floats; min and max give b where either is NaN; fma is a*b + c
  scale,                                           ///< a * 2^b for a whole b, rounded once (AVX-512)
  and_, or_, xor_, and_not,                        ///< of bits; and_not is ~a & b
  int_add, int_sub, int_mul, shift_left, shift_right, int_compare,
  compare,                                         ///< `immediate` is the processor's predicate, also of int_compare
  mask_and, mask_or, mask_xor, mask_not, mask_resize,
  select, zero_unless,                             ///< a ? b : c; a ? b : 0
  f64_of_f32, f32_of_f64, float_of_i32, float_of_i64, i32_of_f32, i64_of_i32, i32_of_i64, round_f16,
  call, call_where,                                ///< the ScalarKernel at address `bits`, of a and b; of a if mask b holds anywhere, else c
};

struct Code {
  Op op;
  std::uint8_t width = 4;      ///< bytes of a lane of the result (of a mask: of the lanes that it belongs to)
  std::uint8_t immediate = 0;
  DType dtype = DType::f32;    ///< of sources in memory
  bool mask = false;
  std::int32_t a = -1, b = -1, c = -1;
  std::uint64_t bits = 0;
  bool operator==(const Code&) const = default;
};

/// What an operation costs, in those that take one cycle.
constexpr int weight(Op op) {
  if (op <= Op::kept) return 0;
  if (op == Op::call || op == Op::call_where) return 100;
  return op == Op::div || op == Op::sqrt ? 10 : 1;
}

/// Straight-line code over values that are numbered as they are made; equal ones are made once.
class Body {
 public:
  /// sized_masks: a mask has the width of what it was made from (AVX2), and is resized for others.
  explicit Body(bool sized_masks) : sized_masks_(sized_masks) {}
  std::vector<Code> code;

  std::int32_t add(const Code& c) {
    auto& known = index_[hash(c)];
    for (const auto id : known)
      if (code[static_cast<std::size_t>(id)] == c) return id;
    code.push_back(c);
    known.push_back(static_cast<std::int32_t>(code.size()) - 1);
    return known.back();
  }
  const Code& operator[](std::int32_t id) const { return code[static_cast<std::size_t>(id)]; }
  std::int32_t resized(std::int32_t mask, int width) {
    if (!sized_masks_ || (*this)[mask].width == width) return mask;
    return add({.op = Op::mask_resize, .width = static_cast<std::uint8_t>(width), .mask = true, .a = mask});
  }
  /// There is Op::scale.
  bool scales() const { return !sized_masks_; }
  std::int32_t mask_not(std::int32_t m) {
    Code c = (*this)[m];
    if (c.op == Op::compare) {
      c.immediate ^= 4;  // the predicate's negation
      return add(c);
    }
    return add({.op = Op::mask_not, .width = c.width, .mask = true, .a = m});
  }

 private:
  static std::uint64_t hash(const Code& c) {
    std::uint64_t h = static_cast<std::uint64_t>(c.op) | static_cast<std::uint64_t>(c.width) << 8 | static_cast<std::uint64_t>(c.immediate) << 16;
    for (const auto x : {static_cast<std::uint64_t>(c.a), static_cast<std::uint64_t>(c.b), static_cast<std::uint64_t>(c.c), c.bits})
      h = (h ^ x) * 0x9E3779B97F4A7C15u, h ^= h >> 29;
    return h;
  }
  bool sized_masks_;
  std::unordered_map<std::uint64_t, std::vector<std::int32_t>> index_;
};

// ---- the vocabulary that Highway's vectors have too ----

template <class E> struct Tag {
  using T = E;
  template <class U> using Rebind = Tag<U>;
  Body* body;
};
template <class T> struct Value {
  Body* body;
  std::int32_t id;
};
template <class T> struct Mask {
  Body* body;
  std::int32_t id;
};

template <class U, class T> Tag<U> retag(Tag<T> d) { return {d.body}; }

template <class T> Value<T> make(Body* body, Op op, std::int32_t a, std::int32_t b = -1, std::int32_t c = -1, std::uint8_t immediate = 0) {
  return {body, body->add({.op = op, .width = sizeof(T), .immediate = immediate, .a = a, .b = b, .c = c})};
}
template <class T> Value<T> Set(Tag<T> d, std::type_identity_t<T> x) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &x, sizeof(T));
  return {d.body, d.body->add({.op = Op::constant, .width = sizeof(T), .bits = bits})};
}
template <class T> Value<T> Zero(Tag<T> d) { return Set(d, T(0)); }
template <class T> Value<T> of_bits(Value<T> like, std::uint64_t bits) {
  return {like.body, like.body->add({.op = Op::constant, .width = sizeof(T), .bits = bits})};
}
template <class T> constexpr std::uint64_t kSignBit = std::uint64_t{1} << (8 * sizeof(T) - 1);

template <class T> Value<T> Add(Value<T> a, Value<T> b) { return make<T>(a.body, std::is_integral_v<T> ? Op::int_add : Op::add, a.id, b.id); }
template <class T> Value<T> Sub(Value<T> a, Value<T> b) { return make<T>(a.body, std::is_integral_v<T> ? Op::int_sub : Op::sub, a.id, b.id); }
template <class T> Value<T> Mul(Value<T> a, Value<T> b) { return make<T>(a.body, std::is_integral_v<T> ? Op::int_mul : Op::mul, a.id, b.id); }
template <class T> Value<T> Div(Value<T> a, Value<T> b) { return make<T>(a.body, Op::div, a.id, b.id); }
template <class T> Value<T> fma(Value<T> a, Value<T> b, Value<T> c) { return make<T>(a.body, Op::fma, a.id, b.id, c.id); }
template <class T> Value<T> times_power(Value<T> v, Value<T> s1, Value<T> s2, Value<T> k) {
  return v.body->scales() ? make<T>(v.body, Op::scale, v.id, k.id) : Mul(Mul(v, s1), s2);
}
template <class T> Value<T> one_plus_times_power(Value<T> m1, Value<T> s1, Value<T> s2, Value<T> k) {
  return m1.body->scales() ? times_power(Add(m1, Set(Tag<T>{m1.body}, 1)), s1, s2, k) : Mul(fma(m1, s1, s1), s2);
}
template <class T> Value<T> sqrt(Value<T> a) { return make<T>(a.body, Op::sqrt, a.id); }
template <class T> Value<T> min_or_second(Value<T> a, Value<T> b) { return make<T>(a.body, Op::min, a.id, b.id); }
template <class T> Value<T> max_or_second(Value<T> a, Value<T> b) { return make<T>(a.body, Op::max, a.id, b.id); }
template <class T> Value<T> round_even(Value<T> a) { return make<T>(a.body, Op::round, a.id, -1, -1, 0); }
template <class T> Value<T> floor(Value<T> a) { return make<T>(a.body, Op::round, a.id, -1, -1, 1); }
template <class T> Value<T> ceil(Value<T> a) { return make<T>(a.body, Op::round, a.id, -1, -1, 2); }
template <class T> Value<T> trunc(Value<T> a) { return make<T>(a.body, Op::round, a.id, -1, -1, 3); }
template <class T> Value<T> And(Value<T> a, Value<T> b) { return make<T>(a.body, Op::and_, a.id, b.id); }
template <class T> Value<T> Or(Value<T> a, Value<T> b) { return make<T>(a.body, Op::or_, a.id, b.id); }
template <class T> Value<T> Xor(Value<T> a, Value<T> b) { return make<T>(a.body, Op::xor_, a.id, b.id); }
template <class T> Value<T> AndNot(Value<T> a, Value<T> b) { return make<T>(a.body, Op::and_not, a.id, b.id); }
template <class T> Value<T> Neg(Value<T> a) { return Xor(a, of_bits(a, kSignBit<T>)); }
template <class T> Value<T> Abs(Value<T> a) { return And(a, of_bits(a, kSignBit<T> - 1)); }
template <class T> Value<T> CopySign(Value<T> magnitude, Value<T> sign) {
  return Or(Abs(magnitude), And(sign, of_bits(sign, kSignBit<T>)));
}
template <int n, class T> Value<T> ShiftLeft(Value<T> a) { return make<T>(a.body, Op::shift_left, a.id, -1, -1, n); }
template <int n, class T> Value<T> ShiftRight(Value<T> a) {
  static_assert(std::is_unsigned_v<T>);
  return make<T>(a.body, Op::shift_right, a.id, -1, -1, n);
}
template <class U, class T> Value<U> BitCast(Tag<U>, Value<T> a) {
  static_assert(sizeof(U) == sizeof(T));
  return {a.body, a.id};
}

template <class T> Mask<T> compare(Value<T> a, Value<T> b, std::uint8_t how) {
  const Op op = std::is_integral_v<T> ? Op::int_compare : Op::compare;
  return {a.body, a.body->add({.op = op, .width = sizeof(T), .immediate = how, .mask = true, .a = a.id, .b = b.id})};
}
/// The processor's predicates: quiet ones of floats, and those of integers.
template <class T> constexpr std::uint8_t predicate(std::uint8_t of_float, std::uint8_t of_integer) {
  return std::is_integral_v<T> ? of_integer : of_float;
}
template <class T> Mask<T> Eq(Value<T> a, Value<T> b) { return compare(a, b, predicate<T>(0, 0)); }
template <class T> Mask<T> Ne(Value<T> a, Value<T> b) { return compare(a, b, predicate<T>(4, 4)); }
template <class T> Mask<T> Lt(Value<T> a, Value<T> b) { return compare(a, b, predicate<T>(0x11, 1)); }
template <class T> Mask<T> Le(Value<T> a, Value<T> b) { return compare(a, b, predicate<T>(0x12, 2)); }
template <class T> Mask<T> Gt(Value<T> a, Value<T> b) { return compare(a, b, predicate<T>(0x1E, 6)); }
template <class T> Mask<T> Ge(Value<T> a, Value<T> b) { return compare(a, b, predicate<T>(0x1D, 5)); }
template <class T> Mask<T> IsNaN(Value<T> a) { return compare(a, a, 3); }
template <class T> Mask<T> join(Op op, Mask<T> a, Mask<T> b) {
  return {a.body, a.body->add({.op = op, .width = sizeof(T), .mask = true, .a = a.id, .b = b.id})};
}
template <class T> Mask<T> And(Mask<T> a, Mask<T> b) { return join(Op::mask_and, a, b); }
template <class T> Mask<T> Or(Mask<T> a, Mask<T> b) { return join(Op::mask_or, a, b); }
template <class T> Mask<T> Xor(Mask<T> a, Mask<T> b) { return join(Op::mask_xor, a, b); }
template <class T> Mask<T> Not(Mask<T> a) { return {a.body, a.body->mask_not(a.id)}; }
template <class T> Value<T> IfThenElse(Mask<T> m, Value<T> a, Value<T> b) { return make<T>(a.body, Op::select, m.id, a.id, b.id); }
template <class T> Value<T> IfThenElseZero(Mask<T> m, Value<T> a) { return make<T>(a.body, Op::zero_unless, m.id, a.id); }
template <class T> Value<T> IfThenZeroElse(Mask<T> m, Value<T> a) { return IfThenElseZero(Not(m), a); }

}  // namespace adjoint::cpu::micro
