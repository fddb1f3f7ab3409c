// number.cpp: recording and replaying arithmetic on Numbers. Outside of a trace nothing is recorded. Not arithmetic on tensors.
#include "graph/number.hpp"

#include <atomic>
#include <bit>

#include "graph/node.hpp"

namespace adjoint {

Tensor cast(const Arg& x, DType dtype);                      // declared by the operations' headers, as these are
Tensor broadcast_to(const Arg& x, const Shape& shape);
Tensor operator+(const Arg& a, const Arg& b);
Tensor operator-(const Arg& a, const Arg& b);
Tensor operator*(const Arg& a, const Arg& b);
Tensor operator/(const Arg& a, const Arg& b);

namespace {

thread_local NumberTape* innermost = nullptr;

double apply(char op, double a, double b) { return op == '+' ? a + b : op == '-' ? a - b : op == '*' ? a * b : a / b; }
bool compare(char op, double a, double b) { return op == '<' ? a < b : op == 'l' ? a <= b : a == b; }

/// Of the trace in progress; a Number that outlived its trace is what it was then.
bool recorded(std::uint64_t term) { return term != 0 && innermost && static_cast<std::uint32_t>(term >> 32) == innermost->serial; }
std::uint32_t index_of(std::uint64_t term) { return static_cast<std::uint32_t>(term); }

double pin(double value, std::uint64_t term) {
  if (recorded(term)) innermost->add(NumberTape::Guard{'p', index_of(term), 0, value, true});
  return value;
}

}  // namespace

TapeScope::TapeScope(NumberTape& tape) : outer_(innermost) {
  static std::atomic<std::uint32_t> serials{0};
  while (tape.serial == 0) tape.serial = serials.fetch_add(1, std::memory_order_relaxed) + 1;
  innermost = &tape;
}
TapeScope::~TapeScope() { innermost = outer_; }

Number NumberTape::number(std::uint32_t term, double value) const {
  Number n;
  Number::Access::set(n, value, static_cast<std::uint64_t>(serial) << 32 | term);
  return n;
}

std::uint32_t NumberTape::term_of(const Number& n) {
  if (const auto t = Number::Access::term(n); t != 0 && static_cast<std::uint32_t>(t >> 32) == serial) return index_of(t);
  return add(Term{'c', 0, 0, Number::Access::value(n)});
}

/// The index of an equal one in `all`, or where it was added.
template <class T> static std::uint32_t find_or_add(std::vector<T>& all, std::unordered_multimap<std::uint64_t, std::uint32_t>& known, std::uint64_t hash, const T& x) {
  for (auto [it, end] = known.equal_range(hash); it != end; ++it)
    if (all[it->second] == x) return it->second;
  all.push_back(x);
  return known.emplace(hash, static_cast<std::uint32_t>(all.size() - 1))->second;
}
static std::uint64_t hash_of(const auto& x) {
  return mix(mix(mix(static_cast<std::uint64_t>(x.op), x.a), x.b), std::bit_cast<std::uint64_t>(x.constant));
}
std::uint32_t NumberTape::add(const Term& term) { return find_or_add(terms, known_terms_, hash_of(term), term); }
void NumberTape::add(const Guard& guard) { find_or_add(guards, known_guards_, hash_of(guard), guard); }

Tensor NumberTape::literal_of(std::uint32_t term, const Type& type, double value, Loc loc) {
  const auto hash = mix(term, static_cast<std::uint64_t>(type.dtype));
  for (auto [it, end] = known_literals_.equal_range(hash); it != end; ++it)
    if (const auto& l = literals[it->second]; l.term == term && l.node.type() == type) return l.node;
  Tensor t = literal(type, value, loc);
  t.node()->traced = true;
  literals.push_back({t, term});
  known_literals_.emplace(hash, static_cast<std::uint32_t>(literals.size() - 1));
  return t;
}

void NumberTape::evaluate(std::span<const double> inputs, std::span<double> values) const {
  for (std::size_t t = 0; t < terms.size(); ++t) {
    const auto& e = terms[t];
    values[t] = e.op == 'i' ? inputs[e.a] : e.op == 'c' ? e.constant : apply(e.op, values[e.a], values[e.b]);
  }
}

bool NumberTape::holds(std::span<const double> values) const {
  for (const auto& g : guards) {
    const bool same = g.op == 'p' ? std::bit_cast<std::uint64_t>(values[g.a]) == std::bit_cast<std::uint64_t>(g.constant)
                                  : compare(g.op, values[g.a], values[g.b]) == g.outcome;
    if (!same) return false;
  }
  return true;
}

Number::Number(const Tensor& value, Loc loc) : value_(0), tensor_(value) {
  const Type& t = value.type(loc);
  if (t.shape.rank() != 0 || !is_floating(t.dtype))
    throw Error({.op = "Number", .message = "a setting is a floating scalar, got " + to_string(t), .where = user_loc(loc), .operands = {describe(*value.node())},
                 .hint = "cast a step to f64 first: cast(step, DType::f64)"});
}
double Number::pinned() const { return tensor_ ? tensor_.item() : pin(value_, term_); }

namespace detail {

Number combined(char op, const Number& a, const Number& b) {
  using A = Number::Access;
  if (A::tensor(a) || A::tensor(b)) {
    const Arg x(a), y(b);
    return Number(op == '+' ? x + y : op == '-' ? x - y : op == '*' ? x * y : x / y);
  }
  const double value = apply(op, A::value(a), A::value(b));
  if (!recorded(A::term(a)) && !recorded(A::term(b))) return value;
  const auto i = innermost->term_of(a), j = innermost->term_of(b);
  return innermost->number(innermost->add(NumberTape::Term{op, i, j, 0}), value);
}

bool compared(char op, const Number& a, const Number& b) {
  using A = Number::Access;
  if (A::tensor(a) || A::tensor(b)) return compare(op, static_cast<double>(a), static_cast<double>(b));
  const bool outcome = compare(op, A::value(a), A::value(b));
  if (recorded(A::term(a)) || recorded(A::term(b))) {
    const auto i = innermost->term_of(a), j = innermost->term_of(b);
    innermost->add(NumberTape::Guard{op, i, j, 0, outcome});
  }
  return outcome;
}

}  // namespace detail

Arg::Arg(const Number& n, Loc l) : number(Number::Access::value(n)), loc(l), term(Number::Access::term(n)) {
  if (const Tensor& t = Number::Access::tensor(n)) scalar = &t;
}

Tensor number_as(const Arg& x, const Type& type, Loc loc) {
  if (x.scalar) {
    const Tensor t = x.scalar->dtype() == type.dtype ? *x.scalar : cast(Arg(*x.scalar, loc), type.dtype);
    return type.shape.rank() == 0 ? t : broadcast_to(Arg(t, loc), type.shape);
  }
  return recorded(x.term) ? innermost->literal_of(index_of(x.term), type, x.number, loc) : literal(type, x.number, loc);
}
double pinned(const Arg& x) { return x.scalar ? x.scalar->item(x.loc) : pin(x.number, x.term); }

}  // namespace adjoint
