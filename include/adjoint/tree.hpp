// tree.hpp: models as trees of tensors: walking them by reflection, with names and without registration, and gradients
// that have their model's own type. Not layers: those are plain structs in adjoint/nn.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "adjoint/grad.hpp"
#include "adjoint/number.hpp"
#include "adjoint/reflect.hpp"
#include "adjoint/tensor.hpp"

namespace adjoint {

namespace nn {
/// State of a model that is not trained (running statistics): part of the tree and of files, skipped by gradients and
/// optimizers by its type. T is a Tensor or holds Tensors.
template <class T> struct Buffer {
  T value;
};
}  // namespace nn

/// Models, gradients and states as trees of tensors: walks, maps, names, ties.
namespace tree {

/// The way from the root of a tree to a place in it; text() is "hidden[0].weight".
struct Path {
  const Path* outer = nullptr;
  std::string_view name = {};
  std::int64_t index = -1;
  std::string text() const;  ///< "hidden[0].weight"; empty at the root
};

/// What a type is to a walk.
namespace kind {
template <class T, template <class...> class Of> inline constexpr bool is = false;
template <template <class...> class Of, class... A> inline constexpr bool is<Of<A...>, Of> = true;
template <class T> inline constexpr bool is_array = false;
template <class T, std::size_t N> inline constexpr bool is_array<std::array<T, N>> = true;
/// Settings: they belong to the structure, and no walk enters them.
template <class T> constexpr bool is_configuration() {
  if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_same_v<T, std::string> || std::is_same_v<T, Shape> ||
                std::is_same_v<T, std::string_view> || std::is_same_v<T, Number>)
    return true;
  else if constexpr (std::is_pointer_v<T>) return std::is_function_v<std::remove_pointer_t<T>>;
  else if constexpr (is_array<T>) return is_configuration<typename T::value_type>();
  else return std::is_empty_v<T>;  // relu as a struct, a lambda that captures nothing
}
template <class T> inline constexpr bool is_node = std::is_aggregate_v<T> && std::is_class_v<T> && !is_array<T>;
}  // namespace kind

/// What can be walked: aggregates of tensors, modules, optional/vector/tuple/pair/variant of those, and settings.
template <class T>
concept Tree = !std::is_same_v<std::remove_cv_t<T>, Tensor> && !std::is_same_v<std::remove_cv_t<T>, Tensors> &&
               !kind::is_configuration<std::remove_cv_t<T>>() &&
               (kind::is_node<T> || kind::is<T, std::optional> || kind::is<T, std::vector> || kind::is<T, std::tuple> ||
                kind::is<T, std::pair> || kind::is<T, std::variant>);

/// Calls visit(tensor, path, trained) for every Tensor in declaration order, once a path (aliases included, values that
/// were never set too); `trained` is false below a Buffer.
template <class T, class Visit> void walk(T& x, const Visit& visit, const Path* path = nullptr, bool trained = true) {
  using X = std::remove_cv_t<T>;
  if constexpr (std::is_same_v<X, Tensor>) visit(x, path, trained);
  else if constexpr (kind::is_configuration<X>()) return;
  else if constexpr (kind::is<X, nn::Buffer>) walk(x.value, visit, path, false);
  else if constexpr (kind::is<X, std::optional>) {
    if (x) walk(*x, visit, path, trained);
  } else if constexpr (kind::is<X, std::vector>) {
    if constexpr (!kind::is_configuration<typename X::value_type>()) {
      std::int64_t i = 0;
      for (auto& e : x) {
        const Path at{path, {}, i++};
        walk(e, visit, &at, trained);
      }
    }
  } else if constexpr (kind::is<X, std::tuple> || kind::is<X, std::pair>) {
    std::int64_t i = 0;
    const auto one = [&](auto& e) {
      const Path at{path, {}, i++};
      walk(e, visit, &at, trained);
    };
    std::apply([&](auto&... e) { (one(e), ...); }, x);
  } else if constexpr (kind::is<X, std::variant>) {
    std::visit([&](auto& e) { walk(e, visit, path, trained); }, x);
  } else if constexpr (std::is_same_v<X, std::monostate>) {
    return;
  } else if constexpr (kind::is_node<X>) {
    reflect::for_each_field(x, [&](std::string_view name, auto& field) {
      const Path at{path, name};
      walk(field, visit, &at, trained);
    });
  } else {
    static_assert(kind::is_configuration<X>(),
                  "adjoint: a field of a model must be a Tensor, a plain struct of such fields, an optional, vector, tuple, "
                  "pair or variant of those, a Buffer, or a setting (number, enum, string, Shape, function pointer)");
  }
}

/// The tensors of a tree as one list, and which of them are the same leaf. Made by walks; used by the library's rooms.
struct Fields {
  /// A place in the tree: its tensor, and whether it is trained.
  struct Field {
    Tensor* tensor;
    bool trained;
  };
  std::vector<Field> at;              ///< every path, in order
  std::vector<std::int32_t> leaf;     ///< at[i] is leaf number leaf[i]; -1 where there is no value
  std::vector<std::uint32_t> first;   ///< leaf number l is first met at at[first[l]]
  void identify();  ///< fills `leaf` and `first` from `at`
  /// Leaves that are trained: floating, not below a Buffer, not frozen.
  bool trained(std::size_t l) const;
};
/// The tensors of a model, in declaration order; they point into it.
template <class M> Fields fields(M& model) {
  Fields f;
  f.at.reserve(16);
  walk(model, [&](auto& t, const Path*, bool trained) { f.at.push_back({const_cast<Tensor*>(&t), trained}); });
  f.identify();
  return f;
}
/// The path of each of fields(model).at.
template <class M> std::vector<std::string> paths(const M& model) {
  std::vector<std::string> names;
  walk(model, [&](auto&, const Path* path, bool) { names.push_back(path ? path->text() : std::string()); });
  return names;
}
/// For tree `other` walked beside a first tree: an Error unless they have the same structure.
void same_structure(const Fields& a, const Fields& b, const char* op, Loc loc);

/// One leaf: a tensor and the first path that leads to it.
struct Leaf {
  std::string path;
  Tensor tensor;
  bool trained = true;
};
/// Two paths to one tensor (tied parameters): it is trained, counted and written once.
struct Alias {
  std::string path, of;
};

namespace detail {
std::vector<Leaf> leaves_of(const Fields& f, std::vector<std::string> paths);
std::vector<Alias> aliases_of(const Fields& f, const std::vector<std::string>& paths);
Tensors tensors_of(const Fields& f, bool trained_only);
void replace(Fields& f, const Tensors& values, bool trained_only, const char* op, Loc loc);
void name_leaves(const Fields& f, const std::vector<std::string>& paths);
bool all_named(const Fields& f);
Tensors spread(const Fields& f, const Tensors& trained);  // one a leaf; empty where nothing is trained
Tensors grads(const Tensor& loss, const Fields& f, Loc loc);
void freeze(const Fields& f, bool frozen);
}  // namespace detail

/// Every leaf, each identity once, in order of its first path; values that were never set are left out.
template <class M> std::vector<Leaf> leaves(const M& model) { return detail::leaves_of(fields(model), paths(model)); }
/// The paths that lead to a leaf which an earlier path leads to as well.
template <class M> std::vector<Alias> aliases(const M& model) { return detail::aliases_of(fields(model), paths(model)); }
/// Number of trained elements; a tied parameter counts once.
template <class M> std::int64_t count(const M& model) {
  std::int64_t n = 0;
  for (const auto& l : leaves(model)) n += l.trained ? l.tensor.numel() : 0;
  return n;
}
/// The trained leaves, each identity once.
template <class M> Tensors flatten(const M& model) { return detail::tensors_of(fields(model), true); }
/// `like` with its trained leaves replaced, in the order of flatten; what was tied stays tied.
template <class M> M unflatten(const M& like, const Tensors& values, Loc loc = Loc::current()) {
  M out = like;
  Fields f = fields(out);
  detail::replace(f, values, true, "unflatten", loc);
  return out;
}

/// visit(path, tensor) for each leaf, each identity once. A tensor that `visit` assigns is assigned at every path to it.
template <class F, class M> void for_each(F&& visit, M& model) {
  Fields f = fields(model);
  const auto names = paths(model);
  for (std::size_t l = 0; l < f.first.size(); ++l) {
    auto& tensor = *f.at[f.first[l]].tensor;
    if constexpr (std::is_const_v<M>) visit(names[f.first[l]], std::as_const(tensor));
    else {
      visit(names[f.first[l]], tensor);
      for (std::size_t i = f.first[l]; i < f.at.size(); ++i)
        if (f.leaf[i] == static_cast<std::int32_t>(l)) *f.at[i].tensor = tensor;
    }
  }
}

/// A tree like `model` whose leaves are f(tensor, tensors at the same place of the others...), each identity of `model`
/// once. The others have the structure of `model`; an empty Tensor is passed where one of them has none.
template <class F, class M, class... Ms> M map(F&& f, const M& model, const Ms&... others) {
  M out = model;
  Fields to = fields(out);
  const std::array<Fields, sizeof...(Ms)> from{fields(others)...};
  for (const auto& o : from) same_structure(to, o, "map", Loc::current());
  Tensors results;
  for (auto i : to.first)
    results.push_back([&]<std::size_t... K>(std::index_sequence<K...>) {
      return f(std::as_const(*to.at[i].tensor), std::as_const(*from[K].at[i].tensor)...);
    }(std::make_index_sequence<sizeof...(Ms)>{}));
  detail::replace(to, results, false, "map", Loc::current());
  return out;
}

/// Gives each leaf its path as name, for messages and files; optimizers and grad do it by themselves.
template <class M> void name_leaves(const M& model) {
  const Fields f = fields(model);
  if (!detail::all_named(f)) detail::name_leaves(f, paths(model));
}
/// Freezes the leaves of a model or of a part of it: they get no gradient and optimizers pass them by. A fact of the leaf,
/// so every handle to it sees it.
template <class M> void freeze(const M& model) { detail::freeze(fields(model), true); }
/// The opposite of freeze().
template <class M> void unfreeze(const M& model) { detail::freeze(fields(model), false); }
/// Marks the trained leaves so that backward() accumulates into their grad().
template <class M> void requires_grad(M& model) {
  for_each([](const std::string&, Tensor& t) {
    if (is_floating(t.dtype()) && !t.wants_grad()) t.requires_grad();
  }, model);
}

}  // namespace tree

