// reflect.hpp: fields of an aggregate, by count, reference and name, without macros or registration.
// Not a serialiser: trees, attributes and files are built on it.
#pragma once

#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-var-template"
#pragma clang diagnostic ignored "-Wundefined-internal"
#endif

/// Fields of plain structs and their names. For the trees, not for users.
namespace adjoint::reflect {

inline constexpr std::size_t kMaxFields = 24;  ///< structured bindings are spelled out up to here

struct Anything {
  template <class T> operator T() const noexcept;  // never defined: used unevaluated only
};
template <std::size_t> using AnythingAt = Anything;

template <class T, class... A>
concept braces_with = requires { T{std::declval<A>()...}; };

template <class T, std::size_t... I> constexpr bool takes(std::index_sequence<I...>) {
  return braces_with<T, AnythingAt<I>...>;
}

template <class T, std::size_t N = kMaxFields> constexpr std::size_t field_count() {
  if constexpr (N == 0) return 0;
  else if constexpr (takes<T>(std::make_index_sequence<N>{})) return N;
  else return field_count<T, N - 1>();
}

/// A tuple of references to the fields of x, in declaration order.
template <class T> constexpr auto fields(T& x) {
  using X = std::remove_const_t<T>;
  static_assert(std::is_aggregate_v<X>, "adjoint: only plain aggregates have reflected fields");
  constexpr std::size_t n = field_count<X>();
  static_assert(!takes<X>(std::make_index_sequence<kMaxFields + 1>{}), "adjoint: too many fields in one struct");
  if constexpr (n == 0) return std::tuple<>();
  else if constexpr (n == 1) {
    auto& [f0] = x;
    return std::tie(f0);
  }
  else if constexpr (n == 2) {
    auto& [f0, f1] = x;
    return std::tie(f0, f1);
  }
  else if constexpr (n == 3) {
    auto& [f0, f1, f2] = x;
    return std::tie(f0, f1, f2);
  }
  else if constexpr (n == 4) {
    auto& [f0, f1, f2, f3] = x;
    return std::tie(f0, f1, f2, f3);
  }
  else if constexpr (n == 5) {
    auto& [f0, f1, f2, f3, f4] = x;
    return std::tie(f0, f1, f2, f3, f4);
  }
  else if constexpr (n == 6) {
    auto& [f0, f1, f2, f3, f4, f5] = x;
    return std::tie(f0, f1, f2, f3, f4, f5);
  }
  else if constexpr (n == 7) {
    auto& [f0, f1, f2, f3, f4, f5, f6] = x;
    return std::tie(f0, f1, f2, f3, f4, f5, f6);
  }
  else if constexpr (n == 8) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7] = x;
    return std::tie(f0, f1, f2, f3, f4, f5, f6, f7);
  }
  else if constexpr (n == 9) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8] = x;
    return std::tie(f0, f1, f2, f3, f4, f5, f6, f7, f8);
  }
  else if constexpr (n == 10) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9] = x;
    return std::tie(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9);
  }
  else if constexpr (n == 11) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10] = x;
    return std::tie(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10);
  }
  else if constexpr (n == 12) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11] = x;
    return std::tie(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11);
  }
  else if constexpr (n == 13) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12] = x;
    return std::tie(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12);
  }
  else if constexpr (n == 14) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13] = x;
    return std::tie(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13);
  }
  else if constexpr (n == 15) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14] = x;
    return std::tie(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14);
  }
  else if constexpr (n == 16) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15] = x;
    return std::tie(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15);
  }
  else if constexpr (n == 17) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16] = x;
    return std::tie(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16);
  }
  else if constexpr (n == 18) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17] = x;
    return std::tie(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17);
  }
  else if constexpr (n == 19) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18] = x;
    return std::tie(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18);
  }
  else if constexpr (n == 20) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19] = x;
    return std::tie(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19);
  }
  else if constexpr (n == 21) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20] = x;
    return std::tie(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20);
  }
  else if constexpr (n == 22) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21] = x;
    return std::tie(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21);
  }
  else if constexpr (n == 23) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22] = x;
    return std::tie(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22);
  }
  else if constexpr (n == 24) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23] = x;
    return std::tie(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23);
  }
}

template <class T> struct Holder { T value; };
template <class T> extern const Holder<T> ghost;  // never defined: only addresses in it are formed
template <class P> struct Ptr { P* p; };          // structural, so it may be a template argument
template <class P> Ptr(P*) -> Ptr<P>;
template <Ptr P> consteval std::string_view spelled() { return __PRETTY_FUNCTION__; }

template <class T, std::size_t I> consteval auto field_pointer() {
  return Ptr{&std::get<I>(fields(ghost<T>.value))};
}

/// The name of field I of T, as written in the struct.
template <class T, std::size_t I> consteval std::string_view field_name() {
  constexpr auto s = spelled<field_pointer<T, I>()>();
  auto end = s.find(")}");  // g++: {(& ghost<L>.Holder<L>::value.L::bias)}
  if (end == s.npos) end = s.rfind('}');  // clang: [P = {&ghost.value.bias}]
  const auto begin = s.find_last_of(".:", end - 1) + 1;
  return s.substr(begin, end - begin);
}

/// Calls visit(name, field) for each field, in declaration order.
template <class T, class F> constexpr void for_each_field(T& x, F&& visit) {
  using X = std::remove_const_t<T>;
  auto refs = fields(x);
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (visit(field_name<X, I>(), std::get<I>(refs)), ...);
  }(std::make_index_sequence<std::tuple_size_v<decltype(refs)>>{});
}

}  // namespace adjoint::reflect

#if defined(__clang__)
#pragma clang diagnostic pop
#endif
