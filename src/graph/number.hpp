// number.hpp: the arithmetic on Numbers that a trace records, and its evaluation at each replay. Not an expression compiler: a
// step has a handful of them.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "adjoint/number.hpp"

namespace adjoint {

/// Terms over the inputs, comparisons and where a term became a literal of the graph. Term t reads only earlier ones.
struct NumberTape {
  struct Term {
    char op = 'c';           // i input a; c constant; + - * / of terms a and b
    std::uint32_t a = 0, b = 0;
    double constant = 0;
    bool operator==(const Term& o) const { return op == o.op && a == o.a && b == o.b && std::bit_cast<std::uint64_t>(constant) == std::bit_cast<std::uint64_t>(o.constant); }
  };
  struct Guard {             // the step is this trace only while the comparison of a and b comes out the same
    char op = '=';           // < l =, or p: a has exactly the bits of `constant`
    std::uint32_t a = 0, b = 0;
    double constant = 0;
    bool outcome = true;
    bool operator==(const Guard& o) const {
      return op == o.op && a == o.a && b == o.b && outcome == o.outcome && std::bit_cast<std::uint64_t>(constant) == std::bit_cast<std::uint64_t>(o.constant);
    }
  };
  struct Literal {
    Tensor node;
    std::uint32_t term = 0;
  };
  std::vector<Term> terms;
  std::vector<Guard> guards;
  std::vector<Literal> literals;
  std::uint32_t serial = 0;  // tells the terms of one trace from those of another; never 0

  /// The term; one that is there already where it is equal: an optimizer says the same of each of its tensors.
  std::uint32_t add(const Term& term);
  void add(const Guard& guard);
  /// The literal of this type that stands for the term, one for all its uses.
  Tensor literal_of(std::uint32_t term, const Type& type, double value, Loc loc);
  std::uint32_t term_of(const Number& n);  // a constant where n is not of this trace
  Number number(std::uint32_t term, double value) const;
  /// The values of all terms, for new inputs. `values` has room for as many as there are terms.
  void evaluate(std::span<const double> inputs, std::span<double> values) const;
  /// True while every comparison comes out as it did.
  bool holds(std::span<const double> values) const;

 private:
  std::unordered_multimap<std::uint64_t, std::uint32_t> known_terms_, known_guards_, known_literals_;  // by hash
};

/// While alive, arithmetic on Numbers of this thread is recorded there.
class TapeScope {
 public:
  explicit TapeScope(NumberTape& tape);
  ~TapeScope();
  TapeScope(const TapeScope&) = delete;
  TapeScope& operator=(const TapeScope&) = delete;

 private:
  NumberTape* outer_;
};

/// An Arg that is a number, as a tensor of the given type: a literal, which is an input of the step where the number is one.
Tensor number_as(const Arg& number, const Type& type, Loc loc);
/// The number itself; in a trace it is a constant from here on.
double pinned(const Arg& number);

}  // namespace adjoint
