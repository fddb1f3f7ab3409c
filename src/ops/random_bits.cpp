// random_bits.cpp: the primitives from which all random operations are made: fold_in, random_bits, random_uniform; and
// uniform. Zero in the key. Not the distributions: those are in distributions.cpp.
#include "adjoint/ops/random.hpp"
#include "graph/limits.hpp"
#include "ops/batching.hpp"
#include "ops/random_ops.hpp"

namespace adjoint {

// A key is a scalar for users (Key::of). The primitives take any number of keys side by side, each with its own numbers:
// keys [k..] give [k.., shape..]. That is what batching makes of them.
static Type infer_drawn(const Infer& i) {
  if (i.type(0).dtype != DType::i64) i.fail("a key is a scalar of type i64, got " + to_string(i.type(0)), "Key::of and fold_in take one integer: cast(x, DType::i64)");
  const auto& [shape, dtype] = i.attrs.as<Drawn>();
  Type out{i.type(0).shape, dtype};
  for (auto d : shape) out.shape.push_back(d);
  return out;
}

/// A new key from a key and a number.
static const Primitive& fold_in_p = define({
    .name = "fold_in",
    .traits = {.gradient = Gradient::zero},
    .infer = [](const Infer& i) -> Type {
      for (std::size_t k = 0; k < 2; ++k)
        if (!(i.type(k) == Type{i.type(0).shape, DType::i64})) i.fail("needs scalars of type i64, got " + to_string(i.type(k)), "fold_in takes one integer: cast(x, DType::i64)");
      return i.type(0);
    },
    .batch = batch_same,
    .family = "D18",
});
static const Primitive& random_bits_p = define({
    .name = "random_bits", .traits = {.gradient = Gradient::zero}, .infer = infer_drawn, .batch = batch_same, .family = "D18"});
static const Primitive& random_uniform_p = define({
    .name = "random_uniform", .traits = {.gradient = Gradient::zero}, .infer = infer_drawn, .batch = batch_same, .family = "D18"});
static const Primitive& uniform_p = define({
    .name = "uniform", .traits = {.inlined = true, .gradient = Gradient::zero}, .family = "D18"});

Key Key::fold_in(const Tensor& data, Loc loc) const {
  const Tensor from = value(loc);
  Key k;
  k.folded_ = apply(fold_in_p, {&from, &data}, {}, loc);
  return k;
}

void check_drawn(const char* op, const Shape& shape, Loc loc) {
  if (!possible(shape))
    throw Error({.op = op, .message = "not a possible shape: " + to_string(shape), .where = user_loc(loc),
                 .hint = "sizes are >= 0 and multiply to at most 2^58"});
}

void need_floating(const char* op, DType dtype, Loc loc) {
  if (!is_floating(dtype))
    throw Error({.op = op, .message = "draws floating numbers, not " + std::string(name_of(dtype)), .where = user_loc(loc),
                 .hint = "use randint or bernoulli for integers and bool"});
}

Tensor random_bits(const Key& key, const Shape& shape, Loc loc) {
  check_drawn("random_bits", shape, loc);
  const Tensor k = key.value(loc);
  return apply(random_bits_p, {&k}, Drawn{shape, DType::i32}, loc);
}

Tensor unit_uniform(const Key& key, const Shape& shape, DType dtype, Loc loc) {
  check_drawn("uniform", shape, loc);
  need_floating("uniform", dtype, loc);
  const Tensor k = key.value(loc);
  const bool half = size_of(dtype) == 2;
  const Tensor u = apply(random_uniform_p, {&k}, Drawn{shape, half ? DType::f32 : dtype}, loc);
  if (!half) return u;
  const double steps = dtype == DType::bf16 ? 256 : 2048;  // all that the type holds below 1, evenly
  return cast(cast(u * steps, DType::i32) / steps, dtype);  // the cast to i32 drops the fraction
}

Tensor open_uniform(const Key& key, const Shape& shape, DType dtype, Loc loc) {
  const double half_step = dtype == DType::f64 ? 0x1p-53 : 0x1p-24;
  return (2.0 * unit_uniform(key, shape, dtype, loc) - 1.0) + half_step;  // each operation is exact
}

Tensor uniform(const Key& key, const Shape& shape, UniformOptions o, Loc loc) {
  OpScope scope("uniform", loc);
  if (!(o.low <= o.high))
    throw Error({.op = "uniform", .message = "the range [" + std::to_string(o.low) + ", " + std::to_string(o.high) + ") is empty",
                 .where = user_loc(loc), .hint = "low must not exceed high"});
  const Tensor u = unit_uniform(key, shape, o.dtype, loc);
  return o.low == 0 && o.high == 1 ? u : o.low + (o.high - o.low) * u;
}

}  // namespace adjoint
