// compile_arguments.hpp: the arguments and results of a compiled step, laid flat: which tensors and numbers they hold, and the hash
// of everything else. For compile.hpp, not for users; not a trace and not a plan.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "adjoint/explain.hpp"
#include "adjoint/key.hpp"
#include "adjoint/number.hpp"
#include "adjoint/plan_options.hpp"
#include "adjoint/tree.hpp"

namespace adjoint::detail {

/// Calls visitor.tensor, number, key or setting for each part of an argument, in the order of declaration.
template <class T, class V> void visit(T& x, V& v);

template <class T, class V> void visit_range(T& x, V& v) {
  v.setting(x.size());
  for (auto&& e : x) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(e)>, std::vector<bool>::reference>) v.setting(static_cast<bool>(e));
    else visit(e, v);
  }
}

template <class T, class V> void visit(T& x, V& v) {
  using X = std::remove_cv_t<T>;
  namespace kind = tree::kind;
  if constexpr (std::is_same_v<X, Tensor>) v.tensor(const_cast<Tensor&>(x));
  else if constexpr (std::is_same_v<X, Number>) v.number(const_cast<Number&>(x));
  else if constexpr (std::is_same_v<X, Key>) v.key(const_cast<Key&>(x));
  else if constexpr (std::is_floating_point_v<X>) v.setting(std::bit_cast<std::uint64_t>(static_cast<double>(x)));
  else if constexpr (std::is_arithmetic_v<X> || std::is_enum_v<X>) v.setting(static_cast<std::uint64_t>(x));
  else if constexpr (std::is_same_v<X, std::string> || std::is_same_v<X, std::string_view>) {
    v.setting(x.size());
    for (const char c : x) v.setting(static_cast<unsigned char>(c));
  } else if constexpr (std::is_same_v<X, Shape> || kind::is<X, std::vector> || kind::is_array<X>) visit_range(x, v);
  else if constexpr (std::is_pointer_v<X> && std::is_function_v<std::remove_pointer_t<X>>) v.setting(reinterpret_cast<std::uintptr_t>(x));
  else if constexpr (kind::is<X, nn::Buffer>) visit(x.value, v);
  else if constexpr (kind::is<X, std::optional>) {
    v.setting(x.has_value());
    if (x) visit(*x, v);
  } else if constexpr (kind::is<X, std::tuple> || kind::is<X, std::pair>) std::apply([&](auto&... e) { (visit(e, v), ...); }, x);
  else if constexpr (kind::is<X, std::variant>) {
    v.setting(x.index());
    std::visit([&](auto& e) { visit(e, v); }, x);
  } else if constexpr (std::is_empty_v<X>) return;
  else if constexpr (kind::is_node<X>) reflect::for_each_field(x, [&](std::string_view, auto& field) { visit(field, v); });
  else static_assert(std::is_empty_v<X>, "adjoint: arguments and results of a compiled step are Tensors, plain structs, optional, vector, tuple, pair or "
                                         "variant of those, Keys, Numbers, and settings (numbers, enums, strings, Shapes, function pointers); "
                                         "pass data as Tensors");
}

/// How an argument was passed: it is read, changed in place, or given up.
enum class Give : std::uint8_t { read, change, donate };

/// One call's arguments, laid flat. Kept by the thread for its next calls.
struct Call {
  struct Place {
    Tensor* tensor;
    Give give;
  };
  std::uint64_t a = 0, b = 0;  // hash of settings and structure
  std::vector<Place> tensors;
  std::vector<double> numbers;
  std::vector<Number*> number_at;  // null where it is only read
  std::vector<std::int64_t> keys;
  Give give = Give::read;          // of the argument that is being read
  bool number_traced = false;

  void clear();
  void setting(std::uint64_t value) {
    a = (a ^ value) * 0x9E3779B97F4A7C15ull;
    a ^= a >> 29;
    b = (b ^ std::rotl(value, 31)) * 0xD6E8FEB86659FD93ull;
    b ^= b >> 32;
  }
  void tensor(Tensor& t) { tensors.push_back({&t, give}); }
  void number(Number& n) {
    if (const Tensor& t = Number::Access::tensor(n)) return setting(1), tensor(const_cast<Tensor&>(t));
    number_traced |= Number::Access::term(n) != 0;
    numbers.push_back(Number::Access::value(n));
    number_at.push_back(give == Give::change ? &n : nullptr);
  }
  void key(Key& k) {
    if (Tensor& t = Key::Access::folded(k)) return setting(2), tensor(t);
    keys.push_back(static_cast<std::int64_t>(Key::Access::bits(k)));
  }
  bool traced() const;  // it belongs to the trace of another step
};
/// The Call of this call: a step may be called while another is traced.
struct CallScope {
  CallScope();
  ~CallScope();
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;
  Call& call;
};

