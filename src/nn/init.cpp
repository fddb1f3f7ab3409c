// init.cpp: start values of parameters by fan. Not the drawing itself: ops/random.
#include "adjoint/nn/init.hpp"

#include <cmath>

#include "adjoint/ops/random.hpp"
#include "adjoint/tree.hpp"

namespace adjoint::nn {

double relu_gain(double negative_slope) { return std::sqrt(2 / (1 + negative_slope * negative_slope)); }

double fan_of(const Shape& shape, Fan fan, Loc loc) {
  if (shape.rank() < 2)
    throw Error({.op = "init", .message = "a fan needs a weight of two or more axes, got " + to_string(shape), .where = loc,
                 .hint = "give biases and scales a constant: init_constant(0, shape)"});
  double field = 1;
  for (std::size_t k = 2; k < shape.size(); ++k) field *= static_cast<double>(shape[k]);
  const double in = field * static_cast<double>(shape[1]), out = field * static_cast<double>(shape[0]);
  return fan == Fan::in ? in : fan == Fan::out ? out : (in + out) / 2;
}

Tensor init_constant(double value, const Shape& shape, DType dtype, Loc loc) {
  return detail::parameter(full(shape, value, dtype, loc), loc);
}
Tensor init_uniform(const Key& key, const Shape& shape, double low, double high, DType dtype, Loc loc) {
  return detail::parameter(uniform(key, shape, {.low = low, .high = high, .dtype = dtype}, loc), loc);
}
Tensor init_fan_uniform(const Key& key, const Shape& shape, InitOptions o, Loc loc) {
  const double fan = fan_of(shape, o.fan, loc), bound = fan > 0 ? o.gain * std::sqrt(3 / fan) : 0;
  return init_uniform(key, shape, -bound, bound, o.dtype, loc);
}
Tensor init_normal(const Key& key, const Shape& shape, double mean, double deviation, DType dtype, Loc loc) {
  return detail::parameter(normal(key, shape, {.mean = mean, .deviation = deviation, .dtype = dtype}, loc), loc);
}
Tensor init_fan_normal(const Key& key, const Shape& shape, InitOptions o, Loc loc) {
  const double fan = fan_of(shape, o.fan, loc);
  return init_normal(key, shape, 0, fan > 0 ? o.gain / std::sqrt(fan) : 0, o.dtype, loc);
}
Tensor kaiming_uniform(const Key& key, const Shape& shape, DType dtype, Loc loc) {
  return init_fan_uniform(key, shape, {.gain = relu_gain(), .dtype = dtype}, loc);
}
Tensor kaiming_normal(const Key& key, const Shape& shape, DType dtype, Loc loc) {
  return init_fan_normal(key, shape, {.gain = relu_gain(), .dtype = dtype}, loc);
}
Tensor xavier_uniform(const Key& key, const Shape& shape, DType dtype, Loc loc) {
  return init_fan_uniform(key, shape, {.fan = Fan::average, .dtype = dtype}, loc);
}
Tensor xavier_normal(const Key& key, const Shape& shape, DType dtype, Loc loc) {
  return init_fan_normal(key, shape, {.fan = Fan::average, .dtype = dtype}, loc);
}
Tensor lecun_uniform(const Key& key, const Shape& shape, DType dtype, Loc loc) {
  return init_fan_uniform(key, shape, {.dtype = dtype}, loc);
}
Tensor lecun_normal(const Key& key, const Shape& shape, DType dtype, Loc loc) {
  return init_fan_normal(key, shape, {.dtype = dtype}, loc);
}

}  // namespace adjoint::nn
