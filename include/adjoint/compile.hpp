// compile.hpp: a training step (or any other function of trees) traced once a shape and replayed. Not a new language: the step is
// ordinary code, and what it returns are ordinary tensors.
#pragma once

#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include "adjoint/compile_arguments.hpp"
#include "adjoint/plan_options.hpp"

namespace adjoint {

/// A function made by compile(). Copies share their plans. Several threads may call one, each with trees of its own.
template <class F> class Compiled {
 public:
  /// What compile() calls.
  Compiled(F f, const PlanOptions& options, Loc loc) : f_(std::move(f)), step_(detail::new_step(options, loc)), loc_(loc) {}

  /// How many traces are kept; the least recently used one goes. 16 unless set.   throws  Error unless most >= 1
  Compiled& keep(std::int64_t most, Loc loc = Loc::current()) {
    detail::keep_traces(*step_, most, loc);
    return *this;
  }
  /// Traces kept now, and how many were made in all: a loop over one shape makes one.
  std::int64_t traces() const { return detail::traces(*step_).kept; }
  std::int64_t traced() const { return detail::traces(*step_).made; }  ///< see traces()
  /// The plan of the trace that ran last.   throws  Error before the first call
  PlanReport plan(Loc loc = Loc::current()) const { return detail::plan_of(*step_, loc); }

 protected:
  /// Finds or makes the trace of these arguments and replays it.
  template <class... P> auto call(Loc loc, detail::Passed<P>... args) const {
    using R = std::decay_t<std::invoke_result_t<const F&, detail::Handed<P>...>>;
    const std::array<detail::Extent, sizeof...(P)> extents{args.extent()...};
    const detail::ArgumentsInUse in_use(extents, loc);  // before any handle in them is read
    const detail::CallScope scope;
    detail::Call& call = scope.call;
    (args.read(call), ...);
    if (call.traced()) return static_cast<R>(f_(args.direct()...));  // inside another step: part of it
    detail::Replay replay(*step_, call, loc);
    for (int tries = 0; !replay.found() && tries < 8; ++tries) {  // other threads may push a fresh trace out of a small cache
      trace<R>(call, loc, args...);
      replay.find();
    }
    replay.run();
    if constexpr (!std::is_void_v<R>) {
      R result = *static_cast<const R*>(replay.prototype());
      detail::Results fill{replay};
      detail::visit(result, fill);
      return result;
    }
  }

 private:
  /// Runs the function once on stand-ins for the tensors and numbers of the arguments.
  template <class R, class... P> void trace(const detail::Call& call, Loc loc, const detail::Passed<P>&... args) const {
    detail::Tracing tracing(*step_, call, loc);
    std::tuple<detail::Copy<P>...> copies(args.copy()...);
    detail::StandIns stand_ins{tracing};
    std::apply([&](auto&... copy) { (detail::visit(copy, stand_ins), ...); }, copies);
    const auto changed = [&] {
      return [&]<std::size_t... I>(std::index_sequence<I...>) {
        detail::Changed seen{tracing};
        (seen.argument(args.give, std::get<I>(copies)), ...);
      }(std::index_sequence_for<P...>());
    };
    changed();  // how they were: numbered by the same walk
    tracing.begin();
    const auto invoke = [&]<std::size_t... I>(std::index_sequence<I...>) -> decltype(auto) {
      return f_(detail::hand<P>(std::get<I>(copies))...);
    };
    if constexpr (std::is_void_v<R>) {
      invoke(std::index_sequence_for<P...>());
      tracing.end();
      changed();
      tracing.finish(nullptr);
    } else {
      auto result = std::make_shared<R>(invoke(std::index_sequence_for<P...>()));
      tracing.end();
      changed();
      detail::Returned returned{tracing};
      detail::visit(*result, returned);
      tracing.finish(std::move(result));
    }
  }

  F f_;
  std::shared_ptr<detail::Step> step_;

 protected:
  Loc loc_;
};

/// A compiled function whose parameters are known: errors name the line of the call.
template <class F, class... P> class CompiledOf : public Compiled<F> {
 public:
  using Compiled<F>::Compiled;
  /// Calls the function: see compile().
  auto operator()(detail::Passed<P>... args, Loc loc = Loc::current()) const { return this->template call<P...>(loc, args...); }
};
/// A compiled function with `auto` parameters: errors name the line of compile().
template <class F> class CompiledTemplate : public Compiled<F> {
 public:
  using Compiled<F>::Compiled;
  /// Calls the function: see compile().
  template <class... A> auto operator()(A&&... args) const { return this->template call<A&&...>(this->loc_, detail::Passed<A&&>(std::forward<A>(args))...); }
};

/// The step as one plan a shape. The first call with new shapes, element types or settings runs `step` on stand-ins, which builds its
/// graph (forward, grad, update), and plans it; each call with known ones binds memory and runs the plan: no graph, no allocation, no
/// system call, no lock.
/// ```
/// auto step = compile([](Net& net, State& state, const optim::Adam& adam, const Tensor& x, const Tensor& y) {
///   const Tensor loss = cross_entropy(net(x), y);
///   std::tie(net, state) = adam.update(net, grad(loss, net), state);
///   return loss;
/// });
/// ```
///   arguments  Tensors; trees of them (plain structs, optional, vector, tuple, pair, variant, Buffer); Keys; Numbers; and settings, that
///              is numbers, enums, strings and Shapes. What is passed as a non-const lvalue is changed as the step changes it, in
///              place where nobody else holds the old values. A tree passed as an rvalue is given up: a handle to one of its
///              leaves that is used again throws an Error with the line of the call. Everything else is read
///   inputs     Tensors, Numbers (so the learning rate of an optimizer), Keys, and floating arguments of the function itself
///   the key    shapes and element types, which tensors are one and the same, what is frozen, and all settings: another value is another
///              trace. A floating member of a struct that is no Number is such a setting: its change traces again and makes no new plan
///   constants  whatever else the function reads, captured variables above all: they are what they were when the trace was made
///   returns    what the function returns, a tree too, with computed tensors
///   bits       those of the function called without compile
///   throws     what the function throws when it is traced. Error where a value is asked for in the trace (item, eval, printing,
///              backward), where the function changes a setting or the structure of an argument, where a tree is in use by another
///              thread, and where a kernel fails, with the operation and its line: trees are then as they were
template <class F> auto compile(F step, const PlanOptions& options = plan_options(), Loc loc = Loc::current()) {
  return detail::with_parameters<F>([&]<class... P>(detail::Types<P...>*) {
    if constexpr (sizeof...(P) == 1 && (std::is_same_v<P, detail::Unknown> && ...)) return CompiledTemplate<F>(std::move(step), options, loc);
    else return CompiledOf<F, P...>(std::move(step), options, loc);
  });
}

}  // namespace adjoint
