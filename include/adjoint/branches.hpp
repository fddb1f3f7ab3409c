// branches.hpp: choices and bounded repetitions at run time, as operations: what runs depends on data, and gradients follow what ran.
// Not C++'s if and while, which decide when the graph is built.
#pragma once

#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "adjoint/ops.hpp"
#include "adjoint/scan.hpp"

namespace adjoint {

namespace detail {
/// predicate != 0, as a bool.
Tensor holds(const Arg& predicate);
Tensors choose(const Arg& which, const std::vector<std::function<Tensors()>>& branches, const std::vector<std::string>& names, const char* op);
}

/// branches[index](): one of them runs when the value is computed. An index below 0 means the first, one beyond the last the last.
///   trees     each returns the same structure of tensors, of the same shapes and element types; what they capture are the operands
///   gradient  of the branch that ran; values that only others captured get zeros
///   vmap      where each example has an index of its own, all branches run and where() chooses
///   throws    Error at the caller's line for an index that is no scalar bool or integer, or results that differ (both types are named);
///             reading a value (item, printing) inside a branch, which is traced and has no numbers
template <class Result> Result choose(const Arg& index, const std::vector<std::function<Result()>>& branches) {
  std::vector<Result> structure;  // of the first branch's result
  std::vector<std::function<Tensors()>> lists;
  for (const auto& f : branches)
    lists.push_back([&f, &structure] {
      const Result r = f();
      if (structure.empty()) structure.push_back(r);
      return detail::places_of(r);
    });
  const Tensors values = detail::choose(index, lists, {}, "switch");
  return detail::placed(structure.at(0), values);
}

/// on_true() where the predicate holds, else on_false(): choose() between two.
template <class F, class G> auto cond(const Arg& predicate, F on_true, G on_false) {
  using Result = std::remove_cvref_t<decltype(on_true())>;
  static_assert(std::is_same_v<Result, std::remove_cvref_t<decltype(on_false())>>, "adjoint: both branches of cond return the same type");
  const Tensor holds = detail::holds(predicate);
  std::vector<Result> structure;
  const std::vector<std::function<Tensors()>> lists{[&] { return detail::places_of(on_false()); },
                                                    [&] {
                                                      structure.push_back(on_true());
                                                      return detail::places_of(structure[0]);
                                                    }};
  const Tensors values = detail::choose(Arg(holds, predicate.loc), lists, {}, "cond");
  return detail::placed(structure.at(0), values);
}

/// while (goes_on(state)) state = step(state); at most `most` times. What goes_on returns is a scalar bool.
///   gradient  of the steps that ran: a loop of `most` steps in which the others do nothing; memory as of scan()
///   throws    as scan() and cond()
template <class C, class F, class State> State while_bounded(C goes_on, F step, const State& init, std::int64_t most, const ScanOptions& options = {}, Loc loc = Loc::current()) {
  ScanOptions loop = options;
  loop.length = most;
  const auto once = [&](const std::pair<State, Tensor>& now) {
    const State next = cond(Arg(now.second, loc), [&] { return State(step(now.first)); }, [&] { return now.first; });
    return std::pair(next, logical_and(now.second, goes_on(next)));
  };
  return detail::scan(once, std::pair(init, Tensor(goes_on(init))), detail::Nothing{}, loop, loc, "while_bounded").first;
}

}  // namespace adjoint
