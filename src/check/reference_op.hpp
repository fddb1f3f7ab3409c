// reference_op.hpp: one core primitive applied to values, by its plainest definition. Tables of
// them, found by name. Not the walk over a graph: that is reference.hpp.
#pragma once

#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "check/quad.hpp"
#include "check/reference_tensor.hpp"
#include "check/settings.hpp"

namespace adjoint::check {

/// What a definition sees. `shape` and `dtype` are what the library inferred; a definition that can
/// derive its shape itself does so, and the interpreter compares.
template <class T> struct Application {
  std::string_view name;
  Settings settings = {};
  std::vector<const RefTensor<T>*> in = {};
  Sizes shape = {};
  DType dtype = DType::f64;
};
template <class T> using Definition = RefTensor<T> (*)(const Application<T>&);
template <class T> using Table = std::span<const std::pair<std::string_view, Definition<T>>>;

/// The tables, a file each. Instantiated for double and Quad.
template <class T> Table<T> reduction_table();
template <class T> Table<T> shape_table();
template <class T> Table<T> index_table();
template <class T> Table<T> product_table();
template <class T> Table<T> random_table();
/// Scalar functions, `where` and cast included; null if there is none of that name.
template <class T> Definition<T> elementwise_definition(std::string_view name);

/// The definition of a core primitive, or null.
template <class T> Definition<T> find_definition(std::string_view name) {
  for (const auto& table : {reduction_table<T>(), shape_table<T>(), index_table<T>(),
                            product_table<T>(), random_table<T>()})
    for (const auto& [key, definition] : table)
      if (key == name) return definition;
  return elementwise_definition<T>(name);
}

/// Wraps to an integer type (as two's complement does), or 0/1 for bool; floating types stay as
/// they are.
template <class T> T stored(T value, DType dtype);
/// x * y, modulo 2^64 for integers, whose exact product T may be too short for.
template <class T> T product(T x, T y, DType dtype);

}  // namespace adjoint::check
