// weight_norms.cpp: weight_norm, spectral_norm, l2_normalize and local_response_norm, by their definitions.
// Not normalisation by mean and variance: normalizations.cpp.
#include "adjoint/ops/norm.hpp"
#include "ops/common.hpp"
#include "ops/shape_ops.hpp"

namespace adjoint {
namespace {

const Primitive& weight_norm_p = define({.name = "weight_norm", .traits = {.inlined = true}, .family = "D13"});
const Primitive& spectral_norm_p = define({.name = "spectral_norm", .traits = {.inlined = true}, .family = "D13"});
const Primitive& l2_normalize_p = define({.name = "l2_normalize", .traits = {.inlined = true}, .family = "D13"});
const Primitive& local_response_norm_p = define({.name = "local_response_norm", .traits = {.inlined = true}, .family = "D13"});

Tensor need_floating(const Primitive& prim, const Arg& x) {
  const Tensor t = need(x, prim);
  if (!is_floating(t.dtype()))
    throw Error({.op = std::string(prim.name), .message = "needs a floating element type, got " + to_string(t.type()), .where = user_loc(x.loc),
                 .operands = {describe(*t.node())}, .hint = "cast the operand first: cast(x, DType::f32)"});
  return t;
}

[[noreturn]] void fail(const Primitive& prim, const Arg& x, std::string why, std::string hint) {
  throw Error({.op = std::string(prim.name), .message = std::move(why), .where = user_loc(x.loc), .operands = {describe(*x.value().node())},
               .hint = std::move(hint)});
}

/// v / max(|v|, eps) of a vector.
Tensor direction(const Tensor& v, double eps) { return v * rsqrt(maximum(sum(square(v)), eps * eps)); }

}  // namespace

Tensor l2_normalize(const Arg& x, int axis, double eps) {
  OpScope scope("l2_normalize", x.loc);
  const Tensor t = need_floating(l2_normalize_p, x);
  if (!(eps >= 0)) fail(l2_normalize_p, x, "eps is " + std::to_string(eps), "eps is >= 0");
  const Tensor norm = sum(square(t), {normal_axis(axis, t.rank(), "l2_normalize", x.loc)}, true);
  return t * rsqrt(maximum(norm, eps * eps));
}

Tensor weight_norm(const Arg& v, const Arg& g, int axis) {
  OpScope scope("weight_norm", v.loc);
  const Tensor t = need_floating(weight_norm_p, v), scale = need_floating(weight_norm_p, g);
  const int kept = normal_axis(axis, t.rank(), "weight_norm", v.loc);
  if (!(scale.shape() == Shape{t.shape(kept)}))
    fail(weight_norm_p, v, "g is " + to_string(scale.type()) + " for axis " + std::to_string(kept) + " of " + to_string(t.type()), "give one entry a slice");
  Ints axes;
  Shape beside = t.shape();
  for (int k = 0; k < t.rank(); ++k)
    if (k != kept) axes.push_back(k), beside[static_cast<std::size_t>(k)] = 1;
  const Tensor square_norm = axes.empty() ? square(t) : sum(square(t), axes, true);
  const Tensor some = gt(square_norm, 0.0);
  const Tensor inverse = where(some, rsqrt(where(some, square_norm, 1.0)), 0.0);
  return t * (reshape(scale, beside) * inverse);
}

SpectralNormResult spectral_norm(const Arg& w, const Tensor& u, int iterations, double eps) {
  OpScope scope("spectral_norm", w.loc);
  const Tensor t = need_floating(spectral_norm_p, w);
  if (t.rank() < 2) fail(spectral_norm_p, w, "needs a matrix, got " + to_string(t.type()), "a vector has no singular values");
  if (iterations < 0) fail(spectral_norm_p, w, std::to_string(iterations) + " iterations", "give 0 or more");
  if (!u || !(u.type() == Type{Shape{t.shape(0)}, t.dtype()}))
    fail(spectral_norm_p, w, "u is " + (u ? to_string(u.type()) : std::string("empty")) + " for a weight " + to_string(t.type()),
         "start with random numbers, one a row");
  const Tensor matrix = reshape(t, {t.shape(0), -1}), fixed = stop_gradient(matrix);
  Tensor left = stop_gradient(u), right = direction(matmul(left, fixed), eps);
  for (int i = 0; i < iterations; ++i) {
    left = direction(matmul(fixed, right), eps);
    right = direction(matmul(left, fixed), eps);
  }
  left = stop_gradient(left), right = stop_gradient(right);
  const Tensor sigma = sum(left * matmul(matrix, right));
  return {t / sigma, left};
}

Tensor local_response_norm(const Arg& x, std::int64_t size, const LocalResponseOptions& o) {
  OpScope scope("local_response_norm", x.loc);
  const Tensor t = need_floating(local_response_norm_p, x);
  if (t.rank() < 2) fail(local_response_norm_p, x, "needs [n, channels, ..], got " + to_string(t.type()), "add the missing axes with unsqueeze");
  if (size < 1) fail(local_response_norm_p, x, "a window of " + std::to_string(size) + " channels", "give 1 or more");
  const auto channels = t.shape(1);
  const Tensor squares = square(t);
  // The window of channel c runs from c - size / 2 to c + (size - 1) / 2; absent channels are zeros.
  const auto before = std::min(size / 2, channels), after = std::min((size - 1) / 2, channels);
  Ints low, high;
  for (int k = 0; k < t.rank(); ++k) low.push_back(k == 1 ? before : 0), high.push_back(k == 1 ? after : 0);
  const Tensor padded = pad_constant(squares, low, high, 0);
  Tensor total;
  for (std::int64_t k = 0; k < before + after + 1; ++k) {
    const Tensor part = slice(padded, {0, k}, {t.shape(0), k + channels});
    total = total ? total + part : part;
  }
  return t * pow(o.k + (o.alpha / static_cast<double>(size)) * total, -o.beta);
}

}  // namespace adjoint
