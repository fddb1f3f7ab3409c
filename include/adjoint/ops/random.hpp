// random.hpp: random tensors and the operations that draw from them. Each takes a Key and is a function of it: the same key
// gives the same numbers on any number of threads, in any plan. Not a stream: see key.hpp.
// All are zero in the key; a distribution's parameter that is a Tensor refuses a gradient: asking for one through what was drawn is an Error, also where only
// comparisons or indices follow. stop_gradient on the parameter or on the draw says that none is meant, as for a policy gradient.
#pragma once

#include "adjoint/key.hpp"
#include "adjoint/tensor.hpp"

namespace adjoint {

/// 32 random bits an element, as i32: word i % 4 of block i / 4 of Philox4x32-10 under the key.
Tensor random_bits(const Key& key, const Shape& shape, Loc loc = Loc::current());

/// Settings of uniform().
struct UniformOptions {
  double low = 0, high = 1;
  DType dtype = DType::f32;
};
/// Uniform in [low, high): low + (high - low) u, where u is a multiple of 2^-24 (f64: 2^-53, f16: 2^-11, bf16: 2^-8).
/// After rounding, `high` itself can occur where |low| is large against high - low.
Tensor uniform(const Key& key, const Shape& shape, UniformOptions options = {}, Loc loc = Loc::current());

/// Settings of normal().
struct NormalOptions {
  double mean = 0, deviation = 1;
  DType dtype = DType::f32;
};
/// mean + deviation sqrt(2) erfinv(w), w uniform in (-1, 1) on 2^24 (f64: 2^53) midpoints, so |normal| <= 5.5 (f64: 8.3).
Tensor normal(const Key& key, const Shape& shape, NormalOptions options = {}, Loc loc = Loc::current());

/// Settings of truncated_normal().
struct TruncatedNormalOptions {
  double low = -2, high = 2;      ///< in deviations from the mean
  double mean = 0, deviation = 1;
  DType dtype = DType::f32;
};
/// A normal restricted to [mean + low deviation, mean + high deviation], by inversion of its distribution.
Tensor truncated_normal(const Key& key, const Shape& shape, TruncatedNormalOptions options = {}, Loc loc = Loc::current());

/// bool: true with probability p. A Tensor of probabilities gives a result of its shape, and refuses a gradient.
Tensor bernoulli(const Key& key, const Shape& shape, double p = 0.5, Loc loc = Loc::current());
/// The same, with a probability for each element of the result.
Tensor bernoulli(const Key& key, const Tensor& p, Loc loc = Loc::current());

/// Integers uniform in [low, high), high - low <= 2^52.
Tensor randint(const Key& key, const Shape& shape, std::int64_t low, std::int64_t high, DType dtype = DType::i64, Loc loc = Loc::current());
/// 0 ... n-1 in random order, i64: Fisher and Yates from the end, place i with the place floor(u (i + 1)), u the i-th of
/// the key's uniform numbers in f64.
Tensor permutation(const Key& key, std::int64_t n, Loc loc = Loc::current());

/// i64: an index along `axis` with probability softmax(logits), by the largest of logits + Gumbel noise. The logits refuse a
/// gradient; gumbel_softmax has one.
Tensor categorical(const Key& key, const Arg& logits, int axis = -1);
/// i64 [.., count]: `count` indices drawn with probabilities proportional to p along the last axis; without replacement
/// each at most once. The probabilities refuse a gradient.
Tensor multinomial(const Key& key, const Arg& p, std::int64_t count, bool replacement = true);

/// Settings of laplace() and gumbel().
struct ScaleOptions {
  double mean = 0, scale = 1;
  DType dtype = DType::f32;
};
/// -log(u) / rate, u uniform in (0, 1).
Tensor exponential(const Key& key, const Shape& shape, double rate = 1, DType dtype = DType::f32, Loc loc = Loc::current());
/// mean - scale sign(w) log(1 - |w|), w uniform in (-1, 1).
Tensor laplace(const Key& key, const Shape& shape, ScaleOptions options = {}, Loc loc = Loc::current());
/// mean - scale log(-log(u)), u uniform in (0, 1).
Tensor gumbel(const Key& key, const Shape& shape, ScaleOptions options = {}, Loc loc = Loc::current());
/// Poisson counts as f32, by multiplying uniform numbers until e^-rate is reached; 0 <= rate <= 700, or an Error when
/// computed. The rate refuses a gradient.
Tensor poisson(const Key& key, const Arg& rate);

/// Each element 0 with probability p, else x / (1 - p). p = 0 gives x, p = 1 zeros.
///   gradient  dx = ct / (1 - p) where x was kept, else 0: the mask is counted again, not stored
Tensor dropout(const Key& key, const Arg& x, double p);
/// The same for whole channels of [n, channels, length], [n, channels, h, w] and [n, channels, d, h, w].  gradient  as dropout
Tensor dropout1d(const Key& key, const Arg& x, double p);
/// The same for [n, channels, h, w].
Tensor dropout2d(const Key& key, const Arg& x, double p);
/// The same for [n, channels, d, h, w].
Tensor dropout3d(const Key& key, const Arg& x, double p);
/// Dropout for selu networks: dropped elements become -1.7580993408473766, and the result is scaled and shifted so that mean 0
/// and variance 1 stay.  gradient  dx = a ct where x was kept, else 0
Tensor alpha_dropout(const Key& key, const Arg& x, double p);
/// Stochastic depth: whole examples (entries of the first axis) 0 with probability p, else x / (1 - p).  gradient  as dropout
Tensor drop_path(const Key& key, const Arg& x, double p);

}  // namespace adjoint
