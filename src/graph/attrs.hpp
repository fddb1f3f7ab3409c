// attrs.hpp: the settings of a node as a plain struct behind one pointer; equality, hash and text come
// from reflection. Not for values that change each step: those are literals, which are inputs.
#pragma once

#include <atomic>
#include <bit>
#include <concepts>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "adjoint/reflect.hpp"
#include "adjoint/shape.hpp"

namespace adjoint {

constexpr std::uint64_t mix(std::uint64_t h, std::uint64_t v) {
  h = (h ^ v) * 0x9E3779B97F4A7C15ull;
  return h ^ (h >> 29);
}

namespace attrs_detail {
template <class T> std::uint64_t hash_of(const T& x) {
  if constexpr (requires { x.attr_hash(); }) return x.attr_hash();
  else if constexpr (std::is_enum_v<T>) return static_cast<std::uint64_t>(x);
  else if constexpr (std::floating_point<T>) return std::bit_cast<std::uint64_t>(static_cast<double>(x));
  else if constexpr (std::integral<T>) return static_cast<std::uint64_t>(x);
  else if constexpr (std::is_pointer_v<T>) return reinterpret_cast<std::uintptr_t>(x);
  else if constexpr (requires { x.begin(); x.size(); }) {
    std::uint64_t h = x.size();
    for (const auto& e : x) h = mix(h, hash_of(e));
    return h;
  } else {
    std::uint64_t h = 7;
    reflect::for_each_field(x, [&](std::string_view, const auto& f) { h = mix(h, hash_of(f)); });
    return h;
  }
}
template <class T> std::string text_of(const T& x) {
  if constexpr (requires { x.attr_text(); }) return x.attr_text();
  else if constexpr (std::is_same_v<T, DType>) return std::string(name_of(x));
  else if constexpr (std::is_same_v<T, bool>) return x ? "true" : "false";
  else if constexpr (std::is_enum_v<T>) return std::to_string(static_cast<long long>(x));
  else if constexpr (std::is_arithmetic_v<T>) return std::to_string(x);
  else if constexpr (std::is_same_v<T, std::string>) return '"' + x + '"';
  else if constexpr (std::is_same_v<T, Shape>) return to_string(x);
  else if constexpr (std::is_pointer_v<T>) return "<function>";
  else if constexpr (requires { x.begin(); x.size(); }) {
    std::string s = "[";
    for (const auto& e : x) s += (s.size() > 1 ? "," : "") + text_of(e);
    return s + ']';
  } else {
    std::string s;
    reflect::for_each_field(x, [&](std::string_view name, const auto& f) {
      s += (s.empty() ? "" : " ") + std::string(name) + '=' + text_of(f);
    });
    return s;
  }
}
}  // namespace attrs_detail

/// Immutable, shared settings of a node. `attrs.as<Axis>()` gives the struct back; the type must be the
/// one that was stored, which a debug build checks.
class Attrs {
 public:
  Attrs() = default;
  template <class T>
    requires(!std::is_same_v<std::remove_cvref_t<T>, Attrs> && std::is_aggregate_v<std::remove_cvref_t<T>>)
  Attrs(T value)  // NOLINT: implicit, so that a struct can be passed to apply()
      : box_(new BoxOf<T>(std::move(value))) {
    box_->hash = attrs_detail::hash_of(static_cast<BoxOf<T>*>(box_)->value);
  }
  Attrs(const Attrs& o) noexcept : box_(o.box_) { if (box_) box_->refs.fetch_add(1, std::memory_order_relaxed); }
  Attrs(Attrs&& o) noexcept : box_(std::exchange(o.box_, nullptr)) {}
  Attrs& operator=(Attrs o) noexcept { std::swap(box_, o.box_); return *this; }
  ~Attrs() { if (box_ && box_->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) delete box_; }

  template <class T> const T& as() const { return static_cast<const BoxOf<T>*>(box_)->value; }
  template <class T> bool holds() const { return dynamic_cast<const BoxOf<T>*>(box_) != nullptr; }
  explicit operator bool() const { return box_ != nullptr; }
  std::uint64_t hash() const { return box_ ? box_->hash : 0; }
  std::string text() const { return box_ ? box_->text() : std::string(); }

 private:
  struct Box {
    std::atomic<std::uint32_t> refs{1};
    std::uint64_t hash = 0;
    virtual ~Box() = default;
    virtual std::string text() const = 0;
  };
  template <class T> struct BoxOf final : Box {
    explicit BoxOf(T v) : value(std::move(v)) {}
    std::string text() const override { return attrs_detail::text_of(value); }
    T value;
  };
  Box* box_ = nullptr;
};

}  // namespace adjoint
