// layers.hpp: layers without weights of their own kind: embedding, dropout, pooling, activations, reshaping, and how layers
// are put together. Plain structs with a call operator. Not the operations.
#pragma once

#include <tuple>
#include <utility>

#include "adjoint/nn/context.hpp"
#include "adjoint/nn/init.hpp"
#include "adjoint/ops.hpp"
#include "adjoint/ops/pool.hpp"

namespace adjoint::nn {

/// Rows of a table [entries, width] chosen by integers: [.., width].
struct Embedding {
  Tensor weight;
  Tensor operator()(const Arg& index) const;  ///< embedding(weight, index), of ops/index.hpp
};
/// Settings of embedding().
struct EmbeddingOptions {
  double deviation = 1;  ///< of the normal start values
  DType dtype = DType::f32;
};
/// A table of normal start values.
Embedding embedding(std::int64_t entries, std::int64_t width, const Key& key, EmbeddingOptions options = {}, Loc loc = Loc::current());

/// In training, elements are 0 with probability p, the others divided by 1 - p; else nothing happens. Each call of a pass draws
/// with the context's next key.
struct Dropout {
  double p = 0.5;
  Tensor operator()(const Arg& x, Context& context) const;  ///< x itself unless context.training
};
/// The same for whole channels of [n, channels, h, w].
struct Dropout2d {
  double p = 0.5;
  Tensor operator()(const Arg& x, Context& context) const;  ///< x itself unless context.training
};
/// The same for whole examples, in front of a residual sum.
struct DropPath {
  double p = 0.1;
  Tensor operator()(const Arg& x, Context& context) const;  ///< x itself unless context.training
};

/// max_pool2d with these settings.
struct MaxPool2d {
  Ints size = {2};
  Ints stride = {}, padding = {};
  Tensor operator()(const Arg& x) const { return max_pool2d(x, size, {.stride = stride, .padding = padding}); }  ///< of [n, channels, h, w]
};
/// avg_pool2d with these settings.
struct AvgPool2d {
  Ints size = {2};
  Ints stride = {}, padding = {};
  bool count_include_pad = true;
  Tensor operator()(const Arg& x) const;  ///< of [n, channels, h, w]
};
/// The mean over all places of [n, channels, ..]: [n, channels].
struct GlobalAvgPool {
  Tensor operator()(const Arg& x) const;  ///< of [n, channels, ..]
};

/// relu
struct Relu { Tensor operator()(const Arg& x) const { return relu(x); } };
/// leaky_relu
struct LeakyRelu {
  double slope = 0.01;
  Tensor operator()(const Arg& x) const { return leaky_relu(x, slope); }  ///< leaky_relu(x, slope)
};
/// elu
struct Elu {
  double alpha = 1;
  Tensor operator()(const Arg& x) const { return elu(x, alpha); }  ///< elu(x, alpha)
};
/// selu
struct Selu { Tensor operator()(const Arg& x) const { return selu(x); } };
/// gelu, the exact form
struct Gelu { Tensor operator()(const Arg& x) const { return gelu_erf(x); } };
/// gelu_tanh
struct GeluTanh { Tensor operator()(const Arg& x) const { return gelu_tanh(x); } };
/// silu
struct Silu { Tensor operator()(const Arg& x) const { return silu(x); } };
/// mish
struct Mish { Tensor operator()(const Arg& x) const { return mish(x); } };
/// tanh
struct Tanh { Tensor operator()(const Arg& x) const { return tanh(x); } };
/// sigmoid
struct Sigmoid { Tensor operator()(const Arg& x) const { return sigmoid(x); } };
/// softplus
struct Softplus { Tensor operator()(const Arg& x) const { return softplus(x); } };

/// Axes from `first` on as one: [n, channels, h, w] -> [n, channels h w].
struct Flatten {
  int first = 1;
  Tensor operator()(const Arg& x) const;  ///< flatten(x, first)
};

/// A layer that needs nothing but its input.
template <class Layer>
concept TakesNoContext = requires(const Layer& layer, const Tensor& x) { layer(x); };

/// Layers one after another. Each takes (x, context) if it can, else (x).
template <class... Layers> struct Sequential {
  std::tuple<Layers...> layers;
  /// The layers in order; random ones draw from the context.
  Tensor operator()(const Arg& x, Context& context) const {
    const OpScope scope("Sequential", x.loc);
    Tensor y = x.value();
    std::apply([&](const auto&... layer) { ((y = call(layer, y, context)), ...); }, layers);
    return y;
  }
  /// Where no layer needs a context.
  Tensor operator()(const Arg& x) const
    requires(TakesNoContext<Layers> && ...)
  {
    const OpScope scope("Sequential", x.loc);
    Tensor y = x.value();
    std::apply([&](const auto&... layer) { ((y = layer(y)), ...); }, layers);
    return y;
  }
};
/// The layers in order, as one.
template <class... Layers> Sequential<Layers...> sequential(Layers... layers) { return {std::tuple<Layers...>(std::move(layers)...)}; }

/// x + inner(x)
template <class Layer> struct Residual {
  Layer inner;
  /// With a context, for an inner layer that takes one.
  Tensor operator()(const Arg& x, Context& context) const {
    const OpScope scope("Residual", x.loc);
    const Tensor t = x.value();
    return t + call(inner, t, context);
  }
  /// Without.
  Tensor operator()(const Arg& x) const
    requires TakesNoContext<Layer>
  {
    const OpScope scope("Residual", x.loc);
    const Tensor t = x.value();
    return t + inner(t);
  }
};
/// The sum of a layer's input and its output.
template <class Layer> Residual<Layer> residual(Layer inner) { return {std::move(inner)}; }

}  // namespace adjoint::nn