/// The memory of an argument, of the object itself and not of what it points to.
struct Extent {
  std::uintptr_t begin, end;
  bool changed;
};
/// The arguments of a call while it runs. Where two calls on two threads meet in one argument, or in an argument and a part of it, and
/// one of them changes it, one at least is an Error.
class ArgumentsInUse {
 public:
  ArgumentsInUse(std::span<const Extent> arguments, Loc loc);
  ~ArgumentsInUse();
  ArgumentsInUse(const ArgumentsInUse&) = delete;
  ArgumentsInUse& operator=(const ArgumentsInUse&) = delete;

 private:
  std::uint32_t before_;
};
template <class T> Extent extent_of(const T& x, bool changed) {
  const auto at = reinterpret_cast<std::uintptr_t>(&x);
  return {at, at + sizeof x, changed};
}

// ---- the step behind Compiled ---------------------------------------------------------------------------

class Step;
std::shared_ptr<Step> new_step(const PlanOptions& options, Loc loc);
void keep_traces(Step& step, std::int64_t most, Loc loc);
struct Traces {
  std::int64_t kept = 0, made = 0;
};
Traces traces(const Step& step);
PlanReport plan_of(const Step& step, Loc loc);

/// One run of a trace.
class Replay {
 public:
  Replay(Step& step, Call& call, Loc loc);
  ~Replay();
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;
  bool found() const { return instance_ != nullptr; }
  void find();
  void run();
  const void* prototype() const;
  Tensor tensor(std::size_t i);           // of the results, in the order of visit
  bool number(std::size_t i, Number& n) const;  // false where it is a tensor, which is the next one

 private:
  struct Run;
  Step& step_;
  Call& call_;
  Loc loc_;
  struct Instance* instance_ = nullptr;
};
/// Fills a copy of the prototype.
struct Results {
  Replay& replay;
  std::size_t tensors = 0, numbers = 0;
  void tensor(Tensor& t) { t = replay.tensor(tensors++); }
  void number(Number& n) {
    if (!replay.number(numbers++, n)) n = Number(replay.tensor(tensors++));
  }
  void key(Key& k) {
    if (Tensor& t = Key::Access::folded(k)) tensor(t);
  }
  void setting(std::uint64_t) {}
};

/// One trace in progress.
class Tracing {
 public:
  Tracing(Step& step, const Call& call, Loc loc);
  ~Tracing();
  Tracing(const Tracing&) = delete;
  Tracing& operator=(const Tracing&) = delete;
  void stand_in(Tensor& t);
  void stand_in(Number& n);
  void stand_in(Key& k);
  void begin();
  void end();
  bool argument(Give give);  // the next one is seen; false where it need not be looked at again
  void changed(Tensor& t, Give give);
  void changed(Number& n, Give give);
  void setting(std::uint64_t value);
  void returned(Tensor& t);
  void returned(Number& n);
  void finish(std::shared_ptr<const void> prototype);

 private:
  struct State;
  std::unique_ptr<State> state_;
};
struct StandIns {
  Tracing& tracing;
  void tensor(Tensor& t) { tracing.stand_in(t); }
  void number(Number& n) { tracing.stand_in(n); }
  void key(Key& k) { tracing.stand_in(k); }
  void setting(std::uint64_t) {}
};
/// Walks the stand-ins before and after the function ran.
struct Changed {
  Tracing& tracing;
  Give give = Give::read;
  template <class T> void argument(Give how, T& x) {
    give = how;
    if (tracing.argument(how)) visit(x, *this);
  }
  void tensor(Tensor& t) { tracing.changed(t, give); }
  void number(Number& n) { tracing.changed(n, give); }
  void key(Key& k) {
    if (Tensor& t = Key::Access::folded(k); give == Give::change) tracing.setting(reinterpret_cast<std::uintptr_t>(t.node()));
  }
  void setting(std::uint64_t value) {
    if (give == Give::change) tracing.setting(value);
  }
};
struct Returned {
  Tracing& tracing;
  void tensor(Tensor& t) { tracing.returned(t); }
  void number(Number& n) { tracing.returned(n); }
  void key(Key& k) {
    if (Tensor& t = Key::Access::folded(k)) tensor(t);
  }
  void setting(std::uint64_t) {}
};

