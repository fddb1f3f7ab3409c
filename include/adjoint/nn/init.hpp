// init.hpp: start values of parameters, as functions of a Key. Not layers: each layer's factory names its default.
#pragma once

#include "adjoint/key.hpp"
#include "adjoint/tensor.hpp"

namespace adjoint::nn {

/// Which count of connections scales the start values: inputs of an output, outputs of an input, or their mean. The weight
/// has its output axis first: fan in is the product of the other axes, fan out is shape[0] times the axes past the second.
enum class Fan { in, out, average };

/// Settings of init_fan_uniform() and init_fan_normal().
struct InitOptions {
  Fan fan = Fan::in;
  double gain = 1;      ///< sqrt(2) for relu, 5/3 for tanh
  DType dtype = DType::f32;
};
/// sqrt(2), the gain that keeps the scale of values through relu with this slope below 0.
double relu_gain(double negative_slope = 0);

/// Each of these returns a parameter: a leaf that is computed and asks for gradients.
/// All elements `value`.
Tensor init_constant(double value, const Shape& shape, DType dtype = DType::f32, Loc loc = Loc::current());
/// Uniform in [low, high).
Tensor init_uniform(const Key& key, const Shape& shape, double low, double high, DType dtype = DType::f32, Loc loc = Loc::current());
/// Normal with this mean and deviation.
Tensor init_normal(const Key& key, const Shape& shape, double mean, double deviation, DType dtype = DType::f32, Loc loc = Loc::current());
/// Variance gain^2 / fan, uniform in [-b, b) with b = gain sqrt(3 / fan). The three named below are this with their gain
/// and fan; the normal ones have deviation gain / sqrt(fan).
Tensor init_fan_uniform(const Key& key, const Shape& shape, InitOptions options = {}, Loc loc = Loc::current());
/// Normal, with deviation gain / sqrt(fan).
Tensor init_fan_normal(const Key& key, const Shape& shape, InitOptions options = {}, Loc loc = Loc::current());
/// He et al. 2015: gain sqrt(2), fan in.
Tensor kaiming_uniform(const Key& key, const Shape& shape, DType dtype = DType::f32, Loc loc = Loc::current());
/// The same, normal.
Tensor kaiming_normal(const Key& key, const Shape& shape, DType dtype = DType::f32, Loc loc = Loc::current());
/// Glorot and Bengio 2010: gain 1, average fan.
Tensor xavier_uniform(const Key& key, const Shape& shape, DType dtype = DType::f32, Loc loc = Loc::current());
/// The same, normal.
Tensor xavier_normal(const Key& key, const Shape& shape, DType dtype = DType::f32, Loc loc = Loc::current());
/// LeCun 1998: gain 1, fan in.
Tensor lecun_uniform(const Key& key, const Shape& shape, DType dtype = DType::f32, Loc loc = Loc::current());
/// The same, normal.
Tensor lecun_normal(const Key& key, const Shape& shape, DType dtype = DType::f32, Loc loc = Loc::current());

/// Fan of a weight's shape, or an Error for a shape of fewer than two axes.
double fan_of(const Shape& shape, Fan fan, Loc loc = Loc::current());

}  // namespace adjoint::nn