/// The gradient of a loss with respect to a model has the model's own type: its Tensors are d loss / d parameter. It holds
/// empty Tensors where nothing is trained (buffers, frozen and integer leaves); tied parameters share one gradient.
template <tree::Tree M> M grad(const Tensor& loss, const M& model, Loc loc = Loc::current()) {
  M out = model;
  tree::Fields f = tree::fields(out);
  if (!tree::detail::all_named(f)) tree::detail::name_leaves(f, tree::paths(model));
  tree::detail::replace(f, tree::detail::grads(loss, f, loc), false, "grad", loc);
  return out;
}
/// {loss, grad(loss, model)}
template <tree::Tree M> std::pair<Tensor, M> value_and_grad(const Tensor& loss, const M& model, Loc loc = Loc::current()) {
  return {loss, grad(loss, model, loc)};
}
/// Reverse mode with a seed of the output's type.
template <tree::Tree M> M vjp(const Tensor& output, const Tensor& seed, const M& model, Loc loc = Loc::current()) {
  M out = model;
  tree::Fields f = tree::fields(out);
  const Tensors d = vjp(std::span(&output, 1), std::span(&seed, 1), tree::detail::tensors_of(f, true), loc);
  tree::detail::replace(f, tree::detail::spread(f, d), false, "vjp", loc);
  return out;
}
/// Forward mode: `tangents` has the model's structure; an empty Tensor there is a zero tangent.
template <tree::Tree M> Tensor jvp(const Tensor& output, const M& model, const M& tangents, Loc loc = Loc::current()) {
  const tree::Fields m = tree::fields(model), d = tree::fields(tangents);
  tree::same_structure(m, d, "jvp", loc);
  Tensors wrt, dot;
  for (auto i : m.first)
    if (*d.at[i].tensor) wrt.push_back(*m.at[i].tensor), dot.push_back(*d.at[i].tensor);
  return jvp(std::span(&output, 1), wrt, dot, loc)[0];
}

namespace detail {
/// What an optimizer does with each result: it runs with the next evaluation and takes over the buffer of `old`, whose
/// name and flags it keeps. Returns `now`.
Tensor updated(Tensor now, const Tensor& old);
/// A value computed now, as a leaf that asks for gradients: what initialisers return.
Tensor parameter(const Tensor& value, Loc loc);
bool frozen(const Tensor& leaf);
std::string name_of(const Tensor& leaf);
void set_name(const Tensor& leaf, std::string name);
}  // namespace detail

}  // namespace adjoint