// ---- how arguments are passed ---------------------------------------------------------------------------

template <class P> inline constexpr bool is_floating_argument = std::is_floating_point_v<std::remove_cvref_t<P>>;
/// What a trace works on: floating arguments are Numbers there.
template <class P> using Copy = std::conditional_t<is_floating_argument<P>, Number, std::remove_cvref_t<P>>;
/// What the function is called with.
template <class P> using Handed = std::conditional_t<std::is_lvalue_reference_v<P>, std::conditional_t<std::is_const_v<std::remove_reference_t<P>>, const Copy<P>&, Copy<P>&>, Copy<P>&&>;
template <class P> Handed<P> hand(Copy<P>& copy) { return static_cast<Handed<P>>(copy); }

/// A parameter of type P as it was passed.
template <class P> struct Passed {
  using T = std::remove_cvref_t<P>;
  static constexpr bool changes = std::is_lvalue_reference_v<P> && !std::is_const_v<std::remove_reference_t<P>>;
  static constexpr Give given_up = tree::Tree<T> ? Give::donate : Give::read;
  T* value;
  Give give;
  Passed(T& x) : value(&x), give(changes ? Give::change : Give::read) {}  // NOLINT: implicit, as arguments are
  Passed(const T& x) requires(!changes) : value(const_cast<T*>(&x)), give(Give::read) {}  // NOLINT: likewise
  Passed(T&& x) requires(!changes) : value(&x), give(given_up) {}  // NOLINT: likewise

  void read(Call& call) const {
    call.give = give;
    if constexpr (is_floating_argument<P>) {
      call.numbers.push_back(static_cast<double>(*value));
      call.number_at.push_back(nullptr);
    } else {
      visit(*value, call);
    }
  }
  Copy<P> copy() const {
    if constexpr (is_floating_argument<P>) return Number(static_cast<double>(*value));
    else return *value;
  }
  Extent extent() const { return extent_of(*value, give != Give::read); }
  Handed<P> direct() const requires(!is_floating_argument<P>) { return static_cast<Handed<P>>(*value); }
  Number direct() const requires(is_floating_argument<P>) { return Number(static_cast<double>(*value)); }
};
/// A Number is also made from a double.
template <class P> requires std::is_same_v<std::remove_cvref_t<P>, Number> struct Passed<P> {
  static constexpr bool changes = std::is_same_v<P, Number&>;
  Number held;
  Number* at;
  Give give;
  Passed(Number& n) : held(n), at(&n), give(changes ? Give::change : Give::read) {}  // NOLINT: implicit, as arguments are
  Passed(const Number& n) requires(!changes) : held(n), at(nullptr), give(Give::read) {}  // NOLINT: likewise
  Passed(double d) requires(!changes) : held(d), at(nullptr), give(Give::read) {}  // NOLINT: likewise
  Number& value() const { return changes ? *at : const_cast<Number&>(held); }
  void read(Call& call) const {
    call.give = give;
    call.number(value());
  }
  Number copy() const { return value(); }
  Extent extent() const { return extent_of(value(), changes); }
  Handed<P> direct() const { return static_cast<Handed<P>>(value()); }
};

struct Unknown {};
template <class...> struct Types {};
template <class S> struct Signature { using types = Types<Unknown>; };
template <class R, class... P> struct Signature<R (*)(P...)> { using types = Types<P...>; };
template <class R, class C, class... P> struct Signature<R (C::*)(P...)> { using types = Types<P...>; };
template <class R, class C, class... P> struct Signature<R (C::*)(P...) const> { using types = Types<P...>; };
template <class R, class... P> struct Signature<R (*)(P...) noexcept> { using types = Types<P...>; };
template <class R, class C, class... P> struct Signature<R (C::*)(P...) const noexcept> { using types = Types<P...>; };
template <class F, class G> auto with_parameters(G&& g) {
  if constexpr (requires { &F::operator(); }) return g(static_cast<typename Signature<decltype(&F::operator())>::types*>(nullptr));
  else return g(static_cast<typename Signature<F>::types*>(nullptr));
}

}  // namespace adjoint::detail
