// distributions.cpp: numbers from distributions, by inversion and by counting: each a function of uniform numbers. Zero in
// the key. Not masks for training: dropout.cpp.
#include <limits>
#include <numbers>

#include "adjoint/ops/random.hpp"
#include "adjoint/ops/softmax.hpp"
#include "ops/batching.hpp"
#include "ops/index_ops.hpp"
#include "ops/random_ops.hpp"
#include "ops/softmax_ops.hpp"

namespace adjoint {
namespace {

const Primitive& named(std::string_view name) {
  return define({.name = name, .traits = {.inlined = true, .gradient = Gradient::zero}, .family = "D18"});
}
const Primitive &normal_p = named("normal"), &truncated_normal_p = named("truncated_normal"), &randint_p = named("randint");
const Primitive &exponential_p = named("exponential"), &laplace_p = named("laplace"), &gumbel_p = named("gumbel");

struct Length { std::int64_t n; };
const Primitive& permutation_p = define({
    .name = "permutation",
    .traits = {.gradient = Gradient::zero},
    .infer = [](const Infer& i) -> Type {
      if (i.type(0).dtype != DType::i64) i.fail("a key is a scalar of type i64, got " + to_string(i.type(0)), "Key::of and fold_in take one integer: cast(x, DType::i64)");
      Type out = i.type(0);  // a key a row
      out.shape.push_back(i.attrs.as<Length>().n);
      return out;
    },
    .batch = batch_same,
    .family = "D18",
});

/// Operands: keys [k..], e^-rate [k.., r..]. Element i of a row [r..] counts how many of the uniform numbers of fold_in(key, i) can be multiplied before the
/// product falls to e^-rate or below.
const Primitive& poisson_p = define({
    .name = "poisson",
    .traits = {.gradient = Gradient::refused},
    .infer = [](const Infer& i) -> Type {
      if (i.type(1).dtype != DType::f64) i.fail("limits are f64, got " + to_string(i.type(1)));
      return {i.type(1).shape, DType::f32};
    },
    .batch = batch_same,
    .family = "D18",
});
/// Operands: key, probabilities in f64. Whether the uniform number of the place is below the probability.
const Primitive& bernoulli_p = define({
    .name = "bernoulli",
    .traits = {.gradient = Gradient::refused},
    .infer = [](const Infer& i) -> Type { return {i.type(1).shape, DType::bool_}; },
    .decompose = [](const Node& n) {
      return lt(unit_uniform(Key::of(share(n.in[0])), n.type.shape, DType::f64, n.loc), share(n.in[1]));
    },
    .family = "D18",
});

/// The type of numbers that noise is added to.
DType wide(DType d) { return d == DType::f64 ? d : DType::f32; }

/// Operands: key, logits. The largest of logits + noise.
const Primitive& categorical_p = define({
    .name = "categorical",
    .traits = {.gradient = Gradient::refused},
    .infer = [](const Infer& i) -> Type {
      Shape out = i.type(1).shape;
      out.erase(static_cast<std::size_t>(i.attrs.as<OneAxis>().axis));
      return {out, DType::i64};
    },
    .decompose = [](const Node& n) {
      const Tensor logits = share(n.in[1]);
      const DType d = wide(logits.dtype());
      return argmax(cast(logits, d) + gumbel(Key::of(share(n.in[0])), logits.shape(), {.dtype = d}, n.loc), {n.attrs.as<OneAxis>().axis});
    },
    .family = "D18",
});

struct Draws { std::int64_t count; bool replacement; };
/// Operands: key, probabilities. With replacement a categorical draw each; without, the largest `count` of logarithms + noise.
const Primitive& multinomial_p = define({
    .name = "multinomial",
    .traits = {.gradient = Gradient::refused},
    .infer = [](const Infer& i) -> Type {
      Shape out = i.type(1).shape;
      out[out.size() - 1] = i.attrs.as<Draws>().count;
      return {out, DType::i64};
    },
    .decompose = [](const Node& n) {
      const auto [count, replacement] = n.attrs.as<Draws>();
      const Tensor p = share(n.in[1]);
      const Key key = Key::of(share(n.in[0]));
      const DType d = wide(p.dtype());
      const Tensor logits = log(cast(p, d));
      if (replacement) {
        Shape many = p.shape(), at = p.shape();
        many.insert(many.rank() - 1, count), at.insert(at.rank() - 1, 1);
        return argmax(reshape(logits, at) + gumbel(key, many, {.dtype = d}, n.loc), {-1});
      }
      Tensor noisy = logits + gumbel(key, p.shape(), {.dtype = d}, n.loc);
      Tensors drawn;
      for (std::int64_t i = 0; i < count; ++i) {
        drawn.push_back(argmax(noisy, {-1}));
        noisy = where(class_mask(drawn.back(), {.classes = p.shape(-1)}, n.loc), -std::numeric_limits<double>::infinity(), noisy);
      }
      return stack(drawn, -1);
    },
    .family = "D18",
});

[[noreturn]] void fail(const char* op, Loc loc, std::string why, std::string hint) {
  throw Error({.op = op, .message = std::move(why), .where = user_loc(loc), .hint = std::move(hint)});
}

/// Uniform in (0, 1), symmetric about 1/2.
Tensor open_unit(const Key& key, const Shape& shape, DType dtype, Loc loc) {
  const double half_step = dtype == DType::f64 ? 0x1p-54 : 0x1p-25;
  const Tensor u = unit_uniform(key, shape, dtype, loc);
  return where(lt(u, 0.5), u + half_step, u);  // near 1 the grid is as fine as the type: u itself stays below 1
}

Tensor scaled(const Tensor& x, double mean, double scale, DType dtype) {
  Tensor y = scale == 1 ? x : scale * x;
  if (mean != 0) y = mean + y;
  return cast(y, dtype);
}

}  // namespace

Tensor normal(const Key& key, const Shape& shape, NormalOptions o, Loc loc) {
  OpScope scope("normal", loc);
  need_floating("normal", o.dtype, loc);
  if (!(o.deviation >= 0)) fail("normal", loc, "a deviation of " + std::to_string(o.deviation), "it is >= 0");
  const Tensor w = erfinv(open_uniform(key, shape, wide(o.dtype), loc));
  return scaled(w, o.mean, o.deviation * std::numbers::sqrt2, o.dtype);
}

Tensor truncated_normal(const Key& key, const Shape& shape, TruncatedNormalOptions o, Loc loc) {
  OpScope scope("truncated_normal", loc);
  need_floating("truncated_normal", o.dtype, loc);
  if (!(o.low < o.high)) fail("truncated_normal", loc, "the range [" + std::to_string(o.low) + ", " + std::to_string(o.high) + "] is empty", "low lies below high");
  if (!(o.deviation >= 0)) fail("truncated_normal", loc, "a deviation of " + std::to_string(o.deviation), "it is >= 0");
  // In f64, so that the inversion is exact enough in the tails of f32.
  const auto cumulated = [](double x) { return erf(scalar(x / std::numbers::sqrt2, DType::f64)); };
  const Tensor from = cumulated(o.low), to = cumulated(o.high);
  const Tensor x = std::numbers::sqrt2 * erfinv(from + (to - from) * unit_uniform(key, shape, DType::f64, loc));
  return scaled(clamp(x, o.low, o.high), o.mean, o.deviation, o.dtype);
}

Tensor bernoulli(const Key& key, const Shape& shape, double p, Loc loc) {
  OpScope scope("bernoulli", loc);
  if (!(p >= 0 && p <= 1)) fail("bernoulli", loc, "a probability of " + std::to_string(p), "it lies in [0, 1]");
  return lt(unit_uniform(key, shape, DType::f32, loc), p);
}

Tensor bernoulli(const Key& key, const Tensor& p, Loc loc) {
  OpScope scope("bernoulli", loc);
  const Tensor k = key.value(loc), probability = cast(need(Arg(p, loc), bernoulli_p), DType::f64);
  return apply(bernoulli_p, {&k, &probability}, {}, loc);
}

Tensor randint(const Key& key, const Shape& shape, std::int64_t low, std::int64_t high, DType dtype, Loc loc) {
  OpScope scope("randint", loc);
  constexpr std::int64_t kMost = std::int64_t{1} << 52;
  std::int64_t range = 0;
  if (low >= high || __builtin_sub_overflow(high, low, &range) || range > kMost)
    fail("randint", loc, "the range [" + std::to_string(low) + ", " + std::to_string(high) + ")", "low lies below high, by at most 2^52");
  if (!is_integer(dtype)) fail("randint", loc, "draws integers, not " + std::string(name_of(dtype)), "use uniform for floating numbers");
  const Tensor i = cast(unit_uniform(key, shape, DType::f64, loc) * static_cast<double>(range), DType::i64);
  return cast(i + scalar_i64(low), dtype);
}

Tensor permutation(const Key& key, std::int64_t n, Loc loc) {
  check_drawn("permutation", {n}, loc);
  const Tensor k = key.value(loc);
  return apply(permutation_p, {&k}, Length{n}, loc);
}

Tensor exponential(const Key& key, const Shape& shape, double rate, DType dtype, Loc loc) {
  OpScope scope("exponential", loc);
  need_floating("exponential", dtype, loc);
  if (!(rate > 0)) fail("exponential", loc, "a rate of " + std::to_string(rate), "it is > 0");
  return scaled(-log(open_unit(key, shape, wide(dtype), loc)), 0, 1 / rate, dtype);
}

Tensor laplace(const Key& key, const Shape& shape, ScaleOptions o, Loc loc) {
  OpScope scope("laplace", loc);
  need_floating("laplace", o.dtype, loc);
  if (!(o.scale >= 0)) fail("laplace", loc, "a scale of " + std::to_string(o.scale), "it is >= 0");
  const Tensor w = open_uniform(key, shape, wide(o.dtype), loc);
  return scaled(-copysign(log1p(-abs(w)), w), o.mean, o.scale, o.dtype);
}

Tensor gumbel(const Key& key, const Shape& shape, ScaleOptions o, Loc loc) {
  OpScope scope("gumbel", loc);
  need_floating("gumbel", o.dtype, loc);
  if (!(o.scale >= 0)) fail("gumbel", loc, "a scale of " + std::to_string(o.scale), "it is >= 0");
  return scaled(-log(-log(open_unit(key, shape, wide(o.dtype), loc))), o.mean, o.scale, o.dtype);
}

Tensor poisson(const Key& key, const Arg& rate) {
  OpScope scope("poisson", rate.loc);
  const Tensor k = key.value(rate.loc), limit = exp(-cast(Arg(need(rate, poisson_p), rate.loc), DType::f64));
  return apply(poisson_p, {&k, &limit}, {}, rate.loc);
}

Tensor categorical(const Key& key, const Arg& logits, int axis) {
  OpScope scope("categorical", logits.loc);
  const Tensor x = need(logits, categorical_p);
  if (!is_floating(x.dtype())) fail("categorical", logits.loc, "logits are floating, got " + to_string(x.type()), "cast them: cast(x, DType::f32)");
  const int along = normal_axis(axis, x.rank(), "categorical", logits.loc);
  if (x.shape(along) == 0) fail("categorical", logits.loc, "nothing to choose from in " + to_string(x.type()), "the axis has at least one entry");
  const Tensor k = key.value(logits.loc);
  return apply(categorical_p, {&k, &x}, OneAxis{along}, logits.loc);
}

Tensor multinomial(const Key& key, const Arg& p, std::int64_t count, bool replacement) {
  OpScope scope("multinomial", p.loc);
  const Tensor x = need(p, multinomial_p);
  if (!is_floating(x.dtype()) || x.rank() == 0)
    fail("multinomial", p.loc, "needs floating probabilities along the last axis, got " + to_string(x.type()), "cast them: cast(p, DType::f32)");
  const auto n = x.shape(-1);
  if (n == 0 || count < 0 || (!replacement && count > n))
    fail("multinomial", p.loc, std::to_string(count) + " draws from " + std::to_string(n) + " entries", "without replacement at most as many as there are");
  if (count == 0) {
    Shape none = x.shape();
    none[none.size() - 1] = 0;
    return zeros(none, DType::i64, p.loc);
  }
  if (replacement) {  // a number of noise for each draw and entry
    if (x.rank() == kMaxRank)
      fail("multinomial", p.loc, "needs at most " + std::to_string(kMaxRank - 1) + " axes, got " + to_string(x.type()), "join axes with reshape first");
    Shape many = x.shape();
    many.push_back(count);
    checked_elements(many, "multinomial", p.loc);
  }
  const Tensor k = key.value(p.loc);
  return apply(multinomial_p, {&k, &x}, Draws{count, replacement}, p.loc);
}

}  // namespace adjoint
