// number.hpp: Number, a setting that may change from step to step: a double for whoever uses it, and an input of a compiled step.
// Not a tensor: where it meets one, it takes that one's element type.
#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>

#include "adjoint/tensor.hpp"

namespace adjoint {

/// A double that remembers, while a step is being traced (compile.hpp), how it was computed from the step's arguments: a replay
/// computes it anew, so that a new learning rate makes no new plan. A comparison, and a conversion to double, is remembered too:
/// where it would come out otherwise, the step is traced again. Outside of traces it is a double and nothing else.
/// It may also be a scalar tensor (a schedule as a function of the step tensor); such a one has no value before it is computed.
class Number {
 public:
  /// A plain number.
  Number(double value = 0) : value_(value) {}  // NOLINT: stands for a double
  /// A floating scalar of the graph as a setting.   throws  Error for other types
  Number(const Tensor& value, Loc loc = Loc::current());  // NOLINT: implicit, so that a setting can be assigned
  /// The value; within a trace it becomes a constant of it.
  operator double() const { return term_ == 0 && !tensor_ ? value_ : pinned(); }

  Number& operator+=(const Number& o);  ///< *this = *this + o
  Number& operator-=(const Number& o);  ///< likewise
  Number& operator*=(const Number& o);  ///< likewise
  Number& operator/=(const Number& o);  ///< likewise

  /// For the library's own rooms.
  struct Access;

 private:
  double pinned() const;
  double value_;
  std::uint64_t term_ = 0;  // how it was computed: an entry of the trace in progress; 0 for a plain double
  Tensor tensor_ = {};
};
/// For the library's own rooms: what stands in a Number.
struct Number::Access {
  static std::uint64_t term(const Number& n) { return n.term_; }  ///< entry of the trace, or 0
  static double value(const Number& n) { return n.value_; }  ///< without pinning it
  static const Tensor& tensor(const Number& n) { return n.tensor_; }  ///< or empty
  static void set(Number& n, double value, std::uint64_t term) { n.value_ = value, n.term_ = term, n.tensor_ = Tensor(); }  ///< overwrites it
};

namespace detail {
Number combined(char op, const Number& a, const Number& b);  // + - * /
bool compared(char op, const Number& a, const Number& b);    // < for less, l for less or equal, = for equal
template <class A, class B>
concept OneNumber = (std::same_as<A, Number> && (std::same_as<B, Number> || std::is_arithmetic_v<B>)) || (std::is_arithmetic_v<A> && std::same_as<B, Number>);
inline Number as_number(const Number& n) { return n; }
template <class T> requires std::is_arithmetic_v<T> Number as_number(T v) { return static_cast<double>(v); }
}  // namespace detail

/// Followed by a trace, as all arithmetic of Numbers.
template <std::same_as<Number> A> Number operator-(const A& a) { return detail::combined('*', -1.0, a); }
/// Followed by a trace, as all arithmetic of Numbers.
template <class A, class B> requires detail::OneNumber<A, B> Number operator+(const A& a, const B& b) { return detail::combined('+', detail::as_number(a), detail::as_number(b)); }
/// Followed by a trace, as all arithmetic of Numbers.
template <class A, class B> requires detail::OneNumber<A, B> Number operator-(const A& a, const B& b) { return detail::combined('-', detail::as_number(a), detail::as_number(b)); }
/// Followed by a trace, as all arithmetic of Numbers.
template <class A, class B> requires detail::OneNumber<A, B> Number operator*(const A& a, const B& b) { return detail::combined('*', detail::as_number(a), detail::as_number(b)); }
/// Followed by a trace, as all arithmetic of Numbers.
template <class A, class B> requires detail::OneNumber<A, B> Number operator/(const A& a, const B& b) { return detail::combined('/', detail::as_number(a), detail::as_number(b)); }
/// A comparison in a trace becomes a condition of it.
template <class A, class B> requires detail::OneNumber<A, B> bool operator<(const A& a, const B& b) { return detail::compared('<', detail::as_number(a), detail::as_number(b)); }
/// A comparison in a trace becomes a condition of it.
template <class A, class B> requires detail::OneNumber<A, B> bool operator>(const A& a, const B& b) { return detail::compared('<', detail::as_number(b), detail::as_number(a)); }
/// A comparison in a trace becomes a condition of it.
template <class A, class B> requires detail::OneNumber<A, B> bool operator<=(const A& a, const B& b) { return detail::compared('l', detail::as_number(a), detail::as_number(b)); }
/// A comparison in a trace becomes a condition of it.
template <class A, class B> requires detail::OneNumber<A, B> bool operator>=(const A& a, const B& b) { return detail::compared('l', detail::as_number(b), detail::as_number(a)); }
/// A comparison in a trace becomes a condition of it.
template <class A, class B> requires detail::OneNumber<A, B> bool operator==(const A& a, const B& b) { return detail::compared('=', detail::as_number(a), detail::as_number(b)); }
/// A comparison in a trace becomes a condition of it.
template <class A, class B> requires detail::OneNumber<A, B> bool operator!=(const A& a, const B& b) { return !detail::compared('=', detail::as_number(a), detail::as_number(b)); }

inline Number& Number::operator+=(const Number& o) { return *this = *this + o; }
inline Number& Number::operator-=(const Number& o) { return *this = *this - o; }
inline Number& Number::operator*=(const Number& o) { return *this = *this * o; }
inline Number& Number::operator/=(const Number& o) { return *this = *this / o; }

}  // namespace adjoint
