// wrong_calls.hpp: calls that should not be made, generated from the rows, and the rule by which each is judged: a typed
// Error at the caller's line, or a legal call whose result holds what its type says. Not the rows' own bad calls with
// their messages, and not the families of wrong options: tests/check.
#pragma once

#include <functional>
#include <map>

#include "check/row.hpp"

namespace adjoint::check {

/// What became of the calls of one family.
struct WrongTally {
  std::int64_t generated = 0;
  std::int64_t threw = 0;       ///< an Error as it must be: operation, message, hint, the caller's line
  std::int64_t legal = 0;       ///< computed, with the elements that its type promises
  std::int64_t general = 0;     ///< of those that threw: with the hint that stands in for a missing one
  std::int64_t unevaluated = 0; ///< legal, but of a size that no test computes
};
struct WrongReport {
  std::map<std::string, WrongTally> families;
  std::vector<std::string> broken;  ///< one line a call that behaved in any other way
  double slowest_seconds = 0;
  std::string slowest;
  WrongTally total() const;
  std::string text() const;         ///< a table of the counts
};

struct WrongCall {
  std::string family, name;
  std::function<Tensor()> call;
  Loc at;                  ///< the caller: an Error names this file (of src/check/rows: any of them), and this line if `line`
  bool line = true;
  bool must_throw = false;
};
/// Makes the call and evaluates its result.
void attempt(const WrongCall& wrong, WrongReport& report);

/// Each row's call with one operand changed: no value, other element types, other ranks, axes of other, zero and huge
/// sizes, values out of range.
void wrong_rows(WrongReport& report);
/// `count` calls of rows with every operand changed by chance, by a counted generator.
void wrong_rows_at_random(std::uint64_t seed, std::int64_t count, WrongReport& report);

}  // namespace adjoint::check
