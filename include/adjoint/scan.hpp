// scan.hpp: loops as operations: a step that is traced once and run for every element of a sequence, with what it carries along.
// Not a C++ loop over a graph, which grows with the sequence; both give the same bits.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "adjoint/tree.hpp"

namespace adjoint {

/// What the gradient of a loop remembers of its forward run. No choice changes a bit of any result.
///   (default)         as the plan's memory: everything, or what a budget in bytes leaves; see PlanOptions
///   save-all          what the backward steps read, of every step
///   checkpoint:K      the carries of each K-th step; K steps at a time run again (K = 1: the carries of every step)
///   checkpoint:A,B    likewise with chunks of A steps, in which, when they run again, each B-th step's carries are kept; and so on
///   sqrt              checkpoint:K with K about the square root of the length
///   bytes             (a number, or as 64MiB) whatever stays within them with the fewest runs of a step
struct LoopMemory {
  std::vector<std::int64_t> chunks = {};     ///< sizes of chunks, from the outermost; kRoot stands for the square root
  std::int64_t bytes = -1;                   ///< > 0: a budget; 0: as `chunks` say; -1: the plan decides
  static constexpr std::int64_t kRoot = 0;   ///< as a chunk: about the square root of the length

  LoopMemory() = default;
  /// From one of the texts above.   throws  Error for anything else
  LoopMemory(std::string_view text, Loc loc = Loc::current());  // NOLINT: implicit, so that options take the text as it is
  /// See above.
  LoopMemory(const char* text, Loc loc = Loc::current()) : LoopMemory(std::string_view(text), loc) {}  // NOLINT: likewise
};

/// Settings of scan().
struct ScanOptions {
  std::int64_t length = -1;   ///< number of steps; that of the sequences when it is not given
  bool reverse = false;       ///< from the last element to the first; element t of a result is that of element t of the sequences
  LoopMemory memory = {};     ///< what the gradient remembers; a budget that cannot be met throws when the gradient is planned
};

namespace detail {
/// A loop over lists of tensors; names are for messages.
struct ScanCall {
  Tensors init, xs;
  std::vector<std::string> carry_names, x_names;
  ScanOptions options;
  Loc loc;
  const char* op = "scan";  ///< for messages, and the scope of what is made
};
struct Scanned {
  Tensors carry, ys;
};
Scanned scan(const std::function<Scanned(const Tensors& carry, const Tensors& x)>& f, const ScanCall& call);

/// The tensors of a tree in order of its fields, each place by itself.
template <class T> Tensors places_of(const T& tree) {
  Tensors list;
  tree::walk(tree, [&](const Tensor& t, const tree::Path*, bool) { list.push_back(t); });
  return list;
}
/// The tree with other tensors in their places.
template <class T> T placed(T tree, const Tensors& values) {
  std::size_t k = 0;
  tree::walk(tree, [&](Tensor& t, const tree::Path*, bool) { t = k < values.size() ? values[k] : Tensor(), ++k; });
  return tree;
}
template <class T> std::vector<std::string> names_of(const T& tree, const std::string& root) {
  std::vector<std::string> names;
  tree::walk(tree, [&](const Tensor&, const tree::Path* path, bool) {
    const std::string text = path ? path->text() : std::string();
    names.push_back(root + (text.empty() || text[0] == '[' ? "" : ".") + text);
  });
  return names;
}
/// In the place of a tree that a function does not have.
struct Nothing {};

template <class F, class Carry, class X> auto step_of(F& f, const Carry& carry, const X& x) {
  if constexpr (std::is_same_v<X, Nothing>) return f(carry);
  else return f(carry, x);
}

template <class F, class Carry, class Xs> auto scan(F& f, const Carry& init, const Xs& xs, const ScanOptions& options, Loc loc, const char* op = "scan") {
  using Result = std::remove_cvref_t<decltype(step_of(f, init, xs))>;
  constexpr bool only_carry = std::is_same_v<Result, Carry>;
  static_assert(only_carry || tree::kind::is<Result, std::pair>, "adjoint: the step of a scan returns pair(carry, y), or the carry alone");
  ScanCall call{places_of(init), {}, names_of(init, "carry"), {}, options, loc, op};
  if constexpr (!std::is_same_v<Xs, Nothing>) call.xs = places_of(xs), call.x_names = names_of(xs, "x");
  const auto placed_x = [&](const Tensors& x) -> Xs {
    if constexpr (std::is_same_v<Xs, Nothing>) return Nothing{};
    else return placed(xs, x);
  };
  if constexpr (only_carry) {
    const Scanned out = scan([&](const Tensors& c, const Tensors& x) { return Scanned{places_of(step_of(f, placed(init, c), placed_x(x))), {}}; }, call);
    return placed(init, out.carry);
  } else {
    static_assert(std::is_same_v<std::remove_cvref_t<typename Result::first_type>, Carry>, "adjoint: the step of a scan returns a carry of the type that it gets");
    std::vector<typename Result::second_type> y;  // of the step that was traced: its structure
    const Scanned out = scan([&](const Tensors& c, const Tensors& x) {
      auto [carry, result] = step_of(f, placed(init, c), placed_x(x));
      y.push_back(result);
      return Scanned{places_of(carry), places_of(result)};
    }, call);
    return std::pair(placed(init, out.carry), placed(y.at(0), out.ys));
  }
}
}  // namespace detail

/// for t in 0 .. T-1: (carry, y[t]) = f(carry, x[t]); returns {carry, y}. f is called once, with stand-ins, and its graph is what runs
/// in every step; tensors that it captures (parameters, anything from outside) get the sum of all steps' gradients.
///   trees     carry, xs and y are Tensors or structs, vectors, tuples, optionals of them; f may return the carry alone
///   shapes    every tensor of xs is [T, ...], f sees [...]; every y is [...] in f and [T, ...] outside; carries keep shape and type
///   gradient  backpropagation through time; adjoints of captured tensors are added step by step, the last step first, and within
///             a step the use nearest to its results first: the bits of the loop written out (docs/time.md has
///             the exception). `memory` says what is remembered for it
///   T         0 returns the first carry and empty ys; sequences of one length, or options.length
///   throws    Error at the caller's line for sequences of different or no length, a carry whose shape or element type changes (its path
///             and both types are named), a value without data; reading a value (item, printing) inside f, which has no numbers
template <class F, class Carry, class Xs>
  requires(!std::is_same_v<Xs, ScanOptions>)
auto scan(F f, const Carry& init, const Xs& xs, const ScanOptions& options = {}, Loc loc = Loc::current()) {
  return detail::scan(f, init, xs, options, loc);
}
/// The same without sequences: options.length steps of carry -> (carry, y), or of carry -> carry.
template <class F, class Carry> auto scan(F f, const Carry& init, const ScanOptions& options, Loc loc = Loc::current()) {
  return detail::scan(f, init, detail::Nothing{}, options, loc);
}

/// y[t] = f(x[t]) for every element of the sequences, one after another: little memory where vmap would take all at once. The bits of
/// vmap. Everything else as of scan(), without a carry.
template <class F, class Xs> auto map_over(F f, const Xs& xs, const ScanOptions& options = {}, Loc loc = Loc::current()) {
  const auto step = [&](const std::tuple<>& none, const Xs& x) { return std::pair(none, f(x)); };
  return detail::scan(step, std::tuple<>(), xs, options, loc, "map_over").second;
}

}  // namespace adjoint
