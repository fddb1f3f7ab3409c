// context.hpp: what a layer needs beyond its input: training or not, random keys, and a place for new running statistics.
// Not a global mode: it is an argument, model(x, context).
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "adjoint/key.hpp"
#include "adjoint/tree.hpp"

/// Layers as plain structs, their start values, and what a forward pass needs beside its input.
namespace adjoint::nn {

/// One for each forward pass: `Context context{.training = true, .key = key.fold_in(step)};`
struct Context {
  bool training = false;
  Key key = Key();

  /// The key of the next random layer: numbered by the calls of this pass, so that the same pass draws the same numbers.
  Key next_key() { return key.fold_in(calls_++); }
  /// A new value for a Buffer of the model. A second one in the same pass builds on the first.
  void update(const Buffer<Tensor>& buffer, Tensor now);
  /// The buffer's value at this point of the pass.
  Tensor current(const Buffer<Tensor>& buffer) const;
  /// Puts the collected statistics into the model; they run with the next evaluation, in place.
  template <class M> void apply(M& model) {
    tree::Fields f = tree::fields(model);
    put(f);
  }

  void put(tree::Fields& f);  ///< apply() without the model's type
  std::uint64_t calls_ = 0;
  std::vector<std::pair<Tensor, Tensor>> updates_ = {};  // the buffer's value before the pass, and the newest
};

/// layer(x, context) where a layer takes a context, else layer(x).
template <class Layer> Tensor call(const Layer& layer, const Tensor& x, Context& context) {
  if constexpr (requires { layer(x, context); }) return layer(x, context);
  else return layer(x);
}

}  // namespace adjoint::nn
